"""Answers as an Excel workbook: the sheets Answers, Sources and About, written row by row with flat memory."""

from __future__ import annotations

import tempfile
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any, Final

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.url import Url
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from advisor.batch.cells import link, number, safe_cell, shortened
from advisor.batch.outputs import Answered, Layout
from advisor.errors import InputError
from advisor.models import Citation

# Limits of the format. Source: Microsoft, "Excel specifications and limits"; the count of links is the one XlsxWriter holds to.
MAX_CELL_UNITS: Final = 32_767
MAX_LINES: Final = 1_048_576
MAX_COLUMNS: Final = 16_384
MAX_LINKS: Final = 65_530

OPTIONS: Final = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "use_zip64": True,
}
# Widths in characters; other columns are as wide as their names, within bounds.
WIDTHS: Final = {
    "status": 11, "bottom line": 55, "answer": 90, "confidence": 12, "reason": 40, "sources": 60, "disputes": 26, "refused because": 17,
    "error": 36, "same as row": 12, "change": 18, "answer id": 30,
}  # fmt: skip
QUESTION_WIDTH: Final = 45
OTHER_WIDTHS: Final = (12, 30)
SOURCE_COLUMNS: Final = {
    "row": 7, "number": 9, "publisher": 24, "title": 44, "url": 44, "kind": 13, "published": 12, "interest": 34, "evidence": 11,
    "check": 14, "where": 28, "quote": 80, "back": 16,
}  # fmt: skip
TITLE_COLUMN: Final = tuple(SOURCE_COLUMNS).index("title")
BACK_COLUMN: Final = tuple(SOURCE_COLUMNS).index("back")
GREEN, AMBER, RED, GRAY = (
    {"bg_color": "#DFF3E1", "font_color": "#1E5B2A"},
    {"bg_color": "#FFF0C9", "font_color": "#6B4A00"},
    {"bg_color": "#FADBD8", "font_color": "#8A1C14"},
    {"bg_color": "#E9ECEF", "font_color": "#3C444D"},
)
# The word always stands in the cell too, so that nothing is told by color alone.
COLORS: Final = {
    "status": {"answered": GREEN, "refused": AMBER, "failed": RED},
    "confidence": {"high": GREEN, "medium": AMBER, "low": RED},
    "check": {"confirmed": GREEN, "qualified": AMBER, "contradicted": RED, "unsupported": RED, "opinion": GRAY},
}
HOW_TO_READ: Final = (
    "Each row of the sheet Answers is one question. A number in brackets, such as [1], names a line of the sheet Sources that has the same "
    "row and number; the cell with the sources leads there. Row 1 is the first row below the header.",
    "Read who publishes a source and what it stands to gain before you act on it. Sentences marked unsupported or partly supported say "
    "more than their sources do.",
    "An apostrophe at the start of a text keeps a spreadsheet from running it as a formula; it is not part of the text.",
)


def write_workbook(file: IO[bytes], rows: Iterable[Answered], layout: Layout) -> None:
    """Write all rows into an open file.

    Raises:
        InputError: There are more rows or columns than a sheet holds.
    """
    if len(layout.header) > MAX_COLUMNS:
        raise InputError(f"an Excel sheet holds {MAX_COLUMNS:,} columns", hint="Name a .csv or .jsonl file with --output.")
    with _workbook(file) as book:
        answers, sources, about = (book.add_worksheet(name, LinkedSheet) for name in ("Answers", "Sources", "About"))
        looks = Looks(book)
        source_list = SourceList(sources, looks)
        table = AnswerTable(answers, looks, layout)
        for row in rows:
            table.add(row, source_list.add(row, back_to=table.lines))
        source_list.finish()
        table.finish()
        _write_about(about, looks, layout, table, source_list)


class LinkedSheet(Worksheet):  # type: ignore[misc] # XlsxWriter has no types
    """A worksheet that keeps its links as numbers and writes each address once.

    XlsxWriter keeps an object for each link until the end, which for a long table is most of the memory that is used.
    """

    def __init__(self) -> None:
        super().__init__()
        self._inner = array("L")  # first line, last line, column, line led to
        self._outer = array("L")  # line, column, number of the address
        self._addresses: dict[str, int] = {}
        self._inner_sheet = ""

    @property
    def free_links(self) -> int:
        return MAX_LINKS - len(self._inner) // 4 - len(self._outer) // 3

    def link_lines(self, first: int, last: int, column: int, sheet: str, line: int) -> bool:
        """Let the cells of a column lead to a line of another sheet, always the same sheet; False if the sheet holds no more links."""
        if not self.free_links:
            return False
        self._inner_sheet = sheet
        self._inner.extend((first, last, column, line))
        return True

    def link_address(self, line: int, column: int, address: str) -> bool:
        """Let a cell lead to an address; False if the sheet holds no more links."""
        if not self.free_links:
            return False
        self._outer.extend((line, column, self._addresses.setdefault(address, len(self._addresses))))
        return True

    def _write_hyperlinks(self) -> None:
        if not (self._inner or self._outer):
            return
        addresses = [Url(address) for address in self._addresses]
        ids = [f"rId{self.rel_count + n}" for n in range(1, len(addresses) + 1)]
        self.rel_count += len(addresses)
        self.external_hyper_links += [["/hyperlink", address._target(), "External"] for address in addresses]
        self._xml_start_tag("hyperlinks")
        for first, last, column, line in _groups(self._inner, 4):
            ref = xl_rowcol_to_cell(first, column) + (f":{xl_rowcol_to_cell(last, column)}" if last > first else "")
            self._xml_empty_tag("hyperlink", [("ref", ref), ("location", f"{self._inner_sheet}!A{line + 1}")])
        for line, column, address in _groups(self._outer, 3):
            attributes = [("ref", xl_rowcol_to_cell(line, column)), ("r:id", ids[address])]
            if addresses[address]._anchor:
                attributes.append(("location", addresses[address]._anchor))
            self._xml_empty_tag("hyperlink", attributes)
        self._xml_end_tag("hyperlinks")


