"""The answer and its parts, as pydantic models: data that leaves as JSON, whose shape is stable."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from advisor.models.knowledge import EvidenceGrade, Kind, Verdict

Intent = Literal["define", "compare", "decide", "how_to", "figure", "verify", "explain", "smalltalk"]
SectionRole = Literal["bottom_line", "for_links", "for_signals", "evidence", "disagreement", "steps", "cautions"]
SupportVerdict = Literal["supported", "partial", "unsupported"]
RefusalReason = Literal["off_topic", "not_in_sources", "unclear"]
Level = Literal["high", "medium", "low"]


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
