"""Building the index, and making a generation current. Incremental, atomic, one builder at a time.

The data folder holds `index/CURRENT`, a file with the name of the generation in use, and the generations beside it. A new
generation is written under a name that ends in `.building`, verified in a child process, renamed, and made current by replacing
CURRENT in one step: a kill at any moment leaves the old generation or the new one, whole. A half-written folder is deleted,
never repaired.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from ulid import ULID

from advisor.errors import AdvisorError, IndexBusyError, IndexUnavailableError, StorageError
from advisor.index.encoder import Encoder
from advisor.index.generation import Index, open_generation, read_manifest, texts_to_encode, write
from advisor.knowledge.cards import corpus_fingerprint, read_corpus
from advisor.models import Corpus
from advisor.settings import Settings
from advisor.store import Store, text_hash

Progress = Callable[[str, int, int], None]
"""Told of the stage, how much of it is done, and how much there is."""

ENCODE_STEP = 128
VERIFY_TIMEOUT_S = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildReport:
    """What a build did: the generation now current, how many texts it holds, and how many had to be encoded."""

    generation: str
    texts: int
    encoded: int
    built: bool


def current_generation(settings: Settings) -> Path | None:
    """The folder that CURRENT names, if it exists."""
    try:
        name = (settings.index_dir / "CURRENT").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    folder = settings.index_dir / name
    return folder if name.startswith("gen-") and "/" not in name and folder.is_dir() else None


def open_current(settings: Settings, encoder: Encoder) -> Index:
    """Open the current generation if it is sound and was built from this corpus by this encoder.

    Raises:
        IndexUnavailableError: There is none, it is damaged, or it is out of date.
        StorageError: The data folder cannot be written.
    """
    folder = current_generation(settings)
    if folder is None:
        raise IndexUnavailableError(f"there is no index in {str(settings.index_dir)!r}")
    index = open_generation(folder, settings.index_dir / "runs")
    if index.manifest.corpus != corpus_fingerprint(settings.corpus_dir) or index.manifest.encoder != encoder.id:
        index.close()
        raise IndexUnavailableError("the index was built from another state of the corpus")
    return index


def ensure_index(settings: Settings, encoder: Encoder, progress: Progress | None = None) -> Index:
    """Open the current generation; build one first if there is none that fits."""
    try:
        return open_current(settings, encoder)
    except IndexUnavailableError:
        build_index(settings, encoder, progress)
        return open_current(settings, encoder)


def build_index(settings: Settings, encoder: Encoder, progress: Progress | None = None, *, force: bool = False) -> BuildReport:
    """Build a generation from the corpus and make it current; do nothing if the current one is sound and fits.

    Args:
        force: Write a new generation even if the current one fits. Stored vectors are used all the same.

    Raises:
        CorpusError: A card is wrong; the index stays as it was.
        IndexBusyError: Another process is building.
        StorageError: The disk is full or the folder cannot be written; the index stays as it was.
    """
    tell = progress or (lambda _stage, _done, _total: None)
    corpus = read_corpus(settings.corpus_dir)
    with _locked(settings), _disk_errors(settings):
        fitting = None if force else _fitting(settings, corpus, encoder)
        if fitting:
            return BuildReport(generation=fitting.name, texts=len(texts_to_encode(corpus)), encoded=0, built=False)
        _clear_leftovers(settings)
        store = Store.open(settings)
        try:
            return _build(settings, corpus, encoder, store, tell)
        finally:
            store.close()


def _fitting(settings: Settings, corpus: Corpus, encoder: Encoder) -> Path | None:
    folder = current_generation(settings)
    if folder is None:
        return None
    try:
        manifest = read_manifest(folder)
    except IndexUnavailableError:
        return None
    return folder if (manifest.corpus, manifest.encoder) == (corpus.fingerprint, encoder.id) else None


def _build(settings: Settings, corpus: Corpus, encoder: Encoder, store: Store, tell: Progress) -> BuildReport:
    job = store.start_job()
    texts = texts_to_encode(corpus)
    encoded = 0
    try:
        encoded = _encode_missing(texts, encoder, store, tell)
        name = f"gen-{ULID()}"
        building = settings.index_dir / f"{name}.building"
        tell("Writing", 0, 1)
        write(building, corpus, store.vectors([text_hash(t) for t in texts], encoder.id), encoder.id)
        tell("Writing", 1, 1)
        tell("Verifying", 0, 1)
        _verify_in_child(building, settings.index_dir / "runs")
        tell("Verifying", 1, 1)
        previous = current_generation(settings)
        building.rename(settings.index_dir / name)
        _point_to(settings, name)
        _clear_old(settings, keep={name, previous.name if previous else ""})
    except BaseException as exc:
        _note_failure(store, job, exc)
        raise
    store.end_job(job, "done", texts=len(texts), encoded=encoded)
    return BuildReport(generation=name, texts=len(texts), encoded=encoded, built=True)


def _note_failure(store: Store, job: int, failure: BaseException) -> None:
    """Keep a record of the failure where the disk still allows it; the failure itself matters more."""
    message = str(failure) if isinstance(failure, AdvisorError | OSError) else type(failure).__name__
    state = "interrupted" if isinstance(failure, KeyboardInterrupt) else "failed"
    try:
        store.end_job(job, state, error=message)  # type: ignore[arg-type]
    except StorageError:
        return


def _encode_missing(texts: tuple[str, ...], encoder: Encoder, store: Store, tell: Progress) -> int:
    """Encode the texts that have no stored vector, storing as it goes, so that a kill loses at most one step."""
    stored = store.vectors([text_hash(t) for t in texts], encoder.id)
    missing = [t for t in texts if text_hash(t) not in stored]
    tell("Encoding", 0, len(missing))
    # Longest last: texts of like length share a batch.
    missing.sort(key=len)
    for start in range(0, len(missing), ENCODE_STEP):
        step = missing[start : start + ENCODE_STEP]
        rows = encoder.encode(step)
        store.add_vectors({text_hash(t): row for t, row in zip(step, rows, strict=True)}, encoder.id)
        tell("Encoding", start + len(step), len(missing))
    return len(missing)


def _verify_in_child(folder: Path, runs: Path) -> None:
    """Ask every entry by its own vector, in a child: a damaged store can end its process."""
    command = [sys.executable, "-m", "advisor.index.verify", str(folder), str(runs)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=VERIFY_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as exc:
        raise IndexUnavailableError(f"the new index could not be verified in {VERIFY_TIMEOUT_S} s") from exc
    if done.returncode != 0:
        reason = done.stdout.strip() or f"the check ended with code {done.returncode}"
        if "No space left" in reason:
            raise StorageError(f"could not verify the new index in {str(folder.parent)!r}: No space left on device")
        raise IndexUnavailableError(f"the new index is not sound: {reason}")


def _point_to(settings: Settings, name: str) -> None:
    pointer = settings.index_dir / "CURRENT"
    fresh = settings.index_dir / "CURRENT.new"
    with fresh.open("w", encoding="utf-8") as file:
        file.write(name)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, pointer)
    handle = os.open(settings.index_dir, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _clear_leftovers(settings: Settings) -> None:
    for folder in settings.index_dir.glob("gen-*.building"):
        shutil.rmtree(folder, ignore_errors=True)


def _clear_old(settings: Settings, *, keep: set[str]) -> None:
    """Keep the current generation and the one before it, which a running process may still be copying."""
    for folder in settings.index_dir.glob("gen-*"):
        if folder.name not in keep:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(settings: Settings) -> Iterator[None]:
    """One builder at a time. The lock is the operating system's, so that a dead builder holds nothing."""
    try:
        settings.index_dir.mkdir(parents=True, exist_ok=True)
        lock = FileLock(settings.index_dir / "build.lock")
        lock.acquire(timeout=0)
    except Timeout as exc:
        raise IndexBusyError(_holder(settings)) from exc
    except OSError as exc:
        raise StorageError.from_os(exc, settings.index_dir, doing="write the index") from exc
    try:
        with _disk_errors(settings):
            (settings.index_dir / "build.pid").write_text(str(os.getpid()), encoding="utf-8")
        yield
    finally:
        (settings.index_dir / "build.pid").unlink(missing_ok=True)
        lock.release()


def _holder(settings: Settings) -> str:
    try:
        return f"process {int((settings.index_dir / 'build.pid').read_text(encoding='utf-8'))}"
    except (OSError, ValueError):
        return "another process"


@contextmanager
def _disk_errors(settings: Settings) -> Iterator[None]:
    """Errors of the disk, also those that come through libraries, as one sentence; a half-written folder is removed."""
    from chromadb.errors import ChromaError

    try:
        yield
    except OSError as exc:
        _clear_leftovers(settings)
        raise StorageError.from_os(exc, settings.index_dir, doing="write the index") from exc
    except ChromaError as exc:
        _clear_leftovers(settings)
        reason = str(exc).strip().split("\n")[0]
        raise StorageError(f"could not write the index in {str(settings.index_dir)!r}: {reason}") from exc
    except AdvisorError:
        _clear_leftovers(settings)
        raise
