"""What the corpus holds, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from advisor.care.ledger import provenance
from advisor.models import Corpus


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """A number under a heading: "sources by kind", "court", 13."""

    heading: str
    name: str
    number: int


def stats(corpus: Corpus) -> tuple[Count, ...]:
    """Totals first, then each breakdown with its largest part first."""
    return tuple(_counts(corpus))


def _counts(corpus: Corpus) -> Iterator[Count]:
    plain = [g for g in corpus.guidance if not g.plan]
    totals = {
        "sources": len(corpus.sources),
        "statements": len(corpus.passages),
        "guidance entries": len(plain),
        "of them with steps, measures and cautions": len([g for g in plain if g.steps and g.cautions]),
        "playbooks": len(corpus.playbooks),
        "disputes": len(corpus.disputes),
        "glossary terms": len(corpus.glossary),
        "click curves": len(corpus.curves),
        "asks": sum(len(p.asks) for p in corpus.passages) + sum(len(g.asks) for g in corpus.guidance),
    }
    yield from (Count(heading="In all", name=name, number=number) for name, number in totals.items())
    breakdowns: dict[str, Counter[str]] = {
        "Sources by kind": Counter(s.kind for s in corpus.sources),
        "Sources by what the publisher gains from": Counter(gain for s in corpus.sources for gain in s.gains_from or ("nothing known",)),
        "Sources by year": Counter(s.published[:4] for s in corpus.sources),
        "Statements by stance": Counter(p.stance for p in corpus.passages),
        "Statements by evidence": Counter(p.evidence for p in corpus.passages),
        "Statements by check": Counter(p.check.verdict for p in corpus.passages),
        "Figures by provenance": Counter(kind for p in corpus.passages if (kind := provenance(p))),
        "Guidance by kind of business": Counter(g.business for g in corpus.guidance),
    }
    for heading, counter in breakdowns.items():
        yield from (Count(heading=heading, name=str(name), number=number) for name, number in counter.most_common())
