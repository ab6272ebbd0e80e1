"""What an answer says of its own support. The verdicts that were stored with it are read here only, and held against those made anew."""

from __future__ import annotations

from advisor.index.encoder import Encoder
from advisor.index.generation import Index
from advisor.models import Answer
from evals.cases import Case
from evals.metrics import citations
from evals.metrics.reference import Reference
from evals.metrics.texts import sentences


def verdicts_hold(case: Case, answer: Answer, reference: Reference) -> float | None:
    """The share of sentences whose stored verdict is the one that the scorer gives anew: |{s: stored(s) = anew(s)}| / |sentences|.

    Below 1 for honest answers too: the scorer sees a sentence as a reader does, while the product judges a composed one by the part that
    was reviewed. None without sentences, and for small talk where small talk is expected.

    Source: our own.
    """
    if case.expect == "smalltalk":
        return None
    holds = [s.stored == s.verdict(s.ids, reference) for s in citations.cited_sentences(answer, reference)]
    return sum(holds) / len(holds) if holds else None


def citation_recall(answer: Answer) -> float | None:
    """The share of sentences that are stored as supported; None without sentences."""
    verdicts = [s.support.verdict for s in sentences(answer)]
    return sum(v == "supported" for v in verdicts) / len(verdicts) if verdicts else None


def citation_precision(answer: Answer, index: Index, encoder: Encoder) -> float | None:
    """`citations.precision` of an answer without a case."""
    case = Case(id="", half="tune", tags=(), question=answer.question, expect="answered")
    return citations.precision(case, answer, Reference(index, encoder))
