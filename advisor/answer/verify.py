"""Checking a draft: each sentence against the passages that it cites, figures included, then numbering the citations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from advisor.index.encoder import Encoder
from advisor.index.generation import Index
from advisor.knowledge.references import loose_figures
from advisor.models import (
    AnswerSentence,
    Citation,
    Draft,
    DraftSentence,
    Passage,
    Section,
    Support,
    SupportVerdict,
)
from advisor.text import stems

Vectors = NDArray[np.float32]

# Support is the mean of two views: the cosine of the sentence with its nearest cited passage, and the share of its content words
# that the cited passages hold. On the guidance as written against the same sentences with shuffled citations these bounds part
# the two: see tests/test_verify.py, which repeats that comparison.
SUPPORTED = 0.5
PARTIAL = 0.35
# A step says what to do, in other words than the fact that gives its ground, so it is held to a lower bound.
ADVICE_SUPPORTED = 0.4
ADVICE_PARTIAL = 0.3


def verify(draft: Draft, index: Index, encoder: Encoder) -> tuple[tuple[Section, ...], tuple[Citation, ...]]:
    """Checked sections with numbered citations.

    Citations are numbered 1..n in order of first use. A passage id that is not in the index is not cited, and the sentence that
    named it counts as unsupported. Sentences are never dropped here: an unsupported one is shown as such.
    """
    numbers: dict[str, int] = {}
    sections: list[Section] = []
    for section in draft.sections:
        checked: list[AnswerSentence] = []
        for sentence in section.sentences:
            cited = [index.passages[ref] for ref in sentence.cites if ref in index.passages]
            marks = tuple(dict.fromkeys(numbers.setdefault(p.id, len(numbers) + 1) for p in cited))
            invented = len(cited) < len(sentence.cites)
            text = f"{sentence.when}: {sentence.text}" if sentence.when else sentence.text
            checked.append(AnswerSentence(text=text, citations=marks, support=_judged(sentence, cited, index, encoder, invented)))
        sections.append(Section(role=section.role, title=section.title, sentences=tuple(checked)))
    return tuple(sections), tuple(citation(index.passages[i], n) for i, n in numbers.items())


def _judged(sentence: DraftSentence, cited: Sequence[Passage], index: Index, encoder: Encoder, invented: bool) -> Support:
    if not cited or invented:
        return Support(verdict="unsupported", score=0.0)
    if sentence.verbatim and any(sentence.text == p.text for p in cited):
        return Support(verdict="supported", score=1.0)
    return support(sentence.text, cited, index, encoder, meaning=sentence.meaning, is_advice=sentence.is_advice, computed=sentence.computed)


def support(
    text: str,
    cited: Sequence[Passage],
    index: Index,
    encoder: Encoder,
    *,
    meaning: str = "",
    is_advice: bool = False,
    computed: Sequence[str] = (),
) -> Support:
    """How well these passages carry a sentence.

    Args:
        meaning: The part of the sentence whose stored vector stands for it, when the sentence was composed around it.
        is_advice: Judge it by the bounds for advice.
        computed: Figures that were worked out from the passages and so need not stand in them.

    Returns:
        A score of 0 to 1 and its verdict. A figure that stands in none of the passages makes the sentence unsupported.
    """
    vector = index.vector(meaning or text)
    if vector is None:
        vector = encoder.encode([meaning or text])[0]
    cosine = max(float(vector @ row) for row in _rows(cited, index, encoder))
    score = 0.5 * max(cosine, 0.0) + 0.5 * word_coverage(meaning or text, cited)
    enough, some = (ADVICE_SUPPORTED, ADVICE_PARTIAL) if is_advice else (SUPPORTED, PARTIAL)
    if loose_figures(text, cited) - set(computed):
        return Support(verdict="unsupported", score=round(min(score, some), 3))
    verdict: SupportVerdict = "supported" if score >= enough else "partial" if score >= some else "unsupported"
    return Support(verdict=verdict, score=round(score, 3))


def _rows(cited: Sequence[Passage], index: Index, encoder: Encoder) -> list[Vectors]:
    rows: list[Vectors] = []
    for text in (t for p in cited for t in (p.text, p.check.note) if t):
        stored = index.vector(text)
        rows.append(stored if stored is not None else encoder.encode([text])[0])
    return rows


def word_coverage(text: str, cited: Sequence[Passage]) -> float:
    """The share of a sentence's content words (as stems) that its cited passages hold; 1 for a sentence without any."""
    wanted = set(stems(text))
    if not wanted:
        return 1.0
    held: set[str] = set()
    for p in cited:
        held.update(
            stems(
                f"{p.text} {p.check.note} {p.source.publisher} {p.source.title} {p.source.interest} {p.source.author} {' '.join(p.topics)}"
            )
        )
    return len(wanted & held) / len(wanted)


def citation(passage: Passage, number: int) -> Citation:
    """A numbered citation with all that a reader needs to judge it."""
    source = passage.source
    return Citation(
        number=number,
        passage_id=passage.id,
        source_id=source.id,
        title=source.title,
        publisher=source.publisher,
        url=source.url,
        published=source.published,
        kind=source.kind,
        interest=source.interest,
        evidence=passage.evidence,
        check=passage.check.verdict,
        where=passage.where,
        quote=passage.text,
    )
