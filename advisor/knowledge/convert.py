"""From cards, as they stand in files, to the `Corpus` that the advisor uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from advisor.knowledge.glossary import explained
from advisor.knowledge.schema import (
    CurveCard,
    DisputeCard,
    GuidanceCard,
    PassageCard,
    PlaybookCard,
    ScopeCard,
    SentenceCard,
    SourceCard,
    TermCard,
)
from advisor.models import (
    Check,
    Corpus,
    CtrCurve,
    Dispute,
    Guidance,
    Passage,
    Plan,
    Position,
    Scope,
    Sentence,
    Source,
    UncoveredTopic,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cards:
    """Every card of a corpus folder, in the order of its files."""

    sources: Sequence[SourceCard]
    guidance: Sequence[GuidanceCard]
    playbooks: Sequence[PlaybookCard]
    disputes: Sequence[DisputeCard]
    terms: Sequence[TermCard]
    curves: Sequence[CurveCard]
    scope: ScopeCard


def to_corpus(cards: Cards, fingerprint: str) -> Corpus:
    """What the cards say. References between them are not checked here."""
    sources: list[Source] = []
    passages: list[Passage] = []
    for card in cards.sources:
        source = Source(**card.model_dump(exclude={"passages"}))
        sources.append(source)
        passages += [_passage(source, p) for p in card.passages]
    written = [*(_guidance(card) for card in cards.guidance), *(_playbook(card) for card in cards.playbooks)]
    guidance, glossary = explained(cards.terms, written)
    return Corpus(
        sources=tuple(sources),
        passages=tuple(passages),
        guidance=guidance,
        disputes=tuple(_dispute(card) for card in cards.disputes),
        scope=Scope(
            covered=cards.scope.covered,
            off_topic=cards.scope.off_topic,
            uncovered=tuple(UncoveredTopic(topic=u.topic, examples=u.examples) for u in cards.scope.uncovered),
        ),
        glossary=glossary,
        curves=tuple(_curve(card) for card in cards.curves),
        fingerprint=fingerprint,
    )


def _passage(source: Source, card: PassageCard) -> Passage:
    check = Check(verdict=card.check.verdict, because=card.check.because, note=" ".join(card.check.note.split()))
    fields = card.model_dump(exclude={"id", "check"})
    return Passage(id=f"{source.id}/{card.id}", source=source, check=check, **fields)


def _sentences(cards: Sequence[SentenceCard]) -> tuple[Sentence, ...]:
    return tuple(Sentence(**card.model_dump()) for card in cards)


def _guidance(card: GuidanceCard) -> Guidance:
    return Guidance(
        id=card.id,
        asks=card.asks,
        business=card.applies_to.business,
        stage=card.applies_to.stage,
        disputes=card.disputes,
        answer=_sentences(card.answer),
        for_links=_sentences(card.for_links),
        for_signals=_sentences(card.for_signals),
        evidence=_sentences(card.evidence),
        steps=_sentences(card.steps),
        cautions=_sentences(card.cautions),
    )


def _playbook(card: PlaybookCard) -> Guidance:
    plan = Plan(
        title=card.title,
        weeks=card.takes.weeks,
        hours=card.takes.hours,
        who=card.takes.who,
        measures=_sentences(card.measure),
        stop=_sentences(card.stop),
    )
    return Guidance(
        id=card.id,
        asks=card.asks,
        business=card.applies_to.business,
        stage=card.applies_to.stage,
        answer=_sentences(card.goal),
        evidence=_sentences(card.expect),
        steps=_sentences(card.steps),
        cautions=_sentences(card.cautions),
        disputes=card.disputes,
        plan=plan,
    )


def _dispute(card: DisputeCard) -> Dispute:
    positions = tuple(Position(**p.model_dump()) for p in card.positions)
    return Dispute(positions=positions, **card.model_dump(exclude={"positions"}))


def _curve(card: CurveCard) -> CtrCurve:
    return CtrCurve(points=tuple(sorted(card.points.items())), **card.model_dump(exclude={"points"}))
