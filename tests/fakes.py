"""Stand-ins that are real small classes: what they return depends on nothing but what they are given."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from advisor.text import stems, words

DIM = 64
ORDINARY_WORDS = frozenset(
    """about after against answer average backlinks balance because better bread build building campaign capital change clicks
    company cost court does first found good google guest happens help home increase invest learn like link links long look
    many matter means money month more need page pages paid people position posts price probably question ranking rankings
    result results rules safe search service should signals site small sourdough spam still their there think title titles
    traffic true user users visit visitors want website what when which while work worth would wrong""".split()
)


class WordEncoder:
    """An encoder whose vectors are hashed bags of stems, (64,) unit rows: texts that share words are near, others are not.

    Attributes:
        texts: Every text that was encoded, in order.
    """

    def __init__(self, ident: str = "words@1", ordinary: frozenset[str] = ORDINARY_WORDS) -> None:
        self._id = ident
        self._ordinary = ordinary
        self.texts: list[str] = []

    @property
    def id(self) -> str:
        return self._id

    @property
    def encoded(self) -> int:
        """How many texts were encoded so far."""
        return len(self.texts)

    def encode(self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None) -> NDArray[np.float32]:
        self.texts += texts
        if progress:
            progress(len(texts))
        if not texts:
            return np.zeros((0, 0), dtype=np.float32)
        return np.stack([_vector(text) for text in texts])

    def known_words(self) -> frozenset[str]:
        return self._ordinary


def _vector(text: str) -> NDArray[np.float32]:
    vector = np.zeros(DIM, dtype=np.float32)
    for stem in stems(text) or words(text) or ["-"]:
        digest = hashlib.blake2b(stem.encode(), digest_size=4).digest()
        # Two places and signs for each stem, so that two stems seldom look alike.
        vector[digest[0] % DIM] += 1.0 if digest[1] % 2 else -1.0
        vector[digest[2] % DIM] += 0.5 if digest[3] % 2 else -0.5
    norm = float(np.linalg.norm(vector))
    if norm == 0.0:
        vector[0] = norm = 1.0
    return (vector / norm).astype(np.float32)
