"""Exact dense search: what comes back is what a comparison with every text gives, in every process."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from advisor.index.exact import ExactSearch
from advisor.index.generation import PASSAGES, guidance_entries, passage_entries
from advisor.models import Entry
from tests.fakes import WordEncoder

Vectors = NDArray[np.float32]


def unit_rows(count: int, dim: int = 16) -> Vectors:
    rows = np.random.default_rng(7).normal(size=(count, dim)).astype(np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def searched(vectors: Vectors, texts_each: int) -> ExactSearch:
    entries = [Entry(id=f"u{n // texts_each}#{n % texts_each}", unit=f"u{n // texts_each}", text="") for n in range(len(vectors))]
    return ExactSearch(vectors, {PASSAGES: (entries, range(len(vectors)))})


@pytest.mark.parametrize("top_k", [1, 7, 60, 200])
def test_units_come_by_their_best_text(top_k: int) -> None:
    vectors = unit_rows(60)
    query = unit_rows(61)[60:]
    cosines = (vectors @ query[0]).tolist()
    kept = sorted(range(60), key=lambda n: -cosines[n])[:top_k]
    expected = {f"u{n // 3}": max(cosines[m] for m in kept if m // 3 == n // 3) for n in kept}
    hits = searched(vectors, 3).search(PASSAGES, query, top_k=top_k)
    assert [h.unit for h in hits] == sorted(expected, key=lambda unit: (-expected[unit], unit))
    assert [h.cosine for h in hits] == pytest.approx(sorted(expected.values(), reverse=True))


def test_several_queries_count_by_the_best() -> None:
    vectors = unit_rows(30)
    hits = searched(vectors, 1).search(PASSAGES, vectors[[4, 19]], top_k=1)
    assert {h.unit for h in hits} == {"u4", "u19"}


def test_equal_cosines_come_in_order_of_id() -> None:
    vectors = np.repeat(unit_rows(1), 5, axis=0)
    assert [h.unit for h in searched(vectors, 1).search(PASSAGES, vectors[:1], top_k=5)] == ["u0", "u1", "u2", "u3", "u4"]


def test_an_empty_collection_brings_nothing() -> None:
    search = ExactSearch(unit_rows(1), {PASSAGES: ([], [])})
    assert search.search(PASSAGES, unit_rows(1), top_k=5) == ()


def test_every_entry_of_a_corpus_finds_itself(advisor: object) -> None:
    index = advisor._open.index  # type: ignore[attr-defined]
    encoder = WordEncoder()
    for name, entries in (("passages", passage_entries(index.corpus)), ("guidance", guidance_entries(index.corpus))):
        for entry in entries:
            hits = index.dense.search(name, encoder.encode([entry.text]), top_k=5)
            assert any(h.unit == entry.unit and h.cosine == pytest.approx(1.0, abs=1e-5) for h in hits)
