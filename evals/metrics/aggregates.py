"""Statistics of many outcomes together, each with an interval from drawing questions anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from evals.metrics import latency, refusals, stability
from evals.metrics.bootstrap import Interval, ratio_interval
from evals.metrics.coverage import coverage
from evals.metrics.outcome import Outcome
from evals.metrics.reference import Reference

STABILITY: Final = "stability"
Aggregate = Callable[[Sequence[Outcome], Reference], float | None]


def _of_outcomes(statistic: Callable[[Sequence[Outcome]], float | None]) -> Aggregate:
    """A statistic that needs no reference, in the shape of the others."""
    return lambda outcomes, reference: statistic(outcomes)  # noqa: ARG005


AGGREGATES: Final[Mapping[str, Aggregate]] = {
    "refusal precision": _of_outcomes(refusals.precision),
    "refusal recall": _of_outcomes(refusals.recall),
    "refusal F1": _of_outcomes(refusals.f1),
    "answerable accuracy": _of_outcomes(refusals.answerable_accuracy),
    "off-topic refused": _of_outcomes(refusals.off_topic_refused),
    "in-domain refused": _of_outcomes(refusals.in_domain_refused),
    STABILITY: stability.stable,
    "median ms": _of_outcomes(latency.median),
    "p95 ms": _of_outcomes(latency.p95),
    "claims reached": lambda outcomes, reference: coverage((o.answer for o in outcomes), reference).claims,
    "guidance reached": lambda outcomes, reference: coverage((o.answer for o in outcomes), reference).guidance,
}
REACHED: Final = frozenset({"claims reached", "guidance reached"})
"""The aggregates that say something only of all suites together."""
SMALLER_IS_BETTER: Final = frozenset({"words", "ms", "in-domain refused", "median ms", "p95 ms"})
TIMES: Final = frozenset({"ms", "median ms", "p95 ms"})
"""The figures that differ between two runs of one commit."""


def intervals(outcomes: Sequence[Outcome], reference: Reference) -> dict[str, Interval]:
    """Every aggregate that has a value for these outcomes, with its 95 % interval and the number of questions behind it.

    Wordings of one question belong together and are drawn together. What answers reach of the corpus gets no interval: a draw holds
    fewer different questions than were asked, and so reaches less.
    """
    questions: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        questions.setdefault(outcome.case.group or outcome.case.id, []).append(outcome)
    drawn = list(questions.values())
    found: dict[str, Interval] = {}
    for name, statistic in AGGREGATES.items():
        if name in REACHED:
            value = statistic(outcomes, reference)
            interval = None if value is None else Interval(value, value, value, len(drawn))
        else:
            about = [wordings for wordings in drawn if wordings[0].case.group] if name == STABILITY else drawn
            interval = ratio_interval(about, partial(_together, statistic, reference))
        if interval:
            found[name] = interval
    return found


def _together(statistic: Aggregate, reference: Reference, drawn: Sequence[Sequence[Outcome]]) -> float | None:
    return statistic([outcome for wordings in drawn for outcome in wordings], reference)
