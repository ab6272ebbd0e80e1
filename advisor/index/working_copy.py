"""A process's own copy of files that it alone may open. The copy goes when the process lets go of it or ends.

An operating-system lock on a file beside the copy tells the living from the dead: a killed process leaves its copy unlocked,
and the next process that makes one clears it away. A process number would not do, since in a container it is always the same.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from filelock import FileLock, Timeout
from ulid import ULID

from advisor.errors import IndexUnavailableError, StorageError


class WorkingCopy:
    """A private folder under `runs`, held by this process."""

    def __init__(self, folder: Path, lock: FileLock) -> None:
        self.folder = folder
        self._lock = lock
        self._process = os.getpid()

    @classmethod
    def of(cls, source: Path, names: Iterable[str], runs: Path) -> WorkingCopy:
        """Copy the named files of `source`, and no others, to a new folder under `runs`.

        Raises:
            IndexUnavailableError: The source has gone.
            StorageError: The copy cannot be written.
        """
        try:
            runs.mkdir(parents=True, exist_ok=True)
            _clear_abandoned(runs)
            folder = runs / str(ULID())
            # The lock comes first: a folder without one has no living owner.
            lock = _lock(folder)
            lock.acquire(blocking=False)
        except OSError as exc:
            raise StorageError.from_os(exc, runs, doing="make a working copy of the index") from exc
        copy = cls(folder, lock)
        try:
            for name in names:
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source / name, target)
        except OSError as exc:
            copy.discard()
            if not source.is_dir():
                raise IndexUnavailableError(f"the index in {str(source)!r} was removed while it was being opened") from exc
            raise StorageError.from_os(exc, runs, doing="make a working copy of the index") from exc
        return copy

    def discard(self) -> None:
        """Remove the copy; a second call does nothing, nor does one from a process that was forked off its owner."""
        if os.getpid() == self._process:
            _remove(self.folder, self._lock)


def _lock(folder: Path) -> FileLock:
    # Not thread-local: the thread that lets go of a copy is seldom the one that made it.
    return FileLock(folder.with_suffix(".lock"), thread_local=False, fallback_to_soft=False)


def _remove(folder: Path, lock: FileLock) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if lock.is_locked:
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def _clear_abandoned(runs: Path) -> None:
    for folder in [entry for entry in runs.iterdir() if entry.is_dir()]:
        lock = _lock(folder)
        try:
            lock.acquire(blocking=False)
        except (Timeout, OSError):
            continue
        _remove(folder, lock)
