"""The product's retriever over a folder in BEIR format, so that published tables can be reproduced with the product's settings.

The folder holds corpus.jsonl (_id, title, text), queries.jsonl (_id, text) and qrels/<split>.tsv (query-id, corpus-id, score; one header
line). Encoder, BM25, candidates, the weight of BM25 and the fusion are the product's own; the adapter and the routers are left out,
because they were fitted to the shipped corpus. Unlike in the product dense search is exact: dot products instead of an HNSW graph.

Source of the format: Thakur et al., "BEIR: A Heterogenous Benchmark for Zero-shot Evaluation of Information Retrieval Models", NeurIPS
2021 (Datasets and Benchmarks), arXiv:2104.08663.
"""

from __future__ import annotations

import hashlib
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

import ir_measures
import numpy as np
from ir_measures import RR, R, ScoredDoc, nDCG
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from advisor.errors import InputError, StorageError
from advisor.index.encoder import Encoder
from advisor.index.generation import PASSAGES, Index
from advisor.index.keywords import K1, B, KeywordIndex
from advisor.models import Hit
from advisor.retrieve import BM25_IN_FULL, CANDIDATES, fuse, query_texts, search
from advisor.settings import Settings

Vectors = NDArray[np.float32]
Progress = Callable[[str, int, int], None]
"""Told of the stage ("documents" or "queries"), how much of it is done, and how much there is."""

MEASURES = (nDCG @ 10, R @ 100, RR @ 10)
# How deep a ranking is measured.
DEPTH = 100
# Documents encoded, stored and multiplied at once: some 70 s of encoding on two cores, which is the most that an interruption loses.
BLOCK = 2_048


class _Line(BaseModel):
    """What the two JSONL files have in common; other fields, such as metadata, are not read."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)
    id: str = Field(alias="_id", min_length=1)
    text: str


class _Document(_Line):
    title: str = ""

    @property
    def searched(self) -> str:
        """Title and text as one text, as BEIR's own baselines read them."""
        return f"{self.title} {self.text}".strip()


class _Query(_Line):
    pass


LineType = TypeVar("LineType", bound=_Line)


