"""The Library: sources to browse, search and filter, and the page of a source. Fragments that library.js puts into the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from advisor.care.library import CHOICES, Shelf, UsedBy
from advisor.ctr import WHY_CURVES_DIFFER
from advisor.models import Corpus, CtrCurve, Passage, Source
from advisor.web.sanitize import host_of, is_link, safe, text
from advisor.web.words import CHECKS, EVIDENCE, GAINS, KINDS, STANCES, readable_date

LABELS: dict[str, tuple[str, dict[str, str]]] = {
    "kind": ("Kind of source", {str(k): v for k, v in KINDS.items()}),
    "stance": ("Favors", {str(k): v for k, v in STANCES.items()}),
    "interest": ("Publisher gains from", {str(k): v for k, v in GAINS.items()}),
    "check": ("Check", {str(k): v for k, v in CHECKS.items()}),
}


def frame_markup(corpus: Corpus) -> str:
    """What stands in the Library before anything is fetched: the form, the place for results, and the click curves."""
    selects = "".join(_select(name, label, words) for name, (label, words) in LABELS.items())
    size = f"{len(corpus.sources)} sources in {len(corpus.passages)} statements"
    return safe(
        '<div class="library"><h2>Library</h2>'
        f'<p class="intro">{size}: who published each, what they gain, what they say, and what the record says of it.</p>'
        '<form class="library-form" id="library-form" role="search">'
        '<label class="wide"><span>Search</span><input type="search" name="q" placeholder="Words, a name or a question"></label>'
        f'{selects}<button type="button" class="quiet" data-clear-library="true">Clear</button></form>'
        '<div id="library-results" aria-live="polite"></div>'
        f"{_curves(corpus.curves)}</div>",
        controls=True,
    )


def _select(name: str, label: str, words: Mapping[str, str]) -> str:
    options = "".join(f'<option value="{value}">{text(words[value])}</option>' for value in CHOICES[name])
    return f'<label><span>{label}</span><select name="{name}"><option value="">all</option>{options}</select></label>'


def _curves(curves: Sequence[CtrCurve]) -> str:
    """The chart and the same figures as a table."""
    drawn = [c for c in curves if c.use != "split"]
    head = "".join(f'<th scope="col">{n}</th>' for n in range(1, 11))
    rows = "".join(_curve_row(c) for c in drawn)
    split = "".join(f"<li>{text(c.name)}: {dict(c.points)[1]:g}% at position 1 ({text(c.layout)})</li>" for c in curves if c.use == "split")
    charts = "".join(
        f'<img class="only-{theme}" src="/library/ctr-curves-{theme}.svg" width="720" height="380" '
        f'alt="{"Click-through rate by position in the published curves; the table below holds the figures." if theme == "light" else ""}">'
        for theme in ("light", "dark")
    )
    return (
        '<section class="curves" id="curves" tabindex="-1"><h3>Expected click-through rate by position</h3>'
        f'<p class="intro">{text(WHY_CURVES_DIFFER)}</p><figure>{charts}</figure>'
        f'<details><summary>The figures, in percent of impressions</summary><table><thead><tr><th scope="col">Curve</th>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table><ul>{split}</ul></details></section>"
    )


def _curve_row(curve: CtrCurve) -> str:
    points = dict(curve.points)
    cells = "".join(f"<td>{points[n]:g}</td>" if n in points else "<td>-</td>" for n in range(1, 11))
    source = curve.passages[0]
    return f'<tr><th scope="row"><a href="#/source/{source}">{text(curve.name)}</a><br>{text(curve.sample)}</th>{cells}</tr>'


def results_markup(shelves: Sequence[Shelf], *, searched: bool) -> str:
    """The sources that were found; with their statements when somebody searched or filtered."""
    count = f"{len(shelves)} source{'' if len(shelves) == 1 else 's'}"
    said = f", {_counted(sum(len(s.passages) for s in shelves))}" if searched else ""
    if not shelves:
        return safe('<p class="count" id="library-count">Nothing found. Use other words or fewer filters.</p>')
    items = "".join(_shelf(shelf, whole=searched) for shelf in shelves)
    return safe(f'<p class="count" id="library-count">{count}{said}</p><ul class="shelves">{items}</ul>')


def _counted(statements: int) -> str:
    return "1 statement" if statements == 1 else f"{statements} statements"


def _shelf(shelf: Shelf, *, whole: bool) -> str:
    s = shelf.source
    statements = "".join(f"<li>{_statement_line(p)}</li>" for p in shelf.passages) if whole else ""
    listed = f'<ul class="found">{statements}</ul>' if statements else ""
    number = "" if whole else f' <span class="date">{_counted(len(shelf.passages))}</span>'
    return (
        f'<li class="shelf"><p class="card-top"><span class="kind kind-{s.kind}">{KINDS[s.kind]}</span> '
        f'<span class="date">{text(readable_date(s.published))}</span>{number}</p>'
        f'<h3><a href="#/source/{s.id}">{text(s.title)}</a></h3>'
        f'<p class="who">{text(s.publisher)}</p><p class="interest"><b>Interest</b> {text(s.interest)}</p>{listed}</li>'
    )


def _statement_line(p: Passage) -> str:
    return f'<a href="#/source/{p.id}">{text(p.text)}</a> <span class="verdict verdict-{p.check.verdict}">{CHECKS[p.check.verdict]}</span>'


def source_markup(source: Source, passages: Sequence[Passage], used: UsedBy, corpus: Corpus) -> str:
    """A source whole: who, when, what they gain, each statement with its verdict and what decides it, and what leans on it."""
    by_id = {p.id: p for p in corpus.passages}
    title = text(source.title)
    if is_link(source.url):
        title = f'<a href="{text(source.url)}">{title}<span class="unseen"> (opens the source in a new tab)</span></a>'
    facts = [("Interest", source.interest), ("Standing", source.standing), ("Read through", source.via), ("Review by", source.review_by)]
    rows = "".join(f"<p><b>{name}</b> {text(readable_date(value))}</p>" for name, value in facts if value)
    statements = "".join(_statement(p, by_id) for p in passages)
    return safe(
        f'<article class="source" id="source-page" tabindex="-1"><p class="back"><a href="#/library">Library</a></p>'
        f'<p class="card-top"><span class="kind kind-{source.kind}">{KINDS[source.kind]}</span> '
        f'<span class="date">{text(readable_date(source.published))}</span></p><h2>{title}</h2>'
        f'<p class="who">{text(source.publisher)}{f", {text(source.author)}" if source.author else ""}</p>'
        f'<div class="facts">{rows}</div><h3>What it says</h3>{statements}{_used(used)}</article>',
        hosts={host_of(source.url)} - {""},
    )


def _statement(p: Passage, by_id: Mapping[str, Passage]) -> str:
    note = f'<p class="record"><b>The record</b> {text(p.check.note)}</p>' if p.check.note else ""
    because = "".join(f"<li>{_reference(by_id[ref])}</li>" for ref in p.check.because if ref in by_id)
    decided = f'<div class="because"><b>Decided by</b><ul>{because}</ul></div>' if because else ""
    via = f'<p class="where"><b>Read through</b> {text(p.via)}</p>' if p.via else ""
    return (
        f'<section class="statement" id="passage-{text(p.id.split("/")[1])}" tabindex="-1"><p class="passage">{text(p.text)}</p>'
        f'<p class="grades"><span><b>Favors</b> {STANCES[p.stance]}</span> <span><b>Evidence</b> {EVIDENCE[p.evidence]}</span> '
        f'<span class="verdict verdict-{p.check.verdict}"><b>Check</b> {CHECKS[p.check.verdict]}</span></p>'
        f'<p class="where"><b>Where</b> {text(p.where)}</p>{via}{note}{decided}</section>'
    )


def _reference(p: Passage) -> str:
    return f'<a href="#/source/{p.id}">{text(p.source.publisher)}</a>: {text(p.text)}'


def _used(used: UsedBy) -> str:
    questions = "".join(
        f'<li><button type="button" class="chip" data-ask="{text(g.question)}">{text(g.question)}</button></li>' for g in used.guidance[:12]
    )
    disputes = "".join(f'<li><a href="#/dispute/{d.id}">{text(d.question)}</a></li>' for d in used.disputes)
    parts = [
        _titled(f"Questions that it helps to answer ({len(used.guidance)})", f'<ul class="chips">{questions}</ul>' if questions else ""),
        _titled("Disputes in which it stands", f"<ul>{disputes}</ul>" if disputes else ""),
    ]
    return "".join(parts)


def _titled(title: str, body: str) -> str:
    return f"<h3>{title}</h3>{body}" if body else ""
