"""The words that the page uses for kinds, grades and verdicts. Every color on the page has one of these beside it."""

from __future__ import annotations

from datetime import date

from advisor.models import Citation, EvidenceGrade, Gain, Kind, Stance, SupportVerdict, Verdict

KINDS: dict[Kind, str] = {
    "official": "official",
    "court": "court",
    "paper": "paper",
    "study": "study",
    "practitioner": "practitioner",
    "vendor": "vendor",
    "own": "our own work",
}
KINDS_EXPLAINED: dict[Kind, str] = {
    "official": "a search engine's own documents and staff, or an authority's",
    "court": "rulings, testimony and exhibits",
    "paper": "peer-reviewed research and patents",
    "study": "measurements with a stated sample",
    "practitioner": "tests and views of people in the trade",
    "vendor": "sells what it writes about",
    "own": "worked out or searched for by us",
}
STANCES: dict[Stance, str] = {"links": "links", "signals": "user signals", "balance": "a balance", "neutral": "neither side"}
GAINS: dict[Gain, str] = {
    "links": "selling links",
    "signals": "selling clicks",
    "services": "selling SEO services",
    "tools": "selling SEO tools or data",
    "engine": "running a search engine",
}
EVIDENCE: dict[EvidenceGrade, str] = {
    "primary": "first-hand",
    "data": "data with a sample",
    "example": "an example",
    "none": "none offered",
}
CHECKS: dict[Verdict, str] = {
    "confirmed": "confirmed by the record",
    "qualified": "true with limits",
    "contradicted": "contradicted by the record",
    "unsupported": "no support found",
    "opinion": "an opinion",
}
# What stands in the answer itself, beside the number of a source whose statement does not hold as it stands.
MARKS: dict[Verdict, str] = {
    "qualified": "true with limits",
    "contradicted": "contradicted by the record",
    "unsupported": "no support found",
}
SUPPORT: dict[SupportVerdict, str] = {
    "partial": "partly supported by its sources",
    "unsupported": "not supported by its sources",
}


def readable_date(published: str) -> str:
    """A date for reading: "August 28, 2026" for "2026-08-28", "April 2025" for "2025-04"; anything else as it stands."""
    try:
        if len(published) == len("2026-08-28"):
            day = date.fromisoformat(published)
            return f"{day:%B} {day.day}, {day.year}"
        if len(published) == len("2026-08"):
            return f"{date.fromisoformat(f'{published}-01'):%B %Y}"
    except ValueError:
        return published
    return published


def described(citation: Citation) -> str:
    """Whom one trusts with this citation: publisher, kind and interest, and the verdict where there is something to say."""
    interest = citation.interest.rstrip(".")
    verdict = f" {CHECKS[citation.check].capitalize()}." if citation.check in MARKS else ""
    return f"{citation.publisher}, {KINDS[citation.kind]}. Interest: {interest}.{verdict}"
