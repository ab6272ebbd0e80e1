"""One generation of the index: a folder that is written once, sealed with a manifest, and never changed again.

gen-<id>/
    manifest.json    what it was built from, and the SHA-256 of every other file
    corpus.json      the checked corpus
    vectors.npy      (n, dim) float32 unit rows, one for each distinct text
    texts.json       the text hashes in the order of the rows
    scope.npz        the scope classifier
    router-passages.npz  router-guidance.npz     the classifiers of passages and of guidance entries
    chroma/          the dense index
    bm25-passages/   bm25-guidance/
"""

from __future__ import annotations

import hashlib
import json
import os
import weakref
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from advisor.errors import IndexUnavailableError
from advisor.index import vectors as dense
from advisor.index.exact import EXACT_UP_TO, ExactSearch
from advisor.index.keywords import KeywordIndex
from advisor.index.router import Router
from advisor.index.scope import ScopeModel
from advisor.index.working_copy import WorkingCopy
from advisor.models import Corpus, Entry, Guidance, Passage

Vectors = NDArray[np.float32]
FORMAT = 4
PASSAGES, GUIDANCE = "passages", "guidance"
CHROMA = "chroma"
_CORPUS: TypeAdapter[Corpus] = TypeAdapter(Corpus)


class Manifest(BaseModel):
    """What a generation was built from. `files` maps each file's path to its SHA-256."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    format: int
    corpus: str
    encoder: str
    entries: int
    files: dict[str, str]


def passage_entries(corpus: Corpus) -> tuple[Entry, ...]:
    """Several texts for a passage: its statement and each ask."""
    return tuple(Entry(id=f"{p.id}#{n}", unit=p.id, text=text) for p in corpus.passages for n, text in enumerate((p.text, *p.asks)))


def guidance_entries(corpus: Corpus) -> tuple[Entry, ...]:
    """Several texts for a guidance entry: each ask and its answer."""
    return tuple(
        Entry(id=f"{g.id}#{n}", unit=g.id, text=text)
        for g in corpus.guidance
        for n, text in enumerate((*g.asks, " ".join(s.text for s in g.answer)))
    )


def texts_to_encode(corpus: Corpus) -> tuple[str, ...]:
    """Every distinct text that needs a vector: entries, sentences whose support is checked, and the examples of the scope."""
    texts = [e.text for e in (*passage_entries(corpus), *guidance_entries(corpus))]
    texts += [s.text for g in corpus.guidance for s in g.sentences()]
    texts += [p.check.note for p in corpus.passages if p.check.note]
    texts += [text for d in corpus.disputes for text in (d.record, *(p.says for p in d.positions))]
    texts += [*corpus.scope.covered, *corpus.scope.off_topic, *(e for u in corpus.scope.uncovered for e in u.examples)]
    return tuple(dict.fromkeys(texts))


def text_hash(content: str) -> str:
    """SHA-256 of a text: the key under which its vector is stored."""
    return hashlib.sha256(content.encode()).hexdigest()


def write(folder: Path, corpus: Corpus, vectors: Mapping[str, Vectors], encoder: str) -> None:
    """Write a generation into a new folder and seal it. `vectors` maps text hashes to (dim,) unit vectors."""
    folder.mkdir(parents=True)
    (folder / "corpus.json").write_bytes(_CORPUS.dump_json(corpus))
    hashes = [text_hash(text) for text in texts_to_encode(corpus)]
    np.save(folder / "vectors.npy", np.stack([vectors[h] for h in hashes]))
    (folder / "texts.json").write_text(json.dumps(hashes), encoding="utf-8")

    def stacked(texts: Sequence[str]) -> Vectors:
        rows = [vectors[text_hash(t)] for t in texts]
        return np.stack(rows) if rows else np.zeros((0, 0), dtype=np.float32)

    passages, guidance = passage_entries(corpus), guidance_entries(corpus)
    dense.write(
        folder / CHROMA,
        {
            PASSAGES: (passages, stacked([e.text for e in passages])),
            GUIDANCE: (guidance, stacked([e.text for e in guidance])),
        },
    )
    KeywordIndex.build(_passage_documents(corpus)).save(folder / "bm25-passages")
    KeywordIndex.build(_guidance_documents(corpus)).save(folder / "bm25-guidance")
    pairs = [(u.topic, example) for u in corpus.scope.uncovered for example in u.examples]
    asks = [ask for p in corpus.passages for ask in p.asks] + [ask for g in corpus.guidance for ask in g.asks]
    asks += corpus.scope.covered
    ScopeModel.fit(
        covered=stacked(asks),
        uncovered=stacked([example for _, example in pairs]),
        topics=tuple(topic for topic, _ in pairs),
        off_topic=stacked(corpus.scope.off_topic),
    ).save(folder / "scope.npz")
    for name, entries in ((PASSAGES, passages), (GUIDANCE, guidance)):
        Router.fit(stacked([e.text for e in entries]), [e.unit for e in entries]).save(folder / f"router-{name}.npz")
    _seal(folder, corpus, encoder, len(passages) + len(guidance))


def _passage_documents(corpus: Corpus) -> dict[str, str]:
    return {p.id: " ".join((p.text, *p.asks, *p.topics, p.source.publisher)) for p in corpus.passages}


def _guidance_documents(corpus: Corpus) -> dict[str, str]:
    return {g.id: " ".join((*g.asks, *(s.text for s in g.answer))) for g in corpus.guidance}


def _seal(folder: Path, corpus: Corpus, encoder: str, entries: int) -> None:
    files = {str(p.relative_to(folder)): _sha256(p) for p in sorted(folder.rglob("*")) if p.is_file()}
    manifest = Manifest(format=FORMAT, corpus=corpus.fingerprint, encoder=encoder, entries=entries, files=files)
    (folder / "manifest.json").write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
    for path in [*sorted(folder.rglob("*")), folder]:
        _flush(path)


def _flush(path: Path) -> None:
    """Bring a file or folder to the disk itself, so that a pointer never outlives what it points to."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a generation whose files are all there and unchanged.

    Raises:
        IndexUnavailableError: A file is missing, damaged, or of another format.
    """
    try:
        manifest = Manifest.model_validate_json((folder / "manifest.json").read_bytes())
        if manifest.format != FORMAT:
            raise IndexUnavailableError(f"the index in {str(folder)!r} has format {manifest.format}, not {FORMAT}")
        damaged = [name for name, digest in manifest.files.items() if _sha256(folder / name) != digest]
    except (OSError, ValidationError) as exc:
        raise IndexUnavailableError(f"the index in {str(folder)!r} is incomplete") from exc
    if damaged:
        raise IndexUnavailableError(f"the index in {str(folder)!r} is damaged ({damaged[0]})")
    return manifest


Store = dense.DenseIndex
Searched = ExactSearch | Store


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Index:
    """An open generation. `rows` maps text hashes to rows of `vectors`. `dense` compares exactly, unless the texts are too many for it.

    It closes by itself when the last question that uses it lets go of it, so that a newer one may take its place at any moment.
    """

    folder: Path
    manifest: Manifest
    corpus: Corpus
    passages: Mapping[str, Passage]
    guidance: Mapping[str, Guidance]
    dense: Searched
    passage_words: KeywordIndex
    guidance_words: KeywordIndex
    scope: ScopeModel
    routers: Mapping[str, Router]
    vectors: Vectors
    rows: Mapping[str, int]
    _store: Store
    _copy: WorkingCopy

    def vector(self, text: str) -> Vectors | None:
        """The stored (dim,) unit vector of a text of the corpus, or None."""
        row = self.rows.get(text_hash(text))
        return None if row is None else self.vectors[row]

    def close(self) -> None:
        """Give back file descriptors and the private copy now, rather than when the last user lets go. May be called again."""
        _give_back(self._store, self._copy)


def _give_back(opened: dense.DenseIndex, copy: WorkingCopy) -> None:
    opened.close()
    copy.discard()


def open_generation(folder: Path, runs: Path) -> Index:
    """Check a generation, copy its Chroma folder to a private one under `runs`, and open it.

    Raises:
        IndexUnavailableError: The generation is missing, damaged or half-written.
        StorageError: The private copy cannot be written.
    """
    manifest = read_manifest(folder)
    try:
        with ExitStack() as undo:
            # Only files under seal are copied: a stray journal beside a database would be played into it.
            copy = WorkingCopy.of(folder, [name for name in manifest.files if name.startswith(f"{CHROMA}/")], runs)
            undo.callback(copy.discard)
            store = dense.DenseIndex(copy.folder / CHROMA)
            undo.callback(store.close)
            index = _assemble(folder, manifest, store, copy)
            if index.dense is store:
                store.load(index.vectors[:1])
            undo.pop_all()
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as exc:
        raise IndexUnavailableError(f"the index in {str(folder)!r} cannot be read: {exc}") from exc
    weakref.finalize(index, _give_back, store, copy)
    return index


def _assemble(folder: Path, manifest: Manifest, store: dense.DenseIndex, copy: WorkingCopy) -> Index:
    corpus = _CORPUS.validate_json((folder / "corpus.json").read_bytes())
    passages = {p.id: p for p in corpus.passages}
    guidance = {g.id: g for g in corpus.guidance}
    hashes: list[str] = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    rows = {h: n for n, h in enumerate(hashes)}
    vectors = np.load(folder / "vectors.npy")
    return Index(
        folder=folder,
        manifest=manifest,
        corpus=corpus,
        passages=passages,
        guidance=guidance,
        dense=_searched(corpus, vectors, rows) if manifest.entries <= EXACT_UP_TO else store,
        passage_words=KeywordIndex.load(folder / "bm25-passages", tuple(passages)),
        guidance_words=KeywordIndex.load(folder / "bm25-guidance", tuple(guidance)),
        scope=ScopeModel.load(folder / "scope.npz"),
        routers={name: Router.load(folder / f"router-{name}.npz") for name in (PASSAGES, GUIDANCE)},
        vectors=vectors,
        rows=rows,
        _store=store,
        _copy=copy,
    )


def _searched(corpus: Corpus, vectors: Vectors, rows: Mapping[str, int]) -> ExactSearch:
    collections = {PASSAGES: passage_entries(corpus), GUIDANCE: guidance_entries(corpus)}
    return ExactSearch(vectors, {name: (entries, [rows[text_hash(e.text)] for e in entries]) for name, entries in collections.items()})


def lost_entries(folder: Path, runs: Path) -> tuple[str, ...]:
    """The ids of all entries that their own vector does not find: empty for a sound generation."""
    index = open_generation(folder, runs)
    try:
        lost: list[str] = []
        for name, entries in ((PASSAGES, passage_entries(index.corpus)), (GUIDANCE, guidance_entries(index.corpus))):
            if entries:
                rows = index.vectors[[index.rows[text_hash(e.text)] for e in entries]]
                lost += index._store.lost(name, [e.id for e in entries], rows)
        return tuple(lost)
    finally:
        index.close()
