"""Draft sentences from what was reviewed: guidance, statements, check notes, and the two sides of a dispute. All word for word."""

from __future__ import annotations

from advisor.index.generation import Index
from advisor.models import Dispute, DraftSentence, Passage, Plan, Sentence, Source


def is_hearsay(passage: Passage) -> bool:
    """Whether an independent passage only repeats what was not checked at its origin: good enough to be asked for, not to fill up."""
    return passage.evidence == "none" and passage.check.verdict == "qualified" and passage.source.is_independent


def reviewed(sentence: Sentence) -> DraftSentence:
    return DraftSentence(text=sentence.text, cites=sentence.rests_on)


def advice(sentence: Sentence) -> DraftSentence:
    return DraftSentence(text=sentence.text, cites=sentence.rests_on, is_advice=True)


def step(sentence: Sentence) -> DraftSentence:
    text = f"{sentence.text} Measure: {sentence.measure.rstrip('.')}." if sentence.measure else sentence.text
    return DraftSentence(text=text, cites=sentence.rests_on, meaning=sentence.text, is_advice=True, when=sentence.when)


def takes(plan: Plan) -> str:
    """The heading of a playbook's steps: how long it runs, how much work it is, and whose."""
    weeks = "1 week" if plan.weeks == 1 else f"{plan.weeks} weeks"
    hours = "1 hour" if plan.hours == 1 else f"{plan.hours} hours"
    return f"{plan.title}: {weeks}, about {hours} of work; {plan.who}"


def verbatim(passage: Passage) -> DraftSentence:
    return DraftSentence(text=passage.text, cites=(passage.id,), verbatim=True)


def note(passage: Passage) -> DraftSentence:
    return DraftSentence(text=passage.check.note, cites=(*passage.check.because, passage.id))


def positions(dispute: Dispute, index: Index) -> list[DraftSentence]:
    """One sentence a position: who holds it, what they gain, what they say."""
    drafted: list[DraftSentence] = []
    for position in dispute.positions:
        publishers = dict.fromkeys(speaker(index.passages[h].source) for h in position.holders)
        text = f"{' and '.join(publishers)} ({position.interest}): {uncapitalized(position.says.rstrip('.'))}."
        drafted.append(DraftSentence(text=text, cites=position.holders, meaning=position.says))
    return drafted


def uncapitalized(text: str) -> str:
    """The text with a small first letter, unless its first word is a name or an abbreviation."""
    return text if (len(text) > 1 and text[1].isupper()) or text.startswith(("Google", "Bing")) else text[0].lower() + text[1:]


def speaker(source: Source) -> str:
    """Who says it: the person quoted in a report, else the publisher."""
    return source.author if source.author and source.kind == "practitioner" else source.publisher


def record(dispute: Dispute) -> DraftSentence:
    return DraftSentence(text=f"The record: {dispute.record}", cites=dispute.record_rests_on, meaning=dispute.record)
