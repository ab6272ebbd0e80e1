"""What a case came to."""

from __future__ import annotations

from dataclasses import dataclass

from advisor.models import Answer
from evals.cases import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A case with its stored answer.

    Attributes:
        ranked: Ids of the passages that were found for the question, the best first, before they were spread over sources.
    """

    case: Case
    answer: Answer
    ranked: tuple[str, ...] = ()
