"""From a question to evidence: dense and lexical search, fused by score, spread over sources and stances. Plain functions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from advisor.index.adapter import QueryAdapter
from advisor.index.encoder import Encoder
from advisor.index.generation import GUIDANCE, PASSAGES, Index
from advisor.index.keywords import KeywordIndex
from advisor.models import Dispute, Evidence, Guidance, Hit, Passage, Question
from advisor.text import sentences, words

Vectors = NDArray[np.float32]

# Candidates from each retriever before fusion; the equal-weight sum of min-max scores was the best of the fusions tried, by score
# and not by rank.
CANDIDATES = 200
# BM25 counts in full when its best document holds three tenths of the question's words by weight, and less below that: on questions put
# in wholly other words than the corpus's, a full weight lets chance words lead. On the tuning halves a deciding passage is among the
# first five for .943 (answers), .902 (retrieval) and .903 (stability) with .3, and for .905, .893 and .861 with 2/3.
BM25_IN_FULL = 0.3
# What the scores of the routers count beside the dense ones. On the tuning halves the deciding passage stands in the bottom line of
# 76% (questions) and 62% (voices) without that of guidance, and of 82% to 85% and 67% to 69% with weights of 1 to 2; and it is among
# the first five passages for 91% and 88% without that of passages, and for 93% and 90% with a weight of .5.
ROUTER_WEIGHTS = {PASSAGES: 0.5, GUIDANCE: 1.5}
# A long question is also searched by those of its sentences that ask, or else by its last: its point stands there.
LONG_QUESTION_WORDS = 24
MAX_QUERIES = 3
ASKING = re.compile(r"\?|^(so |and |but )?(should|what|how|why|is|are|do|does|can|could|which|would|where|when)\b", re.IGNORECASE)
PASSAGES_KEPT = 12
GUIDANCE_KEPT = 6
PER_SOURCE = 2
# Two statements with a higher cosine than this say the same.
SAME_STATEMENT = 0.86
# A hit this close to the question touches the disputes that name it.
DISPUTE_COSINE = 0.5


def retrieve(question: Question, index: Index, encoder: Encoder, adapter: QueryAdapter) -> Evidence:
    """The passages, guidance and disputes that an answer to the question may use."""
    query = encoder.encode(query_texts(question.searched, *question.parts, spelled_out=question.spelled_out))
    turned = adapter.apply(query)
    text = question.spelled_out or question.searched
    passage_hits = search(turned, text, index, collection=PASSAGES, plain=query)
    guidance_hits = search(turned, text, index, collection=GUIDANCE, plain=query)
    kept = tuple((p, _with_plain(h, (p.text, *p.asks), query, index)) for p, h in diversify(passage_hits, index, top_k=PASSAGES_KEPT))
    near = ((index.guidance[h.unit], h) for h in guidance_hits[:GUIDANCE_KEPT])
    guidance = tuple((g, _with_plain(h, (*g.asks, " ".join(s.text for s in g.answer)), query, index)) for g, h in near)
    return Evidence(
        passages=kept,
        guidance=guidance,
        disputes=touched_disputes(kept, guidance, index),
        scope=index.scope.judge(query[0]),
    )


def _with_plain(hit: Hit, texts: Sequence[str], query: Vectors, index: Index) -> Hit:
    """The hit with the best cosine of the question as encoded, before any adapter, with any of these texts."""
    rows = [row for text in texts if (row := index.vector(text)) is not None]
    return replace(hit, plain=float((np.stack(rows) @ query.T).max())) if rows else hit


def query_texts(question: str, *parts: str, spelled_out: str = "") -> list[str]:
    """The question itself, with its abbreviations written out, parts of it that are also searched alone, and, when it is long, its
    sentences that ask something.
    """
    texts = [question, *filter(None, [spelled_out]), *parts]
    if len(words(question)) > LONG_QUESTION_WORDS:
        said = [s for s in sentences(question) if len(words(s)) > 3]
        texts += ([s for s in said if ASKING.search(s)] or said[-1:])[-MAX_QUERIES:]
    return list(dict.fromkeys(texts))


def search(
    query: Vectors, text: str, index: Index, *, collection: str, plain: Vectors | None = None, candidates: int = CANDIDATES
) -> tuple[Hit, ...]:
    """Units of a collection for a question, the scores of all retrievers fused; best first.

    Args:
        query: The question as the adapter turns it, (m, dim) unit rows.
        text: Its words.
        plain: The question as encoded, which the router reads; without it the router is left out.
    """
    keywords: KeywordIndex = index.passage_words if collection == PASSAGES else index.guidance_words
    dense = index.dense.search(collection, query, top_k=candidates)
    bm25 = keywords.search(text, top_k=candidates)
    ideal = keywords.ideal(text)
    held = bm25[0].score / ideal if bm25 and ideal else 0.0
    routed = index.routers[collection].search(plain, top_k=candidates) if plain is not None else ()
    return fuse(dense, (bm25, min(1.0, held / BM25_IN_FULL)), (routed, ROUTER_WEIGHTS[collection] if routed else 0.0))


def fuse(dense: Sequence[Hit], *others: tuple[Sequence[Hit], float]) -> tuple[Hit, ...]:
    """Merge rankings by the sum of their min-max normalized scores, each of the others times its weight; scores run from 0 to 1.

    A unit that a retriever did not bring gets 0 from it. Cosines are carried over from the dense hits.

    Returns:
        Hits best first, each unit once; ties in order of unit id.

    Source: Fox and Shaw, "Combination of Multiple Searches" (CombSUM), TREC-2, 1993.
    """
    scores: dict[str, float] = {}
    total = 1.0 + sum(weight for _, weight in others)
    for hits, weight in ((dense, 1.0), *others):
        for unit, score in min_max({h.unit: h.score for h in hits}).items():
            scores[unit] = scores.get(unit, 0.0) + weight * score / total
    cosines = {h.unit: h.cosine for h in dense}
    ranked = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Hit(unit=u, score=s, retriever="fused", cosine=cosines.get(u, 0.0)) for u, s in ranked)


def min_max(scores: Mapping[str, float]) -> dict[str, float]:
    """Scores stretched to 0..1; when all are equal each becomes 1."""
    if not scores:
        return {}
    low, high = min(scores.values()), max(scores.values())
    return {unit: (score - low) / (high - low) if high > low else 1.0 for unit, score in scores.items()}


def diversify(hits: Sequence[Hit], index: Index, *, top_k: int) -> tuple[tuple[Passage, Hit], ...]:
    """The best passages, at most two from one source and none that repeats a better one.

    When the best all favor one side, the best passage of the other side takes the last place.
    """
    kept: list[tuple[Passage, Hit]] = []
    per_source: Counter[str] = Counter()
    left_out: list[tuple[Passage, Hit]] = []
    for hit in hits:
        passage = index.passages[hit.unit]
        if len(kept) == top_k:
            left_out.append((passage, hit))
            continue
        if per_source[passage.source.id] >= PER_SOURCE or any(_repeats(passage, other, index) for other, _ in kept):
            continue
        per_source[passage.source.id] += 1
        kept.append((passage, hit))
    missing = {"links", "signals"} - {p.stance for p, _ in kept}
    if len(missing) == 1 and len(kept) == top_k:
        other = next((pair for pair in left_out if pair[0].stance in missing), None)
        kept = [*kept[:-1], other] if other else kept
    return tuple(kept)


def _repeats(passage: Passage, other: Passage, index: Index) -> bool:
    one, two = index.vector(passage.text), index.vector(other.text)
    return one is not None and two is not None and float(one @ two) > SAME_STATEMENT


def touched_disputes(
    passages: Sequence[tuple[Passage, Hit]], guidance: Sequence[tuple[Guidance, Hit]], index: Index
) -> tuple[Dispute, ...]:
    """Disputes that the best guidance names or that a close passage holds a position in; the best first."""
    named = [d for g, _ in guidance[:1] for d in g.disputes]
    close = {p.id for p, h in passages[:4] if h.cosine >= DISPUTE_COSINE}
    holding = [d.id for d in index.corpus.disputes if any(close & set(position.holders) for position in d.positions)]
    by_id = {d.id: d for d in index.corpus.disputes}
    return tuple(by_id[i] for i in dict.fromkeys([*named, *holding]) if i in by_id)
