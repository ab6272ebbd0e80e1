"""The corpus in the terminal: sources, what a check of it found, its counts, and expected click-through rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from advisor.care.check import CHECKS, Finding, Severity
from advisor.care.library import Shelf, UsedBy
from advisor.care.stats import Count
from advisor.ctr import ExpectedCtr
from advisor.models import Corpus, Passage, Source
from advisor.terminal import KIND_STYLES

SEVERITY_STYLES: dict[Severity, str] = {"error": "bold red", "warning": "yellow", "note": "cyan"}
BAR_WIDTH = 40


def sources_view(shelves: Sequence[Shelf]) -> RenderableType:
    """A table of sources: id, publisher, kind, date, number of statements, interest."""
    table = Table(title=f"{len(shelves)} sources" if len(shelves) != 1 else "1 source", header_style="bold", pad_edge=False)
    for column in ("id", "publisher", "kind", "published"):
        table.add_column(column, no_wrap=column in ("kind", "published"), overflow="fold")
    table.add_column("statements", justify="right")
    table.add_column("interest")
    for shelf in shelves:
        s = shelf.source
        table.add_row(s.id, s.publisher, Text(s.kind, style=KIND_STYLES[s.kind]), s.published, str(len(shelf.passages)), s.interest)
    return table


def shelves_view(shelves: Sequence[Shelf]) -> RenderableType:
    """Found statements by source, each with its check."""
    if not shelves:
        return Text("Nothing was found for that; use other words or fewer filters.")
    parts: list[RenderableType] = []
    for shelf in shelves:
        s = shelf.source
        head = Text(f"\n{s.id} ", style="bold")
        head.append(f"{s.publisher}, {s.kind}, {s.published}; {s.interest}", style=f"not bold {KIND_STYLES[s.kind]}")
        parts += [head, *(_statement(p) for p in shelf.passages)]
    return Group(*parts)


def source_view(source: Source, passages: Sequence[Passage], used: UsedBy) -> RenderableType:
    """One source with its statements, their checks and what decides them, and what leans on it."""
    head = Text(f"{source.title}\n", style="bold")
    head.append(f"{source.publisher}, {source.kind}, {source.published}\n", style=f"not bold {KIND_STYLES[source.kind]}")
    head.append(f"{source.url}\n", style="not bold underline")
    head.append(f"Interest: {source.interest}\nStanding: {source.standing}\nReview by: {source.review_by}\n", style="not bold")
    if source.via:
        head.append(f"Read through: {source.via}\n", style="not bold")
    leaning = Text("\nUsed by ", style="bold")
    leaning.append(
        f"{len(used.guidance)} guidance entries, {len(used.disputes)} disputes, and the checks of {len(used.decides)} other statements",
        style="not bold",
    )
    return Group(head, *(_statement(p) for p in passages), leaning)


def _statement(p: Passage) -> Text:
    line = Text(f"\n{p.id.split('/')[1]} ", style="bold")
    line.append(f"{p.role}, favors {p.stance}, evidence {p.evidence}, check {p.check.verdict}\n", style="dim not bold")
    line.append(p.text, style="not bold")
    if p.check.note:
        line.append(f"\nThe record: {p.check.note}", style="not bold italic")
    if p.check.because:
        line.append(f"\nDecided by: {', '.join(p.check.because)}", style="dim not bold")
    return line


def findings_view(found: Sequence[Finding], corpus: Corpus, skipped: Mapping[str, str], *, at_most: int | None) -> RenderableType:
    """What a check found: a table of all checks, then the findings of each.

    Args:
        skipped: Checks that were not made, and why.
        at_most: How many findings of one check are shown; None for all.
    """
    by_check = {name: [f for f in found if f.check == name] for name in CHECKS}
    table = Table(
        title=f"{len(corpus.sources)} sources, {len(corpus.passages)} statements, {len(corpus.guidance)} entries", header_style="bold"
    )
    for column in ("check", "what it looks for"):
        table.add_column(column)
    table.add_column("found", justify="right")
    for name, (severity, looks_for) in CHECKS.items():
        number = len(by_check[name])
        shown = (
            Text("skipped", style="dim") if name in skipped else Text(str(number), style=SEVERITY_STYLES[severity] if number else "green")
        )
        table.add_row(name, looks_for, shown)
    parts: list[RenderableType] = [table]
    parts += [Text(f"{name}: {why}", style="dim") for name, why in skipped.items()]
    for name, own in by_check.items():
        if not own:
            continue
        parts.append(Text(f"\n{name}", style=SEVERITY_STYLES[CHECKS[name][0]]))
        parts += [Text(f"  {f.where}: {f.what}") for f in own[:at_most]]
        if at_most is not None and len(own) > at_most:
            parts.append(Text(f"  and {len(own) - at_most} more; --all shows them", style="dim"))
    return Group(*parts)


def stats_view(counts: Sequence[Count]) -> RenderableType:
    """A small table with bars for each heading."""
    parts: list[RenderableType] = []
    for heading, group in groupby(counts, key=lambda c: c.heading):
        rows = list(group)
        largest = max(c.number for c in rows)
        table = Table(title=heading, title_justify="left", show_header=False, box=None, pad_edge=False, title_style="bold")
        for c in rows:
            bar = "" if heading == "In all" else "█" * max(1, round(BAR_WIDTH * c.number / largest))
            table.add_row(c.name, Text(str(c.number), justify="right"), Text(bar, style="cyan"))
        parts += [table, Text("")]
    return Group(*parts)


def ctr_view(expected: ExpectedCtr) -> RenderableType:
    """The usual range at a position, each curve as a bar, and why they differ."""
    span = f"{expected.low:g}%" if expected.low == expected.high else f"{expected.low:g} to {expected.high:g}%"
    lowered = " where an AI Overview shows" if expected.ai_overview else ""
    head = Text(f"Position {expected.position:g}: {span} of impressions are usually clicked{lowered}.\n", style="bold")
    table = Table(show_header=False, box=None, pad_edge=False)
    for curve, rate in (*expected.curves, *expected.others):
        style = "green" if curve.use == "typical" else "dim"
        bar = Text("█" * max(1, round(BAR_WIDTH * rate / expected.highest)), style=style)
        table.add_row(curve.name, Text(f"{rate:g}%", justify="right"), bar, Text(f"{curve.sample}; {curve.device}", style="dim"))
    return Group(head, table, Text(f"\n{expected.why_curves_differ}"))
