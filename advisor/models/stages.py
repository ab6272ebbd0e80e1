"""What passes between the stages of answering: a question, what was found for it, and a draft."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from advisor.models.answer import Answer, Intent, SectionRole
from advisor.models.knowledge import Dispute, Guidance, Passage


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One text of the index. Several entries (a text and its asks) point to one unit.

    Attributes:
        id: The unit and a number, with a "#" between them.
    """

    id: str
    unit: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One retrieved unit. A higher score is better, whichever retriever gave it.

    Attributes:
        unit: Id of a passage or of a guidance entry.
        score: The retriever's score; cosine for dense, BM25 weight for bm25, decision value for router, 0 to 1 for fused.
        cosine: The highest cosine of the question, as the adapter turns it, with any text of the unit, if the dense retriever saw it,
            else 0.
        plain: The same for the question as encoded: absolute evidence of whether anything fits at all. Only on fused hits that are kept.
    """

    unit: str
    score: float
    retriever: Literal["dense", "bm25", "router", "fused"]
    cosine: float = 0.0
    plain: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question as asked and as searched.

    Attributes:
        parts: Parts of a follow-up that say something by themselves and are also searched alone.
        focus: Stems of a follow-up that few passages hold and that its conversation has not named: what it is newly about.
        shown: Guidance already given, when the question asks for something more than it again.
        spelled_out: The question as searched, with its abbreviations written out; empty where that was not done.
        names_a_term: Whether it uses a term of the trade.
    """

    asked: str
    searched: str
    intent: Intent
    is_follow_up: bool = False
    parts: tuple[str, ...] = ()
    focus: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    spelled_out: str = ""
    names_a_term: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeVerdict:
    """How the question lies to the field.

    Attributes:
        covered: With `uncovered` and `off_topic`, probabilities that sum to 1.
        nearest_uncovered: The topic of the nearest example of an uncovered question, if it is near enough to be named.
        nearest_outside: The highest cosine with any example of an uncovered or off-topic question.
    """

    covered: float
    uncovered: float
    off_topic: float
    nearest_uncovered: str = ""
    nearest_outside: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What an answer may use: passages and guidance, best first, and the disputes that they touch."""

    passages: tuple[tuple[Passage, Hit], ...]
    guidance: tuple[tuple[Guidance, Hit], ...]
    disputes: tuple[Dispute, ...]
    scope: ScopeVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftSentence:
    """A sentence before it is checked.

    Attributes:
        cites: Passage ids in order of importance.
        verbatim: Whether the text is that of a cited passage, word for word.
        meaning: The reviewed text that the sentence was composed around, if it is not itself one.
        is_advice: Whether it tells the reader to do something; its passages give the ground for it rather than its wording.
        when: When a step is due; stands before the text and is no claim.
        computed: Figures that were worked out from those of the cited passages, in the spelling of the text.
    """

    text: str
    cites: tuple[str, ...]
    verbatim: bool = False
    meaning: str = ""
    is_advice: bool = False
    when: str = ""
    computed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftSection:
    role: SectionRole
    title: str
    sentences: tuple[DraftSentence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a writer gives to the checker.

    Attributes:
        guidance: The entry that leads, or "".
        read_as: The question that the bottom line answers, where the one asked may as well be another.
    """

    sections: tuple[DraftSection, ...]
    disputes: tuple[str, ...] = ()
    follow_ups: tuple[str, ...] = ()
    guidance: str = ""
    read_as: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One exchange of a conversation, as far as the next question needs it."""

    searched: str
    status: Literal["answered", "refused", "failed"]
    guidance: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A step of a streamed answer: `searched` (the question as searched), `sentence` (one checked sentence), `done` (the answer).

    Attributes:
        title: The heading under which a sentence stands; a plan has several sections of one role.
    """

    kind: Literal["searched", "sentence", "done"]
    text: str = ""
    section: SectionRole | None = None
    title: str = ""
    answer: Answer | None = field(default=None, compare=False)
