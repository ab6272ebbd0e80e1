"""Lexical search: stemmed BM25. The only file that knows bm25s."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import bm25s
import numpy as np

from advisor.errors import IndexUnavailableError
from advisor.models import Hit
from advisor.text import stems

# Lucene's variant with the usual constants; see Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and
# Beyond", Foundations and Trends in Information Retrieval 3(4), 2009, doi:10.1561/1500000019.
K1 = 1.5
B = 0.75


class KeywordIndex:
    """BM25 over one document per unit."""

    def __init__(self, units: Sequence[str], model: bm25s.BM25) -> None:
        self._units = tuple(units)
        self._model = model
        self._vocabulary: Mapping[str, int] = model.vocab_dict

    @classmethod
    def build(cls, documents: Mapping[str, str]) -> KeywordIndex:
        """Index documents by unit id."""
        model = bm25s.BM25(k1=K1, b=B, method="lucene")
        # "-" is no stem of any question: it stands for a text without words, and for a corpus without texts.
        model.index([stems(text) or ["-"] for text in documents.values()] or [["-"]], show_progress=False)
        return cls(tuple(documents), model)

    @classmethod
    def load(cls, folder: Path, units: Sequence[str]) -> KeywordIndex:
        """Raises IndexUnavailableError if the folder does not hold an index."""
        try:
            return cls(units, bm25s.BM25.load(str(folder), show_progress=False))
        except (OSError, ValueError, KeyError) as exc:
            raise IndexUnavailableError(f"the keyword index in {str(folder)!r} cannot be read") from exc

    def save(self, folder: Path) -> None:
        self._model.save(str(folder), show_progress=False)

    def knows(self, stem: str) -> bool:
        """Whether any document holds this stem."""
        return stem in self._vocabulary

    def ideal(self, query: str) -> float:
        """The score of a document that holds every content word of the query to saturation; words that no document holds count as rare.

        A best score far below it means that the query's words are not those of the corpus.
        """
        return sum(self.rarity(s) for s in stems(query))

    def rarity(self, stem: str) -> float:
        """Inverse document frequency in Lucene's form: ln(1 + (N - n + 0.5) / (n + 0.5)) for n of N documents."""
        total = len(self._units)
        holding = 0
        if stem in self._vocabulary:
            column = self._vocabulary[stem]
            starts = self._model.scores["indptr"]
            holding = int(starts[column + 1] - starts[column])
        return math.log(1 + (total - holding + 0.5) / (holding + 0.5))

    def search(self, query: str, *, top_k: int) -> tuple[Hit, ...]:
        """Units that share a word with the query, best first, ties in index order."""
        known = [s for s in stems(query) if s in self._vocabulary]
        if not known:
            return ()
        scores = np.asarray(self._model.get_scores(known))
        order = np.argsort(-scores, kind="stable")[:top_k]
        return tuple(Hit(unit=self._units[i], score=float(scores[i]), retriever="bm25") for i in order if scores[i] > 0)
