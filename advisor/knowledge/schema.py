"""What a card file may hold: the YAML of the corpus as pydantic models. `cards.py` turns them into what the advisor uses."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from advisor.models import CurveUse, EvidenceGrade, Gain, Kind, PassageRole, Stance, Verdict


def _one_line(text: str) -> str:
    folded = " ".join(text.split())
    if not folded:
        raise ValueError("must not be empty")
    return folded


Text = Annotated[str, AfterValidator(_one_line)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$")]
Reference = Annotated[str, Field(pattern=r"^[a-z0-9-]+/[a-z0-9-]+$")]
Business = Literal["any", "local", "shop", "software", "publisher", "agency"]
Stage = Literal["any", "new", "established"]


class Card(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CheckCard(Card):
    verdict: Verdict
    because: tuple[Reference, ...] = ()
    note: str = ""

    @model_validator(mode="after")
    def _decided(self) -> CheckCard:
        if self.verdict in ("qualified", "contradicted", "unsupported") and not (self.because and self.note.strip()):
            raise ValueError(f"a verdict of {self.verdict!r} needs `because` (the passages that decide it) and a `note`")
        return self


class PassageCard(Card):
    id: Slug
    role: PassageRole
    stance: Stance
    text: Text
    where: Text
    evidence: EvidenceGrade
    check: CheckCard
    topics: tuple[Text, ...] = Field(min_length=1)
    asks: tuple[Text, ...] = Field(min_length=1, max_length=6)
    via: str = ""


class SourceCard(Card):
    id: Slug
    title: Text
    publisher: Text
    author: str = ""
    url: str = Field(pattern=r"^https?://\S+$")
    published: str
    kind: Kind
    interest: Text
    gains_from: tuple[Gain, ...]
    standing: Text
    via: str = ""
    review_by: str = Field(pattern=r"^\d{4}(-\d{2}){0,2}$")
    passages: tuple[PassageCard, ...] = Field(min_length=1)


class SentenceCard(Card):
    text: Text
    rests_on: tuple[Reference, ...] = Field(min_length=1)


class StepCard(SentenceCard):
    measure: Text


class TimedStepCard(StepCard):
    when: Text


class AppliesTo(Card):
    business: Business = "any"
    stage: Stage = "any"


class GuidanceCard(Card):
    id: Slug
    asks: tuple[Text, ...] = Field(min_length=2)
    applies_to: AppliesTo = AppliesTo()
    answer: tuple[SentenceCard, ...] = Field(min_length=1, max_length=3)
    for_links: tuple[SentenceCard, ...] = ()
    for_signals: tuple[SentenceCard, ...] = ()
    evidence: tuple[SentenceCard, ...] = ()
    steps: tuple[StepCard, ...] = ()
    cautions: tuple[SentenceCard, ...] = ()
    disputes: tuple[Slug, ...] = ()


class TakesCard(Card):
    weeks: int = Field(ge=1)
    hours: int = Field(ge=1)
    who: Text


class PlaybookCard(Card):
    id: Slug
    title: Text
    asks: tuple[Text, ...] = Field(min_length=2)
    applies_to: AppliesTo = AppliesTo()
    takes: TakesCard
    goal: tuple[SentenceCard, ...] = Field(min_length=1, max_length=3)
    expect: tuple[SentenceCard, ...] = Field(min_length=1)
    steps: tuple[TimedStepCard, ...] = Field(min_length=3)
    measure: tuple[SentenceCard, ...] = Field(min_length=1)
    stop: tuple[SentenceCard, ...] = Field(min_length=1)
    cautions: tuple[SentenceCard, ...] = ()
    disputes: tuple[Slug, ...] = ()


class TermCard(Card):
    term: Text
    short: tuple[Text, ...] = ()
    also: tuple[Text, ...] = ()
    misspelt: tuple[Text, ...] = ()
    guidance: Slug | None = None
    meaning: SentenceCard | None = None

    @model_validator(mode="after")
    def _explained(self) -> TermCard:
        if (self.guidance is None) == (self.meaning is None):
            raise ValueError("a term needs either `guidance` (the entry that explains it) or a `meaning`")
        return self


class CurveCard(Card):
    id: Slug
    name: Text
    published: str
    sample: Text
    device: Text
    layout: Text
    queries: Text
    use: CurveUse
    passages: tuple[Reference, ...] = Field(min_length=1)
    points: dict[Annotated[int, Field(ge=1, le=10)], Annotated[float, Field(gt=0, lt=100)]] = Field(min_length=1)


class PositionCard(Card):
    says: Text
    holders: tuple[Reference, ...] = Field(min_length=1)
    interest: Text


class DisputeCard(Card):
    id: Slug
    question: Text
    positions: tuple[PositionCard, ...] = Field(min_length=2)
    record: Text
    record_rests_on: tuple[Reference, ...] = Field(min_length=1)
    would_settle: Text


class UncoveredCard(Card):
    topic: Text
    examples: tuple[Text, ...] = Field(min_length=1)


class ScopeCard(Card):
    covered: tuple[Text, ...] = ()
    off_topic: tuple[Text, ...]
    uncovered: tuple[UncoveredCard, ...]
