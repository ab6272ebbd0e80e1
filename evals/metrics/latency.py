"""Latency: how long answers take, from the stored milliseconds. The one metric that differs between runs of the same commit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from advisor.models import Answer
from evals.cases import Case
from evals.metrics.outcome import Outcome
from evals.metrics.reference import Reference


def milliseconds(case: Case, answer: Answer, reference: Reference) -> float:  # noqa: ARG001 - the shape of all metrics
    """The whole time that an answer took."""
    return answer.elapsed_ms.total


def median(outcomes: Sequence[Outcome]) -> float | None:
    """The median of the whole times in milliseconds; None without outcomes."""
    return _quantile(outcomes, 0.5)


def p95(outcomes: Sequence[Outcome]) -> float | None:
    """The 95th percentile of the whole times in milliseconds; None without outcomes."""
    return _quantile(outcomes, 0.95)


def _quantile(outcomes: Sequence[Outcome], share: float) -> float | None:
    """The value at h = (n - 1) share of the sorted times, linear between neighbors.

    Source: Hyndman & Fan, "Sample Quantiles in Statistical Packages", The American Statistician 50(4), 1996, type 7.
    """
    return float(np.quantile([o.answer.elapsed_ms.total for o in outcomes], share)) if outcomes else None
