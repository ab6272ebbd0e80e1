"""Answering the rows of a table: in their order, several at a time, the same question once, each row kept as soon as it is answered."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice

from advisor.batch.journal import Journal, key_of
from advisor.batch.outputs import Answered
from advisor.batch.tables import Row
from advisor.engine import Advisor
from advisor.errors import AdvisorError
from advisor.models import Answer

log = logging.getLogger(__name__)

# Questions that are encoded together; a kill loses no more rows than one window.
TOGETHER = 32


@dataclass(slots=True)
class Summary:
    """What became of the rows: counts by status, and of the refused ones by reason; `repeated` rows took an answer given before."""

    rows: int = 0
    repeated: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def count(self, row: Answered) -> None:
        self.rows += 1
        self.repeated += bool(row.same_as)
        self.statuses[row.status] += 1
        if row.answer and row.answer.refusal:
            self.reasons[row.answer.refusal.reason] += 1


def answer_rows(
    advisor: Advisor, rows: Iterable[Row], journal: Journal, *, workers: int = 1, progress: Callable[[int], None] | None = None
) -> None:
    """Answer every row that the journal does not hold yet, and store it there.

    A row that cannot be answered gets an error; the others go on. `progress` is told of the rows done so far.

    Raises:
        StorageError: The journal cannot be written; the rows stored before stay.
    """
    left = (row for row in rows if row.number > journal.done)
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(workers)) if workers > 1 else None
        while window := list(islice(left, TOGETHER * workers)):
            journal.append(_answered(advisor, window, journal, pool, workers))
            if progress:
                progress(journal.done)


def _answered(advisor: Advisor, window: Sequence[Row], journal: Journal, pool: ThreadPoolExecutor | None, workers: int) -> list[Answered]:
    new: dict[str, Row] = {}
    for row in window:
        if not row.error and not journal.first_row_of(row.question):
            new.setdefault(key_of(row.question), row)
    parts = [list(new.values())[n::workers] for n in range(workers)]
    results = pool.map(lambda part: _ask(advisor, part), parts) if pool else (_ask(advisor, part) for part in parts)
    given = dict(pair for part in results for pair in part)
    return list(_filled(window, new, given, journal))


def _filled(window: Sequence[Row], new: dict[str, Row], given: dict[int, Answer | str], journal: Journal) -> Iterator[Answered]:
    for row in window:
        answer, error, same_as = None, row.error, 0
        if not error:
            first = new.get(key_of(row.question))
            number = first.number if first else journal.first_row_of(row.question)
            same_as = number if number != row.number else 0
            got = given.get(number)
            if isinstance(got, str):
                error, same_as = got, 0
            else:
                answer = got
        yield Answered(number=row.number, question=row.question, columns=row.columns, answer=answer, error=error, same_as=same_as)


def _ask(advisor: Advisor, rows: Sequence[Row]) -> list[tuple[int, Answer | str]]:
    """The answers of rows by number; where they fail together, each is asked alone, so that only the bad one fails."""
    try:
        return list(zip((r.number for r in rows), advisor.ask_many([r.question for r in rows]), strict=True))
    except Exception:  # noqa: BLE001 - one bad row must not take the others with it, whatever is wrong with it
        return [(row.number, _ask_alone(advisor, row)) for row in rows]


def _ask_alone(advisor: Advisor, row: Row) -> Answer | str:
    try:
        return next(iter(advisor.ask_many([row.question])))
    except AdvisorError as exc:
        return exc.line
    except Exception as exc:  # the row says what happened, and the run goes on
        log.debug("row %d could not be answered", row.number, exc_info=True)
        return f"row {row.number} could not be answered because of a fault in the program ({type(exc).__name__}); please report it"
