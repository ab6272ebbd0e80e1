"""Asking, stopping and starting over, as HTML for the page. Knows the engine and the markup, and nothing of Gradio."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator

from advisor.engine import Advisor
from advisor.errors import AdvisorError
from advisor.models import Answer
from advisor.web import markup
from advisor.web.conversations import Caller, Conversation, Conversations
from advisor.web.markup import Asked

log = logging.getLogger(__name__)

SHOWN_OF_A_LONG_QUESTION = 200


class Chat:
    """The conversations of all visitors with one advisor."""

    def __init__(self, advisor: Advisor) -> None:
        self.advisor = advisor
        self.conversations = Conversations()

    def ask(self, question: str, caller: Caller) -> Iterator[str]:
        """The turn as HTML, again and again while it is written; the last one is final."""
        conversation = self.conversations.of(caller)
        asked = Asked(turn=secrets.token_hex(8), question=self._shown(question))
        conversation.begin(asked, question)
        yield markup.writing(asked, ())
        try:
            yield from self._written(question, asked, conversation)
        except AdvisorError as exc:
            yield markup.problem(asked, exc.line)
        except Exception:  # noqa: BLE001 - the last fence: a visitor never sees a traceback
            yield markup.problem(asked, generic_line())

    def retry(self, caller: Caller) -> Iterator[str]:
        """The latest question once more; its earlier answer no longer counts."""
        question = self.conversations.of(caller).retract()
        if question:
            yield from self.ask(question, caller)
        else:
            yield markup.problem(Asked(turn=secrets.token_hex(8), question=""), "There is no question to try again.", retryable=False)

    def stop(self, caller: Caller) -> str | None:
        """The turn as far as it was written, or None if nothing was being written."""
        interrupted = self.conversations.of(caller).interrupted()
        return markup.stopped(*interrupted) if interrupted else None

    def start_over(self, caller: Caller) -> None:
        """Forget the caller's conversation, here and in the engine."""
        forgotten = self.conversations.drop(caller)
        if forgotten:
            self.advisor.forget(forgotten)

    def answer(self, question: str, caller: Caller) -> Answer:
        """The whole answer at once, for programs."""
        conversation = self.conversations.of(caller)
        answer = self.advisor.ask(question, conversation_id=conversation.id)
        conversation.finish(answer)
        return answer

    def _written(self, question: str, asked: Asked, conversation: Conversation) -> Iterator[str]:
        for event in self.advisor.stream(question, conversation_id=conversation.id):
            # Stopped, or overtaken by another question, while the engine was at work: what comes now is no longer wanted.
            if conversation.asked is not asked or conversation.pending is None:
                return
            if event.answer:
                conversation.finish(event.answer)
                yield markup.settled(asked, event.answer, dispute_questions=self._dispute_questions(event.answer))
            elif event.kind == "sentence":
                conversation.pending.append(event)
                yield markup.writing(asked, conversation.pending)

    def _dispute_questions(self, answer: Answer) -> list[str]:
        known = {d.id: d.question for d in self.advisor.corpus.disputes}
        return [known[d] for d in answer.disputes if d in known]

    def _shown(self, question: str) -> str:
        if len(question) <= self.advisor.settings.max_question_chars:
            return question
        return f"{question[:SHOWN_OF_A_LONG_QUESTION]}…"


def generic_line() -> str:
    """One sentence without details, whose id finds the traceback that this call writes to the log."""
    number = secrets.token_hex(4)
    log.exception("A question failed; the visitor was shown the id %s.", number)
    return f"Something went wrong on our side. Try again, and if it happens again, report the id {number}."
