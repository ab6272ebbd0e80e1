from __future__ import annotations

import pytest

from advisor.answer.lead import fitted, is_turned, is_yes_no

LINKS = "Yes. Google says that it uses links."
CANONICAL = "Do links still matter?"
ASKS = ("are backlinks dead", "is link building worth it")


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("do backlinks still matter", "Yes. Google says that it uses links."),
        ("Are backlinks dead?", "No. Google says that it uses links."),
        ("why do links matter", "Google says that it uses links."),
        ("should I build links or fix titles?", "Google says that it uses links."),
    ],
)
def test_the_opening_fits_the_question_as_asked(question: str, expected: str) -> None:
    assert fitted(LINKS, question=question, canonical=CANONICAL, asks=ASKS) == expected


def test_a_turned_question_that_the_answer_was_not_written_for_gets_no_yes_or_no() -> None:
    text = fitted(LINKS, question="Are links useless?", canonical=CANONICAL, asks=("is link building worth it",))
    assert text == "Google says that it uses links."


def test_a_sentence_without_an_opening_stays_as_it_is() -> None:
    text = "Nobody outside Google can say."
    assert fitted(text, question="Are links dead?", canonical=CANONICAL, asks=ASKS) == text


def test_two_turning_words_cancel_out() -> None:
    assert is_turned("is it wrong to buy links")
    assert not is_turned("is it wrong to ignore toxic links")


def test_a_condition_does_not_turn_a_question() -> None:
    text = fitted(
        "Yes. Digital PR is a good way.", question="is digital PR worth it with no news", canonical="Is digital PR worth it?", asks=()
    )
    assert text == "Yes. Digital PR is a good way."


@pytest.mark.parametrize("question", ["Should I buy links?", "my ctr is low, do i need more links", "is it true that dwell time counts"])
def test_yes_no_questions_are_told(question: str) -> None:
    assert is_yes_no(question)


@pytest.mark.parametrize("question", ["What is CTR?", "how do links work", "is it links or clicks", "is it legal to buy backlinks"])
def test_open_questions_are_told(question: str) -> None:
    assert not is_yes_no(question)


def test_a_complaint_beside_the_question_does_not_turn_it() -> None:
    text = "No. Do not buy clicks; they fall under the spam definition."
    asks = ("my ctr is bad, should i just buy clicks", "is it wrong to buy clicks")
    for question in ("should i just buy clicks from them, my ctr is bad", "my ctr is bad. can i buy clicks?"):
        assert fitted(text, question=question, canonical="Should I buy clicks to raise my CTR?", asks=asks) == text


def test_an_instruction_never_gets_the_opposite_opening() -> None:
    text = fitted(
        "No. Do not buy clicks.",
        question="is it wrong to buy clicks",
        canonical="Should I buy clicks?",
        asks=("is it wrong to buy clicks",),
    )
    assert text == "Do not buy clicks."


def test_a_yes_that_its_sentence_leans_on_is_not_cut_off() -> None:
    text = "Yes, if the links were bought for ranking; otherwise leave them."
    assert fitted(text, question="what about our old links", canonical="Should I remove old links?", asks=()) == text
