"""Builds and writes in processes of their own, which a test may watch and kill. A fork server starts them with the imports done."""

from __future__ import annotations

import multiprocessing
import resource
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from advisor.errors import AdvisorError
from advisor.index.build import BuildReport, build_index
from advisor.index.generation import text_hash
from advisor.index.working_copy import WorkingCopy
from advisor.settings import Settings
from advisor.store import Store
from tests.fakes import WordEncoder

DEADLINE_S = 60.0
Step = tuple[str, int, int]
"""What a build tells of its progress: the stage, how much is done, and how much there is."""

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload([__name__, "sklearn.linear_model"])


@dataclass(frozen=True)
class Failure:
    """An error with which a build ended: the name of its class and the line that a user sees."""

    kind: str
    line: str


@dataclass
class Builder:
    """A running build. `steps` holds what it has told so far."""

    process: ForkServerProcess
    _pipe: Connection
    steps: list[Step] = field(default_factory=list)
    _end: BuildReport | Failure | None = None

    def next_step(self) -> Step | None:
        """Wait for the next step; None when the build has ended or its process has died."""
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            if not self._pipe.poll(0.05):
                if self.process.is_alive():
                    continue
                if not self._pipe.poll(0):
                    return None
            try:
                told = self._pipe.recv()
            except EOFError:
                return None
            if isinstance(told, tuple):
                self.steps.append(told)
                return told
            self._end = told
            return None
        raise TimeoutError(f"the build told nothing for {DEADLINE_S} s; last: {self.steps[-1:]}")

    def wait_for(self, stage: str, done: int) -> bool:
        """Wait until so much of a stage is done; False if the build ended before."""
        while step := self.next_step():
            if step[0] == stage and step[1] >= done:
                return True
        return False

    def result(self) -> BuildReport | Failure:
        """How the build ended. Raises ChildProcessError if its process died without a word."""
        while self.next_step():
            pass
        self.process.join(DEADLINE_S)
        if self._end is None:
            raise ChildProcessError(f"the build died with exit code {self.process.exitcode}")
        return self._end

    def kill(self) -> None:
        """SIGKILL, and wait until the process is gone."""
        self.process.kill()
        self.process.join(DEADLINE_S)


@contextmanager
def building(settings: Settings, *, force: bool = False, largest_file: int = 0) -> Iterator[Builder]:
    """Start a build of a corpus with the word encoder; it is killed at the end of the block if it still runs.

    Args:
        largest_file: Bytes that no file of that process may exceed; 0 for no limit.
    """
    here, there = _forks.Pipe(duplex=False)
    process = _forks.Process(target=_build, args=(there, settings, force, largest_file), daemon=True)
    process.start()
    there.close()
    try:
        yield Builder(process, here)
    finally:
        process.kill()
        process.join(DEADLINE_S)
        here.close()


def _build(pipe: Connection, settings: Settings, force: bool, largest_file: int) -> None:
    if largest_file:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    try:
        end: BuildReport | Failure = build_index(
            settings, WordEncoder(), lambda stage, done, total: pipe.send((stage, done, total)), force=force
        )
    except AdvisorError as exc:
        end = Failure(type(exc).__name__, exc.line)
    pipe.send(end)


def batch(number: int) -> dict[str, NDArray[np.float32]]:
    """A hundred vectors by text hash, others for each number."""
    rows = np.random.default_rng(number).standard_normal((100, 64)).astype(np.float32)
    return {text_hash(f"text {n} of batch {number}"): row for n, row in enumerate(rows)}


def store_until_killed(settings: Settings, encoder: str, *, after: int, pause_s: float) -> int:
    """Store batches in another process and kill it so long after so many were acknowledged; how many were in the end."""
    here, there = _forks.Pipe(duplex=False)
    process = _forks.Process(target=_store, args=(there, settings, encoder), daemon=True)
    process.start()
    there.close()
    acknowledged = 0
    with here:
        while acknowledged < after:
            if not here.poll(DEADLINE_S):
                raise TimeoutError("no batch was stored")
            acknowledged = here.recv()
        time.sleep(pause_s)
        process.kill()
        process.join(DEADLINE_S)
        with suppress(EOFError):
            while here.poll(0):
                acknowledged = here.recv()
    return acknowledged


def _store(pipe: Connection, settings: Settings, encoder: str) -> None:
    store = Store.open(settings)
    for number in count(1):
        store.add_vectors(batch(number), encoder)
        pipe.send(number)


@contextmanager
def holding_copy(source: Path, names: tuple[str, ...], runs: Path) -> Iterator[tuple[ForkServerProcess, Path]]:
    """A process that holds a working copy, and the folder of the copy."""
    here, there = _forks.Pipe(duplex=False)
    process = _forks.Process(target=_hold, args=(there, source, names, runs), daemon=True)
    process.start()
    there.close()
    try:
        if not here.poll(DEADLINE_S):
            raise TimeoutError("no copy was made")
        yield process, here.recv()
    finally:
        process.kill()
        process.join(DEADLINE_S)
        here.close()


def _hold(pipe: Connection, source: Path, names: tuple[str, ...], runs: Path) -> None:
    copy = WorkingCopy.of(source, names, runs)
    pipe.send(copy.folder)
    signal.pause()
