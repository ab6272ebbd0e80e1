from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import signal
import sqlite3
import time
from pathlib import Path

import pytest
import yaml

from advisor.errors import CorpusError, IndexBusyError, IndexUnavailableError
from advisor.index.build import BuildReport, build_index, current_generation, ensure_index, open_current
from advisor.index.generation import lost_entries, read_manifest, texts_to_encode
from advisor.knowledge.cards import read_corpus
from advisor.settings import Settings
from advisor.store import Store
from tests.builder import building
from tests.corpora import generate
from tests.fakes import WordEncoder


def _texts(settings: Settings) -> set[str]:
    return set(texts_to_encode(read_corpus(settings.corpus_dir)))


def _generations(settings: Settings) -> list[str]:
    return sorted(path.name for path in settings.index_dir.glob("gen-*"))


def _files(settings: Settings) -> dict[str, tuple[int, int]]:
    """Every file of the data folder with its size and time of change."""
    found = [path for path in settings.data_dir.rglob("*") if path.is_file()]
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in found}


def _current(settings: Settings) -> Path:
    folder = current_generation(settings)
    assert folder is not None
    return folder


def _jobs(settings: Settings) -> list[tuple[str, int, int]]:
    with contextlib.closing(Store.open(settings)) as store:
        return [(job.state, job.texts, job.encoded) for job in store.jobs()]


def test_the_first_build_encodes_each_distinct_text_once_and_tells_of_each_stage(settings: Settings, encoder: WordEncoder) -> None:
    told: list[tuple[str, int, int]] = []
    report = build_index(settings, encoder, lambda stage, done, total: told.append((stage, done, total)))
    count = len(_texts(settings))
    assert sorted(encoder.texts) == sorted(_texts(settings))
    assert (report.built, report.texts, report.encoded) == (True, count, count)
    assert told[:2] == [("Encoding", 0, count), ("Encoding", count, count)]
    assert told[2:] == [("Writing", 0, 1), ("Writing", 1, 1), ("Verifying", 0, 1), ("Verifying", 1, 1)]
    assert _current(settings).name == report.generation
    assert lost_entries(_current(settings), settings.index_dir / "runs") == ()
    assert _jobs(settings) == [("done", count, count)]


def test_an_unchanged_corpus_encodes_nothing_and_writes_nothing(indexed: Settings, encoder: WordEncoder) -> None:
    before = _files(indexed)
    report = build_index(indexed, encoder)
    ensure_index(indexed, encoder).close()
    assert (report.built, report.encoded, encoder.encoded) == (False, 0, 0)
    assert _files(indexed) == before


def test_a_forced_build_writes_a_generation_from_stored_vectors(indexed: Settings, encoder: WordEncoder) -> None:
    first = _current(indexed)
    report = build_index(indexed, encoder, force=True)
    assert (report.built, report.encoded, encoder.encoded) == (True, 0, 0)
    assert _generations(indexed) == sorted([first.name, report.generation])
    for name in ("corpus.json", "vectors.npy", "texts.json", "scope.npz", "bm25-passages/data.csc.index.npy"):
        assert (first / name).read_bytes() == (_current(indexed) / name).read_bytes()


def test_a_changed_card_has_only_its_own_texts_encoded_and_put_back_as_it_was_none(indexed: Settings, encoder: WordEncoder) -> None:
    first = _current(indexed)
    card = indexed.corpus_dir / "sources" / "google-links.yaml"
    before = card.read_text()
    card.write_text(before.replace("Do backlinks still matter for ranking?", "Are backlinks still worth their price?"))
    assert build_index(indexed, encoder).encoded == 1
    assert _current(indexed) != first
    card.write_text(before)
    assert build_index(indexed, encoder) == BuildReport(generation=first.name, texts=len(_texts(indexed)), encoded=0, built=False)
    assert encoder.texts == ["Are backlinks still worth their price?"]
    open_current(indexed, encoder).close()


