"""Reading questions from .csv, .tsv, .xlsx, .jsonl and .txt files: which column holds them, and what else stands in a row.

Rows come one at a time, so that a file of any length takes the same memory. What is wrong with the file is said before the first
row; what is wrong with one row becomes that row's error.
"""

from __future__ import annotations

import csv
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

from advisor.batch.encodings import Encoding, encoding_of
from advisor.errors import InputError
from advisor.text import words

QUESTION_COLUMNS: Final = ("question", "questions", "query", "queries", "prompt", "prompts", "ask", "q", "text", "frage", "pregunta")
DELIMITERS: Final = ",;\t|"
# A cell up to this long is read and then refused as too long a question; a longer one is a broken file, such as an unclosed quote.
MAX_CELL_CHARS = 20_000_000
# A first line of so many words, or one that ends in a question mark, is a question and no header.
QUESTION_WORDS = 4
# What a workbook may unpack to; a larger one is a bomb or no list of questions.
MAX_UNPACKED_BYTES = 500_000_000
MAX_COLUMNS = 500
ROWS_EXAMINED = 50
FORMATS: Final = ("csv", "tsv", "xlsx", "jsonl", "txt")

Record = tuple[int, dict[str, str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the input.

    Attributes:
        number: 1 for the first row below the header.
        columns: The other columns, in their order.
        error: Why the row holds no question, else "".
    """

    number: int
    question: str
    columns: dict[str, str] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionTable:
    """A table whose question column is known.

    Attributes:
        columns: The names of the other columns.
        note: What the reader should know about how the file was read, else "".
    """

    path: Path
    question_column: str
    columns: tuple[str, ...]
    note: str
    _records: Callable[[], Iterator[Record]]

    def rows(self) -> Iterator[Row]:
        """The rows in order, from the start at each call. Empty rows are left out and not counted."""
        for number, (line, cells, error) in enumerate(self._records(), start=1):
            question = cells.get(self.question_column, "").strip()
            others = {name: cells.get(name, "") for name in self.columns}
            if not error and not question:
                error = f"row {number} (line {line}) has nothing in the column {self.question_column!r}"
            yield Row(number=number, question=question, columns=others, error=error)


def read_table(path: Path, *, column: str = "", sheet: str = "", form: str = "") -> QuestionTable:
    """Open a file of questions.

    Args:
        column: The name of the column that holds the questions; found by its name when not given.
        sheet: The sheet of a workbook; the first when not given.
        form: One of `FORMATS`; by the file's ending when not given.

    Raises:
        InputError: The file is missing, empty, of another kind, or no column can be taken for the questions.
    """
    form = form or path.suffix.lower().lstrip(".").replace("ndjson", "jsonl").replace("xlsm", "xlsx")
    if form not in FORMATS:
        raise InputError(f"{path.name!r} is not a file of questions", hint=f"Bring a {', '.join(f'.{f}' for f in FORMATS)} file.")
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as exc:
        raise InputError(f"{str(path)!r} cannot be read: {exc.strerror or exc}", hint="Check its name and rights.") from exc
    if not start.strip():
        raise InputError(f"{path.name!r} is empty", hint="Put one question in each row below a header named question.")
    if form == "xlsx":
        return _workbook(path, column=column, sheet=sheet)
    if start.startswith(b"PK\x03\x04"):
        raise InputError(f"{path.name!r} is a workbook or an archive under another name", hint="Rename it to .xlsx, or save it as CSV.")
    encoding = encoding_of(path)
    if form == "jsonl":
        return _json_lines(path, encoding, column=column)
    if form == "txt":
        return _text_lines(path, encoding)
    return _delimited(path, encoding, column=column, delimiter="\t" if form == "tsv" else "")


# ------------------------------------------------------------------------------------------------ delimited text


def _delimited(path: Path, encoding: Encoding, *, column: str, delimiter: str) -> QuestionTable:
    csv.field_size_limit(MAX_CELL_CHARS)
    with encoding.open(path) as file:
        first = next((line for line in file if line.strip()), "")
    delimiter = delimiter or _delimiter(first)
    header = _first_record(path, encoding, delimiter)
    has_header = not (first.strip().endswith("?") or (len(header) == 1 and _is_question(header[0])))
    names = _checked_header(path, header) if has_header else (QUESTION_COLUMNS[0],)
    question = _question_column(path, names, column)

    def records() -> Iterator[Record]:
        with encoding.open(path) as file:
            lines = _lines_of(path, csv.reader(file, delimiter=delimiter))
            for line, cells in islice(lines, 1 if has_header else 0, None):
                yield line, *_named(names, cells, line, delimiter)

    return _table(path, question, names, encoding.note, records)


def _lines_of(path: Path, reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each record that is not empty."""
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as exc:
            hint = "Look for a quotation mark that is never closed, or split the cell."
            raise InputError(f"{path.name!r} cannot be read from line {reader.line_num}: {exc}", hint=hint) from exc
        if any(cell.strip() for cell in cells):
            yield reader.line_num, cells


def _first_record(path: Path, encoding: Encoding, delimiter: str) -> list[str]:
    with encoding.open(path) as file:
        first = next(_lines_of(path, csv.reader(file, delimiter=delimiter)), None)
    if first is None:
        raise InputError(f"{path.name!r} is empty", hint="Put one question in each row below a header named question.")
    return first[1]


def _delimiter(header: str) -> str:
    """The delimiter that the first line uses most; a comma where it uses none."""
    counts = Counter(ch for ch in header if ch in DELIMITERS)
    return max(DELIMITERS, key=lambda d: counts[d])


def _named(names: Sequence[str], cells: list[str], line: int, delimiter: str) -> tuple[dict[str, str], str]:
    """Cells by column name. In a file with one column a delimiter is part of the text."""
    if len(names) == 1:
        return {names[0]: delimiter.join(cells)}, ""
    error = ""
    if any(cell.strip() for cell in cells[len(names) :]):
        error = f"line {line} has {len(cells)} cells and the header {len(names)}; quote the cell with a {delimiter!r} in it"
    return dict(zip(names, cells, strict=False)), error


# ------------------------------------------------------------------------------------------------ lines


def _json_lines(path: Path, encoding: Encoding, *, column: str) -> QuestionTable:
    def records() -> Iterator[Record]:
        with encoding.open(path) as file:
            for line, text in enumerate(file, start=1):
                if text.strip():
                    yield line, *_json_cells(text, line)

    names: dict[str, None] = {}
    for _, cells, _ in islice(records(), ROWS_EXAMINED):
        names.update(dict.fromkeys(cells))
    if not names:
        raise InputError(f"{path.name!r} holds no line of JSON", hint='Write one object a line, such as {"question": "Are links dead?"}.')
    return _table(path, _question_column(path, tuple(names), column), tuple(names), encoding.note, records)


def _json_cells(text: str, line: int) -> tuple[dict[str, str], str]:
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return {}, f"line {line} is not valid JSON"
    if isinstance(value, str):
        return {QUESTION_COLUMNS[0]: value}, ""
    if not isinstance(value, dict):
        return {}, f"line {line} is neither an object nor a text"
    return {str(name): _cell(cell) for name, cell in value.items()}, ""


def _text_lines(path: Path, encoding: Encoding) -> QuestionTable:
    def records() -> Iterator[Record]:
        with encoding.open(path) as file:
            for line, text in enumerate(file, start=1):
                if text.strip():
                    yield line, {QUESTION_COLUMNS[0]: text.strip()}, ""

    return _table(path, QUESTION_COLUMNS[0], (QUESTION_COLUMNS[0],), encoding.note, records)


# ------------------------------------------------------------------------------------------------ workbooks


def _workbook(path: Path, *, column: str, sheet: str) -> QuestionTable:
    _check_archive(path)
    with _opened(path) as book:
        names = tuple(book.sheetnames)
        if sheet and sheet not in names:
            raise InputError(f"{path.name!r} has no sheet {sheet!r}", hint=f"Its sheets are: {', '.join(names)}.")
    wanted = sheet or names[0]
    first = next(_sheet_rows(path, wanted), None)
    if first is None:
        raise InputError(f"the sheet {wanted!r} of {path.name!r} is empty", hint="Put one question in each row below a header.")
    filled = [cell for cell in first[1] if cell.strip()]
    has_header = len(filled) > 1 or not _is_question(filled[0])
    header = _trimmed(first[1])
    columns = _checked_header(path, header) if has_header else (QUESTION_COLUMNS[0],)
    question = _question_column(path, columns, column)

    def records() -> Iterator[Record]:
        for line, cells in islice(_sheet_rows(path, wanted), 1 if has_header else 0, None):
            yield line, dict(zip(columns, cells, strict=False)), ""

    return _table(path, question, columns, "" if sheet or len(names) == 1 else f"read the sheet {wanted!r}", records)


def _check_archive(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError) as exc:
        raise InputError(f"{path.name!r} is named .xlsx and is no Excel workbook", hint="Save it as .xlsx or .csv again.") from exc
    if "xl/workbook.xml" not in {part.filename for part in parts}:
        raise InputError(f"{path.name!r} is an archive named .xlsx and no Excel workbook", hint="Unpack it and bring the table in it.")
    if sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
        limit = MAX_UNPACKED_BYTES // 1_000_000
        raise InputError(f"{path.name!r} unpacks to more than {limit} MB", hint="Bring a smaller workbook, or a CSV file.")


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """A workbook opened for reading row by row, its file closed at the end."""
    import openpyxl

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
    except Exception as exc:
        # A damaged workbook fails anywhere inside the library, with errors of many kinds.
        raise InputError(f"the workbook {path.name!r} is damaged", hint="Open it in a spreadsheet program and save it again.") from exc
    try:
        yield book
    finally:
        book.close()


def _sheet_rows(path: Path, sheet: str) -> Iterator[tuple[int, list[str]]]:
    """Row number and cells of each row that is not empty."""
    with _opened(path) as book:
        rows = book[sheet]
        # What a sheet says of its own size is not believed: rows are padded to it, and it may claim millions of cells.
        rows.reset_dimensions()
        for line, values in enumerate(rows.iter_rows(values_only=True, max_col=MAX_COLUMNS), start=1):
            cells = [_cell(value) for value in values]
            if any(cell.strip() for cell in cells):
                yield line, cells


# ------------------------------------------------------------------------------------------------ columns


def _table(path: Path, question: str, names: Sequence[str], note: str, records: Callable[[], Iterator[Record]]) -> QuestionTable:
    if next(records(), None) is None:
        raise InputError(f"{path.name!r} has a header and no rows", hint="Put one question in each row below it.")
    others = tuple(name for name in names if name != question)
    return QuestionTable(path=path, question_column=question, columns=others, note=note, _records=records)


def _checked_header(path: Path, header: Sequence[str]) -> tuple[str, ...]:
    names = tuple(cell.strip() or f"column {n}" for n, cell in enumerate(header, start=1))
    twice = [name for name, count in Counter(n.casefold() for n in names).items() if count > 1]
    if twice:
        raise InputError(f"the header of {path.name!r} names {twice[0]!r} more than once", hint="Give each column a name of its own.")
    return names


def _question_column(path: Path, names: Sequence[str], wanted: str) -> str:
    by_name = {name.casefold(): name for name in names}
    if wanted:
        if wanted.casefold() not in by_name:
            raise InputError(f"{path.name!r} has no column {wanted!r}", hint=f"Its columns are: {_listed(names)}.")
        return by_name[wanted.casefold()]
    found = next((by_name[name] for name in QUESTION_COLUMNS if name in by_name), None)
    if found is None and len(names) == 1:
        found = names[0]
    if found is None:
        hint = f"Name the column with --column; the columns are: {_listed(names)}."
        raise InputError(f"no column of {path.name!r} is named question", hint=hint)
    return found


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(name[:60] for name in names[:20])
    return f"{shown} and {len(names) - 20} more" if len(names) > 20 else shown


def _is_question(text: str) -> bool:
    return text.strip().endswith("?") or len(words(text)) >= QUESTION_WORDS


def _trimmed(cells: Sequence[str]) -> list[str]:
    """Cells without the empty ones at the end, which a formatted but empty column leaves behind."""
    filled = [n for n, cell in enumerate(cells) if cell.strip()]
    return list(cells[: filled[-1] + 1]) if filled else []


def _cell(value: Any) -> str:
    """A cell as text; whole numbers without a decimal point."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
