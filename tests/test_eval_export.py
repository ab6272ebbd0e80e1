"""Rows of a result in the forms of other tools."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from advisor.engine import Advisor
from advisor.errors import InputError
from advisor.models import Answer
from evals.cases import Case, KeyPoint
from evals.export import DeepevalCase, RagasSample, export_file, exported
from evals.metrics.reference import Reference
from evals.results import Result, save
from evals.rows import Row

PAID = "google-links/paid-links"
EARNED = "google-links/earned-links"
ACTION = "google-links/manual-action"
CASE = Case(
    id="t1",
    suite="answers",
    half="tune",
    tags=("rules",),
    question="Is it against the rules to buy backlinks?",
    history=("Do backlinks matter?",),
    expect="answered",
    gold=(PAID,),
    key_points=(KeyPoint(point="bought links are link spam", all=(("spam",),)), KeyPoint(point="unless marked", all=(("sponsored",),))),
)


@pytest.fixture
def reference(advisor: Advisor) -> Reference:
    return Reference(advisor._open.index, advisor._encoder)


def row(case: Case = CASE, *, ranked: tuple[str, ...] = (EARNED, PAID), cited: tuple[str, ...] = (PAID, ACTION), **of_answer: Any) -> Row:
    """A row as it stands in a result file: an answer of two sections that cites these passages."""
    numbers = list(range(1, len(cited) + 1))
    sentence = {"text": "Bought links are link spam.", "citations": numbers, "support": {"verdict": "supported", "score": 0.9}}
    step = {"text": "Mark them.", "citations": numbers[:1], "support": {"verdict": "supported", "score": 0.9}}
    answer = {
        "question": case.question,
        "searched": case.question,
        "status": "answered",
        "intent": "decide",
        "confidence": {"level": "low", "reason": ""},
        "sections": [
            {"role": "bottom_line", "title": "Short answer", "sentences": [sentence]},
            {"role": "steps", "title": "Steps", "sentences": [step]},
        ],
        "citations": [{"number": n, "passage_id": i} for n, i in zip(numbers, cited, strict=True)],
        "engine": "extractive",
        "elapsed_ms": {},
        "refusal": None,
    }
    return Row(**case.model_dump(), answer=answer | of_answer, ranked=ranked)


def result_file(path: Path, *rows: Row) -> Path:
    blank = {"suite": "answers", "commit": "0" * 12, "corpus": "c", "fingerprint": "f", "scorer": "s", "halves": {}}
    return save(Result(**blank, rows=rows), path)


def test_a_ragas_sample_holds_what_was_asked_answered_found_and_expected(reference: Reference) -> None:
    (sample,) = exported([row()], "ragas", reference)
    paid, earned, action = (reference.passage(i).text for i in (PAID, EARNED, ACTION))
    assert sample == RagasSample(
        user_input="Do backlinks matter?\nIs it against the rules to buy backlinks?",
        response="Bought links are link spam. Mark them.",
        retrieved_contexts=(earned, paid, action),
        reference="A right answer makes these points: bought links are link spam; unless marked.",
        reference_contexts=(paid,),
    )


def test_a_deepeval_case_holds_the_same_under_its_own_names(reference: Reference) -> None:
    (sample,) = exported([row()], "ragas", reference)
    (case,) = exported([row()], "deepeval", reference)
    assert isinstance(sample, RagasSample)
    assert isinstance(case, DeepevalCase)
    assert (case.input, case.actual_output, case.expected_output) == (sample.user_input, sample.response, sample.reference)
    assert (case.retrieval_context, case.context) == (sample.retrieved_contexts, sample.reference_contexts)


def test_only_the_passages_that_a_writer_gets_count_as_retrieved(reference: Reference) -> None:
    many = tuple(dict.fromkeys([EARNED, *reference.index.passages]))
    assert len(many) < 12, "the tiny corpus fits whole"
    (sample,) = exported([row(ranked=many * 9, cited=())], "ragas", reference)
    assert isinstance(sample, RagasSample)
    assert sample.retrieved_contexts == tuple(reference.passage(i).text for i in many)


def test_the_reporting_half_leaves_only_when_asked_for(reference: Reference) -> None:
    rows = [row(), row(CASE.model_copy(update={"half": "report"}))]
    assert len(list(exported(rows, "ragas", reference))) == 1
    assert len(list(exported(rows, "ragas", reference, everything=True))) == 2


def test_a_refusal_is_exported_with_its_message_and_what_was_expected(reference: Reference) -> None:
    case = CASE.model_copy(update={"expect": "off_topic", "gold": (), "key_points": (), "history": ()})
    stored = row(case, ranked=(), cited=(), status="refused", sections=[], refusal={"reason": "off_topic", "message": "No."})
    (sample,) = exported([stored], "ragas", reference)
    assert isinstance(sample, RagasSample)
    assert (sample.response, sample.retrieved_contexts, sample.reference_contexts) == ("No.", (), ())
    assert sample.reference is not None
    assert "outside the subject" in sample.reference


def test_a_case_that_says_nothing_of_the_answer_has_no_reference(reference: Reference) -> None:
    case = CASE.model_copy(update={"key_points": ()})
    (sample,) = exported([row(case)], "deepeval", reference)
    assert isinstance(sample, DeepevalCase)
    assert sample.expected_output is None


def test_an_answer_of_the_advisor_is_exported_with_its_own_words(advisor: Advisor, reference: Reference) -> None:
    answer: Answer = advisor.ask(CASE.question)
    (sample,) = exported([Row.of(CASE, answer)], "ragas", reference)
    assert isinstance(sample, RagasSample)
    assert all(s.text in sample.response for section in answer.sections for s in section.sentences)
    assert set(sample.retrieved_contexts) == {c.quote for c in answer.citations}


def test_a_file_has_a_json_object_a_line_with_the_names_that_the_tools_read(tmp_path: Path, reference: Reference) -> None:
    result = result_file(tmp_path / "r.json", row(), row(CASE.model_copy(update={"half": "report"})), row(cited=(PAID,)))
    fields = {
        "ragas": {"user_input", "response", "retrieved_contexts", "reference", "reference_contexts"},
        "deepeval": {"input", "actual_output", "expected_output", "retrieval_context", "context"},
    }
    out = tmp_path / "out.jsonl"
    assert export_file(result, out, "ragas", reference) == 2
    assert [set(json.loads(line)) for line in out.read_text(encoding="utf-8").splitlines()] == [fields["ragas"]] * 2
    assert export_file(result, out, "deepeval", reference) == 2
    assert [set(json.loads(line)) for line in out.read_text(encoding="utf-8").splitlines()] == [fields["deepeval"]] * 2


def test_a_passage_that_does_not_exist_is_named_with_its_row(reference: Reference) -> None:
    with pytest.raises(InputError, match=r"row 't1' of suite 'answers' cannot be exported: .*'nowhere/at-all'"):
        list(exported([row(cited=("nowhere/at-all",))], "ragas", reference))


def test_a_missing_result_and_an_unwritable_export_are_named(tmp_path: Path, reference: Reference) -> None:
    with pytest.raises(InputError, match=r"nowhere\.json' is not a result"):
        export_file(tmp_path / "nowhere.json", tmp_path / "out.jsonl", "ragas", reference)
    with pytest.raises(InputError, match=r"out\.jsonl' cannot be written"):
        export_file(result_file(tmp_path / "r.json", row()), tmp_path / "no" / "out.jsonl", "ragas", reference)


def test_a_result_with_nothing_to_export_is_said_so(tmp_path: Path, reference: Reference) -> None:
    result = result_file(tmp_path / "r.json", row(CASE.model_copy(update={"half": "report"})))
    with pytest.raises(InputError, match="has no rows to export") as caught:
        export_file(result, tmp_path / "out.jsonl", "ragas", reference)
    assert "both halves" in caught.value.hint
    assert not (tmp_path / "out.jsonl").exists()
