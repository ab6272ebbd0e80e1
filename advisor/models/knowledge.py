"""What the advisor knows: sources and their statements, guidance, disputes, terms and click curves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["official", "court", "paper", "study", "practitioner", "vendor", "own"]
Gain = Literal["links", "signals", "services", "tools", "engine"]
PassageRole = Literal["definition", "claim", "figure", "recommendation", "warning", "disclosure", "excerpt"]
Stance = Literal["links", "signals", "balance", "neutral"]
EvidenceGrade = Literal["primary", "data", "example", "none"]
Verdict = Literal["confirmed", "qualified", "contradicted", "unsupported", "opinion"]
CurveUse = Literal["typical", "outlier", "split"]


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
    """A reviewed sentence of the advisor and the ids of the passages that it rests on.

    Attributes:
        measure: How to know that a step is done or has worked.
        when: When a step of a playbook is due, in words.
    """

    text: str
    rests_on: tuple[str, ...]
    measure: str = ""
    when: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What makes a guidance entry a playbook: its name, what it takes, what to watch throughout, and when to stop.

    Attributes:
        weeks: How long it runs.
        hours: Hours of work in all. Both are the editors' estimates.
        who: Who is needed, in words.
    """

    title: str
    weeks: int
    hours: int
    who: str
    measures: tuple[Sentence, ...]
    stop: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guidance:
    """A family of questions with the advisor's answer. The first ask is its canonical wording.

    A playbook is guidance with a `plan`: its answer says what the plan is for, its evidence what effect to expect.
    """

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
    plan: Plan | None = None

    @property
    def question(self) -> str:
        return self.asks[0]

    def sentences(self) -> Iterator[Sentence]:
        """All sentences, in the order of an answer."""
        for part in (self.answer, self.for_links, self.for_signals, self.evidence, self.steps, self.cautions):
            yield from part
        if self.plan:
            yield from self.plan.measures
            yield from self.plan.stop


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
class Term:
    """A term of the field and the other ways in which people write it.

    Attributes:
        short: Abbreviations, as written.
        also: Other names of exactly the same thing.
        misspelt: Frequent misspellings, in lower case.
        guidance: Id of the guidance entry that says what it is.
    """

    term: str
    short: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    misspelt: tuple[str, ...] = ()
    guidance: str

    @property
    def names(self) -> tuple[str, ...]:
        """The term and its right names, abbreviations last."""
        return (self.term, *self.also, *self.short)


@dataclass(frozen=True, slots=True, kw_only=True)
class CtrCurve:
    """Published click-through rates by position.

    Attributes:
        name: Publisher and year, as an answer names it.
        passages: The passages in which its figures stand.
        sample, device, layout, queries: What was measured, in words.
        use: "typical" for the curves that span the usual range, "outlier" for those that show how far others depart from it, "split"
            for rates at one position by layout or kind of query.
        points: Percent of impressions that are clicked, by position.
    """

    id: str
    name: str
    published: str
    sample: str
    device: str
    layout: str
    queries: str
    use: CurveUse
    passages: tuple[str, ...]
    points: tuple[tuple[int, float], ...]


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
    glossary: tuple[Term, ...] = ()
    curves: tuple[CtrCurve, ...] = ()
    fingerprint: str

    @property
    def playbooks(self) -> tuple[Guidance, ...]:
        """The guidance entries that are plans."""
        return tuple(g for g in self.guidance if g.plan)
