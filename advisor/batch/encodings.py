"""Telling in which encoding a text file is written, by its first bytes and by what can be decoded."""

from __future__ import annotations

import codecs
import io
from dataclasses import dataclass
from pathlib import Path

from advisor.errors import InputError

CHUNK = 1 << 20
SAMPLE = 1 << 16
# UTF-32 first: its mark begins with that of UTF-16.
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Latin text in UTF-16 has a zero in nearly every second byte; other text has none.
ZEROS_IN_UTF16 = 0.3
FALLBACK = "cp1252"


@dataclass(frozen=True, slots=True)
class Encoding:
    """`skip` bytes at the start are a mark and no text; `note` says what is unusual, else ""."""

    name: str
    skip: int = 0
    note: str = ""

    def open(self, path: Path) -> io.TextIOWrapper:
        """The file as text, line ends as they stand, as csv wants them."""
        file = path.open("rb")
        file.seek(self.skip)
        return io.TextIOWrapper(file, encoding=self.name, errors="replace", newline="")


def encoding_of(path: Path) -> Encoding:
    """The encoding of a text file: by its mark, as UTF-16 by its zeros, else UTF-8, else Windows-1252 as office programs write it.

    Raises:
        InputError: The file is no text in any of them.
    """
    with path.open("rb") as file:
        sample = file.read(SAMPLE)
    marked = next((name for mark, name in MARKS if sample.startswith(mark)), "")
    if marked:
        return _checked(path, Encoding(marked, note=f"read {path.name!r} as {marked.upper()}"))
    if wide := _without_mark(sample):
        return _checked(path, Encoding(wide, note=f"read {path.name!r} as UTF-16, which it does not say it is"))
    skip = len(codecs.BOM_UTF8) if sample.startswith(codecs.BOM_UTF8) else 0
    if _decodes(path, Encoding("utf-8", skip)):
        return _checked(path, Encoding("utf-8", skip))
    return _checked(path, Encoding(FALLBACK, skip, f"read {path.name!r} as Windows-1252, since it is not valid UTF-8"))


def _without_mark(sample: bytes) -> str:
    """UTF-16 in one of its byte orders, if every second byte is mostly zero, else ""."""
    half = max(1, len(sample) // 2)
    if sample[1::2].count(0) / half > ZEROS_IN_UTF16 and not sample[::2].count(0):
        return "utf-16-le"
    if sample[::2].count(0) / half > ZEROS_IN_UTF16 and not sample[1::2].count(0):
        return "utf-16-be"
    return ""


def _decodes(path: Path, encoding: Encoding) -> bool:
    decoder = codecs.getincrementaldecoder(encoding.name)()
    try:
        with path.open("rb") as file:
            file.seek(encoding.skip)
            while chunk := file.read(CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _checked(path: Path, encoding: Encoding) -> Encoding:
    """The encoding, if what it gives looks like text: hardly any control characters."""
    with encoding.open(path) as file:
        start = file.read(SAMPLE)
    strange = sum(ch < " " and ch not in "\t\n\r\f\v" for ch in start) + start.count("�")
    if strange > len(start) / 20:
        raise InputError(f"{path.name!r} is not a text file", hint="Save the table as CSV in UTF-8, or as .xlsx.")
    if not start.strip():
        raise InputError(f"{path.name!r} is empty", hint="Put one question in each row below a header named question.")
    return encoding
