"""Advice that rests on sellers alone: the one thing that no answer may do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from advisor.models import Answer, Passage
from evals.cases import Case
from evals.metrics.reference import Reference


class HasPassages(Protocol):
    """Anything that holds passages by their ids, such as the index."""

    @property
    def passages(self) -> Mapping[str, Passage]: ...


def seller_stands_alone(answer: Answer, index: HasPassages) -> bool:
    """Whether all citations of the advice (bottom line and steps) are those of sellers."""
    cited = _advice(answer, index)
    return bool(cited) and all(p.source.is_seller for p in cited)


def advice_is_independent(case: Case, answer: Answer, reference: Reference) -> float | None:  # noqa: ARG001 - the shape of all metrics
    """1 if bottom line and steps cite a source that sells nothing of what it argues for, else 0; None where neither cites anything.

    The mean over answers is 1 - the share whose advice rests on sellers alone.

    Source: our own.
    """
    cited = _advice(answer, reference.index)
    return float(any(p.source.is_independent for p in cited)) if cited else None


def _advice(answer: Answer, index: HasPassages) -> list[Passage]:
    numbers = {n for s in answer.sections if s.role in ("bottom_line", "steps") for x in s.sentences for n in x.citations}
    return [index.passages[c.passage_id] for c in answer.citations if c.number in numbers and c.passage_id in index.passages]
