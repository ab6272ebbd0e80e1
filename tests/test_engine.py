from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.engine import SMALLTALK, Advisor
from advisor.errors import NotFoundError
from advisor.models import Answer

# The stable JSON that other tools read: adding a key here is a new schema version.
ANSWER_KEYS = [
    "schema_version", "id", "conversation_id", "question", "searched", "status", "refusal", "intent", "confidence", "sections",
    "citations", "disputes", "follow_ups", "engine", "elapsed_ms", "fingerprint",
]  # fmt: skip
CITATION_KEYS = [
    "number", "passage_id", "source_id", "title", "publisher", "url", "published", "kind", "interest", "evidence", "check", "where", "quote",
]  # fmt: skip


def test_an_answer_has_the_stable_json_shape(advisor: Advisor) -> None:
    answer = advisor.ask("Should I invest in links or in click-through rate?")
    shape = answer.model_dump(mode="json")
    assert list(shape) == ANSWER_KEYS
    assert list(shape["citations"][0]) == CITATION_KEYS
    assert list(shape["sections"][0]) == ["role", "title", "sentences"]
    assert list(shape["sections"][0]["sentences"][0]) == ["text", "citations", "support"]
    assert Answer.model_validate(json.loads(json.dumps(shape))) == answer


def test_a_comparison_hears_both_sides_and_ends_in_steps(advisor: Advisor) -> None:
    answer = advisor.ask("Should I invest in links or in click-through rate?")
    roles = [s.role for s in answer.sections]
    assert roles[0] == "bottom_line"
    assert {"for_links", "for_signals", "steps"} <= set(roles)
    assert answer.intent == "compare"


def test_every_citation_mark_resolves_and_every_citation_is_used(advisor: Advisor) -> None:
    answer = advisor.ask("Should I pay for a click service?")
    used = [n for s in answer.sections for x in s.sentences for n in x.citations]
    assert sorted(set(used)) == [c.number for c in answer.citations] == list(range(1, len(answer.citations) + 1))


def test_a_dispute_names_who_gains(advisor: Advisor) -> None:
    answer = advisor.ask("Should I pay for a click service?")
    assert answer.disputes == ("do-clicks-rank",)
    section = answer.section("disagreement")
    assert section is not None
    dispute = advisor.dispute("do-clicks-rank")
    assert all(any(p.interest in s.text for s in section.sentences) for p in dispute.positions)
    assert section.sentences[-1].text == f"The record: {dispute.record}"


def test_no_sentence_stands_twice(advisor: Advisor) -> None:
    for entry in advisor.corpus.guidance:
        texts = [s.text for section in advisor.ask(entry.question).sections for s in section.sentences]
        assert len(texts) == len(set(texts))


def test_an_off_topic_question_is_refused_without_sources(advisor: Advisor) -> None:
    answer = advisor.ask("how do i make sourdough bread at home")
    assert answer.status == "refused"
    assert answer.refusal is not None
    assert answer.refusal.reason == "off_topic"
    assert answer.refusal.suggestions
    assert not answer.sections
    assert not answer.citations


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("", "is empty"),
        (" \n\t\x00", "is empty"),
        ("?!?", "could not find a word"),
        ("x" * 50_000, "50,000 characters and the limit is 2,000"),
        ("Стоит ли покупать ссылки?", "English only"),
        ("soll ich für meine seite links kaufen oder nicht", "does not look like English"),
        ("¿debo comprar enlaces para mi sitio o mejorar los títulos?", "does not look like English"),
    ],
)
def test_unreadable_input_gets_one_sentence_that_says_what_to_do(advisor: Advisor, question: str, words: str) -> None:
    answer = advisor.ask(question)
    assert answer.refusal is not None
    assert answer.refusal.reason == "unclear"
    assert words in answer.refusal.message
    assert len(answer.model_dump_json()) < 5_000


@settings(max_examples=150, deadline=None, derandomize=True)
@given(text=st.text(max_size=400), earlier=st.sampled_from(["", "Should I buy backlinks?"]))
def test_no_text_breaks_an_answer(advisor: Advisor, text: str, earlier: str) -> None:
    conversation = advisor.ask(earlier).conversation_id if earlier else None
    answer = advisor.ask(text, conversation_id=conversation)
    assert answer.status in ("answered", "refused")
    assert (answer.refusal is None) == bool(answer.sections)
    json.loads(answer.model_dump_json())


def test_a_greeting_is_answered_without_citations(advisor: Advisor) -> None:
    answer = advisor.ask("hello!")
    assert (answer.status, answer.intent, answer.citations) == ("answered", "smalltalk", ())
    assert answer.sections[0].sentences[0].text == SMALLTALK


def test_a_follow_up_is_read_in_the_light_of_its_conversation_only(advisor: Advisor) -> None:
    first = advisor.ask("Should I buy backlinks?")
    second = advisor.ask("and for a local shop?", conversation_id=first.conversation_id)
    assert second.conversation_id == first.conversation_id
    assert second.searched == "Should I buy backlinks, for a local shop?"
    elsewhere = advisor.ask("and for a local shop?")
    assert "backlinks" not in elsewhere.searched


def test_a_forgotten_conversation_is_gone(advisor: Advisor) -> None:
    first = advisor.ask("Should I buy backlinks?")
    advisor.forget(first.conversation_id)
    assert "backlinks" not in advisor.ask("and for a local shop?", conversation_id=first.conversation_id).searched


def test_a_stream_ends_with_the_answer_that_its_sentences_make_up(advisor: Advisor) -> None:
    events = list(advisor.stream("Should I buy backlinks?"))
    assert events[0].kind == "searched"
    answer = events[-1].answer
    assert answer is not None
    assert [e.text for e in events if e.kind == "sentence"] == [x.text for s in answer.sections for x in s.sentences]


def test_the_same_question_gets_the_same_answer(advisor: Advisor) -> None:
    one, two = (advisor.ask("Should I buy backlinks?") for _ in range(2))
    assert one.sections == two.sections
    assert one.fingerprint == two.fingerprint


def test_an_unknown_name_is_one_sentence(advisor: Advisor) -> None:
    with pytest.raises(NotFoundError, match="there is no source 'nope'"):
        advisor.source("nope")
    with pytest.raises(NotFoundError, match="there is no dispute 'nope'"):
        advisor.dispute("nope")
