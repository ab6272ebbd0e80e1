"""Answering tables: order, repeats, bad rows, kills and resumption, and what changed since an earlier run."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from typer.testing import CliRunner

from advisor.batch.job import Batch, Job, Report
from advisor.batch.journal import Journal
from advisor.cli import app
from advisor.engine import Advisor
from advisor.errors import InputError, StorageError
from tests.corpora import TINY

TABLE = """client,question
A,Should I buy backlinks?
B,best sourdough bread
A,should i buy backlinks
C,
B,What does pogo-sticking mean?
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "questions.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def run(advisor: Advisor, source: Path, target: str = "answers.jsonl", **options: object) -> Report:
    return Batch(Job(source=source, target=source.with_name(target), **options)).run(advisor)  # type: ignore[arg-type]


def rows_of(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_rows_come_back_in_order_with_their_columns_and_a_bad_one_says_why(advisor: Advisor, table: Path) -> None:
    report = run(advisor, table)
    rows = rows_of(table.with_name("answers.jsonl"))
    assert [r["row"] for r in rows] == [1, 2, 3, 4, 5]
    assert [r["columns"] for r in rows] == [{"client": c} for c in "ABACB"]
    assert [r["status"] for r in rows] == ["answered", "refused", "answered", "failed", "answered"]
    assert "row 4 (line 5)" in str(rows[3]["error"])
    assert report.summary.statuses == {"answered": 3, "refused": 1, "failed": 1}


def test_the_same_question_is_answered_once(advisor: Advisor, table: Path) -> None:
    report = run(advisor, table)
    rows = rows_of(table.with_name("answers.jsonl"))
    assert rows[2]["same_as"] == 1
    assert rows[2]["answer"] == rows[0]["answer"]
    assert report.summary.repeated == 1


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_change_nothing_but_the_time(advisor: Advisor, tmp_path: Path, workers: int) -> None:
    source = tmp_path / "many.txt"
    source.write_text("\n".join(f"Should I buy backlinks for shop {n}?" for n in range(150)), encoding="utf-8")
    run(advisor, source, workers=workers)
    rows = rows_of(tmp_path / "answers.jsonl")
    assert [r["question"] for r in rows] == [f"Should I buy backlinks for shop {n}?" for n in range(150)]
    assert {r["status"] for r in rows} == {"answered"}


def test_limit_answers_only_the_first_rows(advisor: Advisor, table: Path) -> None:
    assert run(advisor, table, limit=2).summary.rows == 2


class StopError(Exception):
    """Stands for whatever ends a run."""


def stop_after(advisor: Advisor, batch: Batch, rows: int) -> None:
    """Run until at least so many rows are done, then end as by Ctrl-C."""

    def progress(done: int, total: int) -> None:
        if done >= rows:
            raise StopError

    with pytest.raises(StopError):
        batch.run(advisor, progress)


@pytest.fixture
def long_table(tmp_path: Path) -> Path:
    path = tmp_path / "long.txt"
    path.write_text("\n".join(f"Should I buy backlinks for shop {n % 90}?" for n in range(200)), encoding="utf-8")
    return path


def test_a_stopped_run_goes_on_and_each_row_is_there_once(advisor: Advisor, long_table: Path) -> None:
    target = long_table.with_name("answers.jsonl")
    stop_after(advisor, Batch(Job(source=long_table, target=target)), 60)
    assert not target.exists()
    report = run(advisor, long_table, resume=True)
    rows = rows_of(target)
    assert [r["row"] for r in rows] == list(range(1, 201))
    assert 0 < report.answered_now < 200
    assert not Journal.path_for(target).exists()
    # A repeat of a question that was answered before the stop takes that answer.
    assert rows[95]["same_as"] == 6
    assert rows[95]["answer"] == rows[5]["answer"]


def test_a_torn_last_line_is_answered_again(advisor: Advisor, long_table: Path) -> None:
    target = long_table.with_name("answers.jsonl")
    stop_after(advisor, Batch(Job(source=long_table, target=target)), 60)
    journal = Journal.path_for(target)
    journal.write_bytes(journal.read_bytes()[:-25])
    run(advisor, long_table, resume=True)
    assert [r["row"] for r in rows_of(target)] == list(range(1, 201))


def test_an_unfinished_run_is_not_overwritten(advisor: Advisor, long_table: Path) -> None:
    stop_after(advisor, Batch(Job(source=long_table, target=long_table.with_name("answers.jsonl"))), 60)
    with pytest.raises(InputError, match="is unfinished") as caught:
        run(advisor, long_table)
    assert "--resume" in caught.value.hint


def test_two_runs_do_not_write_one_journal(advisor: Advisor, long_table: Path) -> None:
    target = long_table.with_name("answers.jsonl")

    def meanwhile(done: int, total: int) -> None:
        if done == 0:
            for resume in (False, True):
                with pytest.raises(InputError, match="is going on"):
                    run(advisor, long_table, resume=resume)

    Batch(Job(source=long_table, target=target)).run(advisor, meanwhile)
    assert [p.name for p in sorted(target.parent.iterdir())] == ["answers.jsonl", "long.txt"]


def test_a_run_goes_on_only_with_the_input_it_was_begun_with(advisor: Advisor, long_table: Path) -> None:
    stop_after(advisor, Batch(Job(source=long_table, target=long_table.with_name("answers.jsonl"))), 60)
    long_table.write_text("Are links dead?\n", encoding="utf-8")
    with pytest.raises(InputError, match="the input has changed"):
        run(advisor, long_table, resume=True)


def test_a_full_disk_keeps_what_was_answered(advisor: Advisor, long_table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = long_table.with_name("answers.jsonl")
    real, calls = os.fsync, iter(range(100))

    def full(descriptor: int) -> None:
        if next(calls) == 3:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left on device") as caught:
        run(advisor, long_table)
    assert "--resume" in caught.value.line
    run(advisor, long_table, resume=True)
    assert [r["row"] for r in rows_of(target)] == list(range(1, 201))


def test_changes_since_an_earlier_run_are_named(advisor: Advisor, table: Path) -> None:
    run(advisor, table, "before.jsonl")
    before = table.with_name("before.jsonl")
    records = rows_of(before)
    refused, answered = records[1]["answer"], records[0]["answer"]
    records[0]["answer"], records[1]["answer"] = refused, answered
    dropped = records.pop()
    before.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    report = run(advisor, table, "after.jsonl", against=before)
    changes = {str(r["question"]): r["change"] for r in rows_of(table.with_name("after.jsonl"))}
    assert changes["best sourdough bread"] == "newly refused"
    assert changes[str(dropped["question"])] == "new question"
    assert report.changes["newly refused"] == 1


def test_a_changed_verdict_and_changed_citations_are_told_apart(advisor: Advisor, table: Path) -> None:
    run(advisor, table, "before.jsonl")
    before = table.with_name("before.jsonl")
    records = rows_of(before)
    first: dict[str, object] = records[0]["answer"]  # type: ignore[assignment]
    last: dict[str, object] = records[4]["answer"]  # type: ignore[assignment]
    first["sections"][0]["sentences"][0]["text"] = "Yes. Buy them all."  # type: ignore[index]
    last["citations"][0]["passage_id"] = "google-links/paid-links"  # type: ignore[index]
    # The third row repeats the first question; the last one read is the one that counts.
    records[2]["answer"] = first
    before.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    run(advisor, table, "after.jsonl", against=before)
    changes = [r["change"] for r in rows_of(table.with_name("after.jsonl"))]
    assert changes[0] == "verdict changed"
    assert changes[4] == "citations changed"


def test_what_is_no_earlier_run_is_said_before_anything_is_answered(table: Path) -> None:
    with pytest.raises(InputError, match="as an earlier run"):
        Batch(Job(source=table, target=table.with_name("a.csv"), against=table))


def test_the_table_itself_is_never_overwritten(table: Path) -> None:
    with pytest.raises(InputError, match="the table of questions itself"):
        Batch(Job(source=table, target=table))


# ------------------------------------------------------------------------------------------------ as a command


@pytest.fixture
def tiny_environment(built_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADVISOR_CORPUS_DIR", str(TINY))
    monkeypatch.setenv("ADVISOR_DATA_DIR", str(tmp_path / "data"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing.csv"], "cannot be read"),
        (["q.csv", "-o", "answers.docx"], "answers.docx"),
        (["q.csv", "--column", "nope"], "no column 'nope'"),
        (["q.csv", "--engine", "oracle"], "no engine 'oracle'"),
        (["-"], "no name to tell its format by"),
    ],
)
def test_wrong_use_is_one_sentence(
    tiny_environment: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "q.csv").write_text("question\nAre links dead?\n", encoding="utf-8")
    done = CliRunner().invoke(app, ["batch", *arguments])
    assert done.exit_code == 1
    assert said in done.output.replace("\n", "")
    assert "Traceback" not in done.output


def test_a_killed_command_goes_on_where_it_was(real_data: Path, tmp_path: Path) -> None:
    """The process is killed outright as soon as it has stored rows, twice over; the last run finishes."""
    source, target = tmp_path / "q.txt", tmp_path / "answers.csv"
    source.write_text("\n".join(f"Should I disavow links from site number {n}?" for n in range(240)), encoding="utf-8")
    command = [sys.executable, "-m", "advisor", "batch", str(source), "-o", str(target)]
    environment = {**os.environ, "ADVISOR_DATA_DIR": str(real_data)}
    journal, stored = Journal.path_for(target), 0
    for attempt in range(2):
        process = subprocess.Popen(
            command + ["--resume"] * (attempt > 0), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while not journal.exists() or journal.stat().st_size < stored + 100_000:
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.02)
                break
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not target.exists(), "the run ended before it could be killed"
        stored = journal.stat().st_size
    subprocess.run([*command, "--resume"], env=environment, check=True, capture_output=True)
    with target.open(encoding="utf-8-sig", newline="") as file:
        answered = [row["question"] for row in csv.DictReader(file)]
    assert answered == source.read_text(encoding="utf-8").splitlines()