@dataclass(frozen=True, slots=True, kw_only=True)
class BeirFolder:
    """What was read.

    Attributes:
        documents: Title and text by document id, in file order.
        queries: Text by query id; only those that the qrels judge.
        qrels: The judgments; relevance above 0 counts as relevant.
    """

    documents: Mapping[str, str]
    queries: Mapping[str, str]
    qrels: tuple[ir_measures.Qrel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BeirFigures:
    """Means over all judged queries, 0 to 1; a query that finds nothing counts as 0."""

    ndcg_at_10: float
    recall_at_100: float
    mrr_at_10: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BeirSettings:
    """The product's settings as they were in force."""

    encoder: str
    candidates: int
    bm25_in_full: float
    bm25_k1: float
    bm25_b: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BeirResult:
    """Figures for one folder.

    Attributes:
        fused: The product's ranking.
        dense: The vectors alone, to compare with what is published for the encoder.
        bm25: BM25 alone.
        equal: Dense and BM25 summed with equal weight: what the product's weighting adds or costs is `fused` less this.
        ms_per_query: Median milliseconds from a query's text to the product's ranking, its encoding included.
    """

    name: str
    split: str
    documents: int
    queries: int
    fused: BeirFigures
    dense: BeirFigures
    bm25: BeirFigures
    equal: BeirFigures
    ms_per_query: float
    settings: BeirSettings

    @property
    def ndcg_at_10(self) -> float:
        return self.fused.ndcg_at_10

    @property
    def recall_at_100(self) -> float:
        return self.fused.recall_at_100

    @property
    def mrr_at_10(self) -> float:
        return self.fused.mrr_at_10


@dataclass(frozen=True, slots=True)
class ExactSearch:
    """Dense search without an approximate index.

    Attributes:
        ids: Document ids.
        blocks: Their vectors in the same order, (n, dim) unit rows each.
    """

    ids: tuple[str, ...]
    blocks: tuple[Vectors, ...]

    def search(self, _: str, query: Vectors, *, top_k: int) -> tuple[Hit, ...]:
        """Documents by the best cosine with any row of `query` ((m, dim), unit rows); best first, ties in file order.

        Args:
            top_k: How many documents each row of the query may bring, as in the product.
        """
        scores = np.concatenate([block @ query.T for block in self.blocks])
        brought = np.unique(np.argsort(-scores, axis=0, kind="stable")[:top_k])
        best = scores[brought].max(axis=1)
        ranked = ((self.ids[brought[i]], float(best[i])) for i in np.argsort(-best, kind="stable"))
        return tuple(Hit(unit=unit, score=cosine, retriever="dense", cosine=cosine) for unit, cosine in ranked)


@dataclass(frozen=True, slots=True)
class FolderIndex:
    """As much of the product's index as its search reads when the routers are left out."""

    dense: ExactSearch
    passage_words: KeywordIndex


def run_beir(
    folder: Path, encoder: Encoder, *, split: str = "test", data_dir: Path | None = None, progress: Progress | None = None
) -> BeirResult:
    """Rank the documents for every judged query of a split and measure the rankings.

    Args:
        data_dir: Where document vectors are kept between runs, in beir/; by default the product's data folder.

    Raises:
        InputError: A file is missing, has a bad line or no lines, or the qrels name what the folder does not hold.
        StorageError: The vectors cannot be stored.
    """
    read = read_folder(folder, split)
    kept = (data_dir or Settings().data_dir) / "beir"
    blocks = document_vectors(list(read.documents.values()), encoder, kept, progress=progress)
    index = FolderIndex(dense=ExactSearch(tuple(read.documents), blocks), passage_words=KeywordIndex.build(read.documents))
    runs: dict[str, list[ScoredDoc]] = {"fused": [], "dense": [], "bm25": [], "equal": []}
    elapsed_ms: list[float] = []
    for done, (query_id, text) in enumerate(read.queries.items(), start=1):
        started = time.perf_counter()
        query = encoder.encode(query_texts(text))
        # The product's search reads no more of an index than this one has, as long as it is given no vectors for the routers.
        fused = search(query, text, cast(Index, index), collection=PASSAGES)
        elapsed_ms.append((time.perf_counter() - started) * 1_000)
        dense = index.dense.search(PASSAGES, query, top_k=CANDIDATES)
        bm25 = index.passage_words.search(text, top_k=CANDIDATES)
        for name, hits in (("fused", fused), ("dense", dense), ("bm25", bm25), ("equal", fuse(dense, (bm25, 1.0)))):
            runs[name] += ranking(query_id, hits)
        if progress:
            progress("queries", done, len(read.queries))
    figures = {name: measured(read.qrels, run) for name, run in runs.items()}
    return BeirResult(
        name=folder.resolve().name,
        split=split,
        documents=len(read.documents),
        queries=len(read.queries),
        **figures,
        ms_per_query=statistics.median(elapsed_ms),
        settings=BeirSettings(encoder=encoder.id, candidates=CANDIDATES, bm25_in_full=BM25_IN_FULL, bm25_k1=K1, bm25_b=B),
    )


def format_line(result: BeirResult) -> str:
    """The figures on one line, that of the product's ranking first."""
    return (
        f"nDCG@10 {result.ndcg_at_10:.4f}, recall@100 {result.recall_at_100:.4f}, MRR@10 {result.mrr_at_10:.4f}, "
        f"{result.ms_per_query:.0f} ms per query (median); nDCG@10 of BM25 alone {result.bm25.ndcg_at_10:.4f}, of "
        f"{result.settings.encoder.split('@')[0]} alone {result.dense.ndcg_at_10:.4f}, of their equal sum {result.equal.ndcg_at_10:.4f}; "
        f"{result.name} {result.split}: {result.queries:,} queries, {result.documents:,} documents; "
        f"{result.settings.candidates} candidates a side"
    )


def ranking(query_id: str, hits: Sequence[Hit]) -> list[ScoredDoc]:
    """The first hits with scores that keep their order, ties included. A document with the query's own id is left out, as BEIR does."""
    others = [h.unit for h in hits if h.unit != query_id][:DEPTH]
    return [ScoredDoc(query_id, unit, float(DEPTH - place)) for place, unit in enumerate(others)]


def measured(qrels: Sequence[ir_measures.Qrel], run: Sequence[ScoredDoc]) -> BeirFigures:
    values = ir_measures.calc_aggregate(MEASURES, qrels, run)
    ndcg, recall, mrr = (float(values[m]) for m in MEASURES)
    return BeirFigures(ndcg_at_10=ndcg, recall_at_100=recall, mrr_at_10=mrr)


def document_vectors(texts: Sequence[str], encoder: Encoder, kept: Path, *, progress: Progress | None = None) -> tuple[Vectors, ...]:
    """The vectors of the texts in blocks, (n, dim) unit rows each; those that were stored are read, the others encoded and stored.

    A block is stored under a hash of the encoder's id and of its texts, so that neither can change unnoticed, and as soon as it is
    encoded, so that an interrupted run goes on where it was.

    Raises:
        StorageError: A block cannot be stored.
    """
    blocks: list[Vectors] = []
    for start in range(0, len(texts), BLOCK):
        block = texts[start : start + BLOCK]
        path = kept / f"{_content_hash(encoder.id, block)}.npy"
        vectors = _stored(path, rows=len(block))
        if vectors is None:
            vectors = encoder.encode(block, progress=_counted(progress, start, len(texts)))
            _store(path, vectors)
        elif progress:
            progress("documents", start + len(block), len(texts))
        blocks.append(vectors)
    return tuple(blocks)


def _content_hash(encoder_id: str, texts: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for part in (encoder_id, *texts):
        data = part.encode("utf-8", errors="surrogatepass")
        # The length first, so that no two lists of texts run together to the same bytes.
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:32]


def _stored(path: Path, *, rows: int) -> Vectors | None:
    """The stored block, mapped rather than read, so that large corpora need not fit into memory; None if it is missing or damaged."""
    try:
        vectors = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return vectors if vectors.ndim == 2 and len(vectors) == rows and vectors.dtype == np.float32 else None


def _store(path: Path, vectors: Vectors) -> None:
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("wb") as file:
                np.save(file, vectors)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as exc:
        raise StorageError.from_os(exc, path.parent, doing="store document vectors") from exc


def _counted(progress: Progress | None, before: int, total: int) -> Callable[[int], None] | None:
    """The encoder's progress, which tells how many were just done, as ours, which tells how many are done of how many."""
    if progress is None:
        return None
    done = before

    def report(just_done: int) -> None:
        nonlocal done
        done += just_done
        progress("documents", done, total)

    return report


def read_folder(folder: Path, split: str = "test") -> BeirFolder:
    """The documents, the judged queries and the judgments of a split.

    Raises:
        InputError: As for `run_beir`.
    """
    if not folder.is_dir():
        raise InputError(f"there is no folder {str(folder)!r}", hint="Name a folder with corpus.jsonl, queries.jsonl and qrels/.")
    documents = {d.id: d.searched for d in _jsonl(folder / "corpus.jsonl", _Document)}
    texts = {q.id: q.text for q in _jsonl(folder / "queries.jsonl", _Query)}
    qrels_path = folder / "qrels" / f"{split}.tsv"
    qrels = tuple(_qrels(qrels_path))
    _check_ids(qrels_path, qrels, documents, texts)
    judged = dict.fromkeys(q.query_id for q in qrels)
    return BeirFolder(documents=documents, queries={i: texts[i] for i in judged}, qrels=qrels)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, each with its number."""
    number = 0
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except FileNotFoundError as exc:
        others = ", ".join(sorted(p.stem for p in path.parent.glob("*.tsv"))) if path.suffix == ".tsv" else ""
        hint = f"The splits there are: {others}." if others else "A BEIR folder has corpus.jsonl, queries.jsonl and qrels/<split>.tsv."
        raise InputError(f"there is no file {str(path)!r}", hint=hint) from exc
    except UnicodeDecodeError as exc:
        raise InputError(f"{str(path)!r} is not UTF-8 text, after line {number}", hint="Save it as UTF-8.") from exc
    except OSError as exc:
        raise InputError(f"{str(path)!r} cannot be read: {exc.strerror}", hint="Check that it is a file that you may read.") from exc


def _jsonl(path: Path, kind: type[LineType]) -> Iterator[LineType]:
    """The objects of a file, each id once; at least one."""
    seen: set[str] = set()
    for number, line in _lines(path):
        try:
            item = kind.model_validate_json(line)
        except ValidationError as exc:
            problem = exc.errors()[0]
            where = f"{'.'.join(map(str, problem['loc']))}: " if problem["loc"] else ""
            hint = 'Each line must be a JSON object with "_id" and "text".'
            raise InputError(f"{str(path)!r}, line {number}: {where}{problem['msg']}", hint=hint) from exc
        if item.id in seen:
            raise InputError(f"{str(path)!r}, line {number}: the id {item.id!r} is there twice", hint="Keep one line for each id.")
        seen.add(item.id)
        yield item
    if not seen:
        raise InputError(f"{str(path)!r} is empty", hint="It must hold one JSON object a line.")


def _qrels(path: Path) -> Iterator[ir_measures.Qrel]:
    """The judgments below the header line, each pair once; at least one."""
    seen: set[tuple[str, str]] = set()
    hint = "After the header, each line must hold a query id, a document id and a whole number, with tabs between them."
    lines = _lines(path)
    _, header = next(lines, (0, ""))
    if header and _relevance(header) is not None:
        raise InputError(f"{str(path)!r} has no header: its first line is a judgment", hint="Begin it with query-id, corpus-id, score.")
    for number, line in lines:
        relevance = _relevance(line)
        if relevance is None:
            raise InputError(f"{str(path)!r}, line {number} is not a judgment: {line[:80]!r}", hint=hint)
        query_id, document_id = line.split("\t")[:2]
        if (query_id, document_id) in seen:
            raise InputError(f"{str(path)!r}, line {number}: that pair is there twice", hint="Keep one judgment for each pair.")
        seen.add((query_id, document_id))
        yield ir_measures.Qrel(query_id, document_id, relevance)
    if not seen:
        raise InputError(f"{str(path)!r} holds no judgments", hint=hint)


def _relevance(line: str) -> int | None:
    """The third of three tab-separated fields as a whole number, or None if the line has another form."""
    fields = line.split("\t")
    try:
        return int(fields[2]) if len(fields) == 3 and fields[0] and fields[1] else None
    except ValueError:
        return None


def _check_ids(path: Path, qrels: Sequence[ir_measures.Qrel], documents: Mapping[str, str], queries: Mapping[str, str]) -> None:
    unknown_queries = [i for i in dict.fromkeys(q.query_id for q in qrels) if i not in queries]
    unknown_documents = [i for i in dict.fromkeys(q.doc_id for q in qrels) if i not in documents]
    said = [
        f"{len(ids):,} {one if len(ids) == 1 else many} that {file} does not hold (the first is {ids[0]!r})"
        for ids, one, many, file in (
            (unknown_queries, "query", "queries", "queries.jsonl"),
            (unknown_documents, "document", "documents", "corpus.jsonl"),
        )
        if ids
    ]
    if said:
        raise InputError(f"{str(path)!r} names {' and '.join(said)}", hint="Use qrels, queries and corpus of the same data set.")
