"""An index build in a process of its own, which a test may watch and kill. Started by a fork server that has the imports done."""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess

from advisor.errors import AdvisorError
from advisor.index.build import BuildReport, build_index
from advisor.settings import Settings
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
