"""Figures in passages: whether every figure of a sentence stands in a passage that it cites."""

from __future__ import annotations

from advisor.knowledge.references import loose_figures
from advisor.models import Answer
from evals.cases import Case
from evals.metrics.reference import UNKNOWN, Reference
from evals.metrics.texts import sentences


def in_passages(case: Case, answer: Answer, reference: Reference) -> float | None:  # noqa: ARG001 - the shape of all metrics
    """The share of sentences all of whose figures stand in a cited passage: |{s: figures(s) ⊆ figures(cited(s))}| / |sentences|.

    A sentence without figures has none that is loose. Rates that the advisor works out from the published click curves are worked
    out anew and need not stand in a passage. None without sentences.

    Source: our own; the same check holds the corpus (`advisor.knowledge.references.loose_figures`).
    """
    cited = reference.cited(answer)
    sound = [
        not loose_figures(reference.claim(sentence.text), reference.passages([cited.get(number, UNKNOWN) for number in sentence.citations]))
        - set(reference.computed(answer, sentence.text))
        for sentence in sentences(answer)
    ]
    return sum(sound) / len(sound) if sound else None
