"""The advisor: wires the stages together. The only thing that front ends import."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ulid import ULID

from advisor.answer import extract
from advisor.answer.composition import TITLES
from advisor.answer.confidence import confidence
from advisor.answer.lexicon import Lexicon
from advisor.answer.question import is_smalltalk, understand
from advisor.answer.scope import STARTERS, best_cosine, input_refusal, nothing_near, refusal_for
from advisor.answer.verify import verify
from advisor.care.library import Filters, Shelf, browse, gathered
from advisor.ctr import ExpectedCtr, expected_ctr
from advisor.errors import AdvisorError, NotFoundError
from advisor.index.adapter import QueryAdapter
from advisor.index.build import Progress, current_generation, ensure_index, open_current
from advisor.index.encoder import Encoder, Prefetched, SentenceEncoder
from advisor.index.generation import PASSAGES, Index
from advisor.models import (
    Answer,
    AnswerSentence,
    Confidence,
    Corpus,
    Dispute,
    Elapsed,
    Event,
    Question,
    Refusal,
    Section,
    Source,
    Support,
    Turn,
)
from advisor.retrieve import query_texts, retrieve, search
from advisor.settings import Settings
from advisor.text import clean

ENGINE = "extractive"
CONVERSATIONS_KEPT = 1_000
TURNS_KEPT = 20
# A search of the library shows passages at least this near, and no more than these.
FOUND_MIN_COSINE = 0.3
FOUND_AT_MOST = 60
# How often a running process looks for a newer generation of the index.
REFRESH_S = 1.0

SMALLTALK = "Hello. Ask me how to balance links and user signals in search, for instance whether guest posts or click-through come first."


@dataclass(frozen=True, slots=True)
class _Open:
    """An index with what is derived from it; replaced as a whole when a newer generation appears."""

    index: Index
    lexicon: Lexicon
    generation: Path | None


class Advisor:
    """Answers questions from the reviewed corpus. Safe to use from several threads.

    Use `Advisor.open()`; the constructor takes finished parts.
    """

    def __init__(self, settings: Settings, encoder: Encoder, index: Index) -> None:
        self.settings = settings
        self._encoder = encoder
        self._adapter = QueryAdapter.of_corpus(settings.corpus_dir, encoder.id)
        self._ordinary = encoder.known_words()
        self._conversations: OrderedDict[str, list[Turn]] = OrderedDict()
        self._lock = threading.Lock()
        self._refresh = threading.Lock()
        self._checked_at = time.monotonic()
        self._open = self._opened(index)

    @classmethod
    def open(cls, settings: Settings | None = None, *, progress: Progress | None = None) -> Self:
        """An advisor over the current index; builds the index first if there is none that fits the corpus.

        Args:
            settings: Read from ADVISOR_* variables when not given.
            progress: Told of each stage of a build: its name, how much is done, and how much there is.

        Raises:
            AdvisorError: The corpus, the encoder or the data folder cannot be used; the message says what to do.
        """
        settings = settings or Settings()
        encoder = SentenceEncoder.from_setting(settings.encoder)
        advisor = cls(settings, encoder, ensure_index(settings, encoder, progress))
        encoder.encode(["warm up"])
        return advisor

    @property
    def corpus(self) -> Corpus:
        """What the advisor knows."""
        return self._open.index.corpus

    @property
    def fingerprint(self) -> str:
        """A hash of all that can change an answer: corpus, encoder, engine and settings."""
        return self._fingerprint(self._current())

    def source(self, source_id: str) -> Source:
        """Raises NotFoundError if there is no source of that id."""
        found = next((s for s in self.corpus.sources if s.id == source_id), None)
        if found is None:
            raise NotFoundError(f"there is no source {source_id!r}")
        return found

    def dispute(self, dispute_id: str) -> Dispute:
        """Raises NotFoundError if there is no dispute of that id."""
        found = next((d for d in self.corpus.disputes if d.id == dispute_id), None)
        if found is None:
            raise NotFoundError(f"there is no dispute {dispute_id!r}")
        return found

    def library(self, words: str = "", filters: Filters | None = None) -> tuple[Shelf, ...]:
        """Sources with their passages: those found for some words, the best first, or all of them by publisher.

        Args:
            words: What to look for, in any form; empty to browse.
            filters: Which kinds of source, sides, interests and verdicts to show.
        """
        opened, filters = self._current(), filters or Filters()
        wanted = clean(words[: self.settings.max_question_chars])
        if not wanted:
            return browse(opened.index.corpus, filters)
        wanted = opened.lexicon.corrected(wanted)
        plain = self._encoder.encode([wanted])
        hits = search(self._adapter.apply(plain), opened.lexicon.spelled_out(wanted), opened.index, collection=PASSAGES, plain=plain)
        return gathered([opened.index.passages[h.unit] for h in hits if h.cosine >= FOUND_MIN_COSINE][:FOUND_AT_MOST], filters)

    def expected_ctr(self, position: float, *, ai_overview: bool = False) -> ExpectedCtr | None:
        """The usual click-through rate at an average position in percent, from the published curves; None before 1 and after 10."""
        return expected_ctr(self.corpus.curves, position, ai_overview=ai_overview)

    def ask(self, question: str, *, conversation_id: str | None = None) -> Answer:
        """A checked answer, or a refusal that says why.

        Args:
            question: In English, up to `Settings.max_question_chars` characters.
            conversation_id: That of an earlier answer, so that a follow-up is read in its light; a new one is made otherwise.

        Returns:
            An answer of status "answered" or "refused". An empty or unreadable question is a refusal, not an error.
        """
        return self._ask(question, conversation_id or str(ULID()), self._encoder)

    def ask_many(self, questions: Sequence[str]) -> Iterator[Answer]:
        """Answers to questions that do not depend on one another, in their order; faster than one by one, since they are encoded together.

        A few dozen at a time are enough: the first answer comes once all are encoded. `elapsed_ms` leaves that time out.
        """
        opened = self._current()
        cleaned = (clean(q[: self.settings.max_question_chars]) for q in questions)
        understood = (understand(q, [], opened.index, self._encoder, opened.lexicon) for q in cleaned if q)
        encoder = Prefetched(self._encoder, (t for u in understood for t in query_texts(u.searched, spelled_out=u.spelled_out)))
        for question in questions:
            answer = self._ask(question, str(ULID()), encoder)
            self.forget(answer.conversation_id)
            yield answer

    def _ask(self, question: str, conversation: str, encoder: Encoder) -> Answer:
        started = time.perf_counter()
        opened = self._current()
        history = self._history(conversation)
        cleaned = clean(question[: self.settings.max_question_chars + 1])
        refusal = input_refusal(question, cleaned, max_chars=self.settings.max_question_chars)
        if refusal:
            shown = question if len(question) <= self.settings.max_question_chars else f"{cleaned[:200]}…"
            asked = Question(asked=shown, searched="", intent="explain")
            return self._refused(asked, refusal, opened, conversation, started)
        if is_smalltalk(cleaned):
            return self._smalltalk(question, cleaned, opened, conversation, started)
        return self._answer(question, history, opened, conversation, started, encoder)

    def stream(self, question: str, *, conversation_id: str | None = None) -> Iterator[Event]:
        """The same answer in steps: the question as searched, each checked sentence, and last the whole answer."""
        answer = self.ask(question, conversation_id=conversation_id)
        yield Event(kind="searched", text=answer.searched)
        for section in answer.sections:
            for sentence in section.sentences:
                yield Event(kind="sentence", text=sentence.text, section=section.role, title=section.title)
        yield Event(kind="done", answer=answer)

    def forget(self, conversation_id: str) -> None:
        """Drop what is remembered of a conversation."""
        with self._lock:
            self._conversations.pop(conversation_id, None)

    def close(self) -> None:
        """Give back what the index holds."""
        self._open.index.close()

    # ------------------------------------------------------------------------------------------------ answering

    def _answer(self, asked: str, history: list[Turn], opened: _Open, conversation: str, started: float, encoder: Encoder) -> Answer:
        index = opened.index
        question = understand(asked, history, index, encoder, opened.lexicon)
        evidence = retrieve(question, index, encoder, self._adapter)
        retrieved = time.perf_counter()
        refusal = refusal_for(question, evidence)
        if refusal:
            return self._refused(question, refusal, opened, conversation, started)
        draft = extract.write(question, evidence, index)
        if not draft.sections:
            return self._refused(question, nothing_near(evidence), opened, conversation, started)
        written = time.perf_counter()
        sections, citations = verify(draft, index, encoder)
        disputes = [d for d in index.corpus.disputes if d.id in draft.disputes]
        trust = confidence(sections, citations, disputes, index, closeness=best_cosine(evidence), read_as=draft.read_as)
        verified = time.perf_counter()
        self._remember(conversation, Turn(searched=question.searched, status="answered", guidance=draft.guidance))
        return Answer(
            id=str(ULID()),
            conversation_id=conversation,
            question=asked,
            searched=question.searched,
            status="answered",
            intent=question.intent,
            confidence=trust,
            sections=sections,
            citations=citations,
            disputes=draft.disputes,
            follow_ups=draft.follow_ups,
            engine=ENGINE,
            elapsed_ms=Elapsed(
                retrieve=_ms(started, retrieved),
                write=_ms(retrieved, written),
                verify=_ms(written, verified),
                total=_ms(started, time.perf_counter()),
            ),
            fingerprint=self._fingerprint(opened),
        )

    def _refused(self, question: Question, refusal: Refusal, opened: _Open, conversation: str, started: float) -> Answer:
        self._remember(conversation, Turn(searched=question.searched, status="refused"))
        spent = _ms(started, time.perf_counter())
        return Answer(
            id=str(ULID()),
            conversation_id=conversation,
            question=question.asked,
            searched=question.searched,
            status="refused",
            refusal=refusal,
            intent=question.intent,
            confidence=Confidence(level="high" if refusal.reason == "unclear" else "medium", reason="Nothing was answered."),
            engine=ENGINE,
            elapsed_ms=Elapsed(retrieve=spent, total=spent),
            fingerprint=self._fingerprint(opened),
        )

    def _smalltalk(self, asked: str, cleaned: str, opened: _Open, conversation: str, started: float) -> Answer:
        thanks = any(
            word in cleaned.lower() for word in ("thank", "thx", "cheers", "great", "perfect", "helpful", "awesome", "nice", "cool")
        )
        text = "You are welcome. Ask on whenever you like." if thanks else SMALLTALK
        sentence = AnswerSentence(text=text, citations=(), support=Support(verdict="supported", score=1.0))
        return Answer(
            id=str(ULID()),
            conversation_id=conversation,
            question=asked,
            searched="",
            status="answered",
            intent="smalltalk",
            confidence=Confidence(level="high", reason="A greeting states no facts."),
            sections=(Section(role="bottom_line", title=TITLES["bottom_line"], sentences=(sentence,)),),
            follow_ups=STARTERS,
            engine=ENGINE,
            elapsed_ms=Elapsed(total=_ms(started, time.perf_counter())),
            fingerprint=self._fingerprint(opened),
        )

    def _fingerprint(self, opened: _Open) -> str:
        encoder = f"{opened.index.manifest.encoder}+{self._adapter.id}"
        return self.settings.fingerprint(opened.index.manifest.corpus, encoder, ENGINE)

    # ------------------------------------------------------------------------------------------------ state

    def _history(self, conversation: str) -> list[Turn]:
        with self._lock:
            return list(self._conversations.get(conversation, ()))

    def _remember(self, conversation: str, turn: Turn) -> None:
        with self._lock:
            turns = self._conversations.setdefault(conversation, [])
            turns.append(turn)
            del turns[:-TURNS_KEPT]
            self._conversations.move_to_end(conversation)
            while len(self._conversations) > CONVERSATIONS_KEPT:
                self._conversations.popitem(last=False)

    def _opened(self, index: Index) -> _Open:
        return _Open(index=index, lexicon=Lexicon(index=index, ordinary=self._ordinary), generation=index.folder)

    def _current(self) -> _Open:
        """The open index; swapped for a newer generation when another process has built one. A bad one is left alone.

        While one question opens the new index, others go on with the old one; it closes when the last of them lets go of it.
        """
        opened = self._open
        if time.monotonic() - self._checked_at < REFRESH_S or not self._refresh.acquire(blocking=False):
            return opened
        try:
            opened = self._open
            if current_generation(self.settings) != opened.generation:
                opened = self._opened(open_current(self.settings, self._encoder))
                self._open = opened
        except AdvisorError:
            pass
        finally:
            self._checked_at = time.monotonic()
            self._refresh.release()
        return opened


def _ms(start: float, end: float) -> float:
    return round(1_000 * (end - start), 2)
