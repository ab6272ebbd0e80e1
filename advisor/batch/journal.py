"""What a run has answered so far, one JSON line a row beside the output: a run that was stopped, or killed, goes on from here.

The first line says which input, column and advisor the rows belong to. Lines are appended in row order and flushed together, so that
a kill leaves whole lines and at most one torn one at the end, which is cut off when the run goes on.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from filelock import FileLock, Timeout
from pydantic import TypeAdapter

from advisor.batch.outputs import Answered
from advisor.errors import InputError, StorageError
from advisor.models import Answer

SUFFIX = ".unfinished"
_ANSWER = TypeAdapter(Answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What must be the same for a run to go on: the input's content, the question column, and what answers."""

    input_sha256: str
    column: str
    engine: str
    fingerprint: str


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Journal:
    """The journal of one output file. Use `begin` or `resume`, then `append`, then `rows`, then `discard`."""

    def __init__(self, path: Path, file: IO[bytes], lock: FileLock, done: int, offsets: dict[str, tuple[int, int]]) -> None:
        self._path = path
        self._file = file
        self._lock = lock
        self.done = done
        self._first = offsets

    @classmethod
    def path_for(cls, output: Path) -> Path:
        return output.with_name(output.name + SUFFIX)

    @classmethod
    def begin(cls, output: Path, identity: Identity) -> Journal:
        """A new journal.

        Raises:
            InputError: An unfinished run of this output is there, or one is running.
            StorageError: The folder of the output cannot be written.
        """
        path = cls.path_for(output)
        with ExitStack() as undo:
            lock = _locked(path)
            undo.callback(lock.release)
            if path.exists():
                hint = f"Go on with --resume, or delete {str(path)!r} to start anew."
                raise InputError(f"an earlier run of {output.name!r} is unfinished", hint=hint)
            try:
                file = path.open("xb")
            except OSError as exc:
                raise _unwritable(exc, path.parent) from exc
            undo.callback(file.close)
            journal = cls(path, file, lock, 0, {})
            journal._write([{"identity": _as_dict(identity)}])
            undo.pop_all()
        return journal

    @classmethod
    def resume(cls, output: Path, identity: Identity) -> Journal:
        """The journal of an unfinished run, or a new one if there is none.

        Raises:
            InputError: The unfinished run is of another input, column or version of the advisor, or it is still running.
            StorageError: The journal cannot be read or written.
        """
        path = cls.path_for(output)
        if not path.exists():
            return cls.begin(output, identity)
        with ExitStack() as undo:
            lock = _locked(path)
            undo.callback(lock.release)
            try:
                file = path.open("r+b")
            except OSError as exc:
                raise _unwritable(exc, path.parent) from exc
            undo.callback(file.close)
            done, end, offsets = _read(file, identity, path)
            if end:
                undo.pop_all()
                return cls(path, file, lock, done, offsets)
        # Not even the first line was written whole.
        path.unlink()
        return cls.begin(output, identity)

    def first_row_of(self, question: str) -> int:
        """The row that has this question's answer, or 0."""
        return self._first.get(key_of(question), (0, 0))[0]

    def append(self, rows: Sequence[Answered]) -> None:
        """Store rows and push them to the disk.

        Raises:
            StorageError: The disk is full or gone; what was stored before stays.
        """
        records = [_record(row) for row in rows]
        starts = self._write(records)
        for row, start in zip(rows, starts, strict=True):
            if row.answer and not row.same_as:
                self._first[key_of(row.question)] = (row.number, start)
        self.done = rows[-1].number if rows else self.done

    def rows(self) -> Iterator[Answered]:
        """All rows in order, each with its answer, read from the disk one at a time."""
        with self._path.open("rb") as file, self._path.open("rb") as again:
            by_row = {row: start for row, start in self._first.values()}
            for start, line in _whole_lines(file):
                if start == 0:
                    continue
                record = json.loads(line)
                stored = record["answer"]
                if record["same_as"]:
                    again.seek(by_row[record["same_as"]])
                    stored = json.loads(again.readline())["answer"]
                yield Answered(
                    number=record["row"],
                    question=record["question"],
                    columns=record["columns"],
                    answer=_ANSWER.validate_python(stored) if stored else None,
                    error=record["error"],
                    same_as=record["same_as"],
                )

    def close(self) -> None:
        """Leave the journal as it is, for another run to go on with."""
        self._file.close()
        self._lock.release()

    def discard(self) -> None:
        """Delete the journal: the output is written."""
        self._path.unlink(missing_ok=True)
        self.close()
        Path(self._lock.lock_file).unlink(missing_ok=True)

    def _write(self, records: Sequence[dict[str, Any]]) -> list[int]:
        starts: list[int] = []
        before = self._file.tell()
        try:
            for record in records:
                starts.append(self._file.tell())
                self._file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as exc:
            self._file.truncate(before)
            raise _unwritable(exc, self._path.parent) from exc
        return starts


