"""The contested questions: who holds what, what they gain, what the record says, and what would settle it."""

from __future__ import annotations

from collections.abc import Iterable

from advisor.models import Corpus, Dispute, Passage, Position, Source
from advisor.web.markup import chip
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
    return (
        f'<article class="dispute" id="dispute-{text(dispute.id)}" tabindex="-1"><h3>{text(dispute.question)}</h3>'
        f'<ul class="positions">{positions}</ul>'
        f'<p class="record"><b>The record</b> {text(dispute.record)} {_sources(dispute.record_rests_on, passages)}</p>'
        f'<p class="settle"><b>What would settle it</b> {text(dispute.would_settle)}</p>{chip(dispute.question)}</article>'
    )


def _position(position: Position, passages: dict[str, Passage]) -> str:
    return (
        f'<li><p class="says">{text(position.says)}</p><p class="holders">{_sources(position.holders, passages)}</p>'
        f'<p class="interest"><b>Interest</b> {text(position.interest)}</p></li>'
    )


def _sources(references: Iterable[str], passages: dict[str, Passage]) -> str:
    """The publishers behind passages, each once, with kind and link."""
    sources = dict.fromkeys(passages[ref].source for ref in references if ref in passages)
    return " ".join(_source(source) for source in sources)


def _source(source: Source) -> str:
    name = text(source.publisher)
    if is_link(source.url):
        name = f'<a href="{text(source.url)}">{name}</a>'
    return f'<span class="holder">{name} <span class="kind kind-{source.kind}">{KINDS[source.kind]}</span></span>'
