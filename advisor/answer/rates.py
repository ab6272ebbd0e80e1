"""Answering with the expected click-through rate of the position that a question names."""

from __future__ import annotations

import re
from collections.abc import Iterable

from advisor.ctr import LAST_POSITION, ExpectedCtr, expected_ctr, lies
from advisor.models import Corpus, DraftSentence, Guidance

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
RATE_WORDS = re.compile(r"\bctrs?\b|click.?through|\bclick(s|ed|ing|ers?)?\b|\bclick rate", re.IGNORECASE)
POSITION = re.compile(
    r"\b(?:positions?|pos\.?|rank(?:s|ed|ing)?|places?|spot|slot|number|no\.)\s*(?:at|in|of|is|on|#|number|no\.?|around|about|~)?\s*"
    r"(?P<after>\d{1,2}(?:\.\d+)?)\b(?!\s*(?:%|percent|links|months|weeks|days))"
    r"|(?<!\w)#(?P<hash>\d{1,2}(?:\.\d+)?)\b"
    rf"|\b(?:positions?|place|number|rank(?:ed|ing)?)\s+(?P<word>{'|'.join(NUMBERS)})\b"
    r"|\b(?P<nth>\d{1,2})(?:st|nd|rd|th)\b(?!\s*(?:of\s)?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|century|quarter|time))"
    rf"|\b(?P<ordinal>{'|'.join(ORDINALS)})\s+(?:place|position|result|spot|listing|rank|organic|on google|in google|for|link)"
    rf"|\b(?:rank(?:s|ed|ing)?|stand(?:s|ing)?|am|are|is|sits?|come)\s+(?P<standing>{'|'.join(ORDINALS)})\b",
    re.IGNORECASE,
)
OWN_RATE = re.compile(r"(?<![\w.])(\d{1,2}(?:\.\d+)?)\s?(?:%|percent\b|per cent\b)", re.IGNORECASE)
AI_OVERVIEW = re.compile(r"\bai (overviews?|answers?|summar(y|ies)|box|mode)\b|\baios?\b|robot summary", re.IGNORECASE)
# The passages that speak of usual rates by position; guidance that rests on one of them may be led by a computed rate.
TABLE = "ctr-curves/"


def position_asked(question: str) -> float | None:
    """The one position on page one that a question about clicks names, or None."""
    if not RATE_WORDS.search(question):
        return None
    found = {_number(match) for match in POSITION.finditer(question)}
    position = found.pop() if len(found) == 1 else None
    return position if position is not None and 1 <= position <= LAST_POSITION else None


def _number(match: re.Match[str]) -> float:
    groups = match.groupdict()
    for name in ("after", "hash", "nth"):
        if groups[name]:
            return float(groups[name])
    if groups["word"]:
        return float(NUMBERS.index(groups["word"].lower()) + 1)
    return float(ORDINALS.index((groups["ordinal"] or groups["standing"]).lower()) + 1)


def speaks_of_rates(entry: Guidance) -> bool:
    """Whether the entry's answer rests on the comparison of click curves."""
    return any(ref.startswith(TABLE) for s in entry.answer for ref in s.rests_on)


def rate_sentences(question: str, corpus: Corpus) -> list[DraftSentence]:
    """What is usual at the position that the question names, how the asker's own rate lies to it, and how far other curves depart."""
    position = position_asked(question)
    if position is None:
        return []
    expected = expected_ctr(corpus.curves, position, ai_overview=bool(AI_OVERVIEW.search(question)))
    if expected is None:
        return []
    departures = [] if expected.ai_overview else _departures(expected)
    return [_usual(expected, question), *departures]


def _usual(expected: ExpectedCtr, question: str) -> DraftSentence:
    each = " and ".join(f"{rate:g}% in {curve.name}" for curve, rate in expected.curves)
    text = f"At position {expected.position:g} a CTR of {_span(expected)} is usual: {each}."
    passages = _passages(curve.passages for curve, _ in expected.curves)
    if expected.ai_overview:
        text = (
            f"At position {expected.position:g} expect a CTR of about {_span(expected)} where an AI Overview shows: the SEO Advisor "
            f"editors multiply the usual rates, {each}, by 0.4 to 0.65."
        )
        passages = (f"{TABLE}ai-overview-effect", *passages)
    own = OWN_RATE.findall(question)
    if len(own) == 1:
        text = f"{_judged(float(own[0]), expected)} {text}"
    return DraftSentence(text=text, cites=passages, computed=tuple({f"{x:g}" for x in _computed(expected)} | set(own)))


def _judged(rate: float, expected: ExpectedCtr) -> str:
    return f"{rate:g}% lies {lies(expected, rate)} the usual range there."


def _computed(expected: ExpectedCtr) -> list[float]:
    return [expected.position, expected.low, expected.high, *(rate for _, rate in (*expected.curves, *expected.others))]


def _span(expected: ExpectedCtr) -> str:
    return f"{expected.low:g}%" if expected.low == expected.high else f"{expected.low:g}-{expected.high:g}%"


def _departures(expected: ExpectedCtr) -> list[DraftSentence]:
    if not expected.others:
        return []
    shown = sorted(expected.others, key=lambda pair: pair[1])
    ends = [shown[0]] if len(shown) == 1 else [shown[0], shown[-1]]
    named = " and ".join(f"{rate:g}% in {curve.name}" for curve, rate in ends)
    text = f"Other published curves depart from that, with {named}, because they mix different queries, devices and page layouts."
    passages = (*_passages(curve.passages for curve, _ in ends), f"{TABLE}why-curves-differ")
    return [DraftSentence(text=text, cites=passages, computed=tuple(f"{rate:g}" for _, rate in ends))]


def _passages(groups: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ref for group in groups for ref in group))