class Looks:
    """The formats of cells, made once."""

    def __init__(self, book: Any) -> None:
        base = {"text_wrap": True, "valign": "top"}
        self.text = book.add_format(base)
        self.header = book.add_format({**base, "bold": True, "bottom": 1, "bg_color": "#E8EDF2"})
        self.link = book.add_format({**base, "font_color": "#0B5394", "underline": 1})
        self.title = book.add_format({"bold": True, "font_size": 14})
        self.bold = book.add_format({**base, "bold": True})
        self._colored = {
            (name, word): book.add_format({**base, **colors, "bold": True})
            for name, words in COLORS.items()
            for word, colors in words.items()
        }

    def of(self, name: str, word: str) -> Any:
        """The format of a cell by the column's name and the cell's word."""
        return self._colored.get((name, word), self.text)


@dataclass(slots=True)
class SourceList:
    """The sheet Sources: a line for each citation of each row."""

    sheet: LinkedSheet
    looks: Looks
    lines: int = 1
    unlinked: int = 0
    left_out: int = 0
    cut: int = 0

    def __post_init__(self) -> None:
        _write_header(self.sheet, self.looks, tuple(SOURCE_COLUMNS), tuple(SOURCE_COLUMNS.values()), frozen_columns=2)

    def add(self, row: Answered, *, back_to: int) -> int:
        """List a row's citations, each with a link back to a line of Answers; the line of the first one, 0 if there is none."""
        first = self.lines
        for citation in row.answer.citations if row.answer else ():
            if self.lines == MAX_LINES:
                self.left_out += 1
                continue
            self._add_line(row.number, citation)
        if self.lines == first:
            return 0
        self.sheet.link_lines(first, self.lines - 1, BACK_COLUMN, "Answers", back_to)
        return first

    def finish(self) -> None:
        self.sheet.autofilter(0, 0, self.lines - 1, len(SOURCE_COLUMNS) - 1)

    def _add_line(self, row: int, citation: Citation) -> None:
        address = link(citation.url)
        linked = bool(address) and self.sheet.link_address(self.lines, TITLE_COLUMN, address)
        self.unlinked += bool(address) and not linked
        texts = {
            "publisher": citation.publisher, "title": citation.title, "url": citation.url, "kind": citation.kind,
            "published": citation.published, "interest": citation.interest, "evidence": citation.evidence, "check": citation.check,
            "where": citation.where, "quote": citation.quote, "back": f"to row {row}",
        }  # fmt: skip
        self.sheet.write_number(self.lines, 0, row, self.looks.text)
        self.sheet.write_number(self.lines, 1, citation.number, self.looks.text)
        for column, name in enumerate(SOURCE_COLUMNS):
            if name in texts:
                look = self.looks.link if name == "back" or (name == "title" and linked) else self.looks.of(name, texts[name])
                self.cut += _write_text(self.sheet, self.lines, column, texts[name], look)
        self.lines += 1


@dataclass(slots=True)
class AnswerTable:
    """The sheet Answers: the input's columns, then ours."""

    sheet: LinkedSheet
    looks: Looks
    layout: Layout
    lines: int = 1
    cut: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    fingerprints: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        low, high = OTHER_WIDTHS
        others = (min(max(len(name) + 3, low), high) for name in self.layout.columns)
        widths = (QUESTION_WIDTH, *others, *(WIDTHS[name] for name in self.layout.fields))
        self.cut += _write_header(self.sheet, self.looks, self.layout.header, widths, frozen_columns=1)

    def add(self, row: Answered, first_source: int) -> None:
        """Write a row.

        Raises:
            InputError: The sheet is full.
        """
        if self.lines == MAX_LINES:
            raise InputError(f"an Excel sheet holds {MAX_LINES:,} rows", hint="Name a .csv or .jsonl file with --output.")
        self.statuses[row.status] += 1
        if row.answer:
            self.fingerprints.add(row.answer.fingerprint)
        # Ours are known by their place, since the input may have a column of the same name.
        names = ("", *("number?" for _ in self.layout.columns), *self.layout.fields)
        for column, (name, text) in enumerate(zip(names, self.layout.cells(row), strict=True)):
            value = number(text) if name in ("number?", "same as row") else None
            if value is not None:
                self.sheet.write_number(self.lines, column, value, self.looks.text)
            elif text:
                linked = (
                    name == "sources" and first_source and self.sheet.link_lines(self.lines, self.lines, column, "Sources", first_source)
                )
                look = self.looks.link if linked else self.looks.of(name, text)
                self.cut += _write_text(self.sheet, self.lines, column, text, look)
        self.lines += 1

    def finish(self) -> None:
        self.sheet.autofilter(0, 0, self.lines - 1, len(self.layout.header) - 1)


