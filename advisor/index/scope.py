"""Telling covered questions from uncovered and off-topic ones: a linear classifier over question vectors.

It is fitted at build time on the corpus itself: the asks of passages and guidance are covered questions, `scope.yaml` brings
examples of the other two kinds. The fit is deterministic.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from advisor.models import ScopeVerdict

Vectors = NDArray[np.float32]
# Inverse regularisation strength. Chosen on the tuning half of evals/: 10 separates off-topic questions best.
REGULARISATION_C = 10.0
# A topic is named in a refusal only when one of its examples is this near.
NAMED_FROM = 0.6


class ScopeModel:
    """Multinomial logistic regression, weights (3, dim) and bias (3,), with the examples outside the field."""

    def __init__(self, weights: Vectors, bias: Vectors, uncovered: Vectors, topics: tuple[str, ...], off_topic: Vectors) -> None:
        self._weights = weights
        self._bias = bias
        self._uncovered = uncovered
        self._topics = topics
        self._off_topic = off_topic

    @classmethod
    def fit(cls, *, covered: Vectors, uncovered: Vectors, topics: tuple[str, ...], off_topic: Vectors) -> ScopeModel:
        """Fit on (n, dim) unit rows of each class. With an empty class every question counts as covered."""
        dim = covered.shape[1]
        if not len(uncovered) or not len(off_topic):
            always = np.array([1.0, -9.0, -9.0], dtype=np.float32)
            none = np.zeros((0, dim), dtype=np.float32)
            return cls(np.zeros((3, dim), dtype=np.float32), always, none, (), none)
        from sklearn.linear_model import LogisticRegression

        rows = np.concatenate([covered, uncovered, off_topic])
        labels = np.repeat([0, 1, 2], [len(covered), len(uncovered), len(off_topic)])
        model = LogisticRegression(C=REGULARISATION_C, class_weight="balanced", max_iter=500).fit(rows, labels)
        return cls(model.coef_.astype(np.float32), model.intercept_.astype(np.float32), uncovered, topics, off_topic)

    def judge(self, vector: Vectors) -> ScopeVerdict:
        """Probabilities of the three classes for one unit vector (dim,), and the nearest uncovered topic."""
        logits = self._weights @ vector + self._bias
        weights = np.exp(logits - logits.max())
        covered, uncovered, off_topic = (float(p) for p in weights / weights.sum())
        nearest, outside = "", 0.0
        if self._topics:
            cosines = self._uncovered @ vector
            nearest = self._topics[int(np.argmax(cosines))] if cosines.max() >= NAMED_FROM else ""
            outside = max(float(cosines.max()), float((self._off_topic @ vector).max()))
        return ScopeVerdict(covered=covered, uncovered=uncovered, off_topic=off_topic, nearest_uncovered=nearest, nearest_outside=outside)

    def save(self, path: Path) -> None:
        topics = np.array(self._topics, dtype=str)
        np.savez(path, weights=self._weights, bias=self._bias, uncovered=self._uncovered, topics=topics, off_topic=self._off_topic)

    @classmethod
    def load(cls, path: Path) -> ScopeModel:
        with np.load(path, allow_pickle=False) as stored:
            topics = tuple(str(t) for t in stored["topics"])
            return cls(stored["weights"], stored["bias"], stored["uncovered"], topics, stored["off_topic"])
