"""The batches of the page's visitors: a file each, read at once, answered by a thread when its turn comes, and gone soon after.

A visitor has one batch at a time. Its files lie in a folder of its own, which is removed when the batch is dropped, an hour after it was
last asked for, and when the page starts.
"""

from __future__ import annotations

import logging
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from advisor.batch.changes import Earlier
from advisor.batch.job import Batch, Job, Report
from advisor.engine import Advisor
from advisor.errors import AdvisorError, InputError, StorageError
from advisor.web.batch_file import Sheet, file_name, read_sheet
from advisor.web.chat import generic_line

log = logging.getLogger(__name__)

AT_ONCE: Final = 2
KEPT_S: Final = 3_600.0
SWEEP_S: Final = 300.0
# A file takes up to 2 MB, its answers and an earlier run some tens: what the disk must have room for.
MAX_HELD: Final = 64
STOP_WAIT_S: Final = 5.0

FULL: Final = "Too many batches are held at the moment. Try again in some minutes."
NOT_STORED: Final = "The file could not be stored on the server. Try again later."
NOT_WRITTEN: Final = "The answers could not be stored on the server, whose disk is full or locked. Try again later."

State = Literal["ready", "waiting", "running", "done", "failed"]


class _Cancelled(Exception):  # noqa: N818 - no error: it carries a wish out of the batch
    """The batch was dropped."""


@dataclass(slots=True, kw_only=True)
class Held:
    """One visitor's batch."""

    id: str
    owner: str
    folder: Path
    source: Path
    sheet: Sheet
    touched: float
    state: State = "ready"
    earlier: Path | None = None
    target: Path | None = None
    total: int = 0
    done: int = 0
    began: float = 0.0
    now: float = 0.0
    report: Report | None = None
    error: str = ""
    dropped: threading.Event = field(default_factory=threading.Event)

    @property
    def busy(self) -> bool:
        return self.state in ("waiting", "running")


