"""Conversations in memory, each bound to the browser that began it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from ulid import ULID

from advisor.models import Answer, Event
from advisor.web.markup import Asked

# Together at most about 200 MB, since answers share their texts with the corpus.
CONVERSATIONS_KEPT = 500
ANSWERS_KEPT = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks: the visitor of our own cookie, and the open page.

    The page's key comes from the browser and anyone may send it, so it only tells the pages of one visitor apart.
    """

    visitor: str
    page: str


@dataclass(slots=True, kw_only=True)
class Conversation:
    """One page's questions and answers. `pending` holds what has been checked of an answer that is still being written."""

    id: str = field(default_factory=lambda: str(ULID()))
    question: str = ""
    answers: list[Answer] = field(default_factory=list)
    asked: Asked | None = None
    pending: list[Event] | None = None

    def begin(self, asked: Asked, question: str) -> None:
        """A new question is being answered."""
        self.asked, self.question, self.pending = asked, question, []

    def finish(self, answer: Answer) -> None:
        """The answer to the question that was begun is complete."""
        self.answers.append(answer)
        del self.answers[:-ANSWERS_KEPT]
        self.pending = None

    def retract(self) -> str:
        """Take back the answer to the latest question, if it has one, and give the question."""
        if self.pending is None and self.answers and self.asked and self.answers[-1].question == self.question:
            self.answers.pop()
        return self.question

    def interrupted(self) -> tuple[Asked, Sequence[Event]] | None:
        """What was being written, or None if nothing was; it stays unfinished."""
        if self.asked is None or self.pending is None:
            return None
        written, self.pending = tuple(self.pending), None
        return self.asked, written


class Conversations:
    """All open conversations, the least recently used dropped first. Safe to use from several threads."""

    def __init__(self) -> None:
        self._by_caller: OrderedDict[Caller, Conversation] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, caller: Caller) -> Conversation:
        """The caller's conversation; a caller without our cookie gets one that nobody can come back to."""
        if not caller.visitor:
            return Conversation()
        with self._lock:
            conversation = self._by_caller.setdefault(caller, Conversation())
            self._by_caller.move_to_end(caller)
            while len(self._by_caller) > CONVERSATIONS_KEPT:
                self._by_caller.popitem(last=False)
            return conversation

    def drop(self, caller: Caller) -> str | None:
        """Forget the caller's conversation and give its id, so that the engine can forget it too."""
        with self._lock:
            dropped = self._by_caller.pop(caller, None)
        return dropped.id if dropped else None

    def owned(self, visitor: str, conversation_id: str) -> Conversation | None:
        """The conversation of that id, if it is this visitor's."""
        with self._lock:
            found = ((caller, c) for caller, c in self._by_caller.items() if c.id == conversation_id)
            return next((c for caller, c in found if visitor and caller.visitor == visitor), None)
