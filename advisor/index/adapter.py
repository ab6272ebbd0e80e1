"""A linear map for question vectors that brings questions nearer to the statements that answer them.

The encoder knows language in general. Which of two near neighbors a question of this field is about can be learned from the asks of
the corpus: `python -m evals.adapter` trains the map and writes the file beside this one. Only questions pass through it; the vectors
of the corpus stay those of the encoder, so training anew needs no new index.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
FILE = Path(__file__).with_name("query_adapter.npz")


@dataclass(frozen=True, slots=True, eq=False)
class QueryAdapter:
    """`matrix` is (dim, dim), or None for the map that changes nothing. `id` names it in an answer's fingerprint."""

    matrix: Vectors | None = None
    id: str = "none"

    @classmethod
    def for_encoder(cls, encoder_id: str, path: Path = FILE) -> QueryAdapter:
        """The trained map if it was trained for this encoder, else the one that changes nothing: vectors of two encoders do not mix."""
        if not path.is_file():
            return cls()
        with np.load(path, allow_pickle=False) as stored:
            if str(stored["encoder"]) != encoder_id:
                return cls()
            matrix = stored["matrix"].astype(np.float32)
        return cls(matrix, hashlib.sha256(matrix.tobytes()).hexdigest()[:12])

    def apply(self, vectors: Vectors) -> Vectors:
        """The mapped vectors as unit rows, (n, dim)."""
        if self.matrix is None:
            return vectors
        mapped = vectors @ self.matrix.T
        return np.asarray(mapped / np.linalg.norm(mapped, axis=1, keepdims=True), dtype=np.float32)

    def save(self, path: Path, encoder_id: str) -> None:
        """Write the matrix in half precision, which is exact enough for a ranking, with the encoder that it belongs to."""
        if self.matrix is None:
            raise ValueError("the map that changes nothing is not stored")
        np.savez_compressed(path, matrix=self.matrix.astype(np.float16), encoder=np.array(encoder_id))
