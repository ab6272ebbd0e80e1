"""How far an answer can be trusted, and why, in words."""

from __future__ import annotations

from collections.abc import Sequence

from advisor.index.generation import Index
from advisor.models import Citation, Confidence, Dispute, Kind, Section

KIND_WORDS: dict[Kind, tuple[str, str]] = {
    "official": ("official page", "official pages"),
    "court": ("part of the court record", "parts of the court record"),
    "paper": ("research paper", "research papers"),
    "study": ("study", "studies"),
    "practitioner": ("practitioner's report", "practitioners' reports"),
    "own": ("method note of this advisor", "method notes of this advisor"),
    "vendor": ("seller's page", "sellers' pages"),
}
STRONG: frozenset[Kind] = frozenset({"official", "court", "paper", "study"})


def confidence(sections: Sequence[Section], citations: Sequence[Citation], disputes: Sequence[Dispute], index: Index) -> Confidence:
    """A level and its reason, from the sources behind the bottom line and the reasons for it.

    High: two or more strong independent sources (official, court, paper, study), confirmed, and no open dispute.
    Low: no strong independent source, or only contested or unsupported statements. Medium: all else.
    """
    used = {
        n for s in sections if s.role in ("bottom_line", "for_links", "for_signals", "evidence") for x in s.sentences for n in x.citations
    }
    cited = [c for c in citations if c.number in used]
    independent = _independent(cited, index)
    strong = [c for c in independent.values() if c.kind in STRONG and c.check in ("confirmed", "qualified")]
    firm = [c for c in strong if c.check == "confirmed"]
    weak = any(x.support.verdict == "unsupported" for s in sections for x in s.sentences)
    if not strong:
        level, reason = "low", _without_strong(independent)
    elif len(firm) >= 2 and not disputes and not weak:
        level, reason = "high", f"{_counted(firm)} carry it, and no source disputes it"
    else:
        level, reason = "medium", _mixed(strong, firm, disputes)
    return Confidence(level=level, reason=f"{reason[0].upper()}{reason[1:]}.")


def _independent(cited: Sequence[Citation], index: Index) -> dict[str, Citation]:
    """One citation for each source that is no seller, a confirmed one if there is one."""
    found: dict[str, Citation] = {}
    for c in sorted(cited, key=lambda c: c.check != "confirmed"):
        if index.passages[c.passage_id].source.is_independent:
            found.setdefault(c.source_id, c)
    return found


def _without_strong(independent: dict[str, Citation]) -> str:
    if not independent:
        return "only sellers speak to this"
    return f"it rests on {_counted(list(independent.values()))}, with no official page, court record, paper or large study behind it"


def _mixed(strong: Sequence[Citation], firm: Sequence[Citation], disputes: Sequence[Dispute]) -> str:
    base = f"{_counted(strong)} {'supports' if len(strong) == 1 else 'support'} it"
    if disputes:
        question = disputes[0].question.rstrip("?")
        return f'{base}, but the sources disagree on the question "{question}?"'
    if len(firm) < len(strong):
        return f"{base}, some of it with limits that the check names"
    return f"{base}, which is too few for more"


def _counted(cited: Sequence[Citation]) -> str:
    """The sources by kind in words: two official pages and one study."""
    kinds = [k for k in KIND_WORDS if any(c.kind == k for c in cited)]
    numbers = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    parts = []
    for kind in kinds:
        count = sum(c.kind == kind for c in cited)
        shown = numbers[count] if count < len(numbers) else str(count)
        parts.append(f"{shown} {KIND_WORDS[kind][count > 1]}")
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
