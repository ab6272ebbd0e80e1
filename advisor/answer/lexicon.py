"""The words of the field: telling misspellings, and writing abbreviations out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import OSA

from advisor.index.generation import Index
from advisor.text import STOPWORDS, words

# A misspelt word is replaced by a word of the field only when at least this share of its letters stay.
SPELLING_SIMILARITY = 0.79
SHORTEST_CORRECTED = 4
SHORT_AND_AMBIGUOUS = 2

# Words of the trade that a general vocabulary lacks.
FIELD_WORDS: Final = frozenset(
    """backlink backlinks nofollow dofollow sponsored disavow disavowing navboost pagerank rankbrain serp serps clickthrough pogo
    sticking pogosticking ahrefs semrush backlinko serpclix enterbacklink linkody majestic whitespark sistrix zyppy snippet snippets
    anonymized outreach skyscraper spambrain penguin panda clickbait crawlable interstitials ecommerce reputational webmaster
    impressions guestpost guestposts microworkers subdomain subdomains affiliate chrome analytics google""".split()
)


@dataclass(frozen=True)
class Lexicon:
    """What counts as a known word: the corpus's own words, and the ordinary words of the encoder's vocabulary."""

    index: Index
    ordinary: frozenset[str]

    @cached_property
    def domain(self) -> tuple[str, ...]:
        """Every word of the corpus that a misspelling may stand for."""
        found: set[str] = set()
        for p in self.index.corpus.passages:
            found.update(w for text in (p.text, *p.asks, *p.topics) for w in words(text))
        for g in self.index.corpus.guidance:
            found.update(w for ask in g.asks for w in words(ask))
        # A word that only the corpus's own casual asks spell this way is not a model of spelling.
        return tuple(sorted(w for w in found if len(w) >= SHORTEST_CORRECTED and w.isalpha() and self._is_spelt(w)))

    def _is_spelt(self, word: str) -> bool:
        return word in self.ordinary or word.rstrip("s") in self.ordinary or word in FIELD_WORDS

    @cached_property
    def outside(self) -> frozenset[str]:
        """The words of the examples outside the field: rightly spelt, and not to be turned into words of the field."""
        scope = self.index.corpus.scope
        texts = (*scope.off_topic, *(example for topic in scope.uncovered for example in topic.examples))
        return frozenset(w for text in texts for w in words(text))

    def corrected(self, question: str) -> str:
        """The question rightly spelt: known misspellings of terms first, then unknown words by the near word of the field, if any."""
        question = self._misspelt.sub(lambda match: self._right_name(match.group()), question) if self._terms_misspelt else question
        return re.sub(r"[A-Za-z]{4,}", lambda match: self._corrected_word(match.group()), question)

    def spelled_out(self, question: str) -> str:
        """The question with the abbreviations of the glossary written out behind them: "is DA 40 good" asks for Domain Authority."""
        return self._short.sub(self._written_out, question) if self._terms_short else question

    def names_a_term(self, question: str) -> bool:
        """Whether a question uses a term of the glossary, by any of its names; a short name that is an ordinary word does not count."""
        return bool(self._terms.search(question)) if self.index.corpus.glossary else False

    @cached_property
    def _terms(self) -> re.Pattern[str]:
        names = (name for t in self.index.corpus.glossary for name in (t.term, *t.also, *t.short))
        return _any_of(form for name in names if name.casefold() not in self.ordinary for form in (name, f"{name}s"))

    @cached_property
    def _terms_misspelt(self) -> dict[str, str]:
        return {name.casefold(): t.term for t in self.index.corpus.glossary for name in t.misspelt}

    @cached_property
    def _misspelt(self) -> re.Pattern[str]:
        return _any_of(self._terms_misspelt)

    def _right_name(self, found: str) -> str:
        term = self._terms_misspelt[found.casefold()]
        plural = found.casefold().endswith("s") and not term.endswith("s") and found.casefold().removesuffix("s") in self._terms_misspelt
        right = f"{term}s" if plural else term
        return right[0].upper() + right[1:] if found[0].isupper() else right

    @cached_property
    def _terms_short(self) -> dict[str, str]:
        return {short.casefold(): t.term for t in self.index.corpus.glossary for short in t.short}

    @cached_property
    def _short(self) -> re.Pattern[str]:
        return _any_of(self._terms_short)

    def _written_out(self, match: re.Match[str]) -> str:
        found = match.group()
        term = self._terms_short[found.casefold()]
        rest = match.string[match.end() :]
        # Two letters, or an ordinary word, in lower case are more often something else, unless a number follows: "da 40", "to eat".
        is_word = len(found) <= SHORT_AND_AMBIGUOUS or found.lower() in self.ordinary
        sure = found.isupper() or not is_word or re.match(r"\s*\d", rest)
        return f"{found} ({term})" if sure and term.casefold() not in match.string.casefold() else found

    def _corrected_word(self, word: str) -> str:
        lower = word.lower()
        if lower in self.ordinary or lower in self.outside or lower in FIELD_WORDS or lower in STOPWORDS or self._is_form_of_known(lower):
            return word
        near = process.extractOne(lower, self.domain, scorer=OSA.normalized_similarity, score_cutoff=SPELLING_SIMILARITY)
        if near is None:
            return word
        return str(near[0]).capitalize() if word[0].isupper() else str(near[0])

    def _is_form_of_known(self, word: str) -> bool:
        """Whether an ordinary word becomes this one, or this one an ordinary word, by an ending."""
        endings = ("s", "es", "d", "ed", "r", "er", "ing", "ly", "y")
        if any(word.endswith(end) and word[: -len(end)] in self.ordinary for end in endings):
            return True
        return any(word + end in self.ordinary for end in endings) or word.removesuffix("e") + "ing" in self.ordinary


def _any_of(names: Iterable[str]) -> re.Pattern[str]:
    """A pattern for whole names in any case, the longest first."""
    longest_first = sorted(names, key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w-])", re.IGNORECASE)
