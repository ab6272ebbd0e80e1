"""Checks across cards: duplicate ids and asks, dangling references, figures without a passage, advice that rests on sellers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from advisor.knowledge.glossary import duplicate_names
from advisor.models import Corpus, Guidance, Passage, Sentence
from advisor.text import figures

Problem = tuple[str, str]
"""The id of the card, passage or entry at fault, and what is wrong."""


def reference_problems(corpus: Corpus) -> Iterator[Problem]:
    """Every problem that only shows between cards, in a fixed order."""
    passages = {p.id: p for p in corpus.passages}
    yield from _duplicates(corpus)
    yield from _dangling(corpus, passages)
    for entry in corpus.guidance:
        yield from _guidance_problems(entry, passages)
    yield from _curve_problems(corpus, passages)
    yield from _glossary_problems(corpus)


def _duplicates(corpus: Corpus) -> Iterator[Problem]:
    for what, ids in (
        ("source", [s.id for s in corpus.sources]),
        ("passage", [p.id for p in corpus.passages]),
        ("guidance entry", [g.id for g in corpus.guidance]),
        ("dispute", [d.id for d in corpus.disputes]),
    ):
        yield from ((i, f"the {what} id {i!r} is used {n} times") for i, n in Counter(ids).items() if n > 1)
    asked: dict[str, str] = {}
    for owner, asks in [*((p.id, p.asks) for p in corpus.passages), *((g.id, g.asks) for g in corpus.guidance)]:
        same_kind = "passage" if "/" in owner else "guidance"
        for ask in asks:
            key = f"{same_kind}:{ask.casefold().strip(' ?!.')}"
            first = asked.setdefault(key, owner)
            if first != owner:
                yield owner, f"the ask {ask!r} is already one of {first!r}"


def _dangling(corpus: Corpus, passages: dict[str, Passage]) -> Iterator[Problem]:
    disputes = {d.id for d in corpus.disputes}
    for p in corpus.passages:
        yield from ((p.id, f"because: there is no passage {ref!r}") for ref in p.check.because if ref not in passages)
        if p.id in p.check.because:
            yield p.id, "because: a passage cannot decide its own check"
    for g in corpus.guidance:
        for s in g.sentences():
            yield from ((g.id, f"rests_on: there is no passage {ref!r}") for ref in s.rests_on if ref not in passages)
        yield from ((g.id, f"disputes: there is no dispute {ref!r}") for ref in g.disputes if ref not in disputes)
    for d in corpus.disputes:
        refs = [*d.record_rests_on, *(h for position in d.positions for h in position.holders)]
        yield from ((d.id, f"there is no passage {ref!r}") for ref in refs if ref not in passages)


def _guidance_problems(entry: Guidance, passages: dict[str, Passage]) -> Iterator[Problem]:
    for sentence in entry.sentences():
        rests = [passages[ref] for ref in sentence.rests_on if ref in passages]
        loose = loose_figures(sentence.text, rests)
        if loose:
            yield entry.id, f"the figure {', '.join(sorted(loose))} stands in no passage that the sentence rests on: {sentence.text!r}"
    plan = entry.plan.stop if entry.plan else ()
    for name, part in (("answer", entry.answer), ("steps", entry.steps), ("stop", plan)):
        if part and _rests_on_sellers_alone(part, passages):
            yield entry.id, f"{name}: rests on sellers alone; add an independent passage"


def loose_figures(text: str, passages: Sequence[Passage]) -> frozenset[str]:
    """The figures of a sentence that stand in none of these passages (their text, date, title or check note)."""
    known: set[str] = set()
    for p in passages:
        known |= figures(f"{p.text} {p.source.title} {p.source.published.replace('-', ' ')} {p.where} {p.check.note}")
    return figures(text) - known


def _rests_on_sellers_alone(part: Sequence[Sentence], passages: dict[str, Passage]) -> bool:
    rests = [passages[ref] for sentence in part for ref in sentence.rests_on if ref in passages]
    return bool(rests) and all(p.source.is_seller for p in rests)


def _curve_problems(corpus: Corpus, passages: dict[str, Passage]) -> Iterator[Problem]:
    for curve in corpus.curves:
        yield from ((curve.id, f"passages: there is no passage {ref!r}") for ref in curve.passages if ref not in passages)
        rates = " ".join(f"{rate:g}" for _, rate in curve.points)
        loose = loose_figures(rates, [passages[ref] for ref in curve.passages if ref in passages])
        if loose:
            yield curve.id, f"points: the rate {', '.join(sorted(loose))} stands in none of the passages that it names"


def _glossary_problems(corpus: Corpus) -> Iterator[Problem]:
    entries = {g.id for g in corpus.guidance}
    yield from ((t.term, f"guidance: there is no entry {t.guidance!r}") for t in corpus.glossary if t.guidance not in entries)
    for name, first, second in duplicate_names(corpus.glossary):
        yield second, f"the name {name!r} already belongs to the term {first!r}"
