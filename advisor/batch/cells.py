"""What may stand in a cell and be linked: text that no spreadsheet runs, numbers that stay numbers, addresses that lead to the web."""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from urllib.parse import urlsplit

# NFKC turns the full-width and small forms of the signs into the plain ones; the typographic minus has to be named.
RUNS: Final = frozenset("=+-@\N{MINUS SIGN}")
PLAIN_NUMBER: Final = re.compile(
    r"""[+\-\u2212]?
    (?: (?: [0-9]{1,3} (?: [,.'\u00a0\u202f ][0-9]{3} )+ | [0-9]+ ) (?: [.,][0-9]+ )? | [.,][0-9]+ )
    (?: [eE][+-]?[0-9]+ )?
    [ ]?%?""",
    re.VERBOSE,
)
# Numbers whose text a spreadsheet shows again to the letter: no leading zeros, no more digits than a float keeps.
TYPED_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,14})?")
FLOAT_DIGITS: Final = 15
BREAKS: Final = re.compile(r"\r\n|[\v\f\x85]")
CONTROLS: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")
SURROGATES: Final = re.compile(r"[\ud800-\udfff]")
# Longer ones are left as text: spreadsheets call a file with a longer link damaged.
MAX_ADDRESS_CHARS: Final = 2_000
HIDES_A_HOST: Final = re.compile(r"""[\s<>"'`\\^{}|]""")


def safe_cell(text: str) -> str:
    r"""The text for a cell: with a leading apostrophe if a spreadsheet could run it as a formula.

    Whatever is not seen before the first sign does not count, and neither does the width of the sign. Plain numbers such as -12.5, +3
    or 45% stay. No control character leaves but newline and tab, and a "\r" behind the apostrophe of a cell that began with it.

    Source: OWASP, "CSV Injection", owasp.org/www-community/attacks/CSV_Injection.
    """
    text = printable(text)
    start = next((n for n, ch in enumerate(text) if not _unseen(ch)), len(text))
    if start < len(text) and unicodedata.normalize("NFKC", text[start])[0] in RUNS and not PLAIN_NUMBER.fullmatch(text.strip()):
        return "'" + text[:start] + text[start:].replace("\r", "\n")
    return text.replace("\r", "\n")


def printable(text: str) -> str:
    """The text without control characters other than line ends and tab; halves of a character become the sign for a broken one."""
    return SURROGATES.sub("\N{REPLACEMENT CHARACTER}", CONTROLS.sub("", BREAKS.sub("\n", text)))


def one_line(text: str) -> str:
    """The text as one line: white space folded to single spaces."""
    return " ".join(text.split())


def shortened(text: str, limit: int) -> str:
    """The text, cut to `limit` UTF-16 units with a mark that says so where it is longer; spreadsheets count in these units."""
    if len(text) <= limit // 2 or len(units := text.encode("utf-16-le", "surrogatepass")) <= 2 * limit:
        return text
    mark = f"… [cut: {len(text):,} characters in all]"
    return units[: 2 * (limit - len(mark))].decode("utf-16-le", "ignore") + mark


def number(text: str) -> int | float | None:
    """The number that a cell holds, if its text can be had back from it to the letter: "12" and "-12.5", but not "007" or "1.50"."""
    if not TYPED_NUMBER.fullmatch(text) or sum(ch.isdigit() for ch in text) > FLOAT_DIGITS:
        return None
    value = float(text) if "." in text else int(text)
    return value if str(value) == text else None


def link(address: str) -> str:
    """The address if it may be linked, else "": http or https, with a host, and nothing that hides another one."""
    if len(address) > MAX_ADDRESS_CHARS or not address.isprintable() or HIDES_A_HOST.search(address):
        return ""
    try:
        parts = urlsplit(address)
        allowed = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        return ""
    return address if allowed else ""


def _unseen(ch: str) -> bool:
    """White space, control and format characters, and marks that have nothing to stand on."""
    return unicodedata.category(ch)[0] in "CZM"
