"""Building the index, and making a generation current. Incremental, atomic, one builder at a time.

The data folder holds `index/CURRENT`, a file with the name of the generation in use, and the generations beside it. A new
generation is written under a name that ends in `.building`, verified in a child process, renamed, and made current by replacing
CURRENT in one step: a kill at any moment leaves the old generation or the new one, whole. A half-written folder is deleted,
never repaired.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout
from ulid import ULID

from advisor.errors import AdvisorError, IndexBusyError, IndexUnavailableError, StorageError
from advisor.index import verify
from advisor.index.encoder import Encoder
from advisor.index.generation import Index, open_generation, read_manifest, text_hash, texts_to_encode, write
from advisor.knowledge.cards import corpus_fingerprint, read_corpus
from advisor.models import Corpus
from advisor.settings import HERE, Settings

if TYPE_CHECKING:
    from advisor.store import JobState, Store

Progress = Callable[[str, int, int], None]
"""Told of the stage, how much of it is done, and how much there is."""

ENCODE_STEP = 128
VERIFY_TIMEOUT_S = 300
GENERATION = re.compile(r"gen-[0-9A-Z]{26}")
# Libraries do not always say that a disk is full; below this much space, that is why a write failed.
FULL_BYTES = 1_000_000
POINTER_DRAFT = "CURRENT.new"
UNSOUND_HINT = "Run the command again; if it says the same, please report this line."
PACKAGE_PARENT = HERE.parent


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
    return folder if GENERATION.fullmatch(name) and folder.is_dir() else None


def open_current(settings: Settings, encoder: Encoder) -> Index:
    """Open the current generation if it is sound and was built from this corpus by this encoder.

    Raises:
        IndexUnavailableError: There is none, it is damaged, or it is out of date.
        StorageError: The data folder cannot be written.
    """
    folder = current_generation(settings)
    if folder is None:
        raise IndexUnavailableError(f"there is no index in {str(settings.index_dir)!r}")
    try:
        index = open_generation(folder, settings.index_dir / "runs")
    except IndexUnavailableError:
        # A builder may have replaced and cleared away the generation while it was being opened.
        newer = current_generation(settings)
        if newer in (None, folder):
            raise
        return open_current(settings, encoder)
    try:
        fits = (index.manifest.corpus, index.manifest.encoder) == (corpus_fingerprint(settings.corpus_dir), encoder.id)
    except AdvisorError:
        index.close()
        raise
    if not fits:
        index.close()
        raise IndexUnavailableError("the index was built from another state of the corpus")
    return index


def ensure_index(settings: Settings, encoder: Encoder, progress: Progress | None = None) -> Index:
    """Open the current generation; build one first if there is none that fits and opens."""
    try:
        return open_current(settings, encoder)
    except IndexUnavailableError:
        report = build_index(settings, encoder, progress)
    try:
        return open_current(settings, encoder)
    except IndexUnavailableError:
        if report.built:
            raise
        # Its files are as they were sealed, and still it does not open: another release of a library wrote them.
        build_index(settings, encoder, progress, force=True)
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
    with _locked(settings):
        fitting = None if force else _fitting(settings, corpus, encoder)
        if fitting:
            if fitting != current_generation(settings):
                _point_to(settings, fitting.name)
            return BuildReport(generation=fitting.name, texts=len(texts_to_encode(corpus)), encoded=0, built=False)
        _clear_leftovers(settings)
        # The database is not needed, nor its library imported, where the index fits.
        from advisor.store import Store

        store = Store.open(settings)
        try:
            return _build(settings, corpus, encoder, store, tell)
        finally:
            store.close()


def _fitting(settings: Settings, corpus: Corpus, encoder: Encoder) -> Path | None:
    """A sound generation of this corpus: the current one, or another one, all of which were verified before they got their name.

    Others are the one before, and one that a killed build did not come to point to.
    """
    current = current_generation(settings)
    others = sorted((f for f in settings.index_dir.glob("gen-*") if GENERATION.fullmatch(f.name) and f != current), reverse=True)
    for folder in [*filter(None, [current]), *others]:
        with suppress(IndexUnavailableError):
            manifest = read_manifest(folder)
            if (manifest.corpus, manifest.encoder) == (corpus.fingerprint, encoder.id):
                return folder
    return None


def _build(settings: Settings, corpus: Corpus, encoder: Encoder, store: Store, tell: Progress) -> BuildReport:
    job = store.start_job()
    texts = texts_to_encode(corpus)
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
    except BaseException as exc:
        message = str(exc) if isinstance(exc, AdvisorError | OSError) else type(exc).__name__
        _note_end(store, job, "interrupted" if isinstance(exc, KeyboardInterrupt) else "failed", error=message)
        raise
    _clear_old(settings, keep={name, previous.name if previous else ""})
    _note_end(store, job, "done", texts=len(texts), encoded=encoded)
    return BuildReport(generation=name, texts=len(texts), encoded=encoded, built=True)


def _note_end(store: Store, job: int, state: JobState, *, texts: int = 0, encoded: int = 0, error: str = "") -> None:
    """Keep a record of how the build ended where the disk still allows it; the end itself matters more."""
    with suppress(StorageError):
        store.end_job(job, state, texts=texts, encoded=encoded, error=error)


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
    # -P: the child runs this package, not one that happens to lie in the folder in which the user stands.
    command = [sys.executable, "-P", "-m", "advisor.index.verify", str(folder.resolve()), str(runs.resolve())]
    paths = [str(PACKAGE_PARENT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=VERIFY_TIMEOUT_S, check=False, env=environment
        )
    except subprocess.TimeoutExpired as exc:
        raise IndexUnavailableError(f"the new index could not be verified in {VERIFY_TIMEOUT_S} s") from exc
    if done.returncode == verify.SOUND:
        return
    if done.returncode == verify.DISK:
        raise StorageError(f"could not verify the new index: {done.stdout.strip()}")
    reason = done.stdout.strip() or f"the check ended with code {done.returncode}"
    raise IndexUnavailableError(f"the new index is not sound and was thrown away: {reason}", hint=UNSOUND_HINT)


def _point_to(settings: Settings, name: str) -> None:
    fresh = settings.index_dir / POINTER_DRAFT
    with fresh.open("w", encoding="utf-8") as file:
        file.write(name)
        file.flush()
        os.fsync(file.fileno())
    # The generation's own name must be on the disk before the pointer to it.
    _flush_folder(settings.index_dir)
    os.replace(fresh, settings.index_dir / "CURRENT")
    _flush_folder(settings.index_dir)


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _clear_leftovers(settings: Settings) -> None:
    """Remove what a failed or killed build left: half-written generations, and a finished one that never became current."""
    (settings.index_dir / POINTER_DRAFT).unlink(missing_ok=True)
    current = current_generation(settings)
    for folder in settings.index_dir.glob("gen-*"):
        never_current = current is not None and folder.name > current.name
        if never_current or folder.name.endswith(".building"):
            shutil.rmtree(folder, ignore_errors=True)


def _clear_old(settings: Settings, *, keep: set[str]) -> None:
    """Keep the current generation and the one before it, which a running process may still be copying."""
    for folder in settings.index_dir.glob("gen-*"):
        if folder.name not in keep:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(settings: Settings) -> Iterator[None]:
    """One builder at a time. The lock is the operating system's, so that a dead builder holds nothing."""
    holder = settings.index_dir / "build.pid"
    lock = FileLock(settings.index_dir / "build.lock", fallback_to_soft=False)
    try:
        settings.index_dir.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as exc:
        raise IndexBusyError(_named(holder)) from exc
    except OSError as exc:
        raise StorageError.from_os(exc, settings.index_dir, doing="write the index") from exc
    try:
        with _disk_errors(settings):
            holder.write_text(str(os.getpid()), encoding="utf-8")
            yield
    finally:
        with suppress(OSError):
            holder.unlink()
        lock.release()


def _named(holder: Path) -> str:
    try:
        return f"process {int(holder.read_text(encoding='utf-8'))}"
    except (OSError, ValueError):
        return "another process"


@contextmanager
def _disk_errors(settings: Settings) -> Iterator[None]:
    """Errors of the disk, also those that come through libraries, as one sentence; whatever fails leaves no half-written folder."""
    from chromadb.errors import ChromaError

    try:
        yield
    except BaseException as exc:
        full = _is_full(settings.index_dir)
        with suppress(OSError):
            _clear_leftovers(settings)
        if not isinstance(exc, OSError | ChromaError):
            raise
        # Chroma tells which of its steps failed and numpy that a write was short, neither of them why.
        told = exc.strerror if isinstance(exc, OSError) else str(exc).strip().split("\n")[0]
        reason = os.strerror(errno.ENOSPC) if full else told or "a file could not be written in full"
        raise StorageError(f"could not write the index in {str(settings.index_dir)!r}: {reason}") from exc


def _is_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < FULL_BYTES
    except OSError:
        return False
