"""The claim ledger: where every figure of the corpus comes from, and what became of every contested claim."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from advisor.models import Passage
from advisor.text import figures

Provenance = Literal["primary-backed", "reported", "no primary source", "open"]


def provenance(passage: Passage) -> Provenance | None:
    """Where the figures of a passage come from; None for a passage without any.

    "primary-backed": the source measured or decided it itself and was read. "reported": it was read through somebody who is named, or
    other passages decide it. "no primary source": its check says that none was found. "open": none of these, a fault.
    """
    if passage.role != "figure" and not figures(passage.text):
        return None
    if passage.check.verdict == "unsupported":
        return "no primary source"
    if passage.via or passage.source.via:
        return "reported"
    if passage.evidence in ("primary", "data"):
        return "primary-backed"
    return "reported" if passage.check.because else "open"


def open_figures(passages: Sequence[Passage]) -> tuple[Passage, ...]:
    """Passages whose figures have neither a primary source, nor a reporter, nor a verdict that says so.

    Dates in a text are figures too, but not ones that need a source: only passages of role "figure" are held to it.
    """
    return tuple(p for p in passages if p.role == "figure" and provenance(p) == "open")
