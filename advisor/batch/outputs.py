"""Writing the answers of a batch beside their questions, as .csv, .xlsx, .jsonl, .md or .html.

Rows are taken one at a time, so that a file of any length takes the same memory. A file appears whole or not at all: it is written
under another name beside its place and then renamed.
"""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Literal

from advisor.batch.cells import one_line, safe_cell
from advisor.errors import AdvisorError, InputError, StorageError
from advisor.models import Answer, AnswerSentence, Section
from advisor.render import plain

TITLE: Final = "SEO Advisor: answers"
# Behind the name of one of our columns when the table has a column of that name.
OURS: Final = " (advisor)"
SUPPORT_WORDS: Final = {"partial": " (partly supported)", "unsupported": " (unsupported)", "supported": ""}
FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
ANY_WRITE: Final = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One row of the table with what became of it.

    Attributes:
        number: 1 for the first row below the header.
        columns: The other columns, in their order.
        answer: None if the row could not be answered; `error` then says why.
        same_as: The row whose answer this is, when the same question was asked before; else 0.
        change: What changed since an earlier run, for example "citations changed"; else "".
    """

    number: int
    question: str
    columns: dict[str, str]
    answer: Answer | None
    error: str = ""
    same_as: int = 0
    change: str = ""

    @property
    def status(self) -> Literal["answered", "refused", "failed"]:
        return self.answer.status if self.answer else "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What stands around the rows.

    Attributes:
        columns: The names of the input's other columns.
        changes: Whether rows were compared with an earlier run.
    """

    title: str
    question_column: str
    columns: tuple[str, ...]
    changes: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """The columns that we add, by the names they have unless the input has such a column."""
        return tuple(name for name in FIELDS if self.changes or name != "change")

    @property
    def header(self) -> tuple[str, ...]:
        """The names of all columns: the question, the input's others, ours."""
        theirs = (self.question_column, *self.columns)
        taken = {name.strip().casefold() for name in theirs}
        return (*theirs, *(_free(name, taken) for name in self.fields))

    def cells(self, row: Answered) -> list[str]:
        """The texts of a row in the order of `header`, as they come."""
        theirs = (row.question, *(row.columns.get(name, "") for name in self.columns))
        return [*theirs, *(FIELDS[name](row) for name in self.fields)]


Writer = Callable[[IO[bytes], Iterable[Answered], Layout], None]


def write(
    path: Path, rows: Iterable[Answered], *, columns: Sequence[str], question_column: str, title: str = TITLE, changes: bool = False
) -> None:
    """Write all rows to a file in the format that its ending names, in place of what is there.

    Args:
        rows: Taken once and one at a time. What they raise passes unchanged, and the file stays as it was.
        columns: The names of the input's other columns.
        title: The heading of a document.
        changes: Whether to write what changed since an earlier run.

    Raises:
        InputError: The format is unknown, or the file cannot be written because of its name, its rights or another program.
        StorageError: The disk is full.
    """
    check_target(path)
    writer = FORMATS[path.suffix.lower()]
    layout = Layout(title=title, question_column=question_column, columns=tuple(columns), changes=changes)
    try:
        with _replacing(path.resolve()) as file:
            writer(file, _passing(rows), layout)
    except _FromRows as exc:
        raise exc.error from exc.error.__cause__
    except OSError as exc:
        raise _unwritable(exc, path) from exc


def check_target(path: Path) -> None:
    """See whether a file can be written, before any work is done for it. Nothing is left behind.

    Raises:
        InputError: The format is unknown, or the file cannot be written because of its name, its rights or another program.
        StorageError: The disk is full.
    """
    if path.suffix.lower() not in FORMATS:
        endings = ", ".join(FORMATS)
        raise InputError(f"{path.name!r} does not end in a format that can be written", hint=f"Name a file that ends in one of {endings}.")
    try:
        target = path.resolve()
        if target.is_dir():
            raise InputError(f"{str(path)!r} is a folder", hint="Name a file in it with --output.")
        if not target.parent.is_dir():
            raise InputError(f"there is no folder {str(path.parent)!r} to write {path.name!r} in", hint="Create it, or name another file.")
        if target.exists():
            _check_free(target)
        with _part(target):
            pass
    except OSError as exc:
        raise _unwritable(exc, path) from exc


# ------------------------------------------------------------------------------------------------ files


@contextmanager
def _replacing(target: Path) -> Iterator[IO[bytes]]:
    """A new file that takes the target's place when the block ends well, and is gone when it does not."""
    with _part(target) as part:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            part.chmod(stat.S_IMODE(target.stat().st_mode))
        os.replace(part, target)


@contextmanager
def _part(target: Path) -> Iterator[Path]:
    """An empty file beside the target, under a name of its own, so that two runs never write into one file."""
    part = target.with_name(f".{secrets.token_hex(6)}.part")
    try:
        part.open("xb").close()
        yield part
    finally:
        part.unlink(missing_ok=True)


def _check_free(target: Path) -> None:
    """Raise OSError if an existing file is read-only or another program holds it: renaming over it would not ask."""
    if not stat.S_ISREG(target.stat().st_mode):
        raise OSError(errno.EINVAL, "not an ordinary file")
    if not target.stat().st_mode & ANY_WRITE:
        raise PermissionError(errno.EACCES, "the file is read-only")
    with target.open("r+b") as file:
        try:
            import fcntl
        except ImportError:  # Windows: opening has already failed if another program holds the file
            return
        for lock in (fcntl.flock, fcntl.lockf):
            try:
                lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                raise PermissionError(errno.EACCES, "the file is locked by another program") from exc
            except OSError:  # a file system without locks
                continue


