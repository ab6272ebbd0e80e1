"""An answer in the terminal: rich renderables. Text from outside is shown as text, never as markup or control codes."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from advisor.models import Answer, AnswerSentence, Citation, Kind, Section
from advisor.render import MARKS
from advisor.text import clean

KIND_STYLES: dict[Kind, str] = {
    "official": "blue",
    "court": "magenta",
    "paper": "green",
    "study": "cyan",
    "practitioner": "yellow",
    "vendor": "red",
    "own": "white",
}
LEVEL_STYLES = {"high": "bold green", "medium": "bold yellow", "low": "bold red"}
SUPPORT_NOTES = {"partial": " (partly supported)", "unsupported": " (unsupported)", "supported": ""}


def answer_view(answer: Answer) -> RenderableType:
    """The whole answer: sections, confidence, sources, and what to ask next."""
    return Group(*_blocks(answer))


def _blocks(answer: Answer) -> Iterator[RenderableType]:
    if answer.refusal:
        yield Text(clean(answer.refusal.message))
        yield from _bullets("You could ask", answer.refusal.suggestions)
        return
    if answer.searched and answer.searched != answer.question:
        yield Text(f"Searched: {clean(answer.searched)}\n", style="dim italic")
    for section in answer.sections:
        yield from _section(section)
    if answer.citations:
        yield _confidence(answer)
        yield Text("\nSources", style="bold")
        for citation in answer.citations:
            yield _source_line(citation)
    yield from _bullets("Ask next", answer.follow_ups)


def _section(section: Section) -> Iterator[RenderableType]:
    if section.role == "bottom_line":
        joined = Text()
        for n, sentence in enumerate(section.sentences):
            joined.append(" " if n else "").append_text(_sentence(sentence, style="bold" if n == 0 else ""))
        yield joined
        return
    yield Text(f"\n{section.title}", style="bold")
    for n, sentence in enumerate(section.sentences, start=1):
        bullet = f"{n}. " if section.role == "steps" else "- "
        row = Table.grid(padding=(0, 0))
        row.add_column(width=len(bullet), no_wrap=True)
        row.add_column()
        row.add_row(bullet, _sentence(sentence))
        yield Padding(row, (0, 0, 0, 2))


def _sentence(sentence: AnswerSentence, *, style: str = "") -> Text:
    shown = Text(clean(sentence.text), style=style)
    marks = "".join(f"[{n}]" for n in sentence.citations)
    if marks:
        shown.append(f" {marks}", style="cyan not bold")
    return shown.append(SUPPORT_NOTES[sentence.support.verdict], style="yellow not bold")


def _confidence(answer: Answer) -> Text:
    line = Text("\nConfidence: ")
    line.append(answer.confidence.level, style=LEVEL_STYLES[answer.confidence.level])
    return line.append(f". {clean(answer.confidence.reason)}")


def _source_line(citation: Citation) -> RenderableType:
    text = Text(f"{clean(citation.publisher)}: {clean(citation.title)} ")
    text.append(f"{citation.kind} {citation.published}", style=KIND_STYLES[citation.kind])
    text.append(f"\nInterest: {clean(citation.interest)}", style="dim")
    check = f"check: {citation.check}" + (f", {MARKS[citation.check]}" if citation.check in MARKS else "")
    text.append(f"\nEvidence: {citation.evidence}; {check}", style="dim")
    text.append(f"\n{citation.url}", style="dim underline")
    row = Table.grid(padding=(0, 1))
    row.add_column(width=4, justify="right", no_wrap=True)
    row.add_column()
    row.add_row(Text(f"[{citation.number}]", style="cyan"), text)
    return row


def _bullets(title: str, lines: tuple[str, ...]) -> Iterator[RenderableType]:
    if lines:
        yield Text(f"\n{title}", style="bold")
        yield from (Text(f"  - {clean(line)}") for line in lines)
