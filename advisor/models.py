"""Every type that crosses a file border. All are frozen; sequences are tuples.

Dataclasses are used inside; pydantic models stand where data leaves as JSON (`Answer` and its parts, whose shape is stable).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict

Kind = Literal["official", "court", "paper", "study", "practitioner", "vendor", "own"]
Gain = Literal["links", "signals", "services", "tools", "engine"]
PassageRole = Literal["definition", "claim", "figure", "recommendation", "warning", "disclosure", "excerpt"]
Stance = Literal["links", "signals", "balance", "neutral"]
EvidenceGrade = Literal["primary", "data", "example", "none"]
Verdict = Literal["confirmed", "qualified", "contradicted", "unsupported", "opinion"]
Intent = Literal["define", "compare", "decide", "how_to", "figure", "verify", "explain", "smalltalk"]
SectionRole = Literal["bottom_line", "for_links", "for_signals", "evidence", "disagreement", "steps", "cautions"]
SupportVerdict = Literal["supported", "partial", "unsupported"]
RefusalReason = Literal["off_topic", "not_in_sources", "unclear"]
Level = Literal["high", "medium", "low"]

# ---------------------------------------------------------------------------------------------------- what the advisor knows


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A published thing and what its publisher stands to gain."""

    id: str
    title: str
    publisher: str
    author: str = ""
    url: str
    published: str
    kind: Kind
    interest: str
    gains_from: tuple[Gain, ...] = ()
    standing: str
    via: str = ""
    review_by: str = ""

    @property
    def is_seller(self) -> bool:
        """Whether the publisher sells what it argues for: links, clicks, or SEO services built on them.

        Sellers of measuring tools who publish a study with its sample and method are interested, and say so, but are not
        counted here: their figures can be checked.
        """
        if self.kind == "vendor":
            return True
        return self.kind == "practitioner" and bool({"links", "signals"} & set(self.gains_from))

    @property
    def is_independent(self) -> bool:
        """Whether the source may carry advice alone."""
        return not self.is_seller


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What the record says of a passage. `because` holds the ids of the passages that decide it."""

    verdict: Verdict
    because: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """The unit that is retrieved and cited: one self-contained statement of one source, in our words."""

    id: str
    source: Source
    role: PassageRole
    stance: Stance
    text: str
    where: str
    evidence: EvidenceGrade
    check: Check
    topics: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    via: str = ""

    @property
    def needs_the_record(self) -> bool:
        """Whether the statement must not be shown without what decides it."""
        return self.check.verdict in ("contradicted", "unsupported") or (self.source.is_seller and self.check.verdict == "qualified")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A reviewed sentence of the advisor and the ids of the passages that it rests on."""

    text: str
    rests_on: tuple[str, ...]
    measure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guidance:
    """A family of questions with the advisor's answer. The first ask is its canonical wording."""

    id: str
    asks: tuple[str, ...]
    business: str = "any"
    stage: str = "any"
    answer: tuple[Sentence, ...]
    for_links: tuple[Sentence, ...] = ()
    for_signals: tuple[Sentence, ...] = ()
    evidence: tuple[Sentence, ...] = ()
    steps: tuple[Sentence, ...] = ()
    cautions: tuple[Sentence, ...] = ()
    disputes: tuple[str, ...] = ()

    @property
    def question(self) -> str:
        return self.asks[0]

    def sentences(self) -> Iterator[Sentence]:
        """All sentences, in the order of an answer."""
        for part in (self.answer, self.for_links, self.for_signals, self.evidence, self.steps, self.cautions):
            yield from part


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One side of a dispute, the passages that hold it, and what their publishers stand to gain."""

    says: str
    holders: tuple[str, ...]
    interest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A contested question: the positions, what the record says, and what would settle it."""

    id: str
    question: str
    positions: tuple[Position, ...]
    record: str
    record_rests_on: tuple[str, ...]
    would_settle: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UncoveredTopic:
    """A topic of the same trade that the corpus does not cover, with questions that show it."""

    topic: str
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Examples from which the limits of the field are learned. `covered` adds loosely worded questions to the asks of the corpus."""

    covered: tuple[str, ...] = ()
    off_topic: tuple[str, ...] = ()
    uncovered: tuple[UncoveredTopic, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """All that the advisor knows. `fingerprint` is the SHA-256 of the files that it was read from."""

    sources: tuple[Source, ...]
    passages: tuple[Passage, ...]
    guidance: tuple[Guidance, ...]
    disputes: tuple[Dispute, ...]
    scope: Scope
    fingerprint: str


# ---------------------------------------------------------------------------------------------------- between the stages


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One text of the index. Several entries (a text and its asks) point to one unit."""

    id: str
    unit: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One retrieved unit. A higher score is better, whichever retriever gave it.

    Attributes:
        unit: Id of a passage or of a guidance entry.
        score: The retriever's score; cosine for dense, BM25 weight for bm25, 0 to 1 for fused.
        cosine: The highest cosine of the question with any text of the unit, if the dense retriever saw it, else 0.
    """

    unit: str
    score: float
    retriever: Literal["dense", "bm25", "fused"]
    cosine: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question as asked and as searched.

    Attributes:
        parts: Parts of a follow-up that say something by themselves and are also searched alone.
        focus: Stems of a follow-up that few passages hold and that its conversation has not named: what it is newly about.
        shown: Guidance already given, when the question asks for something more than it again.
    """

    asked: str
    searched: str
    intent: Intent
    is_follow_up: bool = False
    parts: tuple[str, ...] = ()
    focus: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeVerdict:
    """How the question lies to the field.

    Attributes:
        covered: With `uncovered` and `off_topic`, probabilities that sum to 1.
        nearest_uncovered: The topic of the nearest example of an uncovered question.
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
    """

    text: str
    cites: tuple[str, ...]
    verbatim: bool = False
    meaning: str = ""
    is_advice: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftSection:
    role: SectionRole
    title: str
    sentences: tuple[DraftSentence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a writer gives to the checker."""

    sections: tuple[DraftSection, ...]
    disputes: tuple[str, ...] = ()
    follow_ups: tuple[str, ...] = ()
    guidance: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One exchange of a conversation, as far as the next question needs it."""

    searched: str
    status: Literal["answered", "refused", "failed"]
    guidance: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A step of a streamed answer: `searched` (the question as searched), `sentence` (one checked sentence), `done` (the answer)."""

    kind: Literal["searched", "sentence", "done"]
    text: str = ""
    section: SectionRole | None = None
    answer: Answer | None = field(default=None, compare=False)


# ---------------------------------------------------------------------------------------------------- the answer (stable JSON)


class _Out(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Confidence(_Out):
    level: Level
    reason: str


class Support(_Out):
    """How well the cited passages carry a sentence; score runs from 0 to 1."""

    verdict: SupportVerdict
    score: float


class AnswerSentence(_Out):
    text: str
    citations: tuple[int, ...]
    support: Support


class Section(_Out):
    role: SectionRole
    title: str
    sentences: tuple[AnswerSentence, ...]


class Citation(_Out):
    """A numbered passage. `quote` is the passage's text."""

    number: int
    passage_id: str
    source_id: str
    title: str
    publisher: str
    url: str
    published: str
    kind: Kind
    interest: str
    evidence: EvidenceGrade
    check: Verdict
    where: str
    quote: str


class Refusal(_Out):
    reason: RefusalReason
    message: str
    suggestions: tuple[str, ...] = ()


class Elapsed(_Out):
    """Milliseconds spent in each stage."""

    retrieve: float = 0.0
    write: float = 0.0
    verify: float = 0.0
    total: float = 0.0


class Answer(_Out):
    """A checked answer. `model_dump(mode="json")` is the stable JSON that other tools read."""

    schema_version: Literal[1] = 1
    id: str
    conversation_id: str
    question: str
    searched: str
    status: Literal["answered", "refused", "failed"]
    refusal: Refusal | None = None
    intent: Intent
    confidence: Confidence
    sections: tuple[Section, ...] = ()
    citations: tuple[Citation, ...] = ()
    disputes: tuple[str, ...] = ()
    follow_ups: tuple[str, ...] = ()
    engine: str
    elapsed_ms: Elapsed
    fingerprint: str

    @property
    def markdown(self) -> str:
        """The answer as Markdown with its list of sources."""
        from advisor.render import markdown

        return markdown(self)

    def section(self, role: SectionRole) -> Section | None:
        """The section of that role, or None."""
        return next((s for s in self.sections if s.role == role), None)
