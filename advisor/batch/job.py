"""A whole batch: read the table, answer its rows, write the output. What the command line and the page call."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from advisor.batch.changes import Earlier
from advisor.batch.journal import Identity, Journal, sha256_of
from advisor.batch.outputs import Answered, check_target, write
from advisor.batch.run import Summary, answer_rows
from advisor.batch.tables import QuestionTable, Row, read_table
from advisor.engine import ENGINE, Advisor
from advisor.errors import InputError

# Told of how many rows are done, and of how many there are.
BatchProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is to be done.

    Attributes:
        source: The table of questions.
        target: The file to write; its ending decides the format.
        column: The column that holds the questions, "" to find it by its name.
        sheet: The sheet of a workbook, "" for the first.
        form: How to read the source, "" to go by its ending.
        workers: How many questions are worked on at once.
        limit: How many rows to answer, 0 for all.
        resume: Whether to go on with an unfinished run of the same target.
        against: The .jsonl output of an earlier run to compare with.
        engine: What writes the answers.
    """

    source: Path
    target: Path
    column: str = ""
    sheet: str = ""
    form: str = ""
    workers: int = 1
    limit: int = 0
    resume: bool = False
    against: Path | None = None
    engine: str = ENGINE


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was done: counts over all rows, rows answered by this run and its seconds, and what changed since the earlier run."""

    summary: Summary
    answered_now: int
    seconds: float
    changes: Counter[str]


class Batch:
    """A job whose input has been read and found good. `run` does it.

    Raises:
        InputError: The table, the target, the engine or the earlier run cannot be used; said before anything is answered.
    """

    def __init__(self, job: Job) -> None:
        if job.engine != ENGINE:
            raise InputError(f"there is no engine {job.engine!r}", hint=f"The engine is {ENGINE}.")
        self.job = job
        self.table: QuestionTable = read_table(job.source, column=job.column, sheet=job.sheet, form=job.form)
        check_target(job.target)
        if job.target.exists() and job.target.samefile(job.source):
            raise InputError(f"{job.target.name!r} is the table of questions itself", hint="Name another file with --output.")
        self._earlier = Earlier(job.against) if job.against else None
        self.total = sum(1 for _ in self._rows())

    def run(self, advisor: Advisor, progress: BatchProgress | None = None) -> Report:
        """Answer the rows, write the target, and remove the journal.

        Raises:
            InputError: An unfinished run is in the way, or is another one's.
            StorageError: The target's folder cannot be written; the rows answered so far are kept.
        """
        started = time.perf_counter()
        journal = self._journal(advisor)
        before = journal.done

        def told(done: int) -> None:
            if progress:
                progress(done, max(done, self.total))

        try:
            told(before)
            answer_rows(advisor, self._rows(), journal, workers=self.job.workers, progress=told)
            seconds = time.perf_counter() - started
            summary = Summary()
            rows = self._told(journal, summary)
            write(
                self.job.target, rows, columns=self.table.columns, question_column=self.table.question_column,
                changes=self._earlier is not None,
            )  # fmt: skip
        except BaseException:
            journal.close()
            raise
        journal.discard()
        changes = self._earlier.counts if self._earlier else Counter[str]()
        return Report(summary=summary, answered_now=journal.done - before, seconds=seconds, changes=changes)

    def _rows(self) -> Iterator[Row]:
        return islice(self.table.rows(), self.job.limit or None)

    def _journal(self, advisor: Advisor) -> Journal:
        identity = Identity(
            input_sha256=sha256_of(self.job.source),
            column=self.table.question_column,
            engine=self.job.engine,
            fingerprint=advisor.fingerprint,
        )
        return Journal.resume(self.job.target, identity) if self.job.resume else Journal.begin(self.job.target, identity)

    def _told(self, journal: Journal, summary: Summary) -> Iterator[Answered]:
        """The rows as they are written, counted, each with what changed."""
        for row in journal.rows():
            summary.count(row)
            yield replace(row, change=self._earlier.change(row.question, row.answer)) if self._earlier else row
