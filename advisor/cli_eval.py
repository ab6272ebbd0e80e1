"""The command line's evals: run suites, compare two runs, gate a change, reproduce published tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from advisor.cli import FAILED, app, err, errors, open_advisor, out, progress_bar
from advisor.errors import InputError
from advisor.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from advisor.models import Passage
    from evals.compare import Change
    from evals.metrics import Reference
    from evals.results import Result

SHOWN_CHANGES = 40


@app.command(
    name="eval",
    epilog="""**Examples**

    seo-advisor eval                         (all suites, both halves; results and a report go to evals/results/)

    seo-advisor eval safety balance --half tune

    seo-advisor eval --compare 4f57260 91c02aa

    seo-advisor eval --gate                  (exit code 1 if a figure fell beyond the tolerance against the committed baseline)

    seo-advisor eval --score evals/results/answers-4f57260cf555.json

    seo-advisor eval --beir datasets/scifact""",
)
def evaluate(
    suites: Annotated[list[str] | None, typer.Argument(metavar="[SUITE]...", help="Which suites; all unless named.")] = None,
    half: Annotated[str, typer.Option(help="tune, report or both.")] = "both",
    compare: Annotated[
        tuple[str, str] | None, typer.Option(metavar="BEFORE AFTER", help="Compare two stored runs: commits, files or folders.")
    ] = None,
    gate: Annotated[bool, typer.Option("--gate", help="Run, and fail on a loss against the baseline in evals/baseline.")] = False,
    score: Annotated[Path | None, typer.Option(help="Work the figures of a result file out anew from its stored answers.")] = None,
    beir: Annotated[Path | None, typer.Option(help="Measure the retriever on a folder in BEIR format.")] = None,
    judge: Annotated[bool, typer.Option("--judge", help="Have a chat model judge the answers too, if one is configured.")] = False,
    export: Annotated[str, typer.Option(help="Write the rows of the run in the form of ragas or deepeval.")] = "",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder for results; evals/results unless named.")] = None,
) -> None:
    """Measure the answers on the eval suites, compare runs, and stop a change that makes them worse."""
    with errors():
        _need_checkout()
        if compare:
            _compare(*compare)
        elif score:
            _score(score)
        elif beir:
            _beir(beir)
        else:
            _measure(tuple(suites or ()), half, gate=gate, judge=judge, export=export, output=output)


def _need_checkout() -> None:
    """The suites and the code that runs them stand in the source checkout, not in an installed wheel."""
    try:
        import evals.cases  # noqa: F401
    except ImportError as exc:
        hint = "Run it from the folder that holds evals/, with the packages of `make test` installed."
        raise InputError(f"the evals are part of the source checkout and cannot be used here ({exc})", hint=hint) from exc


def _measure(suites: tuple[str, ...], half: str, *, gate: bool, judge: bool, export: str, output: Path | None) -> None:
    """Run the suites, store results and report, and hold them against the baseline if asked to."""
    from evals.cases import SUITES
    from evals.results import FOLDER, save
    from evals.run import HALVES, reached, reference_of, run_suite

    wanted = suites or SUITES
    for suite in wanted:
        if suite not in SUITES:
            raise InputError(f"there is no suite {suite!r}", hint=f"The suites are: {', '.join(SUITES)}.")
    if half not in (*HALVES, "both"):
        raise InputError(f"there is no half {half!r}", hint="Name tune, report or both.")
    halves = tuple(h for h in HALVES if half in (h, "both"))
    baseline = _baseline() if gate else {}
    advisor = open_advisor()
    reference = reference_of(advisor)
    results: dict[str, Result] = {}
    with progress_bar() as progress:
        for suite in wanted:
            results[suite] = run_suite(advisor, suite, halves=halves, progress=progress)
    folder = output or FOLDER
    paths = [save(result, folder / result.path.name) for result in results.values()]
    out.print(_figures_table(results))
    covered = reached(results.values(), reference)
    shown = f"Claims that some answer cites: {_share(covered.claims)}; guidance that some answer opens with: {_share(covered.guidance)}."
    out.print(Text(shown))
    _judged(results, reference, wanted=judge)
    if export:
        _exported(paths, export, reference)
    report = _report(folder, next(iter(results.values())).commit, reference)
    out.print(Text(f"Stored in {folder}: {', '.join(path.name for path in paths)}, {report.name}"))
    if gate:
        _gate(baseline, results)


def _score(path: Path) -> None:
    """Work the figures out anew from stored answers, and say where they differ from the stored ones."""
    from evals.results import load
    from evals.run import reference_of, rescored

    before = load(path)
    after = rescored(before, reference_of(open_advisor()))
    out.print(_figures_table({after.suite: after}))
    changed = [name for half, found in after.halves.items() for name, now in found.items() if before.halves[half].get(name) != now]
    out.print(Text(f"Other than stored: {', '.join(dict.fromkeys(changed))}." if changed else "All figures are as stored."))


def _compare(before: str, after: str) -> None:
    """What changed between two runs: figures that surely differ, and questions of the tuning half one by one."""
    from evals.compare import compare, question_changes
    from evals.results import results_of

    first, second = results_of(before), results_of(after)
    changes = [c for c in compare(first, second) if c.difference]
    out.print(_changes_table([c for c in changes if c.is_real], "Figures that differ"))
    unsure = sum(not c.is_real for c in changes)
    if unsure:
        out.print(Text(f"{unsure} more figures moved within their 95 % intervals, which is no difference.", style="dim"))
    questions = list(question_changes(first, second))
    for question in questions[:SHOWN_CHANGES]:
        moved = ", ".join(f"{name} {_value(then)} -> {_value(now)}" for name, (then, now) in question.scores.items())
        out.print(Text(f"\n{question.suite} {question.id}: {question.question}", style="bold"))
        out.print(Text(f"  {moved or 'decided otherwise'}\n  - {question.before}\n  + {question.after}"))
    if len(questions) > SHOWN_CHANGES:
        out.print(Text(f"\nand {len(questions) - SHOWN_CHANGES} more questions", style="dim"))


def _gate(baseline: Mapping[str, Result], results: Mapping[str, Result]) -> None:
    """Exit code 1 if a figure fell beyond the tolerance."""
    from evals.compare import TOLERANCE, losses

    lost = losses(baseline, results)
    if lost:
        out.print(_changes_table(lost, "Figures that fell"))
        err.print(Text(f"The gate is closed: {len(lost)} figures fell by more than {TOLERANCE:g}, beyond chance.", style="red"))
        raise typer.Exit(FAILED)
    out.print(Text(f"The gate is open: no figure fell by more than {TOLERANCE:g} beyond chance against the baseline."))


def _baseline() -> Mapping[str, Result]:
    """The results of the commit that evals/baseline.txt names."""
    from evals.results import FOLDER, results_of

    return results_of((FOLDER.parent / "baseline.txt").read_text(encoding="utf-8").strip())


def _judged(results: Mapping[str, Result], reference: Reference, *, wanted: bool) -> None:
    """Have the answers of the tuning halves judged, or say why not."""
    if not wanted:
        return
    from evals.judge import NotRun, judge_if_configured

    rows = [row for result in results.values() for row in result.rows if row.half == "tune"]
    with progress_bar() as progress:
        judgement = judge_if_configured(rows, reference, progress=lambda done, total: progress("Judging", done, total))
    if isinstance(judgement, NotRun):
        err.print(Text(f"Not judged: {judgement.reason}.", style="yellow"))
        return
    out.print(Text(judgement.model_dump_json(include={"model", "rubric", "repeats", "calls", "failed", "skipped", "figures"}, indent=1)))


def _exported(paths: Sequence[Path], form: str, reference: Reference) -> None:
    """The rows of the tuning halves in the form of another tool, beside the results."""
    from evals.export import FORMS, export_file

    chosen = next((f for f in FORMS if f == form), None)
    if chosen is None:
        raise InputError(f"rows cannot be exported as {form!r}", hint=f"Name {' or '.join(FORMS)}.")
    for path in paths:
        target = path.with_name(f"{path.stem}-{form}.jsonl")
        count = export_file(path, target, chosen, reference)
        out.print(Text(f"{count} rows in {target}"))


def _report(folder: Path, commit: str, reference: Reference) -> Path:
    from advisor.errors import NotFoundError
    from evals.report import write_report

    def passage(passage_id: str) -> Passage | None:
        try:
            return reference.passage(passage_id)
        except NotFoundError:
            return None

    return write_report(folder, commit, passage)


def _beir(folder: Path) -> None:
    """The retriever on a published data set, with the product's settings."""
    from advisor.index.encoder import SentenceEncoder
    from evals.beir import format_line, run_beir

    settings = Settings()
    with progress_bar() as progress:
        result = run_beir(folder, SentenceEncoder.from_setting(settings.encoder), progress=progress)
    out.print(Text(format_line(result)), soft_wrap=True)


