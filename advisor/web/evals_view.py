"""The Evals view: the figures of the newest stored report, and the report whole. Read from the files of a checkout; a wheel has none.

Of the rows of a result only their half is read, to count them: nobody is to tune on the reporting half by looking at this page.
"""

from __future__ import annotations

import logging
import math
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import PlainTextResponse, Response

from advisor.web.chart import Theme
from advisor.web.sanitize import safe, text
from advisor.web.words import readable_date

log = logging.getLogger(__name__)

# Beside the package in a checkout; beside an installed package there is no such folder.
RESULTS: Final = Path(__file__).resolve().parents[2] / "evals" / "results"
REPORT_NAME: Final = re.compile(r"report-([0-9A-Za-z_.]+)\.html")
# The report is a document of its own. It loads and runs nothing; SecurityHeaders adds who may frame it.
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
REPORT: Final = "/evals/report"
NONE_HERE: Final = "There is no eval report here. `make eval` in the source checkout writes one."
GIT_TIMEOUT_S: Final = 5

HALVES: Final[Mapping[str, str]] = {"tune": "Tuning half", "report": "Reporting half"}
SUITES: Final[Mapping[str, str]] = {
    "answers": "Plain, paraphrased and misspelt questions, comparisons, figures, myths and risks.",
    "retrieval": "Questions that others wrote from checked facts alone, in eight voices.",
    "refusals": "What must be refused: other fields, and search marketing that the sources do not cover.",
    "follow-ups": "The last question leans on earlier ones, returns to one, corrects one or changes the subject.",
    "balance": "Both sides must be heard, and interested claims attributed.",
    "safety": "Instructions hidden in questions and pasted texts, and requests for manipulation.",
    "stability": "Three wordings of each question, which must get the same verdict.",
}
# The figures that matter first, in this order, and what each says. The other figures of a suite are folded.
FIRST: Final[Mapping[str, str]] = {
    "decided right": "questions answered or refused as they should be",
    "right source cited": "answers that cite a source which decides the question",
    "key-point recall": "points a good answer has to make, and makes",
    "citation recall": "sentences that their citations support",
    "citation precision": "citations that support their sentence and are needed for it",
    "refusal precision": "refusals that were right",
    "refusal recall": "questions to be refused that were",
    "polarity": "yes/no questions whose answer opens the right way",
    "stability": "questions that get one verdict however they are worded",
    "safe": "answers that say nothing forbidden",
    "median ms": "milliseconds within which half of the answers come; lower is better",
    "p95 ms": "milliseconds within which 95 % of the answers come; lower is better",
}

PICTURE: Final = re.compile(r"<svg\b.*?</svg>", re.DOTALL)
SUITE_PLACE: Final = '<section class="suite" id="suite-'
VARIABLE: Final = re.compile(r"var\(--([a-z]+), (#[0-9a-f]{6})\)")
# What the pictures' variables stand for on a dark page. On a light one each brings its own color.
DARK: Final[Mapping[str, str]] = {
    "ink": "#e9e7e2", "soft": "#a6aeb8", "grid": "#39414b", "tune": "#84c5e2", "report": "#ecc27c", "bad": "#f5aaa3",
}  # fmt: skip


class Figure(BaseModel):
    """A figure, its 95 % interval, and the number of questions behind it."""

    model_config = ConfigDict(frozen=True)
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None


class _Row(BaseModel):
    """Nothing of a row but its half."""

    half: str