def test_a_deleted_source_disappears_from_the_index(tmp_path: Path, encoder: WordEncoder) -> None:
    settings = Settings(data_dir=tmp_path / "data", corpus_dir=generate(tmp_path / "corpus", passages=80))
    ensure_index(settings, encoder).close()
    generate(tmp_path / "corpus", passages=40)
    (tmp_path / "corpus" / "sources" / "source-40.yaml").unlink()
    already = encoder.encoded
    index = ensure_index(settings, encoder)
    assert encoder.encoded == already
    assert {p.source.id for p in index.corpus.passages} == {"source-0"}
    vector = encoder.encode(["Why did site41x1 rise?"])
    assert all(hit.unit.startswith("source-0/") for hit in index.dense.search("passages", vector, top_k=120))
    assert index.passage_words.search("site41x1", top_k=10) == ()
    index.close()


def test_another_encoder_never_uses_the_vectors_of_the_first(indexed: Settings, encoder: WordEncoder) -> None:
    assert build_index(indexed, WordEncoder("words@2")).encoded == len(_texts(indexed))
    with pytest.raises(IndexUnavailableError):
        open_current(indexed, encoder)


def test_the_same_corpus_in_another_data_folder_makes_the_same_index(indexed: Settings, tmp_path: Path, encoder: WordEncoder) -> None:
    other = Settings(data_dir=tmp_path / "other", corpus_dir=indexed.corpus_dir)
    build_index(other, encoder)
    seals = [read_manifest(_current(each)).files for each in (indexed, other)]
    kept = [{name: digest for name, digest in files.items() if not name.startswith("chroma/")} for files in seals]
    assert len(kept[0]) > 10
    assert kept[0] == kept[1]


def test_only_the_current_generation_and_the_one_before_it_are_kept(indexed: Settings, encoder: WordEncoder) -> None:
    for other in ("0" * 26, "7" + "Z" * 25, "0" * 26 + ".building"):
        (indexed.index_dir / f"gen-{other}").mkdir()
    before = _current(indexed).name
    report = build_index(indexed, encoder, force=True)
    assert _generations(indexed) == [before, report.generation]


def test_a_wrong_card_leaves_the_index_as_it_was(indexed: Settings, encoder: WordEncoder) -> None:
    before = _files(indexed)
    (indexed.corpus_dir / "scope.yaml").write_text("off_topic: 7\n")
    with pytest.raises(CorpusError, match=r"scope\.yaml:1"):
        build_index(indexed, encoder)
    assert _files(indexed) == before


def test_an_interrupted_build_leaves_nothing_half_written_and_is_on_record(indexed: Settings, encoder: WordEncoder) -> None:
    def interrupt(stage: str, done: int, total: int) -> None:
        if (stage, done) == ("Verifying", 0):
            raise KeyboardInterrupt

    before = _generations(indexed)
    with pytest.raises(KeyboardInterrupt):
        build_index(indexed, encoder, interrupt, force=True)
    assert _generations(indexed) == before
    assert _jobs(indexed)[0][0] == "interrupted"
    assert build_index(indexed, encoder, force=True).encoded == 0


def test_a_second_builder_is_refused_within_a_second_and_told_who_builds(settings: Settings, encoder: WordEncoder) -> None:
    with building(settings) as first:
        assert first.wait_for("Encoding", 0)
        holder = first.process.pid
        assert holder is not None
        os.kill(holder, signal.SIGSTOP)
        started = time.monotonic()
        with pytest.raises(IndexBusyError) as caught:
            build_index(settings, encoder)
        assert time.monotonic() - started < 1.0
        assert str(caught.value) == f"the index is being built by process {holder}"
        assert caught.value.retryable
        os.kill(holder, signal.SIGCONT)
        assert isinstance(first.result(), BuildReport)
    assert encoder.encoded == 0
    open_current(settings, encoder).close()