def _locked(path: Path) -> FileLock:
    """A lock on the journal, held: two runs that write to one would mix their rows."""
    lock = FileLock(f"{path}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as exc:
        raise InputError(f"a run that writes {path.name!r} is going on", hint="Wait until it has ended, or stop it.") from exc
    except OSError as exc:
        raise _unwritable(exc, path.parent) from exc
    return lock


def key_of(question: str) -> str:
    """The same for questions that differ only in case, white space and the mark at the end."""
    folded = " ".join(question.casefold().split()).rstrip(" ?.!")
    return hashlib.sha256(folded.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _read(file: IO[bytes], identity: Identity, path: Path) -> tuple[int, int, dict[str, tuple[int, int]]]:
    """The last row stored, where whole lines end, and where each question's answer stands; what is torn behind them is cut off."""
    offsets: dict[str, tuple[int, int]] = {}
    done = end = 0
    try:
        for start, line in _whole_lines(file):
            record = json.loads(line)
            if start == 0:
                _check(record.get("identity"), identity, path)
            else:
                done = record["row"]
                if not record["same_as"] and not record["error"]:
                    offsets[key_of(record["question"])] = (done, start)
            end = start + len(line)
        file.truncate(end)
        file.seek(end)
    except (json.JSONDecodeError, KeyError, AttributeError) as exc:
        raise InputError(f"the unfinished run in {str(path)!r} is damaged", hint="Delete it to start anew.") from exc
    except OSError as exc:
        raise _unwritable(exc, path.parent) from exc
    return done, end, offsets


def _record(row: Answered) -> dict[str, Any]:
    answer = row.answer.model_dump(mode="json") if row.answer and not row.same_as else None
    return {
        "row": row.number,
        "question": row.question,
        "columns": row.columns,
        "answer": answer,
        "error": row.error,
        "same_as": row.same_as,
    }


def _whole_lines(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Start and bytes of each line that ends; a torn one at the end is left out."""
    file.seek(0)
    start = 0
    while (line := file.readline()).endswith(b"\n"):
        yield start, line
        start += len(line)


def _as_dict(identity: Identity) -> dict[str, str]:
    return {name: getattr(identity, name) for name in Identity.__dataclass_fields__}


def _check(stored: dict[str, str] | None, identity: Identity, path: Path) -> None:
    words = {
        "input_sha256": "the input has changed",
        "column": "another column held the questions",
        "engine": "another engine wrote the answers",
        "fingerprint": "the corpus or the settings have changed",
    }
    changed = [why for name, why in words.items() if not stored or stored.get(name) != getattr(identity, name)]
    if changed:
        hint = f"Finish it with what it was begun with, or delete {str(path)!r} to start anew."
        raise InputError(f"the unfinished run cannot go on, since {changed[0]}", hint=hint)


def _unwritable(exc: OSError, folder: Path) -> StorageError:
    error = StorageError.from_os(exc, folder, doing="write answers")
    error.hint = "Free some space or name another folder with --output; the rows answered so far are kept, go on with --resume."
    return error
