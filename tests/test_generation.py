from __future__ import annotations

import gc
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from advisor.errors import IndexUnavailableError, StorageError
from advisor.index.generation import (
    FORMAT,
    PASSAGES,
    Index,
    lost_entries,
    open_generation,
    read_manifest,
    text_hash,
    texts_to_encode,
    write,
)
from advisor.index.working_copy import WorkingCopy
from advisor.knowledge.cards import read_corpus
from tests.builder import holding_copy
from tests.corpora import generate
from tests.fakes import WordEncoder


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generation of 120 passages: enough that Chroma keeps a folder for each graph. Shared: copy it, never change it."""
    base = tmp_path_factory.mktemp("sealed")
    corpus = read_corpus(generate(base / "corpus", passages=120))
    texts = texts_to_encode(corpus)
    rows = WordEncoder().encode(texts)
    write(base / "gen", corpus, {text_hash(t): row for t, row in zip(texts, rows, strict=True)}, "words@1")
    return base / "gen"


@pytest.fixture
def generation(sealed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sealed, tmp_path / "gen"))


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def _copies(runs: Path) -> list[str]:
    return [entry.name for entry in runs.iterdir()]


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _finds(index: Index, passage: str) -> bool:
    vector = index.vector(index.passages[passage].text)
    assert vector is not None
    return index.dense.search(PASSAGES, vector[np.newaxis, :], top_k=3)[0].unit == passage


def test_a_sealed_generation_finds_every_entry_by_its_own_vector(sealed: Path, runs: Path) -> None:
    assert lost_entries(sealed, runs) == ()
    assert _copies(runs) == []


def test_opening_changes_nothing_in_the_generation(generation: Path, runs: Path) -> None:
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in generation.rglob("*") if path.is_file()}
    index = open_generation(generation, runs)
    assert _finds(index, "source-0/passage-3")
    index.close()
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in generation.rglob("*") if path.is_file()} == before


def _gone(path: Path) -> None:
    path.unlink()


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _halved(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _inverted(path: Path) -> None:
    path.write_bytes(bytes(byte ^ 0xFF for byte in path.read_bytes()))


def _flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)


DAMAGED_FILES = (
    "manifest.json",
    "corpus.json",
    "texts.json",
    "vectors.npy",
    "scope.npz",
    "chroma/chroma.sqlite3",
    "chroma/*/data_level0.bin",
    "chroma/*/header.bin",
    "chroma/*/length.bin",
    "bm25-passages/data.csc.index.npy",
    "bm25-guidance/vocab.index.json",
)


@pytest.mark.parametrize("damage", [_gone, _empty, _halved, _inverted, _flipped])
@pytest.mark.parametrize("name", DAMAGED_FILES)
def test_a_generation_with_a_damaged_file_is_never_opened(generation: Path, runs: Path, name: str, damage: Callable[[Path], None]) -> None:
    damage(next(generation.glob(name)))
    with pytest.raises(IndexUnavailableError) as caught:
        open_generation(generation, runs)
    assert str(generation) in caught.value.line
    assert caught.value.line.endswith("Run `seo-advisor index`.")
    assert caught.value.line.isprintable()
    assert not runs.exists() or _copies(runs) == []


def test_the_folder_of_a_graph_that_is_gone_is_noticed(generation: Path, runs: Path) -> None:
    shutil.rmtree(next(generation.glob("chroma/*/data_level0.bin")).parent)
    with pytest.raises(IndexUnavailableError):
        open_generation(generation, runs)


@pytest.mark.parametrize("suffix", ["-journal", "-wal", "-shm"])
def test_a_stray_journal_beside_the_vector_store_is_not_played_into_it(generation: Path, runs: Path, suffix: str) -> None:
    (generation / "chroma" / f"chroma.sqlite3{suffix}").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + bytes(4_096))
    assert lost_entries(generation, runs) == ()


def test_a_generation_of_another_format_is_refused(generation: Path, runs: Path) -> None:
    manifest = json.loads((generation / "manifest.json").read_text())
    (generation / "manifest.json").write_text(json.dumps({**manifest, "format": FORMAT + 1}))
    with pytest.raises(IndexUnavailableError, match=rf"has format {FORMAT + 1}, not {FORMAT}"):
        open_generation(generation, runs)


def test_the_seal_covers_every_file(sealed: Path) -> None:
    on_disk = {str(path.relative_to(sealed)) for path in sealed.rglob("*") if path.is_file()}
    assert set(read_manifest(sealed).files) == on_disk - {"manifest.json"}


def test_an_open_index_goes_on_when_its_folder_is_deleted(generation: Path, runs: Path) -> None:
    index = open_generation(generation, runs)
    shutil.rmtree(generation)
    assert _finds(index, "source-40/passage-41")
    assert _finds(index, "source-0/passage-0")
    index.close()


def test_closing_gives_back_descriptors_and_the_copy_and_may_be_done_twice(sealed: Path, runs: Path) -> None:
    open_generation(sealed, runs).close()
    before = _descriptors()
    index = open_generation(sealed, runs)
    assert _descriptors() > before
    index.close()
    index.close()
    assert _descriptors() <= before
    assert _copies(runs) == []


def test_an_index_that_nobody_uses_any_more_closes_by_itself_but_not_before(sealed: Path, runs: Path) -> None:
    gc.collect()
    before = _descriptors()
    index = open_generation(sealed, runs)
    question = index
    del index
    assert _finds(question, "source-80/passage-99")
    del question
    assert _copies(runs) == []
    assert _descriptors() <= before + 2


def test_each_opening_has_a_copy_of_its_own(sealed: Path, runs: Path) -> None:
    first, second = open_generation(sealed, runs), open_generation(sealed, runs)
    first.close()
    assert _finds(second, "source-0/passage-7")
    second.close()


def test_the_copy_of_a_killed_process_is_cleared_away_and_that_of_a_living_one_is_kept(sealed: Path, runs: Path) -> None:
    names = ("chroma/chroma.sqlite3",)
    with holding_copy(sealed, names, runs) as (living, kept), holding_copy(sealed, names, runs) as (killed, left):
        killed.kill()
        killed.join()
        assert left.is_dir()
        WorkingCopy.of(sealed, names, runs).discard()
        assert living.is_alive()
        assert (kept / names[0]).is_file()
        assert not left.exists()


def test_a_copy_that_a_process_with_our_own_number_left_is_cleared_away(sealed: Path, runs: Path) -> None:
    (runs / f"{os.getpid()}-left").mkdir(parents=True)
    WorkingCopy.of(sealed, (), runs).discard()
    assert _copies(runs) == []


def test_a_forked_process_does_not_take_its_parents_copy_away(sealed: Path, runs: Path) -> None:
    copy = WorkingCopy.of(sealed, ("corpus.json",), runs)
    child = os.fork()
    if child == 0:
        copy.discard()
        os._exit(0)
    os.waitpid(child, 0)
    assert (copy.folder / "corpus.json").is_file()
    copy.discard()
    assert _copies(runs) == []


def test_a_generation_that_disappears_while_it_is_opened_counts_as_missing(generation: Path, runs: Path) -> None:
    names = [name for name in read_manifest(generation).files if name.startswith("chroma/")]
    shutil.rmtree(generation)
    with pytest.raises(IndexUnavailableError, match="was removed while it was being opened"):
        WorkingCopy.of(generation, names, runs)
    assert _copies(runs) == []


def test_a_file_in_place_of_the_runs_folder_is_named(sealed: Path, runs: Path) -> None:
    runs.write_text("not a folder")
    with pytest.raises(StorageError) as caught:
        open_generation(sealed, runs)
    assert caught.value.line.startswith(f"could not make a working copy of the index in '{runs}': File exists. ")


def test_a_corpus_of_sources_alone_can_be_indexed(tmp_path: Path, runs: Path) -> None:
    folder = generate(tmp_path / "corpus", passages=20)
    (folder / "guidance" / "made-up.yaml").unlink()
    (folder / "scope.yaml").unlink()
    corpus = read_corpus(folder)
    texts = texts_to_encode(corpus)
    rows = WordEncoder().encode(texts)
    write(tmp_path / "gen", corpus, {text_hash(t): row for t, row in zip(texts, rows, strict=True)}, "words@1")
    assert lost_entries(tmp_path / "gen", runs) == ()
    index = open_generation(tmp_path / "gen", runs)
    assert _finds(index, "source-0/passage-7")
    assert index.guidance_words.search("what should site7x1 do", top_k=5) == ()
    assert index.scope.judge(rows[0]).covered > 0.99
    index.close()


def test_opening_is_quick(sealed: Path, runs: Path) -> None:
    open_generation(sealed, runs).close()
    spent = []
    for _ in range(3):
        started = time.process_time()
        open_generation(sealed, runs).close()
        spent.append(time.process_time() - started)
    assert min(spent) < 0.5
