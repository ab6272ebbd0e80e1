"""The glossary: what the terms of the field mean, and the guidance that says so when somebody asks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from advisor.knowledge.schema import TermCard
from advisor.models import Guidance, Sentence, Term


def explained(cards: Sequence[TermCard], guidance: Sequence[Guidance]) -> tuple[tuple[Guidance, ...], tuple[Term, ...]]:
    """The guidance with an entry for each term that has none, and with "what is" asks for every name; and the terms themselves.

    An ask that some entry already has is not added again.
    """
    entries = {g.id: g for g in guidance}
    taken = {_key(ask) for g in guidance for ask in g.asks}
    terms: list[Term] = []
    for card in cards:
        term = Term(**card.model_dump(exclude={"meaning", "guidance"}), guidance=card.guidance or f"term-{slug(card.term)}")
        terms.append(term)
        asks = [ask for ask in dict.fromkeys(_asks(term)) if _key(ask) not in taken]
        taken |= {_key(ask) for ask in asks}
        if card.meaning:
            meaning = Sentence(**card.meaning.model_dump())
            entries[term.guidance] = Guidance(id=term.guidance, asks=tuple(asks or _asks(term)), answer=(meaning,))
        elif entry := entries.get(term.guidance):
            entries[term.guidance] = replace(entry, asks=(*entry.asks, *asks))
    return tuple(entries.values()), tuple(terms)


def slug(term: str) -> str:
    """The term in lower case with hyphens, as it stands in ids."""
    return "-".join(re.findall(r"[a-z0-9]+", term.lower()))


def _asks(term: Term) -> list[str]:
    return [*(f"What is {name}?" for name in term.names), *(f"What does {short} mean?" for short in term.short)]


def _key(ask: str) -> str:
    return ask.casefold().strip(" ?!.")


def duplicate_names(terms: Iterable[Term]) -> list[tuple[str, str, str]]:
    """Names that two terms claim: the name, the first term, and the second."""
    owners: dict[str, str] = {}
    found: list[tuple[str, str, str]] = []
    for term in terms:
        for name in (*term.names, *term.misspelt):
            first = owners.setdefault(name.casefold(), term.term)
            if first != term.term:
                found.append((name, first, term.term))
    return found
