"""A visitor's file of questions: the name it keeps, what it holds, and what is too much for the page."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from advisor.batch.tables import QuestionTable, read_table
from advisor.errors import InputError
from advisor.web.workbook_size import check_workbook

MAX_ROWS: Final = 1_000
MAX_COLUMNS: Final = 100
SHOWN_QUESTIONS: Final = 3
SHOWN_CHARS: Final = 240
NAME_CHARS: Final = 60
TOO_LONG: Final = "Split the file, or run seo-advisor batch in a terminal, which takes any number."


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of the file: its first texts, and how many rows could not be answered if it held the questions."""

    name: str
    first: tuple[str, ...]
    unusable: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What a file holds. `chosen` is the column taken for the questions, "" if none is named like one."""

    rows: int
    columns: tuple[Column, ...]
    chosen: str
    note: str


def read_sheet(path: Path) -> Sheet:
    """What a file of questions holds.

    Raises:
        InputError: It is no table of questions, or has too many rows or columns.
    """
    check_workbook(path)
    try:
        table = read_table(path)
        chosen = table.question_column
    except InputError as exc:
        table, chosen = _any_column(path, exc), ""
    names = (table.question_column, *table.columns)
    if len(names) > MAX_COLUMNS:
        hint = "Keep the column with the questions and those that you need beside the answers."
        raise InputError(f"{path.name!r} has {len(names):,} columns, and a batch here may have {MAX_COLUMNS}", hint=hint)
    first: dict[str, list[str]] = {name: [] for name in names}
    unusable = dict.fromkeys(names, 0)
    rows = 0
    for row in islice(table.rows(), MAX_ROWS + 1):
        rows += 1
        cells = {table.question_column: row.question, **row.columns}
        broken = bool(row.error and row.question)
        for name, cell in cells.items():
            unusable[name] += broken or not cell.strip()
            if cell.strip() and len(first[name]) < SHOWN_QUESTIONS:
                first[name].append(shown(cell))
    if rows > MAX_ROWS:
        raise InputError(f"{path.name!r} has more than {MAX_ROWS:,} rows", hint=TOO_LONG)
    columns = tuple(Column(name=name, first=tuple(first[name]), unusable=unusable[name]) for name in names)
    return Sheet(rows=rows, columns=columns, chosen=chosen, note=table.note)


def shown(cell: str) -> str:
    """The start of a text, on one line."""
    line = " ".join(cell[: 4 * SHOWN_CHARS].split())
    return line if len(line) <= SHOWN_CHARS else f"{line[: SHOWN_CHARS - 1].rstrip()}…"


def file_name(name: str) -> str:
    """The name under which a visitor's file is kept: the one it had, without folders, signs that steer, and what is too long."""
    last = "".join(ch for ch in name.replace("\\", "/").rpartition("/")[2] if ch.isprintable()).strip().rstrip(" .")
    stem, dot, ending = last.rpartition(".")
    if not dot:
        return last[:NAME_CHARS] or "file"
    return f"{stem[:NAME_CHARS].strip(' .') or 'file'}.{ending[:10]}"


def _any_column(path: Path, refusal: InputError) -> QuestionTable:
    """The table by any of its columns, where none is named like a question: the visitor can choose. Else the refusal is raised again.

    The names stand in the refusal's hint, divided by commas, and a name may hold one too.
    """
    parts = refusal.hint.rstrip(".").partition("the columns are: ")[2].split(", ")
    for n in range(1, len(parts) + 1):
        try:
            return read_table(path, column=", ".join(parts[:n]))
        except InputError:
            continue
    raise refusal
