"""Answers as documents that are read from top to bottom: Markdown, and one HTML page that needs nothing else."""

from __future__ import annotations

import html
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, Final

from advisor.batch.cells import link, one_line, printable, shortened
from advisor.batch.outputs import SUPPORT_WORDS, Answered, Layout
from advisor.models import Answer, AnswerSentence, Citation, Section
from advisor.render import MARKS, escape, markdown

# A longer table of contents is no help.
MAX_CONTENTS: Final = 200
CONTENTS_CHARS: Final = 120
HEADING_CHARS: Final = 400
COLUMN_CHARS: Final = 2_000
STATUSES: Final = ("answered", "refused", "failed")


def write_markdown(file: IO[bytes], rows: Iterable[Answered], layout: Layout) -> None:
    """Write all rows as Markdown, the questions as headings."""

    def head(seen: _Seen) -> str:
        contents = "\n".join(f"- [{row}\\. {escape(text)}](#row-{row}): {status}" for row, text, status in seen.contents)
        return "".join(f"{part}\n\n" for part in (f"# {escape(layout.title)}", f"{seen.told(escape)}.", contents) if part)

    _write(file, rows, head=head, entry=lambda row: f"{_markdown_entry(row, layout)}\n\n", foot="")


def write_html(file: IO[bytes], rows: Iterable[Answered], layout: Layout) -> None:
    """Write all rows as one page without scripts and without anything that is fetched; light or dark as the reader's system is."""

    def head(seen: _Seen) -> str:
        items = "".join(
            f'<li value="{row}"><a href="#row-{row}">{_text(text)}</a> {_badge(status)}</li>' for row, text, status in seen.contents
        )
        contents = f'<nav aria-label="Questions"><h2>Questions</h2><ol>{items}</ol></nav>' if items else ""
        title = _text(layout.title)
        return f"{HEAD.replace('TITLE', title)}<header><h1>{title}</h1><p>{seen.told(_text)}.</p></header>\n{contents}\n<main>\n"

    _write(file, rows, head=head, entry=lambda row: f"{_html_entry(row, layout)}\n", foot=FOOT)


@dataclass(slots=True)
class _Seen:
    """What the head of a document tells of the rows below it. `contents` holds (row, question, status), or nothing for many rows."""

    statuses: Counter[str] = field(default_factory=Counter)
    fingerprints: set[str] = field(default_factory=set)
    contents: list[tuple[int, str, str]] = field(default_factory=list)

    def add(self, row: Answered) -> None:
        self.statuses[row.status] += 1
        if row.answer:
            self.fingerprints.add(row.answer.fingerprint)
        if self.statuses.total() <= MAX_CONTENTS:
            self.contents.append((row.number, shortened(_question(row), CONTENTS_CHARS), row.status))
        else:
            self.contents.clear()

    def told(self, safe: Callable[[str], str]) -> str:
        """Counts and fingerprints as a sentence, the texts made safe for the format."""
        rows = self.statuses.total()
        counts = ", ".join(f"{self.statuses[status]:,} {status}" for status in STATUSES if self.statuses[status])
        made_by = f". Fingerprint: {', '.join(safe(f) for f in sorted(self.fingerprints))}" if self.fingerprints else ""
        return f"{rows:,} {'row' if rows == 1 else 'rows'}{': ' if counts else ''}{counts}{made_by}"


def _write(file: IO[bytes], rows: Iterable[Answered], *, head: Callable[[_Seen], str], entry: Callable[[Answered], str], foot: str) -> None:
    """The head tells of all rows, so the rows wait in a temporary file until it is known."""
    seen = _Seen()
    with tempfile.TemporaryFile(prefix="seo-advisor-") as body:
        for row in rows:
            body.write(printable(entry(row)).encode())
            seen.add(row)
        body.seek(0)
        file.write(printable(head(seen)).encode())
        shutil.copyfileobj(body, file)
    file.write(foot.encode())


def _question(row: Answered) -> str:
    return one_line(printable(row.question)) or "(no question)"