def _write_about(sheet: LinkedSheet, looks: Looks, layout: Layout, table: AnswerTable, sources: SourceList) -> None:
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 100)
    _write_text(sheet, 0, 0, layout.title, looks.title)
    facts = [("rows", table.lines - 1), *((status, table.statuses[status]) for status in COLORS["status"])]
    for line, (name, count) in enumerate(facts, start=2):
        _write_text(sheet, line, 0, name, looks.of("status", name))
        sheet.write_number(line, 1, count, looks.text)
    texts = [("fingerprint", f) for f in sorted(table.fingerprints)]
    texts += [("how to read it", text) for text in HOW_TO_READ]
    texts += [("left out", text) for text in _left_out(table, sources)]
    for line, (name, text) in enumerate(texts, start=len(facts) + 3):
        _write_text(sheet, line, 0, name, looks.bold)
        _write_text(sheet, line, 1, text, looks.text)


def _left_out(table: AnswerTable, sources: SourceList) -> Iterator[str]:
    """What the format could not hold, a sentence for each kind."""
    if cut := table.cut + sources.cut:
        yield f"{cut:,} texts are cut at {MAX_CELL_UNITS:,} characters, the most that a cell holds; the .jsonl output has all of them."
    if sources.unlinked:
        yield f"{sources.unlinked:,} titles are not linked, since a sheet holds {MAX_LINKS:,} links; their addresses stand beside them."
    if sources.left_out:
        yield f"{sources.left_out:,} citations are not listed, since a sheet holds {MAX_LINES:,} lines; the .jsonl output has all of them."


# ------------------------------------------------------------------------------------------------ cells and files


def _write_header(sheet: LinkedSheet, looks: Looks, names: Sequence[str], widths: Sequence[int], *, frozen_columns: int) -> int:
    """Write the first line, frozen; how many names were cut."""
    cut = 0
    for column, (name, width) in enumerate(zip(names, widths, strict=True)):
        sheet.set_column(column, column, width)
        cut += _write_text(sheet, 0, column, name, looks.header)
    sheet.freeze_panes(1, frozen_columns)
    return cut


def _write_text(sheet: LinkedSheet, line: int, column: int, text: str, look: Any) -> bool:
    """Write a text that cannot run; whether it had to be cut."""
    safe = safe_cell(text).replace("\r", "\n")
    shown = shortened(safe, MAX_CELL_UNITS)
    if shown.startswith("<r>") and shown.endswith("</r>"):
        shown = shortened(f"{shown} ", MAX_CELL_UNITS)  # XlsxWriter would take it for markup of its own and write it as it stands
    sheet.write_string(line, column, shown, look)
    return shown is not safe and len(shown) < len(safe)


def _groups(numbers: array[int], size: int) -> Iterator[tuple[int, ...]]:
    for start in range(0, len(numbers), size):
        yield tuple(numbers[start : start + size])


@contextmanager
def _workbook(file: IO[bytes]) -> Iterator[Any]:
    """A workbook that is packed into the file when the block ends well. Its rows wait in a temporary folder until then."""
    with tempfile.TemporaryDirectory(prefix="seo-advisor-") as folder:
        pack = _Pack(file)
        book = xlsxwriter.Workbook(pack, {**OPTIONS, "tmpdir": folder})
        try:
            yield book
            book.close()
        except FileCreateError as exc:
            raise exc.args[0] from exc
        finally:
            for sheet in book.worksheets():
                sheet._opt_close()
        if pack.error:
            raise pack.error


class _Pack:
    """The file that a workbook is packed into. It keeps its first error until asked.

    A zip file that fails half-way writes its end when it is thrown away, fails again there, and Python prints that as a traceback.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        self._try(lambda: self._file.write(data))
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        self._try(lambda: self._file.seek(offset, whence))
        return offset

    def flush(self) -> None:
        self._try(self._file.flush)

    def tell(self) -> int:
        return 0 if self._file.closed else self._file.tell()

    def seekable(self) -> bool:
        return True

    def _try(self, step: Callable[[], object]) -> None:
        if self._file.closed:
            return
        try:
            step()
        except OSError as exc:
            self.error = self.error or exc
