"""Bootstrap intervals: how far a figure may be off because these questions were asked and not others.

Percentile bootstrap: draw n rows with replacement, take the statistic, 2,000 times over; the 2.5th and 97.5th percentiles bound 95 %.
The seed is fixed, so that the same rows give the same interval.

Source: Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, ch. 13.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

RESAMPLES: Final = 2_000
SEED: Final = 20_240_229
BOUNDS: Final = (0.025, 0.975)
# A difference of less than this is rounding.
ROUNDING: Final = 1e-12

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with the 95 % interval around it and the number of rows that it rests on."""

    value: float
    low: float
    high: float
    n: int

    @property
    def leaves_out_zero(self) -> bool:
        return self.low > ROUNDING or self.high < -ROUNDING


def mean_interval(values: Sequence[float | None]) -> Interval | None:
    """The mean of the values with its interval, None among them left out; None without any."""
    numbers = np.array([v for v in values if v is not None], dtype=np.float64)
    if not len(numbers):
        return None
    return _interval(float(numbers.mean()), numbers[_draws(len(numbers))].mean(axis=1), len(numbers))


def ratio_interval(rows: Sequence[T], statistic: Callable[[Sequence[T]], float | None]) -> Interval | None:
    """A statistic of all rows together, such as F1, with its interval; None where it has no value for the rows.

    A draw that holds no row which the statistic is about, so that it has no value, is left out. `n` is the number of rows.
    """
    value = statistic(rows) if rows else None
    if value is None:
        return None
    drawn = (statistic([rows[i] for i in draw]) for draw in _draws(len(rows)))
    values = [v for v in drawn if v is not None]
    return _interval(value, np.array(values or [value], dtype=np.float64), len(rows))


def difference(a: Mapping[str, float | None], b: Mapping[str, float | None]) -> Interval | None:
    """The mean of b - a over the ids for which both have a value, with its interval; None without such ids."""
    both = sorted(a.keys() & b.keys())
    return mean_interval([y - x for key in both if (x := a[key]) is not None and (y := b[key]) is not None])


def differs(a: Mapping[str, float | None], b: Mapping[str, float | None]) -> bool:
    """Whether b differs from a: the interval of the paired difference leaves out 0. One pair alone never shows a difference."""
    found = difference(a, b)
    return found is not None and found.n > 1 and found.leaves_out_zero


def _draws(n: int) -> NDArray[np.int64]:
    """(RESAMPLES, n) row numbers drawn with replacement."""
    return np.random.default_rng(SEED).integers(n, size=(RESAMPLES, n))


def _interval(value: float, statistics: NDArray[np.float64], n: int) -> Interval:
    low, high = np.quantile(statistics, BOUNDS)
    return Interval(value, float(low), float(high), n)
