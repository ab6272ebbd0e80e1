from __future__ import annotations

import pytest

from advisor.answer.lexicon import Lexicon
from advisor.answer.question import business_of, intent_of, is_smalltalk, stand_alone, understand
from advisor.engine import Advisor
from advisor.models import Question, Turn
from tests.fakes import ORDINARY_WORDS, WordEncoder


def read(advisor: Advisor, asked: str, *history: str) -> Question:
    index = advisor._open.index
    turns = [Turn(searched=earlier, status="answered") for earlier in history]
    return understand(asked, turns, index, WordEncoder(), Lexicon(index=index, ordinary=ORDINARY_WORDS))


@pytest.mark.parametrize(
    ("question", "intent"),
    [
        ("what is pogo sticking", "define"),
        ("links vs clicks, which matters more?", "compare"),
        ("Is it true that Google ignores weak links?", "verify"),
        ("How do I raise a low CTR?", "how_to"),
        ("how many links do I need", "figure"),
        ("Should I buy links?", "decide"),
        ("our traffic fell after the update", "explain"),
    ],
)
def test_the_intent_follows_from_the_wording(question: str, intent: str) -> None:
    assert intent_of(question) == intent


@pytest.mark.parametrize("text", ["hi", "Hello there!", "thanks a lot", "that was helpful, thank you", "who are you"])
def test_greetings_and_thanks_are_smalltalk(text: str) -> None:
    assert is_smalltalk(text)


@pytest.mark.parametrize("text", ["hi, are backlinks dead?", "thanks, and what about nofollow links", "help me fix my ctr"])
def test_a_question_behind_a_greeting_is_a_question(text: str) -> None:
    assert not is_smalltalk(text)


def test_a_misspelt_word_of_the_field_is_mended_and_others_are_left(advisor: Advisor) -> None:
    assert read(advisor, "are bakclinks worth it for my zugzwang site").searched == "are backlinks worth it for my zugzwang site"


def test_control_characters_are_not_searched(advisor: Advisor) -> None:
    assert read(advisor, "should I buy\x00 \x1b[0m links").searched == "should I buy [0m links"


def test_an_audience_is_added_to_the_question_before_and_replaces_an_earlier_one() -> None:
    first = stand_alone("and for a local shop?", "Should I buy links?")
    assert first == "Should I buy links, for a local shop?"
    assert stand_alone("what about for a news site?", first) == "Should I buy links, for a news site?"


def test_a_question_with_a_pronoun_carries_what_it_is_about(advisor: Advisor) -> None:
    question = read(advisor, "how long does that take?", "Should I buy backlinks?")
    assert question.is_follow_up
    assert question.searched == "How long does that take? (about: Should I buy backlinks?)"


def test_a_question_that_stands_alone_is_not_joined_to_the_one_before(advisor: Advisor) -> None:
    question = read(advisor, "What does pogo-sticking mean?", "Should I buy backlinks?")
    assert not question.is_follow_up
    assert question.searched == "What does pogo-sticking mean?"


def test_the_first_question_of_a_conversation_is_never_a_follow_up(advisor: Advisor) -> None:
    assert not read(advisor, "and for a local shop?").is_follow_up


def test_the_kind_of_business_is_read_from_the_question() -> None:
    assert business_of("what about my bakery in town, a local shop") == "local"
    assert business_of("product pages of our ecommerce site") == "shop"
    assert business_of("do links matter") == "any"