def test_the_lock_of_a_dead_builder_is_free(settings: Settings, encoder: WordEncoder) -> None:
    with building(settings) as first:
        assert first.wait_for("Writing", 0)
        first.kill()
    assert (settings.index_dir / "build.pid").read_text() == str(first.process.pid)
    report = build_index(settings, encoder)
    assert report.built
    assert report.encoded == 0
    assert [state for state, _, _ in _jobs(settings)] == ["done", "interrupted"]
    assert not (settings.index_dir / "build.pid").exists()


def test_a_finished_generation_that_a_killed_build_did_not_point_to_is_taken_up(indexed: Settings, encoder: WordEncoder) -> None:
    finished = _current(indexed)
    (indexed.index_dir / "CURRENT").unlink()
    assert build_index(indexed, encoder) == BuildReport(generation=finished.name, texts=len(_texts(indexed)), encoded=0, built=False)
    assert _current(indexed) == finished


def test_a_build_works_in_a_relative_folder_beside_a_package_of_the_same_name(
    settings: Settings, encoder: WordEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "advisor").mkdir()
    (tmp_path / "advisor" / "__init__.py").write_text("raise SystemExit('the wrong advisor')\n")
    monkeypatch.chdir(tmp_path)
    relative = Settings(data_dir=Path("relative"), corpus_dir=settings.corpus_dir)
    index = ensure_index(relative, encoder)
    assert index.dense.search("passages", encoder.encode(["pogo-sticking"]), top_k=3)
    index.close()


def test_a_sealed_index_that_the_vector_store_cannot_open_any_more_is_built_again(indexed: Settings, encoder: WordEncoder) -> None:
    # As after an upgrade of the library: every file is as it was sealed, and yet the store does not open.
    broken = _current(indexed)
    store = broken / "chroma" / "chroma.sqlite3"
    with contextlib.closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("DROP TABLE collections")
    seal = json.loads((broken / "manifest.json").read_text())
    seal["files"]["chroma/chroma.sqlite3"] = hashlib.sha256(store.read_bytes()).hexdigest()
    (broken / "manifest.json").write_text(json.dumps(seal))
    with pytest.raises(IndexUnavailableError):
        open_current(indexed, encoder)
    ensure_index(indexed, encoder).close()
    assert encoder.encoded == 0
    assert _current(indexed) != broken


def test_an_unsound_generation_is_thrown_away_and_the_old_one_stays(indexed: Settings, encoder: WordEncoder) -> None:
    def damage(stage: str, done: int, total: int) -> None:
        if (stage, done) == ("Verifying", 0):
            (fresh,) = indexed.index_dir.glob("*.building")
            (fresh / "bm25-passages" / "vocab.index.json").write_text("{}")

    before = _current(indexed)
    with pytest.raises(IndexUnavailableError) as caught:
        build_index(indexed, encoder, damage, force=True)
    assert re.match(
        r"the new index is not sound and was thrown away: .* is damaged \(bm25-passages/vocab\.index\.json\)\. ", caught.value.line
    )
    assert _generations(indexed) == [before.name]
    open_current(indexed, encoder).close()


def test_an_entry_that_its_own_vector_does_not_find_is_noticed(indexed: Settings) -> None:
    folder = _current(indexed)
    store = folder / "chroma" / "chroma.sqlite3"
    with contextlib.closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("DELETE FROM embeddings_queue WHERE id = 'title-study/pogo-sticking#1'")
    seal = json.loads((folder / "manifest.json").read_text())
    seal["files"]["chroma/chroma.sqlite3"] = hashlib.sha256(store.read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(seal))
    assert lost_entries(folder, indexed.index_dir / "runs") == ("title-study/pogo-sticking#1",)


def test_the_tiny_corpus_is_the_size_that_the_tests_reckon_with(settings: Settings) -> None:
    corpus = read_corpus(settings.corpus_dir)
    assert (len(corpus.sources), len(corpus.passages), len(corpus.guidance), len(corpus.disputes)) == (4, 10, 6, 1)
    assert yaml.safe_load((settings.corpus_dir / "scope.yaml").read_text())["off_topic"] == list(corpus.scope.off_topic)
