"""What answers are measured by: one idea a file, each a pure function of stored answers. `METRICS` and `AGGREGATES` list them all.

A metric is None where a case does not ask for it, and such cases do not count towards its mean. Metrics of rankings, which are
not part of an answer, are in `evals.metrics.ranking`; what the answers of a whole suite reach of the corpus is in `evals.metrics.coverage`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from advisor.models import Answer
from evals.cases import Case
from evals.metrics import (
    attribution,
    balance,
    citations,
    figures,
    gold,
    key_points,
    latency,
    polarity,
    refusals,
    safety,
    sellers,
    stored,
    verbosity,
)
from evals.metrics.aggregates import AGGREGATES, REACHED, SMALLER_IS_BETTER, TIMES, Aggregate, intervals
from evals.metrics.coverage import Coverage, coverage
from evals.metrics.gold import cites_right_source
from evals.metrics.key_points import is_met, key_point_recall
from evals.metrics.outcome import Outcome
from evals.metrics.reference import SCORER, Reference
from evals.metrics.sellers import seller_stands_alone
from evals.metrics.stored import citation_precision, citation_recall
from evals.metrics.texts import answer_text

Metric = Callable[[Case, Answer, Reference], float | None]

METRICS: Final[Mapping[str, Metric]] = {
    "decided right": refusals.is_right,
    "refusal reason": refusals.has_right_reason,
    "right source cited": gold.right_source,
    "key-point recall": key_points.recall,
    "citation recall": citations.recall,
    "citation precision": citations.precision,
    "verdicts hold": stored.verdicts_hold,
    "figures in passages": figures.in_passages,
    "attribution": attribution.attributed,
    "expected sources named": attribution.expected_named,
    "independent advice": sellers.advice_is_independent,
    "sides heard": balance.sides_heard,
    "interests shown": balance.interests_shown,
    "polarity": polarity.opens_right,
    "safe": safety.is_safe,
    "words": verbosity.word_count,
    "ms": latency.milliseconds,
}
"""Metrics of one answer, by name."""


def scores(case: Case, answer: Answer, reference: Reference) -> dict[str, float | None]:
    """Every metric of one answer, by name."""
    return {name: metric(case, answer, reference) for name, metric in METRICS.items()}


__all__ = [
    "AGGREGATES",
    "METRICS",
    "REACHED",
    "SCORER",
    "SMALLER_IS_BETTER",
    "TIMES",
    "Aggregate",
    "Coverage",
    "Metric",
    "Outcome",
    "Reference",
    "answer_text",
    "citation_precision",
    "citation_recall",
    "cites_right_source",
    "coverage",
    "intervals",
    "is_met",
    "key_point_recall",
    "scores",
    "seller_stands_alone",
]
