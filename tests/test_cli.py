from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from advisor.cli import app

run = CliRunner()


@pytest.fixture(autouse=True)
def _real_data(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADVISOR_DATA_DIR", str(real_data))


def test_ask_prints_an_answer_with_its_sources_and_exits_0() -> None:
    result = run.invoke(app, ["ask", "Are backlinks dead?"])
    assert result.exit_code == 0
    assert "No." in result.stdout
    assert "Sources" in result.stdout
    assert "Confidence" in result.stdout


def test_ask_as_json_prints_the_stable_shape_and_nothing_else() -> None:
    result = run.invoke(app, ["ask", "what is pogo sticking", "--json"])
    answer = json.loads(result.stdout)
    assert answer["schema_version"] == 1
    assert answer["status"] == "answered"


def test_ask_reads_standard_input() -> None:
    result = run.invoke(app, ["ask", "-"], input="Are backlinks dead?\n")
    assert result.exit_code == 0


def test_a_refused_question_exits_3() -> None:
    result = run.invoke(app, ["ask", "best pizza in rome"])
    assert result.exit_code == 3
    assert "outside my field" in result.stdout


def test_chat_reads_a_follow_up_in_the_light_of_the_conversation() -> None:
    result = run.invoke(app, ["chat"], input="Should I buy backlinks?\nand for a local shop?\nnew\nquit\n")
    assert result.exit_code == 0
    assert "Searched: Should I buy backlinks, for a local shop?" in result.stdout
    assert "A new conversation." in result.stdout


def test_index_does_nothing_when_the_index_fits() -> None:
    result = run.invoke(app, ["index"])
    assert result.exit_code == 0
    assert "nothing to do" in result.stdout


def test_sources_lists_all_and_shows_one_and_names_an_unknown_one() -> None:
    assert "google-spam-policies" in run.invoke(app, ["sources"], env={"COLUMNS": "200"}).stdout
    assert "manipulation-definition" in run.invoke(app, ["sources", "google-spam-policies"]).stdout
    unknown = run.invoke(app, ["sources", "nope"])
    assert unknown.exit_code == 1
    assert "there is no source 'nope'" in unknown.stderr


def test_wrong_usage_exits_2() -> None:
    assert run.invoke(app, ["ask"]).exit_code == 2
    assert run.invoke(app, ["dance"]).exit_code == 2


@pytest.mark.parametrize("command", ["ask", "chat", "index", "sources", "serve"])
def test_help_teaches_by_example(command: str) -> None:
    result = run.invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert f"seo-advisor {command}" in result.stdout


def test_a_wrong_card_is_reported_with_its_line_and_without_a_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "x.yaml").write_text("id: x\ntitle: T\n", encoding="utf-8")
    monkeypatch.setenv("ADVISOR_CORPUS_DIR", str(tmp_path))
    result = run.invoke(app, ["index"])
    assert result.exit_code == 1
    assert "sources/x.yaml:1: publisher: Field required" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_missing_encoder_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADVISOR_ENCODER", str(tmp_path / "nowhere"))
    result = run.invoke(app, ["ask", "Are backlinks dead?"])
    assert result.exit_code == 1
    assert "has no model.safetensors" in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_installed_command_runs() -> None:
    command = Path(sys.executable).with_name("seo-advisor")
    if not command.is_file():
        pytest.skip("the package is not installed as a command in this environment")
    done = subprocess.run([str(command), "--help"], capture_output=True, text=True, check=True, env={**os.environ, "TERM": "dumb"})
    assert "Exit codes" in done.stdout


def test_sources_are_filtered_and_searched() -> None:
    court = run.invoke(app, ["sources", "--kind", "court"])
    assert court.exit_code == 0
    assert "us-v-google" in court.stdout
    assert "google-spam-policies" not in court.stdout
    found = run.invoke(app, ["sources", "--find", "does google use chrome data", "--kind", "court"])
    assert "us-v-google-remedies" in found.stdout


def test_one_source_is_shown_with_what_leans_on_it() -> None:
    shown = run.invoke(app, ["sources", "google-spam-policies"])
    assert "Used by" in shown.stdout
    assert "Review by" in shown.stdout


def test_a_filter_that_does_not_exist_is_one_line_with_the_choices() -> None:
    result = run.invoke(app, ["sources", "--kind", "blog"])
    assert result.exit_code == 1
    assert "there is no kind 'blog'. Use one of: official, court" in result.stderr


def test_ctr_shows_the_range_and_why_curves_differ() -> None:
    result = run.invoke(app, ["ctr", "3"])
    assert result.exit_code == 0
    assert "Position 3: 11% of impressions are usually clicked." in result.stdout
    assert "Curves differ" in result.stdout
    beyond = run.invoke(app, ["ctr", "14"])
    assert beyond.exit_code == 1
    assert "Name a position from 1 to 10." in beyond.stderr


def test_corpus_stats_count_the_corpus() -> None:
    result = run.invoke(app, ["corpus", "stats"])
    assert result.exit_code == 0
    assert "disputes" in result.stdout
    assert "Figures by provenance" in result.stdout


def test_corpus_check_of_the_shipped_corpus_finds_no_error() -> None:
    result = run.invoke(app, ["corpus", "check", "--json"])
    findings = json.loads(result.stdout)
    assert [f for f in findings if f["severity"] == "error"] == []
    assert result.exit_code == 0
    assert {f["check"] for f in findings} <= {"near-duplicates", "asks", "review", "unused"}


def test_corpus_check_says_what_it_could_not_look_for(tmp_path: Path) -> None:
    result = run.invoke(app, ["corpus", "check", "--compare", str(tmp_path)])
    assert result.exit_code == 1
    assert "there are no .txt files in" in result.stderr
