"""The contested questions: who holds what, what they gain, what the record says, and what would settle it."""

from __future__ import annotations

from collections.abc import Iterable

from advisor.models import Corpus, Dispute, Passage, Position, Source
from advisor.web.sanitize import host_of, is_link, safe, text
from advisor.web.words import KINDS


def disputes_markup(corpus: Corpus) -> str:
    """All disputes of the corpus, one article each."""
    passages = {p.id: p for p in corpus.passages}
    hosts = {host_of(s.url) for s in corpus.sources} - {""}
    entries = "".join(_dispute(dispute, passages) for dispute in corpus.disputes)
    intro = "Questions on which the sources disagree: who holds what, what they stand to gain, and what the record says."
    return safe(f'<div class="disputes-list"><h2>Disputes</h2><p class="intro">{intro}</p>{entries}</div>', hosts=hosts)


def _dispute(dispute: Dispute, passages: dict[str, Passage]) -> str:
    positions = "".join(_position(position, passages) for position in dispute.positions)
    record = "".join(f"<li>{_titled(source)}</li>" for source in _sources(dispute.record_rests_on, passages))
    return (
        f'<article class="dispute" id="dispute-{text(dispute.id)}" tabindex="-1"><h3>{text(dispute.question)}</h3>'
        f'<ul class="positions">{positions}</ul>'
        f'<p class="record"><b>The record</b> {text(dispute.record)}</p><ul>{record}</ul>'
        f'<p class="settle"><b>What would settle it</b> {text(dispute.would_settle)}</p>'
        f'<button type="button" class="chip" data-ask="{text(dispute.question)}">Ask this question</button></article>'
    )


def _position(position: Position, passages: dict[str, Passage]) -> str:
    holders = " ".join(_holder(source) for source in _sources(position.holders, passages))
    return (
        f'<li><p class="says">{text(position.says)}</p><p class="holders">{holders}</p>'
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
    return f'<a href="{text(source.url)}">{text(label)}</a>' if is_link(source.url) else text(label)


def _kind(source: Source) -> str:
    return f'<span class="kind kind-{source.kind}">{KINDS[source.kind]}</span>'
