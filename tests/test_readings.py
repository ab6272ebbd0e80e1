"""A question that may as well be for another entry: the likelier one leads, the other is answered in short under its own question."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from advisor.answer.extract import READING_MARGIN, choose_guidance, write
from advisor.engine import Advisor
from advisor.models import Draft, Evidence, Hit, Question, ScopeVerdict

COVERED = ScopeVerdict(covered=1.0, uncovered=0.0, off_topic=0.0)


def evidence(advisor: Advisor, scores: Mapping[str, float]) -> Evidence:
    """Guidance with these fused scores, all equally near."""
    guidance = advisor._open.index.guidance
    hits = ((guidance[i], Hit(unit=i, score=score, retriever="fused", cosine=0.7, plain=0.7)) for i, score in scores.items())
    return Evidence(passages=(), guidance=tuple(hits), disputes=(), scope=COVERED)


def asked(text: str = "are links and clicks for money any good") -> Question:
    return Question(asked=text, searched=text, intent="decide")


def draft(advisor: Advisor, scores: Mapping[str, float]) -> Draft:
    return write(asked(), evidence(advisor, scores), advisor._open.index)


def test_an_entry_nearly_as_close_is_answered_in_short_behind_the_bottom_line(advisor: Advisor) -> None:
    made = draft(advisor, {"buy-links": 0.8, "click-services": 0.8 - READING_MARGIN / 2})
    titles = [section.title for section in made.sections]
    assert titles[:2] == ["Bottom line", "If you meant: Should I pay for a click service?"]
    assert made.sections[1].sentences[0].text == advisor._open.index.guidance["click-services"].answer[0].text
    assert made.read_as == "Should I buy backlinks?"
    assert "Should I pay for a click service?" not in made.follow_ups


def test_a_clear_first_has_no_other_readings(advisor: Advisor) -> None:
    made = draft(advisor, {"buy-links": 0.8, "click-services": 0.8 - 2 * READING_MARGIN})
    assert not any(section.title.startswith("If you meant") for section in made.sections)
    assert made.read_as == ""


@pytest.mark.parametrize("neighbor", ["pogo-sticking", "plan-titles"])
def test_a_definition_or_a_playbook_is_no_reading_of_a_question_for_advice(advisor: Advisor, neighbor: str) -> None:
    chosen = choose_guidance(asked(), evidence(advisor, {"buy-links": 0.8, neighbor: 0.8}))
    assert [entry.id for entry in chosen] == ["buy-links"]


def test_an_answer_with_other_readings_says_so_and_is_not_of_high_confidence(real_advisor: Advisor) -> None:
    vague = ("is it worth paying for", "our traffic fell", "how long does it take", "do they still count", "what should we report")
    answers = [real_advisor.ask(question) for question in vague]
    read_twice = [a for a in answers if any(section.title.startswith("If you meant: ") for section in a.sections)]
    assert read_twice
    for answer in read_twice:
        assert answer.confidence.level != "high"
        assert all(sentence.citations for section in answer.sections for sentence in section.sentences)
