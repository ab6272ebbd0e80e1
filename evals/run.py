"""Asking the cases of a suite and storing what came of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from advisor import Advisor, Answer
from advisor.answer.question import understand
from advisor.answer.scope import covered_log_odds
from advisor.index.generation import PASSAGES
from advisor.retrieve import query_texts, retrieve, search
from evals.cases import Case, Half, read_cases
from evals.metrics import SCORER, Coverage, Reference, coverage
from evals.results import Result, commit
from evals.rows import Row, restored
from evals.scoring import figures, scored

HALVES: Final[tuple[Half, ...]] = ("tune", "report")
RANKED: Final = 100
Progress = Callable[[str, int, int], None]


def run_suite(advisor: Advisor, suite: str, *, halves: Sequence[Half] = HALVES, progress: Progress | None = None) -> Result:
    """Ask every case of a suite once and score the answers.

    Raises:
        InputError: There is no such suite.
    """
    cases = [case for case in read_cases(suite) if case.half in halves]
    reference = reference_of(advisor)
    rows: list[Row] = []
    for case in cases:
        rows.append(scored(row_of(advisor, case), reference))
        if progress:
            progress(f"Asking {suite}", len(rows), len(cases))
    return result_of(advisor, suite, rows, reference)


def row_of(advisor: Advisor, case: Case) -> Row:
    """The case with its answer, and with the ranking of passages where gold can judge it."""
    answer = ask(advisor, case)
    ranked = ranking(advisor, answer.searched or case.question) if case.gold and not case.document else ()
    return Row.of(case, answer, ranked=ranked, scope=None if case.history else scope(advisor, case.question))


def ask(advisor: Advisor, case: Case) -> Answer:
    """The answer to a case after its history. A document that the asker brings stands behind the question, as if pasted."""
    conversation = None
    for earlier in case.history:
        conversation = advisor.ask(earlier, conversation_id=conversation).conversation_id
    question = f"{case.question}\n\n{case.document}" if case.document else case.question
    return advisor.ask(question, conversation_id=conversation)


def ranking(advisor: Advisor, searched: str) -> tuple[str, ...]:
    """The ids of the passages for a question as searched, best first, before they are spread over sources."""
    opened, encoder = advisor._open, advisor._encoder
    spelled_out = opened.lexicon.spelled_out(searched)
    plain = encoder.encode(query_texts(searched, spelled_out=spelled_out))
    hits = search(advisor._adapter.apply(plain), spelled_out, opened.index, collection=PASSAGES, plain=plain)
    return tuple(hit.unit for hit in hits[:RANKED])


def scope(advisor: Advisor, question: str) -> float:
    """How surely the advisor holds a question for covered, from 0 to 1; it refuses below .5."""
    opened, encoder = advisor._open, advisor._encoder
    understood = understand(question, [], opened.index, encoder, opened.lexicon)
    return 1 / (1 + math.exp(-covered_log_odds(understood, retrieve(understood, opened.index, encoder, advisor._adapter))))


def reference_of(advisor: Advisor) -> Reference:
    """What answers are held against; the evals look inside the advisor on purpose."""
    return Reference(advisor._open.index, advisor._encoder)


def result_of(advisor: Advisor, suite: str, rows: Sequence[Row], reference: Reference) -> Result:
    halves = {half: figures([row for row in rows if row.half == half], reference) for half in HALVES}
    return Result(
        suite=suite,
        commit=commit(),
        corpus=advisor._open.index.manifest.corpus,
        fingerprint=advisor.fingerprint,
        scorer=SCORER,
        halves={half: found for half, found in halves.items() if found},
        rows=tuple(rows),
    )


def rescored(result: Result, reference: Reference) -> Result:
    """The result with scores and figures worked out anew from its stored answers."""
    rows = tuple(scored(row, reference) for row in result.rows)
    halves = {half: figures([row for row in rows if row.half == half], reference) for half in result.halves}
    return result.model_copy(update={"rows": rows, "halves": halves})


def reached(results: Iterable[Result], reference: Reference) -> Coverage:
    """Which claims and which guidance the answers of all these suites reach, and which they never do."""
    return coverage((restored(row.answer, reference) for result in results for row in result.rows), reference)
