"""Verbosity: how many words an answer takes."""

from __future__ import annotations

from advisor.models import Answer
from advisor.text import words
from evals.cases import Case
from evals.metrics.reference import Reference
from evals.metrics.texts import sentences


def word_count(case: Case, answer: Answer, reference: Reference) -> float | None:  # noqa: ARG001 - the shape of all metrics
    """The words of all sentences, counted as the product counts them for its limit; None for an answer without sentences."""
    counts = [len(words(sentence.text)) for sentence in sentences(answer)]
    return float(sum(counts)) if counts else None
