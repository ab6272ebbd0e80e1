"""The glossary: terms explained under all their names, misspellings put right, abbreviations written out."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.answer.lexicon import Lexicon
from advisor.engine import Advisor
from advisor.errors import CorpusError
from advisor.knowledge.cards import read_corpus
from advisor.settings import Settings
from tests.fakes import ORDINARY_WORDS


def lexicon(advisor: Advisor) -> Lexicon:
    return Lexicon(index=advisor._open.index, ordinary=ORDINARY_WORDS)


def test_a_term_without_an_entry_gets_one_and_other_names_become_asks(advisor: Advisor) -> None:
    entries = {g.id: g for g in advisor.corpus.guidance}
    assert entries["term-manual-action"].asks == ("What is manual action?", "What is MA?", "What does MA mean?")
    assert "What is pogo stick effect?" in entries["pogo-sticking"].asks


def test_known_misspellings_become_the_term(advisor: Advisor) -> None:
    assert lexicon(advisor).corrected("what is pogo stiking") == "what is pogo-sticking"
    assert lexicon(advisor).corrected("Manuel action, what now") == "Manual action, what now"


def test_abbreviations_are_written_out_unless_they_are_likely_something_else(advisor: Advisor) -> None:
    spelled_out = lexicon(advisor).spelled_out
    assert spelled_out("we got an MA today") == "we got an MA (manual action) today"
    assert spelled_out("ma 40 is what") == "ma (manual action) 40 is what"
    assert spelled_out("my ma wrote it") == "my ma wrote it"
    assert spelled_out("MA means manual action") == "MA means manual action"


@pytest.mark.parametrize(
    ("card", "told"),
    [
        ("- term: bounce\n  guidance: no-such-entry\n", "there is no entry 'no-such-entry'"),
        ("- term: bounce\n", "a term needs either `guidance`"),
        ("- term: bounce\n  guidance: pogo-sticking\n- term: rebound\n  also: [bounce]\n  guidance: pogo-sticking\n", "already belongs to"),
    ],
)
def test_a_wrong_term_is_named_with_its_line(settings: Settings, card: str, told: str) -> None:
    (settings.corpus_dir / "glossary.yaml").write_text(card, encoding="utf-8")
    with pytest.raises(CorpusError, match=r"glossary.yaml:\d") as caught:
        read_corpus(settings.corpus_dir)
    assert told in str(caught.value)


@pytest.mark.parametrize("asked", ["What does DR mean?", "whats a pbn", "what is bakclink", "what is the meaning of CWV", "define GSC"])
def test_what_is_questions_about_abbreviations_and_misspellings_are_answered(real_advisor: Advisor, asked: str) -> None:
    answer = real_advisor.ask(asked)
    assert answer.status == "answered"
    assert answer.intent == "define"


def test_every_abbreviation_of_the_glossary_is_explained() -> None:
    corpus = read_corpus(Path(__file__).parent.parent / "corpus")
    shorts = {short for term in corpus.glossary for short in term.short}
    assert {"CTR", "DR", "DA", "PBN", "GSC", "SERP", "CWV", "GEO"} <= shorts
