"""Dense search. The only file that knows chromadb.

Chroma here is a disposable cache: a collection is written once, into a fresh folder, and never grows. It is not safe against a
kill while writing, nor for two processes at once, so every process opens a private copy of the finished folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import chromadb
import numpy as np
from chromadb.api import ClientAPI
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError
from numpy.typing import NDArray

from advisor.errors import IndexUnavailableError
from advisor.models import Entry, Hit

Vectors = NDArray[np.float32]
ADD_BATCH = 1_000
# The index stays in Chroma's SQLite log and is built in memory on opening: with a flushed one, 4 of 64 kills wrecked the store.
NEVER_FLUSH = 1_000_000
EF = 200
# The graph is built anew, and each time otherwise, by every process that opens the folder. With Chroma's own 16, up to 9 of 3,000
# entries of like wording were left without a way to them, with 32 one in 20 graphs had such an entry, with 64 none of 108, at no cost.
NEIGHBORS = 64


@contextmanager
def _client(folder: Path) -> Iterator[ClientAPI]:
    client = _open(folder)
    try:
        yield client
    finally:
        client.close()  # type: ignore[attr-defined]  # without it each open leaks about eleven file descriptors


def _open(folder: Path) -> ClientAPI:
    return chromadb.PersistentClient(str(folder), settings=ChromaSettings(anonymized_telemetry=False))


@contextmanager
def _translated(folder: Path) -> Iterator[None]:
    try:
        yield
    except (ChromaError, ValueError, OSError) as exc:
        raise IndexUnavailableError(f"the vector store in {str(folder)!r} cannot be opened: {_first_line(exc)}") from exc


def _first_line(exc: Exception) -> str:
    return str(exc).strip().split("\n")[0]


def write(folder: Path, collections: dict[str, tuple[Sequence[Entry], Vectors]]) -> None:
    """Write collections of entries with their (n, dim) unit vectors into a new folder."""
    with _client(folder) as client:
        for name, (entries, vectors) in collections.items():
            collection = client.create_collection(
                name,
                embedding_function=None,
                configuration={
                    "hnsw": {
                        "space": "cosine",
                        "sync_threshold": NEVER_FLUSH,
                        "ef_construction": EF,
                        "ef_search": EF,
                        "max_neighbors": NEIGHBORS,
                    }
                },
            )
            for start in range(0, len(entries), ADD_BATCH):
                part = slice(start, start + ADD_BATCH)
                collection.add(
                    ids=[e.id for e in entries[part]],
                    embeddings=vectors[part],
                )


class DenseIndex:
    """An open folder of collections."""

    def __init__(self, folder: Path) -> None:
        with _translated(folder):
            self._folder = folder
            self._client = _open(folder)
            try:
                self._collections = {
                    c.name: self._client.get_collection(c.name, embedding_function=None) for c in self._client.list_collections()
                }
            except BaseException:
                self.close()
                raise

    def load(self, probe: Vectors) -> None:
        """Build every collection's graph in memory by one search with `probe`, (1, dim), so that no question has to wait for it.

        Raises:
            IndexUnavailableError: A collection cannot be searched.
        """
        with _translated(self._folder):
            for name in self._collections:
                self.search(name, probe, top_k=1)

    def close(self) -> None:
        """Give back file descriptors. May be called again."""
        self._client.close()  # type: ignore[attr-defined]

    def search(self, collection: str, query: Vectors, *, top_k: int) -> tuple[Hit, ...]:
        """Units by the best cosine of any of their texts with any row of `query` ((m, dim), unit rows).

        Args:
            top_k: How many texts each row may bring; units are fewer, since several texts share one.

        Returns:
            Hits best first, each unit once; ties in order of unit id.
        """
        found = self._collections[collection].query(query_embeddings=query, n_results=top_k, include=["distances"])
        best: dict[str, float] = {}
        for ids, distances in zip(found["ids"], found["distances"] or [], strict=True):
            for entry, distance in zip(ids, distances, strict=True):
                # The id says which unit it is of; asking for metadata would nearly double the time of a search.
                unit, cosine = entry.rpartition("#")[0], 1.0 - float(distance)
                best[unit] = max(cosine, best.get(unit, -1.0))
        ranked = sorted(best.items(), key=lambda item: (-item[1], item[0]))
        return tuple(Hit(unit=u, score=s, retriever="dense", cosine=s) for u, s in ranked)

    def lost(self, collection: str, ids: Sequence[str], vectors: Vectors) -> tuple[str, ...]:
        """The ids that a search by their own vector does not bring: what `count()` would not notice.

        Texts with equal vectors may stand in for one another, so an id counts as found if a text at distance 0 comes back.
        """
        found = self._collections[collection].query(query_embeddings=vectors, n_results=1, include=["distances"])
        pairs = zip(ids, found["ids"], found["distances"] or [], strict=True)
        return tuple(wanted for wanted, got, far in pairs if not got or (got[0] != wanted and far[0] > 1e-5))
