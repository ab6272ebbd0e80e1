"""Expected click-through rate by position: the published curves as data, and the range that they give."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from advisor.models import CtrCurve

LAST_POSITION = 10
# On queries known to show an AI Overview the usual rate of the first positions is multiplied by this span, which Ahrefs' losses of
# 58% (December 2025) and 34.5% (April 2025) at position 1 leave: a judgment of the editors, see ctr-curves/ai-overview-effect.
OVERVIEW_FACTORS = (0.4, 0.65)
OVERVIEW_POSITIONS = 3
# With fewer expected clicks a gap is not called: at 3 expected clicks, none at all happens by chance in about 5% of cases.
LEAST_EXPECTED_CLICKS = 5

WHY_CURVES_DIFFER = (
    "Curves differ because they mix different queries, devices and page layouts: compare a page with your own site's rate for its position "
    "first, brand queries left out."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedCtr:
    """The usual click-through rate at a position, in percent of impressions.

    Attributes:
        low, high: The span of the curves that count as typical, lowered where an AI Overview shows.
        lowest, highest: The span of all curves that give a rate for the position, as published.
        curves: The typical curves and the rate of each, in percent, before any lowering.
        others: The outlying curves with a rate for this position, in percent.
        ai_overview: Whether the span was lowered for an AI Overview.
    """

    position: float
    low: float
    high: float
    lowest: float
    highest: float
    curves: tuple[tuple[CtrCurve, float], ...]
    others: tuple[tuple[CtrCurve, float], ...]
    ai_overview: bool
    why_curves_differ: str = WHY_CURVES_DIFFER


def expected_ctr(curves: Sequence[CtrCurve], position: float, *, ai_overview: bool = False) -> ExpectedCtr | None:
    """The range that the published curves give for an average position, or None where they give none (before 1, after 10).

    Between two whole positions the rate is interpolated in a straight line.

    Args:
        curves: Those of the corpus.
        position: Average position in organic results, from 1.
        ai_overview: Whether the queries are known to show an AI Overview; lowers the range of the first three positions.
    """
    typical = tuple(_rates(curves, position, "typical"))
    if not 1 <= position <= LAST_POSITION or not typical:
        return None
    others = tuple(_rates(curves, position, "outlier"))
    low, high = min(r for _, r in typical), max(r for _, r in typical)
    lowered = ai_overview and position <= OVERVIEW_POSITIONS
    if lowered:
        low, high = low * OVERVIEW_FACTORS[0], high * OVERVIEW_FACTORS[1]
    every = [rate for _, rate in (*typical, *others)]
    return ExpectedCtr(
        position=position,
        low=round(low, 1),
        high=round(high, 1),
        lowest=min(every),
        highest=max(every),
        curves=typical,
        others=others,
        ai_overview=lowered,
    )


def rate_at(curve: CtrCurve, position: float) -> float | None:
    """The curve's rate in percent at a position, interpolated in a straight line; None outside its points."""
    points = dict(curve.points)
    below = int(position)
    # Rounded to a tenth of a percent: the curves carry no more.
    if position == below:
        return points.get(below)
    if below not in points or below + 1 not in points:
        return None
    return round(points[below] + (points[below + 1] - points[below]) * (position - below), 1)


def _rates(curves: Sequence[CtrCurve], position: float, use: str) -> Iterator[tuple[CtrCurve, float]]:
    for curve in curves:
        rate = rate_at(curve, position)
        if curve.use == use and rate is not None:
            yield curve, rate


def gap(expected: ExpectedCtr, *, clicks: int, impressions: int) -> str:
    """How a measured rate lies to the expected range: "below", "within", "above", or "too few" to say.

    Args:
        clicks, impressions: Of one page or query over the same time, at this position.
    """
    if impressions * expected.low / 100 < LEAST_EXPECTED_CLICKS:
        return "too few"
    return lies(expected, 100 * clicks / impressions)


def lies(expected: ExpectedCtr, rate: float) -> str:
    """Whether a rate in percent lies "below", "within" or "above" the usual range."""
    return "below" if rate < expected.low else "above" if rate > expected.high else "within"
