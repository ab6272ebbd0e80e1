"""From rows to figures: each row's scores, and over all rows their means and what is no mean, each with its 95 % interval."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Final

from evals.metrics import AGGREGATES, METRICS, Aggregate, Outcome
from evals.metrics.bootstrap import Interval, mean_interval, ratio_interval
from evals.metrics.ranking import per_question
from evals.metrics.reference import Reference
from evals.metrics.refusals import must_be_refused
from evals.rows import Row, outcome

# What no answer of any suite reaches is a figure of all suites together, see `evals.run.reached`.
# Where nothing has to be refused these say no more than "in-domain refused".
OF_REFUSALS: Final = frozenset({"refusal precision", "refusal recall", "refusal F1"})
OF_ALL_SUITES: Final = frozenset({"claims reached", "guidance reached"})


def scored(row: Row, reference: Reference) -> Row:
    """The row with all its scores worked out anew from the stored answer."""
    found = outcome(row, reference)
    scores: dict[str, float | None] = {name: metric(found.case, found.answer, reference) for name, metric in METRICS.items()}
    if row.ranked:
        scores |= per_question(row.gold, row.ranked)
    if row.scope is not None:
        scores["scope"] = row.scope
    return row.model_copy(update={"scores": scores})


def figures(rows: Sequence[Row], reference: Reference) -> dict[str, Interval]:
    """All figures that apply to these rows: means of their scores, and statistics of all rows together."""
    found: dict[str, Interval] = {}
    for name in dict.fromkeys(name for row in rows for name in row.scores if name != "scope"):
        mean = mean_interval([row.scores.get(name) for row in rows])
        if mean:
            found[name] = mean
    outcomes = [outcome(row, reference) for row in rows]
    to_refuse = any(must_be_refused(one.case) for one in outcomes)
    for name, statistic in AGGREGATES.items():
        if name in OF_ALL_SUITES or (name in OF_REFUSALS and not to_refuse):
            continue
        together = _interval(outcomes, statistic, reference)
        if together:
            found[name] = together
    return found


def _interval(outcomes: Sequence[Outcome], statistic: Aggregate, reference: Reference) -> Interval | None:
    """The statistic with its interval. What is drawn are groups of wordings, which belong together; a case without a group is one."""
    groups: dict[str, list[Outcome]] = {}
    for one in outcomes:
        groups.setdefault(one.case.group or one.case.id, []).append(one)
    return ratio_interval(list(groups.values()), lambda drawn: statistic(list(chain.from_iterable(drawn)), reference))
