"""Runs of the evals: stored, worked out anew, compared, and held against a baseline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from advisor.engine import Advisor
from advisor.errors import InputError
from evals.cases import SUITES, all_cases, read_cases
from evals.compare import compare, losses, question_changes
from evals.metrics import TIMES, Reference
from evals.results import Result, load, results_of, save
from evals.rows import Row
from evals.run import reference_of, rescored, result_of, row_of
from evals.scoring import scored

ANSWERED = 24


@pytest.fixture(scope="module")
def reference(real_advisor: Advisor) -> Reference:
    return reference_of(real_advisor)


def measured(advisor: Advisor, reference: Reference) -> Result:
    cases = [c for c in read_cases("answers") if c.half == "tune"][:ANSWERED]
    cases += [c for c in read_cases("refusals") if c.half == "tune" and c.expect == "off_topic"][:ANSWERED]
    rows = [scored(row_of(advisor, case), reference) for case in cases]
    return result_of(advisor, "answers", rows, reference)


@pytest.fixture(scope="module")
def result(real_advisor: Advisor, reference: Reference) -> Result:
    return measured(real_advisor, reference)


def without_times(result: Result) -> dict[str, Any]:
    return {half: {n: f for n, f in found.items() if n not in TIMES} for half, found in result.halves.items()}


def spoiled(result: Result, reference: Reference, spoil: Callable[[dict[str, Any]], None]) -> Result:
    """The result with every stored answer changed, and all figures worked out anew."""
    rows = []
    for row in result.rows:
        answer = Row.model_validate_json(row.model_dump_json()).answer
        spoil(answer)
        rows.append(row.model_copy(update={"answer": answer}))
    return rescored(result.model_copy(update={"rows": tuple(rows)}), reference)


def test_every_suite_has_cases_in_both_halves() -> None:
    for suite in SUITES:
        assert {case.half for case in read_cases(suite)} == {"tune", "report"}
    assert len(all_cases()) >= 400
    assert all(case.tags for case in all_cases())


def test_a_line_that_is_no_case_is_named(tmp_path: Path) -> None:
    (tmp_path / "answers.jsonl").write_text('{"id": "x"}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"answers\.jsonl, line 1 is not an eval case"):
        read_cases("answers", tmp_path)


def test_two_runs_of_one_commit_give_the_same_figures(real_advisor: Advisor, reference: Reference, result: Result) -> None:
    assert without_times(measured(real_advisor, reference)) == without_times(result)


def test_a_stored_result_comes_back_and_gives_its_figures_again(result: Result, reference: Reference, tmp_path: Path) -> None:
    stored = load(save(result, tmp_path / "answers-0123456789ab.json"))
    assert stored == result
    assert rescored(stored, reference).halves == result.halves


def test_what_is_no_result_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="is not a result of the evals"):
        results_of(str(tmp_path / "x.json"))
    with pytest.raises(InputError, match="there are no results of 'ffffffffffff'"):
        results_of("ffffffffffff")


def test_the_same_run_is_no_loss(result: Result) -> None:
    assert losses({"answers": result}, {"answers": result}) == ()
    assert not any(c.is_real for c in compare({"answers": result}, {"answers": result}))
    assert list(question_changes({"answers": result}, {"answers": result})) == []


def wrong_citations(answer: dict[str, Any]) -> None:
    for citation in answer["citations"]:
        citation["passage_id"] = (
            "google-favicon/where"
            if citation["passage_id"] == "lehman-life-of-a-click/three-pillars"
            else "lehman-life-of-a-click/three-pillars"
        )


def unsupported_figure(answer: dict[str, Any]) -> None:
    for section in answer["sections"]:
        section["sentences"][0]["text"] += " This holds for 73.4% of 9,211 sites."


def dropped_refusal(answer: dict[str, Any]) -> None:
    if answer["refusal"]:
        sentence = {"text": "Start the dough a day early.", "citations": [], "support": {"verdict": "unsupported", "score": 0.0}}
        answer |= {
            "status": "answered",
            "refusal": None,
            "sections": [{"role": "bottom_line", "title": "Bottom line", "sentences": [sentence]}],
        }


def dropped_answer(answer: dict[str, Any]) -> None:
    if not answer["refusal"]:
        refusal = {"reason": "unclear", "message": "I do not know.", "suggestions": []}
        answer |= {"status": "refused", "refusal": refusal, "sections": [], "citations": []}


@pytest.mark.parametrize(
    ("spoil", "figure"),
    [
        (wrong_citations, "citation recall"),
        (unsupported_figure, "figures in passages"),
        (dropped_refusal, "off-topic refused"),
        (dropped_answer, "key-point recall"),
        (dropped_answer, "answerable accuracy"),
    ],
)
def test_a_fault_in_stored_answers_closes_the_gate(
    result: Result, reference: Reference, spoil: Callable[[dict[str, Any]], None], figure: str
) -> None:
    after = spoiled(result, reference, spoil)
    lost = losses({"answers": result}, {"answers": after})
    assert figure in {change.name for change in lost}
    assert list(question_changes({"answers": result}, {"answers": after}))


def test_rows_of_the_reporting_half_are_not_shown(result: Result) -> None:
    hidden = result.model_copy(update={"rows": tuple(row.model_copy(update={"half": "report", "scores": {}}) for row in result.rows)})
    assert list(question_changes({"answers": hidden}, {"answers": result})) == []
