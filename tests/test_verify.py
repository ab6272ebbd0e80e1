from __future__ import annotations

import random

import pytest

from advisor.answer.verify import support, verify, word_coverage
from advisor.engine import Advisor
from advisor.models import Draft, DraftSection, DraftSentence
from tests.fakes import WordEncoder


def checked(advisor: Advisor, *sentences: DraftSentence):  # type: ignore[no-untyped-def]
    draft = Draft(sections=(DraftSection(role="bottom_line", title="Bottom line", sentences=sentences),))
    return verify(draft, advisor._open.index, WordEncoder())


def test_a_passage_word_for_word_is_fully_supported(advisor: Advisor) -> None:
    passage = advisor.corpus.passages[0]
    sections, citations = checked(advisor, DraftSentence(text=passage.text, cites=(passage.id,), verbatim=True))
    assert sections[0].sentences[0].support.score == 1.0
    assert citations[0].passage_id == passage.id
    assert citations[0].quote == passage.text


def test_citations_are_numbered_in_order_of_first_use_without_gaps(advisor: Advisor) -> None:
    one, two, three = (p.id for p in advisor.corpus.passages[:3])
    sections, citations = checked(
        advisor, DraftSentence(text="First.", cites=(two, one)), DraftSentence(text="Second.", cites=(one, three, one))
    )
    assert [s.citations for s in sections[0].sentences] == [(1, 2), (2, 3)]
    assert [(c.number, c.passage_id) for c in citations] == [(1, two), (2, one), (3, three)]


def test_an_invented_citation_is_not_shown_and_counts_as_unsupported(advisor: Advisor) -> None:
    passage = advisor.corpus.passages[0]
    sections, citations = checked(advisor, DraftSentence(text=passage.text, cites=(passage.id, "made-up/source")))
    assert sections[0].sentences[0].support.verdict == "unsupported"
    assert [c.passage_id for c in citations] == [passage.id]


def test_a_sentence_without_a_citation_is_unsupported(advisor: Advisor) -> None:
    sections, _ = checked(advisor, DraftSentence(text="Links are everything.", cites=()))
    assert sections[0].sentences[0].support.verdict == "unsupported"


def test_a_figure_that_no_cited_passage_holds_makes_a_sentence_unsupported(advisor: Advisor) -> None:
    passage = advisor.corpus.passages[0]
    judged = support(f"{passage.text} It was 87.3%.", [passage], advisor._open.index, WordEncoder())
    assert judged.verdict == "unsupported"


def test_word_coverage_is_the_share_of_content_words(advisor: Advisor) -> None:
    passage = next(p for p in advisor.corpus.passages if p.id == "google-links/paid-links")
    assert word_coverage(passage.text, [passage]) == 1.0
    assert word_coverage("zebra zugzwang", [passage]) == 0.0
    assert word_coverage("the of and", [passage]) == 1.0


@pytest.mark.usefixtures("real_advisor")
def test_reviewed_sentences_are_told_from_the_same_sentences_with_foreign_citations(real_advisor: Advisor) -> None:
    index, encoder = real_advisor._open.index, real_advisor._encoder
    rng = random.Random(7)
    ids = list(index.passages)
    own, foreign = [], []
    for entry in index.corpus.guidance:
        for sentence in (*entry.answer, *entry.evidence):
            own.append(support(sentence.text, [index.passages[i] for i in sentence.rests_on], index, encoder).verdict)
            others = [index.passages[rng.choice(ids)] for _ in sentence.rests_on]
            foreign.append(support(sentence.text, others, index, encoder).verdict)
    assert own.count("supported") / len(own) > 0.95
    assert own.count("unsupported") / len(own) < 0.01
    assert foreign.count("supported") / len(foreign) < 0.03
