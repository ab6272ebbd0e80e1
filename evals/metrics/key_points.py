"""Key-point recall: how much of what a right answer must say an answer says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from advisor.models import Answer
from evals.cases import Case
from evals.metrics.reference import Reference
from evals.metrics.texts import answer_text


class Point(Protocol):
    """What an answer must contain: in each group, at least one of the patterns."""

    @property
    def all(self) -> tuple[tuple[str, ...], ...]: ...


def is_met(point: Point, text: str) -> bool:
    """Whether each group of the point has a pattern that the lower-cased text matches."""
    return all(any(re.search(pattern, text) for pattern in group) for group in point.all)


def key_point_recall(points: Sequence[Point], text: str) -> float | None:
    """The share of key points that a text meets: |met| / |points|; None without key points.

    Source: nugget recall, Voorhees, "Overview of the TREC 2003 Question Answering Track", with every nugget vital and patterns in
    place of an assessor.
    """
    if not points:
        return None
    return sum(is_met(point, text) for point in points) / len(points)


def recall(case: Case, answer: Answer, reference: Reference) -> float | None:  # noqa: ARG001 - the shape of all metrics
    """The key-point recall of an answer; a refusal is searched in its message."""
    return key_point_recall(case.key_points, answer_text(answer))
