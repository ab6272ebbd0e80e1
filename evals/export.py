"""Rows of a result file in the forms that ragas and deepeval read, one JSON object a line.

The field names are those of `SingleTurnSample` in ragas 0.4 and of `LLMTestCase` in deepeval 4: `EvaluationDataset.from_jsonl(path)`
reads the one, `LLMTestCase(**json.loads(line))` the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from advisor.errors import InputError, NotFoundError
from advisor.models import Answer
from advisor.retrieve import PASSAGES_KEPT
from evals.cases import Case, Expect
from evals.metrics.reference import Reference
from evals.metrics.texts import sentences
from evals.results import load
from evals.rows import Row, restored

Form = Literal["ragas", "deepeval"]
FORMS: Final[tuple[Form, ...]] = ("ragas", "deepeval")
# What a right answer says where the case asks for no facts but for a refusal.
EXPECTED_REFUSAL: Final[Mapping[Expect, str]] = {
    "off_topic": "The question is outside the subject; a right answer says so and gives no advice.",
    "not_in_sources": "The sources do not say; a right answer says so and gives no advice of its own.",
    "unclear": "It cannot be told what is asked; a right answer says so and asks for a clearer question.",
}


class RagasSample(BaseModel):
    """A single-turn sample. `reference` is None where the case says nothing of what the answer must hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    user_input: str
    response: str
    retrieved_contexts: tuple[str, ...]
    reference: str | None
    reference_contexts: tuple[str, ...]


class DeepevalCase(BaseModel):
    """A test case; the same values as in a `RagasSample`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    input: str
    actual_output: str
    expected_output: str | None
    retrieval_context: tuple[str, ...]
    context: tuple[str, ...]


def export_file(result: Path, out: Path, form: Form, reference: Reference, *, everything: bool = False) -> int:
    """Write the rows of a result file and return how many were written.

    Args:
        everything: Also rows of the reporting half, which are otherwise left out so that nobody tunes on them.

    Raises:
        InputError: The result cannot be read or has no such rows, a row names a passage that does not exist, or `out` cannot be written.
    """
    samples = list(exported(load(result).rows, form, reference, everything=everything))
    if not samples:
        hint = "Run that suite first." if everything else "Run the tuning half of that suite, or ask for the rows of both halves."
        raise InputError(f"{str(result)!r} has no rows to export", hint=hint)
    try:
        out.write_text("".join(f"{sample.model_dump_json()}\n" for sample in samples), encoding="utf-8")
    except OSError as exc:
        raise InputError(f"{str(out)!r} cannot be written: {exc.strerror}", hint="Name a file in a folder that you may write to.") from exc
    return len(samples)


def exported(rows: Iterable[Row], form: Form, reference: Reference, *, everything: bool = False) -> Iterator[RagasSample | DeepevalCase]:
    """The rows in that form, in their order; those of the tuning half unless `everything` is asked for.

    Raises:
        InputError: A row names a passage that does not exist.
    """
    for row in rows:
        if row.half == "tune" or everything:
            sample = _sample(row, reference)
            yield sample if form == "ragas" else _as_deepeval(sample)


def retrieved(row: Row, answer: Answer) -> tuple[str, ...]:
    """Ids of the passages that the answer could draw on, each once.

    First those ranked for the question, as many as a writer gets, and then what it cites beyond them, since guidance brings passages of
    its own.
    """
    cited = (c.passage_id for c in sorted(answer.citations, key=lambda c: c.number))
    return tuple(dict.fromkeys([*row.ranked[:PASSAGES_KEPT], *cited]))


def expected_answer(case: Case) -> str | None:
    """What a right answer says, from the key points or the reason for which it must be refused; None if the case tells neither."""
    if case.expect in EXPECTED_REFUSAL:
        return EXPECTED_REFUSAL[case.expect]
    return f"A right answer makes these points: {'; '.join(p.point for p in case.key_points)}." if case.key_points else None


def _sample(row: Row, reference: Reference) -> RagasSample:
    answer = restored(row.answer, reference)
    return RagasSample(
        user_input="\n".join([*row.history, row.question]),
        response=" ".join(s.text for s in sentences(answer)) or (answer.refusal.message if answer.refusal else ""),
        retrieved_contexts=_texts(retrieved(row, answer), row, reference),
        reference=expected_answer(row),
        reference_contexts=_texts(row.gold, row, reference),
    )


def _texts(ids: Iterable[str], row: Row, reference: Reference) -> tuple[str, ...]:
    try:
        return tuple(reference.passage(passage_id).text for passage_id in ids)
    except NotFoundError as exc:
        hint = "Use the corpus that the result was measured on, or run that suite again."
        raise InputError(f"row {row.id!r} of suite {row.suite!r} cannot be exported: {exc}", hint=hint) from exc


def _as_deepeval(sample: RagasSample) -> DeepevalCase:
    return DeepevalCase(
        input=sample.user_input,
        actual_output=sample.response,
        expected_output=sample.reference,
        retrieval_context=sample.retrieved_contexts,
        context=sample.reference_contexts,
    )