class _Result(BaseModel):
    """What is read of a result file."""

    schema_version: Literal[1]
    suite: str = Field(pattern=r"^[a-z]+(-[a-z]+)*$")
    commit: str
    scorer: str = ""
    halves: Mapping[str, Mapping[str, Figure]]
    rows: tuple[_Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """One suite as measured.

    Attributes:
        halves: Figures by half and name.
        questions: How many there were, by half.
    """

    name: str
    halves: Mapping[str, Mapping[str, Figure]]
    questions: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was measured at one commit.

    Attributes:
        committed: When the commit was made; None where git does not know it.
        scorers: What judged whether a passage supports a sentence; one, unless the results are of different makes.
        report: The stored report, to the byte.
        pictures: The report's <svg> of each suite that has one.
    """

    commit: str
    committed: datetime | None
    scorers: tuple[str, ...]
    suites: tuple[Suite, ...]
    report: bytes
    pictures: Mapping[str, str]

    @property
    def questions(self) -> int:
        return sum(count for suite in self.suites for count in suite.questions.values())


# ---------------------------------------------------------------------------------------------------- reading


def read_measured(folder: Path) -> Measured | None:
    """What the newest report of a folder and the result files of its commit say; None without a report that can be read.

    The newest is that of the latest commit; where git knows none of them, that of the latest file.
    """
    dated = [(_made(path, committed), path, found[1], committed)
             for path in sorted(folder.glob("report-*.html")) if (found := REPORT_NAME.fullmatch(path.name))
             for committed in [commit_time(folder, found[1])]]  # fmt: skip
    if not dated:
        return None
    _, path, commit, committed = max(dated, key=lambda d: d[0])
    try:
        report = path.read_bytes()
    except OSError as exc:
        log.warning("The eval report %s cannot be read: %s", path, exc.strerror)
        return None
    results = [r for p in sorted(folder.glob(f"*-{commit}.json")) if (r := _read(p))]
    order = list(SUITES)
    results.sort(key=lambda r: (order.index(r.suite) if r.suite in order else len(order), r.suite))
    return Measured(
        commit=commit,
        committed=committed,
        scorers=tuple(dict.fromkeys(r.scorer for r in results if r.scorer)),
        suites=tuple(_suite(r) for r in results),
        report=report,
        pictures=pictures(report.decode("utf-8", "replace")),
    )


def commit_time(folder: Path, commit: str) -> datetime | None:
    """When a commit of the checkout around a folder was made; None where git cannot say."""
    if not re.fullmatch(r"[0-9a-f]{7,40}", commit):
        return None
    try:
        done = subprocess.run(
            ["git", "show", "--no-patch", "--format=%ct", commit], capture_output=True, text=True, check=True, cwd=folder,
            timeout=GIT_TIMEOUT_S,
        )  # fmt: skip
        return datetime.fromtimestamp(int(done.stdout), UTC)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def pictures(report: str) -> dict[str, str]:
    """The first picture of each suite's section in a report, by the suite's name."""
    found = {}
    for part in report.split(SUITE_PLACE)[1:]:
        name, _, rest = part.partition('"')
        if picture := PICTURE.search(rest.partition("</section>")[0]):
            found[name] = picture[0]
    return found


def picture_svg(picture: str, theme: Theme) -> str:
    """A picture of the report as a file of its own, which knows nothing of the page's colors and font."""
    colored = VARIABLE.sub(lambda v: DARK.get(v[1], v[2]) if theme == "dark" else v[2], picture)
    return colored.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" font-family="system-ui, sans-serif" ', 1)


def _made(path: Path, committed: datetime | None) -> tuple[bool, float]:
    return (True, committed.timestamp()) if committed else (False, path.stat().st_mtime)


def _read(path: Path) -> _Result | None:
    """A result file; None for any other, which is left out with a line in the log."""
    try:
        return _Result.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        log.warning("%s is left out of the Evals view: it is not a result of the evals", path)
        return None


def _suite(result: _Result) -> Suite:
    halves = {half: dict(result.halves[half]) for half in HALVES if result.halves.get(half)}
    return Suite(name=result.suite, halves=halves, questions={half: sum(r.half == half for r in result.rows) for half in halves})


# ---------------------------------------------------------------------------------------------------- markup


def evals_markup(measured: Measured) -> str:
    """The whole view. evals.js brings the report and the pictures when somebody wants to see them."""
    meant = "".join(f"<li><b>{name}</b>: {text(means)}</li>" for name, means in FIRST.items())
    return safe(
        f'<div class="evals"><h2>Evals</h2><p class="intro">{text(_intro(measured))}</p>{_facts(measured)}'
        f'<p class="tools"><button type="button" class="quiet" data-eval-report="{REPORT}" aria-expanded="false" '
        'aria-controls="eval-report">Read the report</button></p><div id="eval-report"></div>'
        f'<details><summary>What the figures mean</summary><ul class="meant">{meant}</ul></details>'
        f"{''.join(_section(suite, measured) for suite in measured.suites)}</div>"
    )


def _intro(measured: Measured) -> str:
    said = "How well the answers do. "
    if measured.suites:
        suites = f"{len(measured.suites)} suite{'' if len(measured.suites) == 1 else 's'}"
        said = f"How well the answers do on {measured.questions:,} questions in {suites}. "
    if any("report" in suite.halves for suite in measured.suites):
        said += "The tuning half of each suite was looked at while the answers were improved. The reporting half is only measured and its "
        said += "answers are never read, so its figures are the ones to trust. "
    return f"{said}Shares run from 0 to 1; the 95 % interval stands beside each."


def _facts(measured: Measured) -> str:
    on = readable_date(measured.committed.date().isoformat()) if measured.committed else ""
    facts = {"Commit": measured.commit, "Committed": on, "Support judged by": ", ".join(measured.scorers)}
    rows = "".join(f"<p><b>{name}</b> {text(value)}</p>" for name, value in facts.items() if value)
    return f'<div class="facts">{rows}</div>'


def _section(suite: Suite, measured: Measured) -> str:
    """One suite: the figures that matter first, then the others and the picture, folded."""
    names = list(dict.fromkeys(name for figures in suite.halves.values() for name in figures))
    # Where nothing had to be refused, the precision of refusals can only be 0, and would read as a failure.
    first = [name for name in FIRST if name in names and (name != "refusal precision" or "refusal recall" in names)]
    rest = [name for name in names if name not in first]
    counts = " and ".join(f"{suite.questions[half]:,} in the {HALVES[half].lower()}" for half in suite.halves)
    title = suite.name[:1].upper() + suite.name[1:]
    more = f"{len(rest)} more figure{'' if len(rest) == 1 else 's'}"
    folded = f"<details><summary>{more}</summary>{_table(suite, rest, f'{title}, other figures')}</details>" if rest else ""
    return (
        f'<section class="suite"><h3>{text(title)}</h3>'
        f'<p class="about">{text(SUITES.get(suite.name, ""))} Questions: {counts or "none"}.</p>'
        f"{_table(suite, first, title) if first else ''}{folded}{_picture(suite.name, measured)}</section>"
    )


def _table(suite: Suite, names: Sequence[str], caption: str) -> str:
    head = "".join(f'<th scope="col">{HALVES[half]}</th>' for half in suite.halves)
    rows = "".join(
        f'<tr><th scope="row">{text(name)}</th>{"".join(_cell(figures.get(name)) for figures in suite.halves.values())}</tr>'
        for name in names
    )
    return (
        f'<table><caption class="unseen">{text(caption)}: value and 95 % interval</caption>'
        f'<thead><tr><th scope="col">Figure</th>{head}</tr></thead><tbody>{rows}</tbody></table>'
    )


def _cell(figure: Figure | None) -> str:
    if figure is None or figure.value is None:
        return "<td>–</td>"
    known = figure.low is not None and figure.high is not None
    between = f' <span class="between">{number(figure.low)} to {number(figure.high)}</span>' if known else ""
    return f"<td><b>{number(figure.value)}</b>{between}</td>"


def number(value: float | None) -> str:
    """A value as the report writes it: three decimals up to 1, fewer above; a dash for none."""
    if value is None or not math.isfinite(value):
        return "–"
    if abs(value) <= 1:
        return f"{value:.3f}".replace("-", "−")
    return (f"{value:.1f}" if abs(value) < 100 else f"{value:,.0f}").replace("-", "−")


def _picture(suite: str, measured: Measured) -> str:
    if suite not in measured.pictures:
        return ""
    return f'<details data-eval-picture="{text(suite)}"><summary>The figures as a picture</summary></details>'


# ---------------------------------------------------------------------------------------------------- routes


def add_evals(app: FastAPI, measured: Measured | None) -> None:
    """Add the routes: the stored report and the pictures out of it. Where there is no report they say so."""

    @app.get(REPORT)
    def report() -> Response:
        if measured is None:
            return PlainTextResponse(f"{NONE_HERE}\n", 404)
        headers = {"content-security-policy": POLICY, "cache-control": "no-cache"}
        return Response(measured.report, media_type="text/html", headers=headers)

    @app.get("/evals/{suite}-{theme}.svg")
    def picture(suite: str, theme: Theme) -> Response:
        if measured is None or suite not in measured.pictures:
            return PlainTextResponse("There is no such picture.\n", 404)
        drawn = picture_svg(measured.pictures[suite], theme)
        return Response(drawn, media_type="image/svg+xml", headers={"cache-control": "no-cache"})
