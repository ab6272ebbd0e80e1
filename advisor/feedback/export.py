"""All feedback as a file: JSON Lines for programs, CSV for a spreadsheet. Both hold what visitors typed, with nothing removed."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from advisor.errors import InputError
from advisor.feedback.record import Feedback

COLUMNS: Final = (
    "id", "time", "visitor", "rating", "reason", "text", "question", "history", "status", "confidence", "answer", "passages", "fingerprint",
)  # fmt: skip


def export(rows: Sequence[Feedback], path: Path, *, safe_cell: Callable[[str], str]) -> None:
    """Write the rows to a .csv or .jsonl file, which is replaced as a whole.

    Args:
        rows: In the order in which they are to stand.
        path: Its ending says which format.
        safe_cell: Makes a text one that no spreadsheet takes for a formula.

    Raises:
        InputError: The ending is another one, or the file cannot be written.
    """
    ending = path.suffix.lower()
    if ending == ".jsonl":
        content = "".join(f"{json.dumps(_object(row), ensure_ascii=False)}\n" for row in rows)
        _write(path, content.encode())
    elif ending == ".csv":
        # With the mark that tells Excel that the file is UTF-8.
        _write(path, _csv(rows, safe_cell).encode("utf-8-sig"))
    else:
        raise InputError(f"feedback cannot be written as {path.name!r}", hint="Name a file that ends in .csv or .jsonl.")


def _object(row: Feedback) -> dict[str, object]:
    return {
        "id": row.id,
        "time": row.time,
        "visitor": row.visitor,
        "rating": row.rating,
        "reason": row.reason,
        "text": row.text,
        "history": list(row.history),
        "fingerprint": row.fingerprint,
        "answer": json.loads(row.answer),
    }


def _csv(rows: Sequence[Feedback], safe_cell: Callable[[str], str]) -> str:
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for row in rows:
        answer = row.parsed
        shown = answer.markdown if answer else row.answer
        status = (answer.refusal.reason if answer.refusal else answer.status) if answer else ""
        passages = " ".join(c.passage_id for c in answer.citations) if answer else ""
        cells = (
            row.time, row.visitor, row.rating, row.reason, row.text, row.question, "\n".join(row.history), status,
            answer.confidence.level if answer else "", shown, passages, row.fingerprint,
        )  # fmt: skip
        writer.writerow([row.id, *(safe_cell(cell) for cell in cells)])
    return file.getvalue()


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all: what stood there before stays if the disk is full."""
    draft: str | None = None
    try:
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(draft, path)
    except OSError as exc:
        if draft:
            Path(draft).unlink(missing_ok=True)
        raise InputError(f"{str(path)!r} cannot be written: {exc.strerror}", hint="Choose another file or folder.") from exc