def _figures_table(results: Mapping[str, Result]) -> Table:
    table = Table(title="Figures with 95 % intervals")
    for column in ("suite", "figure"):
        table.add_column(column)
    halves = list(dict.fromkeys(half for result in results.values() for half in result.halves))
    for half in halves:
        table.add_column(half, justify="right", no_wrap=True)
    for suite, result in results.items():
        for name in dict.fromkeys(name for half in halves for name in result.halves.get(half, {})):
            cells = [result.halves[half].get(name) for half in halves]
            table.add_row(suite, name, *(f"{c.value:.3f} ({c.low:.2f}-{c.high:.2f})" if c else "" for c in cells))
        table.add_section()
    return table


def _changes_table(changes: Sequence[Change], title: str) -> Table:
    table = Table(title=title)
    for column in ("suite", "half", "figure"):
        table.add_column(column)
    for column in ("before", "after", "difference (95 %)"):
        table.add_column(column, justify="right", no_wrap=True)
    for c in changes:
        shown = f"{c.difference:+.3f} ({c.low:+.3f} to {c.high:+.3f})"
        table.add_row(c.suite, c.half, c.name, f"{c.before:.3f}", f"{c.after:.3f}", Text(shown, style="red" if c.is_loss else "green"))
    return table


def _value(score: float | None) -> str:
    return "-" if score is None else f"{score:.2f}"


def _share(share: float | None) -> str:
    return "none" if share is None else f"{share:.0%}"