class Batches:
    """All batches that are held. Every method may be called from any thread."""

    def __init__(self, advisor: Advisor, folder: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._advisor = advisor
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._held: dict[str, Held] = {}
        self._queue: list[tuple[Held, Batch]] = []
        self._threads: set[threading.Thread] = set()
        self._sweeper: threading.Timer | None = None
        shutil.rmtree(folder, ignore_errors=True)

    def take(self, owner: str, name: str, body: bytes) -> Held:
        """Keep a visitor's file in place of an earlier one, and read it.

        Raises:
            InputError: The file is no table of questions, or too long a one.
            BusyError: An earlier batch of the visitor is not done.
            FullError: Too many batches are held.
        """
        self.sweep()
        self._check_room(owner)
        ident = secrets.token_urlsafe(18)
        folder = self._folder / ident
        source = folder / "given" / file_name(name)
        try:
            source.parent.mkdir(parents=True)
            source.write_bytes(body)
            sheet = read_sheet(source)
            held = Held(id=ident, owner=owner, folder=folder, source=source, sheet=sheet, touched=self._clock())
            with self._lock:
                self._refuse_unless_room(owner)
                before = [other for other in self._held.values() if other.owner == owner]
                self._held[ident] = held
            for other in before:
                self.drop(other)
            self._sweep_later()
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return held

    def owned(self, owner: str, ident: str) -> Held | None:
        """The visitor's batch of that id; None for another visitor's and for one that is gone."""
        self.sweep()
        with self._lock:
            held = self._held.get(ident)
            if held is None or not owner or not secrets.compare_digest(held.owner, owner):
                return None
            held.touched = self._clock()
            return held

    def compare(self, held: Held, name: str, body: bytes) -> int:
        """Keep an earlier run to compare with, or forget it for an empty body. Returns how many answers it holds.

        Raises:
            InputError: It is not the .jsonl output of a batch, or the batch has begun.
        """
        _refuse_begun(held)
        if not body:
            held.earlier = None
            return 0
        path = held.folder / "earlier" / file_name(name)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(body)
        try:
            Earlier(path)
        except InputError as exc:
            raise _without_folder(exc, path) from exc
        held.earlier = path
        return sum(1 for line in body.splitlines() if line.strip())

    def start(self, held: Held, *, column: str, ending: str) -> None:
        """Let a batch take its turn.

        Raises:
            InputError: The column or the ending cannot be used, or the batch has begun.
        """
        _refuse_begun(held)
        target = held.folder / "answers" / f"{held.source.stem}-answers.{ending}"
        target.parent.mkdir(exist_ok=True)
        batch = Batch(Job(source=held.source, target=target, column=column, against=held.earlier))
        with self._lock:
            _refuse_begun(held)
            held.target, held.total, held.state = target, batch.total, "waiting"
            self._queue.append((held, batch))
        self._go_on()

    def ahead(self, held: Held) -> int:
        """How many batches wait before this one."""
        with self._lock:
            return next((n for n, (waiting, _) in enumerate(self._queue) if waiting is held), 0)

    def drop(self, held: Held) -> None:
        """Forget a batch and remove its files; one that is being answered stops within some dozen questions."""
        held.dropped.set()
        with self._lock:
            self._held.pop(held.id, None)
            self._queue = [(waiting, batch) for waiting, batch in self._queue if waiting is not held]
            running = held.state == "running"
        if not running:
            shutil.rmtree(held.folder, ignore_errors=True)

    def sweep(self) -> None:
        """Drop what nobody has asked for in an hour and is not being worked on."""
        oldest = self._clock() - KEPT_S
        with self._lock:
            stale = [held for held in self._held.values() if held.touched < oldest and not held.busy]
        for held in stale:
            self.drop(held)

    def close(self) -> None:
        """Drop everything, and wait a little for what is being answered."""
        with self._lock:
            held, threads = list(self._held.values()), list(self._threads)
            if self._sweeper:
                self._sweeper.cancel()
        for one in held:
            self.drop(one)
        for thread in threads:
            thread.join(STOP_WAIT_S)

    # ------------------------------------------------------------------------------------------------ inside

    def _check_room(self, owner: str) -> None:
        with self._lock:
            self._refuse_unless_room(owner)

    def _refuse_unless_room(self, owner: str) -> None:
        own = [held for held in self._held.values() if held.owner == owner]
        if busy := next((held for held in own if held.busy), None):
            raise BusyError(busy)
        if len(self._held) - len(own) >= MAX_HELD:
            raise FullError(FULL)

    def _go_on(self) -> None:
        """Start what may start."""
        with self._lock:
            while self._queue and len(self._threads) < AT_ONCE:
                held, batch = self._queue.pop(0)
                held.state, held.began = "running", self._clock()
                held.now = held.began
                thread = threading.Thread(target=self._work, args=(held, batch), name="batch", daemon=True)
                self._threads.add(thread)
                thread.start()

    def _work(self, held: Held, batch: Batch) -> None:
        try:
            self._answer(held, batch)
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())
                held.touched = self._clock()
                gone = held.dropped.is_set()
            if gone:
                shutil.rmtree(held.folder, ignore_errors=True)
            self._go_on()

    def _answer(self, held: Held, batch: Batch) -> None:
        def progress(done: int, total: int) -> None:
            held.done, held.total, held.now = done, total, self._clock()
            if held.dropped.is_set():
                raise _Cancelled

        state: State = "failed"
        try:
            held.report = batch.run(self._advisor, progress)
            state = "done"
        except _Cancelled:
            pass
        except StorageError as exc:
            log.error("The answers of a batch were not stored: %s", exc.line)
            held.error = NOT_WRITTEN
        except AdvisorError as exc:
            held.error = exc.line
        except Exception:  # noqa: BLE001 - whatever it is, the visitor gets a sentence, and the log the traceback
            held.error = generic_line()
        with self._lock:
            held.state = state

    def _sweep_later(self) -> None:
        """Sweep also when nobody comes any more, for as long as something is held."""
        with self._lock:
            if self._sweeper and self._sweeper.is_alive() and self._sweeper is not threading.current_thread():
                return
            self._sweeper = threading.Timer(SWEEP_S, self._swept)
            self._sweeper.daemon = True
            self._sweeper.start()

    def _swept(self) -> None:
        self.sweep()
        with self._lock:
            left = bool(self._held)
        if left:
            self._sweep_later()


class BusyError(InputError):
    """The visitor has a batch that is not done."""

    def __init__(self, held: Held) -> None:
        super().__init__(f"your batch of {held.source.name!r} is not done", hint="Wait until it is, or cancel it.")
        self.held = held


class FullError(InputError):
    """There is no room for another batch."""


def _refuse_begun(held: Held) -> None:
    if held.state != "ready":
        raise InputError(f"the batch of {held.source.name!r} has begun", hint="Bring the file again to change something.")


def _without_folder(exc: InputError, path: Path) -> InputError:
    """The error with the file's name in place of where we keep it."""
    return InputError(str(exc).replace(str(path), path.name), hint=exc.hint)
