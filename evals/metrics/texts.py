"""The texts of an answer: what a reader sees, in the form in which the metrics read it."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.models import Answer, AnswerSentence


def sentences(answer: Answer) -> Iterator[AnswerSentence]:
    """All sentences in reading order; none for a refusal."""
    for section in answer.sections:
        yield from section.sentences


def answer_text(answer: Answer) -> str:
    """All sentences of an answer, and of a refusal, in lower case on one line."""
    return " ".join([*(s.text for s in sentences(answer)), answer.refusal.message if answer.refusal else ""]).lower()


def shown_text(answer: Answer) -> str:
    """As `answer_text`, with what a refusal suggests to ask instead."""
    return " ".join([answer_text(answer), *(answer.refusal.suggestions if answer.refusal else ())]).lower()


def first_sentence(answer: Answer) -> str:
    """The sentence with which an answer opens; that of a refusal is its message, and an answer without sentences has none."""
    first = next(sentences(answer), None)
    if first is not None:
        return first.text
    return answer.refusal.message if answer.refusal else ""
