"""Reading text: cleaning, words, stems, figures and sentences. The one place that decides what a word or a figure is."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import Stemmer

WORD = re.compile(r"[^\W_]+(?:['’][a-z]+)?")
# A figure: digits with thousands separators and decimals. Digits inside a name, as in "GA4", are not one.
FIGURE = re.compile(r"(?<![\w.])(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?!\d)")
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"“(])")
ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|vs|etc|U\.S|Inc|Dr|No|St)\.)$")

STOPWORDS = frozenset(
    """a about above after again all also am an and any are as at be because been before being below between both but by can could
    did do does doing don down during each few for from further get gets getting go got had has have having he her here him his how i
    if in into is it its itself just let like me more most much must my no nor not now of off on once one only or other our out over
    own please really same say says said she should so some still such than that the their them then there these they thing things
    this those through to too under until up us use used using very was we were what when where which while who whom why will with
    would yes you your yours""".split()
)

_stemmer = Stemmer.Stemmer("english")


def clean(text: str) -> str:
    """The text in NFKC form without control, format and unassigned characters, its white space folded to single spaces."""
    normal = unicodedata.normalize("NFKC", text)
    kept = (" " if ch.isspace() else ch for ch in normal if ch.isspace() or unicodedata.category(ch)[0] != "C")
    return " ".join("".join(kept).split())


def words(text: str) -> list[str]:
    """Lower-case words and numbers in order."""
    return WORD.findall(text.lower().replace("’", "'"))


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """The Snowball English stem of one lower-case word."""
    return str(_stemmer.stemWord(word.removesuffix("'s")))


def stems(text: str) -> list[str]:
    """Stems of the words that carry content, in order, stop words left out."""
    return [stem(w) for w in words(text) if w not in STOPWORDS]


def figures(text: str) -> frozenset[str]:
    """The numbers of a text in one spelling: "1,500" and "1500" are one figure, "66.50" is "66.5"."""
    return frozenset(_spelling(match) for match in FIGURE.findall(text))


def _spelling(figure: str) -> str:
    plain = figure.replace(",", "")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def sentences(text: str) -> list[str]:
    """Split running text into sentences; abbreviations such as "e.g." do not end one."""
    parts: list[str] = []
    for piece in SENTENCE_END.split(text.strip()):
        if parts and ABBREVIATION.search(parts[-1]):
            parts[-1] = f"{parts[-1]} {piece}"
        elif piece:
            parts.append(piece)
    return parts