def _columns(row: Answered, layout: Layout) -> Iterator[tuple[str, str]]:
    """The input's other columns that hold something."""
    for name in layout.columns:
        if value := one_line(printable(row.columns.get(name, ""))):
            yield one_line(name), shortened(value, COLUMN_CHARS)


def _has_confidence(answer: Answer) -> bool:
    # Without a citation there is nothing to be confident of: a refusal or a greeting.
    return bool(answer.citations)


# ------------------------------------------------------------------------------------------------ Markdown


def _markdown_entry(row: Answered, layout: Layout) -> str:
    parts = [f'<a id="row-{row.number}"></a>\n\n## {row.number}\\. {escape(shortened(_question(row), HEADING_CHARS))}']
    if columns := "; ".join(f"{escape(name)}: {escape(value)}" for name, value in _columns(row, layout)):
        parts.append(f"*{columns}*")
    if row.same_as:
        parts.append(f"*The same question as in [row {row.same_as}](#row-{row.same_as}).*")
    if row.change:
        parts.append(f"*Since the earlier run: {escape(row.change)}.*")
    if row.error:
        parts.append(f"**Failed:** {escape(one_line(row.error))}")
    if row.answer:
        # Where an address may not be linked the title stands alone.
        parts.append(markdown(_linkable(row.answer)).replace("](<>)", "]"))
    return "\n\n".join(parts)


def _linkable(answer: Answer) -> Answer:
    """The answer with the addresses that may not be linked left out, and with dates as text that is no markup."""
    if not answer.citations:
        return answer
    citations = tuple(c.model_copy(update={"url": link(c.url), "published": escape(c.published)}) for c in answer.citations)
    return answer.model_copy(update={"citations": citations})


# ------------------------------------------------------------------------------------------------ HTML


def _text(value: str) -> str:
    """Any string as HTML text or attribute value, on one line."""
    return html.escape(one_line(value), quote=True)


def _badge(word: str) -> str:
    return f'<span class="badge {word}">{word}</span>'


def _html_entry(row: Answered, layout: Layout) -> str:
    heading = f'<h2><a href="#row-{row.number}">{row.number}.</a> {_text(shortened(_question(row), HEADING_CHARS))}</h2>'
    parts = [heading, f'<p class="note">{" · ".join(_notes(row))}</p>']
    if columns := "".join(f"<div><dt>{_text(name)}</dt><dd>{_text(value)}</dd></div>" for name, value in _columns(row, layout)):
        parts.append(f"<dl>{columns}</dl>")
    if row.error:
        parts.append(f"<p><strong>Failed:</strong> {_text(row.error)}</p>")
    if row.answer:
        parts += _html_answer(row.answer, row.number)
    return f'<article id="row-{row.number}">{"".join(parts)}</article>'


def _notes(row: Answered) -> Iterator[str]:
    """Status, confidence, and where the answer comes from, each as HTML."""
    yield _badge(row.status)
    if row.answer and _has_confidence(row.answer):
        level = row.answer.confidence.level
        yield f'Confidence: <span class="badge {level}">{level}</span>'
    if row.same_as:
        yield f'The same question as in <a href="#row-{row.same_as}">row {row.same_as}</a>'
    if row.change:
        yield f"Since the earlier run: {_text(row.change)}"


def _html_answer(answer: Answer, row: int) -> Iterator[str]:
    if answer.refusal:
        suggestions = "".join(f"<li>{_text(s)}</li>" for s in answer.refusal.suggestions)
        yield f"<p>{_text(answer.refusal.message)}</p>" + (f"<ul>{suggestions}</ul>" if suggestions else "")
        return
    for section in answer.sections:
        yield _html_section(section, row)
    if _has_confidence(answer):
        yield f'<p class="note">Confidence: {answer.confidence.level}. {_text(answer.confidence.reason)}</p>'
    if answer.searched and answer.searched != answer.question:
        yield f'<p class="note">Searched: {_text(answer.searched)}</p>'
    if answer.citations:
        yield f'<h3>Sources</h3><ol class="sources">{"".join(_html_source(c, row) for c in answer.citations)}</ol>'


