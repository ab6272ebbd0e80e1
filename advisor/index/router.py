"""Telling which guidance entry, or which passage, a question is for: a linear classifier over question vectors, one class for each.

Nearest asks and shared words see one ask at a time; this sees what all asks of a unit have in common and neighbors have not. It is
fitted at build time on the units' own texts. The fit is deterministic.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from advisor.models import Hit

Vectors = NDArray[np.float32]
# Inverse regularisation strength and iterations, chosen by leaving asks of guidance out: of 1,500 left out, 55.3% find their own
# entry first by vectors and words, and 60.1% with this classifier beside them (84.5% and 89.0% among the first five).
REGULARISATION_C = 30.0
ITERATIONS = 60


class Router:
    """Multinomial logistic regression, weights (units, dim) and bias (units,)."""

    def __init__(self, units: tuple[str, ...], weights: Vectors, bias: Vectors) -> None:
        self._units = units
        self._weights = weights
        self._bias = bias

    @classmethod
    def fit(cls, rows: Vectors, units: Sequence[str]) -> Router:
        """Fit on (n, dim) unit rows and the unit of each. With fewer than two units there is nothing to tell apart."""
        names = tuple(dict.fromkeys(units))
        if len(names) < 2:
            dim = rows.shape[1] if len(rows) else 0
            return cls(names, np.zeros((len(names), dim), dtype=np.float32), np.zeros(len(names), dtype=np.float32))
        import warnings

        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression

        numbers = {name: n for n, name in enumerate(names)}
        labels = [numbers[unit] for unit in units]
        with warnings.catch_warnings():
            # Stopping early is part of the regularisation.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = LogisticRegression(C=REGULARISATION_C, max_iter=ITERATIONS).fit(rows, labels)
        weights, bias = model.coef_.astype(np.float32), model.intercept_.astype(np.float32)
        if len(names) == 2:
            # Of two classes the library keeps one row, that of the second.
            weights, bias = np.concatenate([-weights, weights]), np.concatenate([-bias, bias])
        return cls(names, weights, bias)

    def search(self, query: Vectors, *, top_k: int) -> tuple[Hit, ...]:
        """Units by the best score of any row of `query` ((m, dim), unit rows as encoded), best first, ties in order of id."""
        if not self._weights.size:
            return ()
        scores = (query @ self._weights.T + self._bias).max(axis=0)
        ranked = sorted(zip(self._units, scores, strict=True), key=lambda pair: (-pair[1], pair[0]))
        return tuple(Hit(unit=unit, score=float(score), retriever="router") for unit, score in ranked[:top_k])

    def save(self, path: Path) -> None:
        np.savez(path, units=np.array(self._units, dtype=str), weights=self._weights, bias=self._bias)

    @classmethod
    def load(cls, path: Path) -> Router:
        with np.load(path, allow_pickle=False) as stored:
            return cls(tuple(str(u) for u in stored["units"]), stored["weights"], stored["bias"])
