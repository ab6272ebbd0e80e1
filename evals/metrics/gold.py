"""Right source cited: whether an answer rests on a source that decides the question."""

from __future__ import annotations

from typing import Protocol

from advisor.models import Answer
from evals.cases import Case
from evals.metrics.reference import Reference


class HasGold(Protocol):
    """Anything that names the passages which decide it."""

    @property
    def gold(self) -> tuple[str, ...]: ...


def cites_right_source(question: HasGold, answer: Answer) -> bool:
    """Whether a source of a gold passage is among the citations."""
    wanted = {gold.split("/")[0] for gold in question.gold}
    return any(c.source_id in wanted for c in answer.citations)


def right_source(case: Case, answer: Answer, reference: Reference) -> float | None:
    """1 if a source of a gold passage is among the citations that can be followed, else 0; None without gold passages."""
    if not case.gold:
        return None
    wanted = {gold.split("/")[0] for gold in case.gold}
    return float(any(p.source.id in wanted for p in reference.passages(list(reference.cited(answer).values()))))