def _html_section(section: Section, row: int) -> str:
    sentences = [_html_sentence(s, row) for s in section.sentences]
    if section.role == "bottom_line":
        return f'<p class="bottom">{" ".join(sentences)}</p>'
    kind = "ol" if section.role == "steps" else "ul"
    return f"<h3>{_text(section.title)}</h3><{kind}>{''.join(f'<li>{s}</li>' for s in sentences)}</{kind}>"


def _html_sentence(sentence: AnswerSentence, row: int) -> str:
    marks = "".join(f'<a class="mark" href="#row-{row}-source-{n}">[{n}]</a>' for n in sentence.citations)
    support = SUPPORT_WORDS[sentence.support.verdict].strip()
    return f"{_text(sentence.text)}{' ' if marks else ''}{marks}" + (f' <em class="weak">{support}</em>' if support else "")


def _html_source(citation: Citation, row: int) -> str:
    title = _text(citation.title)
    if address := link(citation.url):
        title = f'<a href="{_text(address)}" rel="noopener noreferrer nofollow">{title}</a>'
    check = f"{citation.check} ({MARKS[citation.check]})" if citation.check in MARKS else citation.check
    interest = f"Interest: {_text(citation.interest)}. Evidence: {citation.evidence}; check: {check}."
    place = f'value="{citation.number}" id="row-{row}-source-{citation.number}"'
    return (
        f"<li {place}><strong>{_text(citation.publisher)}</strong>, {title}, {citation.kind}, {_text(citation.published)}. {interest}"
        f"<blockquote>{_text(citation.where)}: {_text(citation.quote)}</blockquote></li>"
    )


# The page may fetch nothing and run nothing, even if a text should get past the escaping.
HEAD: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>TITLE</title>
<style>
:root { color-scheme: light dark; --page: #faf9f6; --ink: #1f2328; --soft: #59626d; --line: #e2dfd7; --accent: #1b5e7d;
  --good: #1e5b2a; --good-tint: #dff3e1; --fair: #6b4a00; --fair-tint: #fff0c9; --bad: #8a1c14; --bad-tint: #fadbd8; }
@media (prefers-color-scheme: dark) { :root { --page: #14171b; --ink: #e9e7e2; --soft: #a6aeb8; --line: #2d333b; --accent: #84c5e2;
  --good: #a8d79b; --good-tint: #1d2f19; --fair: #ecc27c; --fair-tint: #352813; --bad: #f5aaa3; --bad-tint: #3a1d1b; } }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 46rem; background: var(--page); color: var(--ink);
  font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; line-height: 1.3; } h3 { font-size: 1rem; margin-bottom: 0.3rem; }
a { color: var(--accent); } a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
article { border-top: 1px solid var(--line); margin-top: 2rem; scroll-margin-top: 1rem; }
h2 > a, .mark { text-decoration: none; } .bottom { font-weight: 600; }
.note, .weak, dl, blockquote { color: var(--soft); font-size: 0.9rem; }
ul, ol { padding-left: 1.6rem; } li { margin: 0.3rem 0; } blockquote { margin: 0.2rem 0 0.6rem; }
dl > div { display: flex; gap: 0.5rem; } dt::after { content: ":"; } dd { margin: 0; }
.badge { border-radius: 0.3rem; padding: 0.05rem 0.4rem; font-size: 0.85rem; font-weight: 600; white-space: nowrap; }
.answered, .high { color: var(--good); background: var(--good-tint); }
.refused, .medium { color: var(--fair); background: var(--fair-tint); }
.failed, .low { color: var(--bad); background: var(--bad-tint); }
li:target, article:target > h2 { background: var(--fair-tint); }
@media print {
  :root { --page: #fff; --ink: #000; --soft: #333; --line: #999; --accent: #000; --good: #000; --fair: #000; --bad: #000;
    --good-tint: #fff; --fair-tint: #fff; --bad-tint: #fff; }
  body { max-width: none; font-size: 10.5pt; padding: 0; } nav { break-after: page; } h2, h3 { break-after: avoid; }
  li, .bottom { break-inside: avoid; } .badge { border: 1px solid #999; } .sources a[href^="http"]::after { content: " (" attr(href) ")"; }
}
</style>
</head>
<body>
"""
FOOT: Final = "</main>\n</body>\n</html>\n"
