"""The command line's batch: a table of questions in, the same table with answers out."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from advisor.cli import app, err, errors, open_advisor, out

if TYPE_CHECKING:
    from advisor.batch.job import Batch, Report

STANDARD_INPUT = "-"
INTERRUPTED = 130


@app.command(
    epilog="""**Examples**

    seo-advisor batch questions.csv -o answers.xlsx

    seo-advisor batch clients.xlsx --column "Client question" -o answers.csv --workers 2

    seo-advisor batch questions.csv -o answers.jsonl --against last-month.jsonl

    cat questions.txt | seo-advisor batch - --format txt -o answers.md

The other columns of the table are kept. A run that was stopped, or killed, goes on with --resume."""
)
def batch(
    questions: Annotated[str, typer.Argument(metavar="FILE", help="A .csv, .tsv, .xlsx, .jsonl or .txt file, or - for standard input.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A .csv, .xlsx, .jsonl, .md or .html file; FILE-answers.csv unless named.")
    ] = None,
    column: Annotated[str, typer.Option(help="The column that holds the questions; found by its name unless named.")] = "",
    sheet: Annotated[str, typer.Option(help="The sheet of a workbook; the first unless named.")] = "",
    form: Annotated[str, typer.Option("--format", help="Read FILE as csv, tsv, xlsx, jsonl or txt, whatever its name.")] = "",
    workers: Annotated[int, typer.Option(min=1, max=32, help="How many questions are worked on at once.")] = 2,
    limit: Annotated[int, typer.Option(min=0, help="Answer only so many rows; 0 for all.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an unfinished run of the same output.")] = False,
    against: Annotated[Path | None, typer.Option(help="The .jsonl output of an earlier run: say what changed since.")] = None,
    engine: Annotated[str, typer.Option(help="What writes the answers. There is one engine: extractive.")] = "extractive",
) -> None:
    """Answer a table of questions: cited answers beside the questions, in rows of the same order."""
    with errors(), _source(questions, form) as source:
        from advisor.batch.job import Batch, Job

        job = Job(
            source=source, target=output or _beside(questions), column=column, sheet=sheet, form=form, workers=workers, limit=limit,
            resume=resume, against=against, engine=engine,
        )  # fmt: skip
        prepared = Batch(job)
        if prepared.table.note:
            err.print(Text(f"Note: {prepared.table.note}.", style="yellow"))
        report = _run(prepared)
    out.print(_told(report, job.target, engine))


def _run(prepared: Batch) -> Report:
    """Do the job behind a bar; an interruption says how far it came and how to go on."""
    advisor = open_advisor()
    done = 0
    columns = (SpinnerColumn(), TextColumn("Answering"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=err) as bar:
        task = bar.add_task("Answering", total=prepared.total)

        def progress(now: int, total: int) -> None:
            nonlocal done
            done = now
            bar.update(task, completed=now, total=total)

        try:
            return prepared.run(advisor, progress)
        except KeyboardInterrupt:
            bar.stop()
            text = f"Stopped after {done} of {prepared.total} rows, which are kept. Go on with the same command and --resume."
            err.print(Text(text, style="yellow"))
            raise typer.Exit(INTERRUPTED) from None
        finally:
            advisor.close()


class _Rate(ProgressColumn):
    """Rows a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:.0f} rows/s" if speed else "", style="dim")


@contextmanager
def _source(questions: str, form: str) -> Iterator[Path]:
    """The file of questions; standard input is first put into one, so that it can be read more than once."""
    if questions != STANDARD_INPUT:
        yield Path(questions)
        return
    from advisor.errors import InputError

    if not form:
        raise InputError("standard input has no name to tell its format by", hint="Name it: --format csv, tsv, xlsx, jsonl or txt.")
    with tempfile.TemporaryDirectory(prefix="seo-advisor-") as folder:
        path = Path(folder) / f"standard-input.{form}"
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        yield path


def _beside(questions: str) -> Path:
    """Where the answers go when nothing is said: a CSV file beside the questions."""
    return Path("answers.csv") if questions == STANDARD_INPUT else Path(questions).with_name(f"{Path(questions).stem}-answers.csv")


def _told(report: Report, target: Path, engine: str) -> Text:
    """What was done, in a few lines."""
    summary = report.summary
    rows = "1 row" if summary.rows == 1 else f"{summary.rows:,} rows"
    lines = [f"{rows} in {target}: " + ", ".join(f"{count:,} {status}" for status, count in sorted(summary.statuses.items()))]
    if summary.reasons:
        lines.append("Refused: " + ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in summary.reasons.most_common()))
    if summary.repeated:
        lines.append(f"{summary.repeated:,} repeated an earlier question and took its answer.")
    if report.changes:
        lines.append("Since the earlier run: " + ", ".join(f"{count:,} {change}" for change, count in report.changes.most_common()))
    if report.seconds and report.answered_now:
        lines.append(f"{report.answered_now / report.seconds:.0f} rows a second. Engine {engine}: no model was called, no tokens, no cost.")
    return Text("\n".join(lines))
