"""What changed between two runs, figure by figure and question by question; and the gate that a change must pass.

A difference is called one only where the paired bootstrap interval of the per-question differences leaves out zero; figures that are
no mean of questions are compared by their own intervals.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from evals.metrics import SMALLER_IS_BETTER, TIMES
from evals.metrics.bootstrap import ROUNDING, Interval, difference
from evals.results import Result

# A figure may fall by so much before the gate looks at its interval: a change of one question in fifty is no reason to stop.
TOLERANCE: Final = 0.02
# Figures that say nothing about right or wrong, or differ from machine to machine.
NOT_GATED: Final = TIMES | {"words", "scope"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One figure before and after.

    Attributes:
        low: With `high` the 95 % interval of the difference after - before.
        is_real: Whether that interval leaves out zero.
    """

    suite: str
    half: str
    name: str
    before: float
    after: float
    low: float
    high: float

    @property
    def difference(self) -> float:
        return self.after - self.before

    @property
    def is_real(self) -> bool:
        return self.low > ROUNDING or self.high < -ROUNDING

    @property
    def is_loss(self) -> bool:
        return (self.difference > 0) if self.name in SMALLER_IS_BETTER else (self.difference < 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionChange:
    """One question that got another answer: which scores moved, and the first sentences before and after."""

    suite: str
    id: str
    question: str
    scores: Mapping[str, tuple[float | None, float | None]]
    before: str
    after: str


def compare(before: Mapping[str, Result], after: Mapping[str, Result]) -> Iterator[Change]:
    """Every figure that both runs have."""
    for suite in before:
        if suite not in after:
            continue
        for half, figures in before[suite].halves.items():
            later = after[suite].halves.get(half, {})
            for name, figure in figures.items():
                if name in later:
                    low, high = _interval(before[suite], after[suite], half, name, figure, later[name])
                    yield Change(
                        suite=suite, half=half, name=name, before=figure.value, after=later[name].value, low=low, high=high
                    )  # fmt: skip


def question_changes(before: Mapping[str, Result], after: Mapping[str, Result], *, half: str = "tune") -> Iterator[QuestionChange]:
    """The questions of one half whose answer or scores differ. The reporting half is for reporting only."""
    for suite in before:
        later = {row.id: row for row in after[suite].rows} if suite in after else {}
        for row in before[suite].rows:
            other = later.get(row.id)
            if other is None or row.half != half:
                continue
            moved = {n: (v, other.scores.get(n)) for n, v in row.scores.items() if v != other.scores.get(n) and n not in NOT_GATED}
            if moved or row.got != other.got:
                yield QuestionChange(
                    suite=suite, id=row.id, question=row.question, scores=moved,
                    before=opening(row.answer), after=opening(other.answer),
                )  # fmt: skip


def losses(before: Mapping[str, Result], after: Mapping[str, Result], *, tolerance: float = TOLERANCE) -> tuple[Change, ...]:
    """The figures that fell by more than the tolerance, and surely so. Both halves are looked at, since nobody reads their rows."""
    return tuple(
        c for c in compare(before, after) if c.name not in NOT_GATED and c.is_loss and c.is_real and abs(c.difference) > tolerance
    )  # fmt: skip


def opening(answer: Mapping[str, object]) -> str:
    """The first sentence of a stored answer, or the refusal's."""
    refusal = answer.get("refusal")
    if isinstance(refusal, dict):
        return str(refusal["message"])
    sections = answer.get("sections")
    return str(sections[0]["sentences"][0]["text"]) if isinstance(sections, list) and sections else ""


def _interval(before: Result, after: Result, half: str, name: str, old: Interval, new: Interval) -> tuple[float, float]:
    """The interval of the difference: paired where the figure is a mean over questions, else from the ends of both intervals."""
    first, second = (
        {row.id: row.scores.get(name) for row in result.rows if row.half == half and name in row.scores} for result in (before, after)
    )
    paired = difference(first, second)
    return (paired.low, paired.high) if paired else (new.low - old.high, new.high - old.low)
