"""How large a workbook becomes when it is read, told before it is read.

A workbook of a few hundred bytes can claim to reach to the last cell of a sheet, 17 thousand million cells, and a reader goes through
all of them. Its parts are packed too, up to a thousand to one.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.ElementTree import iterparse  # type: ignore[import-untyped]

from advisor.errors import InputError

MAX_UNPACKED_BYTES: Final = 20_000_000
# A thousand rows below a long stretch of empty ones, or a hundred columns wide, stay far below it.
MAX_CELLS: Final = 2_000_000
SHRINK: Final = "Copy the questions alone into a new workbook, or bring a CSV file."


def check_workbook(path: Path) -> None:
    """See whether a file is small enough to be read. What is no workbook passes; its reader says what is wrong with it.

    Raises:
        InputError: It unpacks to too much, or its cells reach too far.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            if sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
                raise InputError(f"{path.name!r} unpacks to more than {MAX_UNPACKED_BYTES // 1_000_000} MB", hint=SHRINK)
            # Which part is a sheet is for the workbook to say, and it may call any part one.
            if any(_cells(archive, part) > MAX_CELLS for part in parts):
                raise InputError(f"a sheet of {path.name!r} reaches further than {MAX_CELLS:,} cells", hint=SHRINK)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError):
        return


def _cells(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> int:
    """Rows times columns that a sheet reaches over, by what it claims and by what stands in it; 0 for a part that is none."""
    rows = columns = 0
    try:
        with archive.open(part) as file:
            for _, element in iterparse(file, events=("end",)):
                name = element.tag.rpartition("}")[2]
                if name in ("row", "c", "dimension"):
                    row, column = _reach(element.get("ref" if name == "dimension" else "r") or "")
                    # A row without a number is the next one.
                    rows, columns = max(rows + (name == "row" and not row), row), max(columns, column)
                if name == "row":
                    element.clear()
    except (ParseError, DefusedXmlException, ValueError):
        # Either no XML, or broken from here on, which stops the reader too.
        pass
    return rows * columns


def _reach(reference: str) -> tuple[int, int]:
    """The row and column of the last cell in "A1:C20", "C20" or "20"; 0 for what is not named."""
    last = reference.rpartition(":")[2].replace("$", "").upper()
    letters = last.rstrip("0123456789")
    column = 0
    for letter in letters[:4]:
        column = 26 * column + max(0, ord(letter) - ord("A") + 1)
    digits = last[len(letters) :]
    return int(digits[:9] or 0), column