class _FromRows(Exception):  # noqa: N818 - carries an error of the rows past the handling of errors of the file
    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


def _passing(rows: Iterable[Answered]) -> Iterator[Answered]:
    try:
        yield from rows
    except OSError as exc:
        raise _FromRows(exc) from exc


def _unwritable(exc: OSError, path: Path) -> AdvisorError:
    hint = "What stood there before is unchanged."
    if exc.errno in FULL:
        error = StorageError.from_os(exc, path.parent, doing=f"write {path.name!r}")
        error.hint = f"Free some space or name another file with --output. {hint}"
        return error
    reason = exc.strerror or str(exc)
    return InputError(
        f"{str(path)!r} cannot be written: {reason}",
        hint=f"Close it in other programs, make it and its folder writable, or name another file with --output. {hint}",
    )


# ------------------------------------------------------------------------------------------------ columns


def _free(name: str, taken: set[str]) -> str:
    while name.casefold() in taken:
        name += OURS
    return name


def _bottom_line(row: Answered) -> str:
    section = row.answer.section("bottom_line") if row.answer else None
    return " ".join(_sentence(s) for s in section.sentences) if section else ""


def _whole(row: Answered) -> str:
    if row.answer is None:
        return ""
    if row.answer.refusal or not row.answer.sections:
        return plain(row.answer)
    return "\n\n".join("\n".join([section.title, *_lines(section)]) for section in row.answer.sections)


def _lines(section: Section) -> Iterator[str]:
    for number, sentence in enumerate(section.sentences, start=1):
        yield f"{number}. {_sentence(sentence)}" if section.role == "steps" else _sentence(sentence)


def _sentence(sentence: AnswerSentence) -> str:
    """A sentence with its citation marks and, where support is not full, a word on it."""
    return f"{sentence.text}{''.join(f' [{n}]' for n in sentence.citations)}{SUPPORT_WORDS[sentence.support.verdict]}"


def _sources(row: Answered) -> str:
    citations = row.answer.citations if row.answer else ()
    return "\n".join(one_line(f"[{c.number}] {c.publisher}: {c.title}, {c.kind}, {c.interest}, {c.url}") for c in citations)


def _level(row: Answered) -> str:
    # Without a citation there is nothing to be confident of: a refusal or a greeting.
    return row.answer.confidence.level if row.answer and row.answer.citations else ""


def _reason(row: Answered) -> str:
    return row.answer.confidence.reason if row.answer and row.answer.citations else ""


def _refused_because(row: Answered) -> str:
    return row.answer.refusal.reason if row.answer and row.answer.refusal else ""


FIELDS: Final[dict[str, Callable[[Answered], str]]] = {
    "status": lambda row: row.status,
    "bottom line": _bottom_line,
    "answer": _whole,
    "confidence": _level,
    "reason": _reason,
    "sources": _sources,
    "disputes": lambda row: "\n".join(row.answer.disputes) if row.answer else "",
    "refused because": _refused_because,
    "error": lambda row: row.error,
    "same as row": lambda row: str(row.same_as or ""),
    "change": lambda row: row.change,
    "answer id": lambda row: row.answer.id if row.answer else "",
}


# ------------------------------------------------------------------------------------------------ formats


def _csv(file: IO[bytes], rows: Iterable[Answered], layout: Layout) -> None:
    """UTF-8 with a mark at the start, by which Excel knows it."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        table = csv.writer(text)
        table.writerow([safe_cell(name) for name in layout.header])
        for row in rows:
            table.writerow([safe_cell(cell) for cell in layout.cells(row)])
        text.flush()
    finally:
        _let_go(text)


def _let_go(text: io.TextIOWrapper) -> None:
    """Leave the file open for its owner; what could not be written has already raised."""
    try:
        text.detach()
    except OSError:
        return


def _jsonl(file: IO[bytes], rows: Iterable[Answered], layout: Layout) -> None:  # noqa: ARG001 - every row says what it holds
    for row in rows:
        record = {
            "row": row.number,
            "question": row.question,
            "columns": row.columns,
            "status": row.status,
            "error": row.error,
            "same_as": row.same_as,
            "change": row.change,
            "answer": row.answer.model_dump(mode="json") if row.answer else None,
        }
        try:
            line = json.dumps(record, ensure_ascii=False).encode()
        except UnicodeEncodeError:  # half a character, which only an escape can say
            line = json.dumps(record).encode()
        file.write(line + b"\n")


def _xlsx(file: IO[bytes], rows: Iterable[Answered], layout: Layout) -> None:
    from advisor.batch.workbook import write_workbook

    write_workbook(file, rows, layout)


def _md(file: IO[bytes], rows: Iterable[Answered], layout: Layout) -> None:
    from advisor.batch.documents import write_markdown

    write_markdown(file, rows, layout)


def _html(file: IO[bytes], rows: Iterable[Answered], layout: Layout) -> None:
    from advisor.batch.documents import write_html

    write_html(file, rows, layout)


FORMATS: Final[dict[str, Writer]] = {".csv": _csv, ".xlsx": _xlsx, ".jsonl": _jsonl, ".md": _md, ".html": _html}
