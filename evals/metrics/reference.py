"""What answers are held against: the corpus, and the scorer that says whether passages support a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from advisor.answer.rates import rate_sentences
from advisor.answer.verify import support
from advisor.errors import NotFoundError
from advisor.index.encoder import Encoder
from advisor.index.generation import Index
from advisor.models import Answer, Citation, Corpus, Passage, Support

SCORER = "advisor.answer.verify.support"
NO_SUPPORT = Support(verdict="unsupported", score=0.0)
UNKNOWN = ""
"""Stands for a citation that cannot be followed to a passage."""


class _Remembering:
    """An encoder that encodes each text once: a metric asks about the same sentence once for each of its citations."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._rows: dict[str, NDArray[np.float32]] = {}

    @property
    def id(self) -> str:
        return self._encoder.id

    def encode(self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None) -> NDArray[np.float32]:
        new = [text for text in dict.fromkeys(texts) if text not in self._rows]
        self._rows.update(zip(new, self._encoder.encode(new, progress=progress), strict=True) if new else ())
        return np.stack([self._rows[text] for text in texts])

    def known_words(self) -> frozenset[str]:
        return self._encoder.known_words()


@dataclass(frozen=True, slots=True)
class Reference:
    """The corpus and the support scorer. It must be of the corpus from which the answers were written.

    Nothing that an answer says of its own support is read here: verdicts are made anew from the sentence and the passage ids.
    """

    index: Index
    encoder: Encoder
    _dates: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "encoder", _Remembering(self.encoder))
        dates = {s.when for g in self.corpus.guidance for s in g.sentences() if s.when}
        object.__setattr__(self, "_dates", tuple(f"{when}: " for when in sorted(dates)))

    @property
    def corpus(self) -> Corpus:
        return self.index.corpus

    def passage(self, passage_id: str) -> Passage:
        """Raises NotFoundError if there is no passage of that id."""
        found = self.index.passages.get(passage_id)
        if found is None:
            raise NotFoundError(f"there is no passage {passage_id!r}")
        return found

    def passages(self, ids: Sequence[str]) -> tuple[Passage, ...]:
        """The passages of these ids, unknown ones left out."""
        return tuple(self.index.passages[i] for i in ids if i in self.index.passages)

    def cited(self, answer: Answer) -> Mapping[int, str]:
        """The passage id behind each number of an answer's list of citations.

        `UNKNOWN` where there is no such passage, or where source or quote are not those of that passage: a reader who follows such a
        citation finds something else than what is shown.
        """
        return {c.number: c.passage_id if self._is_whole(c) else UNKNOWN for c in answer.citations}

    def _is_whole(self, citation: Citation) -> bool:
        passage = self.index.passages.get(citation.passage_id)
        return passage is not None and citation.source_id == passage.source.id and citation.quote in ("", passage.text)

    def support(self, text: str, passage_ids: Sequence[str], *, is_advice: bool = False, computed: Sequence[str] = ()) -> Support:
        """How well these passages together carry a sentence; not at all if there are none or one of the ids is unknown.

        Args:
            is_advice: Judge it by the scorer's bounds for advice.
            computed: Figures that were worked out from the passages and need not stand in them.
        """
        found = self.passages(passage_ids)
        if not found or len(found) < len(passage_ids):
            return NO_SUPPORT
        return support(self.claim(text), found, self.index, self.encoder, is_advice=is_advice, computed=computed)

    def claim(self, text: str) -> str:
        """A sentence without the date of a plan's step ("Week 1: "), which is no claim of any source."""
        return next((text[len(date) :] for date in self._dates if text.startswith(date)), text)

    def computed(self, answer: Answer, text: str) -> tuple[str, ...]:
        """The figures of a sentence that the advisor works out from the click curves, worked out anew.

        Only a sentence that comes out word for word has any: with another figure in it, it has none.
        """
        return next((s.computed for s in rate_sentences(answer.searched, self.corpus) if s.text == text), ())
