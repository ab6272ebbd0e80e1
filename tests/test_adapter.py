"""The map that questions pass through, and the classifier of units."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from advisor.errors import CorpusError
from advisor.index.adapter import FILE, QueryAdapter
from advisor.index.encoder import SentenceEncoder
from advisor.index.router import Router
from advisor.settings import Settings

ROWS = np.eye(4, dtype=np.float32)


def test_the_map_turns_questions_into_unit_rows(tmp_path: Path) -> None:
    QueryAdapter(np.diag([2, 1, 1, 1]).astype(np.float32)).save(tmp_path / FILE, "words@1")
    adapter = QueryAdapter.of_corpus(tmp_path, "words@1")
    turned = adapter.apply(np.array([[0.6, 0.8, 0, 0]], dtype=np.float32))
    assert np.allclose(np.linalg.norm(turned, axis=1), 1)
    assert turned[0, 0] > turned[0, 1]


def test_without_a_map_or_with_one_of_another_encoder_questions_stay_as_they_are(tmp_path: Path) -> None:
    assert QueryAdapter.of_corpus(tmp_path, "words@1").apply(ROWS) is ROWS
    QueryAdapter(np.eye(4, dtype=np.float32)).save(tmp_path / FILE, "another@1")
    assert QueryAdapter.of_corpus(tmp_path, "words@1").id == "none"


def test_a_damaged_map_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(CorpusError, match=r"query_adapter.npz: cannot be read; train it anew"):
        QueryAdapter.of_corpus(tmp_path, "words@1")


def test_the_shipped_map_belongs_to_the_shipped_encoder() -> None:
    settings = Settings()
    encoder = SentenceEncoder.from_setting(settings.encoder)
    assert QueryAdapter.of_corpus(settings.corpus_dir, encoder.id).id != "none"


@pytest.mark.parametrize("units", [["a", "b"], ["a", "b", "c"], ["a", "a", "b", "c"]])
def test_the_router_finds_each_entry_by_its_own_text_and_survives_being_stored(tmp_path: Path, units: list[str]) -> None:
    rows = ROWS[: len(units)]
    Router.fit(rows, units).save(tmp_path / "router.npz")
    router = Router.load(tmp_path / "router.npz")
    for row, unit in zip(rows, units, strict=True):
        assert router.search(row[None], top_k=1)[0].unit == unit


def test_a_router_over_one_entry_has_nothing_to_tell_apart() -> None:
    hits = Router.fit(ROWS[:1], ["only"]).search(ROWS, top_k=5)
    assert [h.unit for h in hits] == ["only"]
    assert Router.fit(np.zeros((0, 0), dtype=np.float32), []).search(ROWS, top_k=5) == ()
