"""Looking through the corpus: sources by kind, stance, interest and check, and by words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast, get_args

from advisor.errors import InputError
from advisor.models import Corpus, Dispute, Gain, Guidance, Kind, Passage, Source, Stance, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What to show; an empty one shows all. `gain` is what the publisher gains from."""

    kind: Kind | None = None
    stance: Stance | None = None
    gain: Gain | None = None
    check: Verdict | None = None

    def let_through(self, passage: Passage) -> bool:
        source = passage.source
        return (
            self.kind in (None, source.kind)
            and self.stance in (None, passage.stance)
            and (self.gain is None or self.gain in source.gains_from)
            and self.check in (None, passage.check.verdict)
        )


CHOICES: dict[str, tuple[str, ...]] = {
    "kind": get_args(Kind),
    "stance": get_args(Stance),
    "interest": get_args(Gain),
    "check": get_args(Verdict),
}


def parse_filters(*, kind: str | None = None, stance: str | None = None, gain: str | None = None, check: str | None = None) -> Filters:
    """Filters from words that somebody typed; empty ones count as none.

    Raises:
        InputError: A word is not one of the choices.
    """
    for name, value in (("kind", kind), ("stance", stance), ("interest", gain), ("check", check)):
        if value and value not in CHOICES[name]:
            raise InputError(f"there is no {name} {value!r}", hint=f"Use one of: {', '.join(CHOICES[name])}.")
    return Filters(
        kind=cast("Kind | None", kind or None),
        stance=cast("Stance | None", stance or None),
        gain=cast("Gain | None", gain or None),
        check=cast("Verdict | None", check or None),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """A source with those of its passages that were looked for; all of them when nothing was."""

    source: Source
    passages: tuple[Passage, ...]


def browse(corpus: Corpus, filters: Filters) -> tuple[Shelf, ...]:
    """Sources that have a passage of the wanted kind, in the order of their publishers."""
    shelves = _shelved([p for p in corpus.passages if filters.let_through(p)])
    return tuple(sorted(shelves, key=lambda s: (s.source.publisher.casefold(), s.source.published, s.source.id)))


def gathered(passages: list[Passage], filters: Filters) -> tuple[Shelf, ...]:
    """Found passages by source, the source of the best one first."""
    return _shelved([p for p in passages if filters.let_through(p)])


def _shelved(passages: list[Passage]) -> tuple[Shelf, ...]:
    by_source: dict[str, list[Passage]] = {}
    for p in passages:
        by_source.setdefault(p.source.id, []).append(p)
    return tuple(Shelf(source=own[0].source, passages=tuple(own)) for own in by_source.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedBy:
    """Where a source matters: the guidance that rests on it, the disputes in which it stands, and the passages that it decides."""

    guidance: tuple[Guidance, ...]
    disputes: tuple[Dispute, ...]
    decides: tuple[Passage, ...]


def used_by(corpus: Corpus, source: Source) -> UsedBy:
    """Everything in the corpus that leans on a source."""
    own = {p.id for p in corpus.passages if p.source.id == source.id}
    return UsedBy(
        guidance=tuple(g for g in corpus.guidance if any(own & set(s.rests_on) for s in g.sentences())),
        disputes=tuple(
            d for d in corpus.disputes if own & set(d.record_rests_on) or any(own & set(position.holders) for position in d.positions)
        ),
        decides=tuple(p for p in corpus.passages if p.id not in own and own & set(p.check.because)),
    )
