"""The contested questions: who holds what, what they gain, what the record says, and what would settle it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from advisor.models import Corpus, Dispute, Kind, Passage, Position, Source
from advisor.web.sanitize import safe, text
from advisor.web.words import KINDS


def disputes_markup(corpus: Corpus) -> str:
    """All disputes of the corpus, one article each."""
    passages = {p.id: p for p in corpus.passages}
    entries = "".join(_dispute(dispute, passages) for dispute in corpus.disputes)
    intro = "Questions on which the sources disagree: who holds what, what they stand to gain, and what the record says."
    return safe(f'<div class="disputes-list"><h2>Disputes</h2><p class="intro">{intro}</p>{_map(corpus.disputes, passages)}{entries}</div>')


def _map(disputes: Sequence[Dispute], passages: dict[str, Passage]) -> str:
    """Who stands where: a row for each dispute, a column for each kind of source, a letter for each position that such a source holds."""
    head = "".join(f'<th scope="col"><span class="kind kind-{kind}">{word}</span></th>' for kind, word in KINDS.items())
    rows = "".join(_map_row(dispute, passages) for dispute in disputes)
    explained = (
        "A, B, C and D are the positions in the order in which the dispute lists them; R marks the kinds of source that make the record."
    )
    return (
        f'<details class="map" open><summary>Who stands where, {len(disputes)} disputes</summary><p class="intro">{explained}</p>'
        f'<div class="scroll"><table><thead><tr><th scope="col">Dispute</th>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div></details>"
    )


def _map_row(dispute: Dispute, passages: dict[str, Passage]) -> str:
    marks: dict[Kind, list[str]] = {kind: [] for kind in KINDS}
    for letter, position in zip("ABCDEFGH", dispute.positions, strict=False):
        for kind in dict.fromkeys(s.kind for s in _sources(position.holders, passages)):
            marks[kind].append(f'<span class="stands stands-{letter.lower()}" aria-label="position {letter}">{letter}</span>')
    for kind in dict.fromkeys(s.kind for s in _sources(dispute.record_rests_on, passages)):
        marks[kind].append('<span class="stands stands-r" aria-label="the record">R</span>')
    cells = "".join(f"<td>{' '.join(marks[kind])}</td>" for kind in KINDS)
    return f'<tr><th scope="row"><a href="#/dispute/{text(dispute.id)}">{text(dispute.question)}</a></th>{cells}</tr>'


def _dispute(dispute: Dispute, passages: dict[str, Passage]) -> str:
    positions = "".join(_position(letter, p, passages) for letter, p in zip("ABCDEFGH", dispute.positions, strict=False))
    record = "".join(f"<li>{_titled(source)}</li>" for source in _sources(dispute.record_rests_on, passages))
    return (
        f'<article class="dispute" id="dispute-{text(dispute.id)}" tabindex="-1"><h3>{text(dispute.question)}</h3>'
        f'<ul class="positions">{positions}</ul>'
        f'<p class="record"><b>The record</b> {text(dispute.record)}</p><ul>{record}</ul>'
        f'<p class="settle"><b>What would settle it</b> {text(dispute.would_settle)}</p>'
        f'<button type="button" class="chip" data-ask="{text(dispute.question)}">Ask this question</button></article>'
    )


def _position(letter: str, position: Position, passages: dict[str, Passage]) -> str:
    holders = " ".join(_holder(source) for source in _sources(position.holders, passages))
    return (
        f'<li><p class="says"><span class="stands stands-{letter.lower()}">{letter}</span> {text(position.says)}</p>'
        f'<p class="holders">{holders}</p>'
        f'<p class="interest"><b>Interest</b> {text(position.interest)}</p></li>'
    )


def _sources(references: Iterable[str], passages: dict[str, Passage]) -> list[Source]:
    """The sources of passages, each once, in order."""
    return list(dict.fromkeys(passages[ref].source for ref in references if ref in passages))


def _holder(source: Source) -> str:
    """The publisher, linked, with its kind."""
    return f'<span class="holder">{_link(source, source.publisher)} {_kind(source)}</span>'


def _titled(source: Source) -> str:
    """The title, linked, with publisher and kind."""
    return f"{_link(source, source.title)}, {text(source.publisher)} {_kind(source)}"


def _link(source: Source, label: str) -> str:
    return f'<a href="#/source/{text(source.id)}">{text(label)}</a>'


def _kind(source: Source) -> str:
    return f'<span class="kind kind-{source.kind}">{KINDS[source.kind]}</span>'
