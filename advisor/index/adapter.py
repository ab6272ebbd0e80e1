"""A linear map for question vectors that brings questions nearer to the statements that answer them.

The encoder knows language in general. Which of two near neighbors a question of this field is about can be learned from the asks of
the corpus: `python -m evals.adapter` trains the map and writes it into the corpus folder, since it belongs to that corpus; another one has
none. Only questions pass through it; the vectors of the corpus stay those of the encoder, so training anew needs no new index.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from advisor.errors import CorpusError

Vectors = NDArray[np.float32]
FILE = "query_adapter.npz"


@dataclass(frozen=True, slots=True, eq=False)
class QueryAdapter:
    """`matrix` is (dim, dim), or None for the map that changes nothing. `id` names it in an answer's fingerprint."""

    matrix: Vectors | None = None
    id: str = "none"

    @classmethod
    def of_corpus(cls, folder: Path, encoder_id: str) -> QueryAdapter:
        """The map of a corpus folder if it was trained for this encoder, else the one that changes nothing: vectors do not mix.

        Raises:
            CorpusError: The file is there and cannot be read.
        """
        path = folder / FILE
        if not path.is_file():
            return cls()
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                if str(stored["encoder"]) != encoder_id:
                    return cls()
                matrix = stored["matrix"].astype(np.float32)
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as exc:
            raise CorpusError([f"{FILE}: cannot be read; train it anew with `python -m evals.adapter`, or delete it"]) from exc
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
