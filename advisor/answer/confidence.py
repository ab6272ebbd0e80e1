"""How far an answer can be trusted, and why, in words."""

from __future__ import annotations

from collections.abc import Sequence

from advisor.index.generation import Index
from advisor.models import Citation, Confidence, Dispute, Kind, Section, SectionRole

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
MIN_FIRM = 2
# Below this the answer may be to a neighbor of the question; on the tuning half most misplaced answers lie there.
NEAR_COSINE = 0.55


def confidence(
    sections: Sequence[Section],
    citations: Sequence[Citation],
    disputes: Sequence[Dispute],
    index: Index,
    *,
    closeness: float,
    read_as: str = "",
) -> Confidence:
    """A level and its reason, from the sources behind the bottom line and the reasons for it.

    High: the bottom line and the reasons rest on two or more strong independent sources (official, court, paper, study), one of
    them under the bottom line itself; all confirmed, no open dispute, and the question is near to one that was reviewed and to no other.
    Low: no strong independent source. Medium: all else.

    Args:
        closeness: The highest cosine of the question with anything reviewed.
        read_as: The reviewed question that the bottom line answers, where others were as near.
    """
    reasons = _cited(sections, citations, ("bottom_line", "for_links", "for_signals", "evidence"))
    independent = _independent(reasons, index)
    strong = [c for c in independent.values() if c.kind in STRONG]
    firm = [c for c in strong if c.check == "confirmed"]
    under_the_line = [c for c in _cited(sections, citations, ("bottom_line",)) if c.source_id in {f.source_id for f in firm}]
    doubts = _doubts(sections, disputes, firm, under_the_line, closeness, read_as)
    if not strong:
        return Confidence(level="low", reason=_sentence(_without_strong(independent)))
    if not doubts:
        return Confidence(level="high", reason=_sentence(f"{_counted(firm)} carry it, and no source disputes it"))
    return Confidence(level="medium", reason=_sentence(f"{_counted(strong)} {_verb(strong)} it, but {doubts[0]}"))


def _doubts(
    sections: Sequence[Section],
    disputes: Sequence[Dispute],
    firm: Sequence[Citation],
    under: Sequence[Citation],
    closeness: float,
    read_as: str,
) -> list[str]:
    """What speaks against high confidence, the weightiest first."""
    doubts: list[str] = []
    if read_as:
        doubts.append(f'the question can be read in more than one way; the bottom line answers "{read_as}"')
    if closeness < NEAR_COSINE:
        doubts.append("the question is some way from those that were reviewed")
    if disputes:
        doubts.append(f'sources disagree on the question "{disputes[0].question}"')
    if any(x.support.verdict == "unsupported" for s in sections for x in s.sentences):
        doubts.append("not every sentence is carried by what it cites")
    if not under:
        doubts.append("the bottom line itself rests on weaker ground")
    if len(firm) < MIN_FIRM:
        doubts.append("one source is not enough for more" if len(firm) == 1 else "the check sets limits to what they say")
    return doubts


def _cited(sections: Sequence[Section], citations: Sequence[Citation], roles: Sequence[SectionRole]) -> list[Citation]:
    used = {n for s in sections if s.role in roles for x in s.sentences for n in x.citations}
    return [c for c in citations if c.number in used]


def _sentence(reason: str) -> str:
    return f"{reason[0].upper()}{reason[1:]}{'' if reason.endswith('?') else '.'}"


def _verb(sources: Sequence[Citation]) -> str:
    return "supports" if len(sources) == 1 else "support"


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
