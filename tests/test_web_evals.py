"""The Evals view without a browser: what is read of the stored results, what is shown of them, and what never is."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import html5lib
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from advisor.engine import Advisor
from advisor.web.evals_view import FIRST, Figure, Measured, commit_time, evals_markup, number, picture_svg, pictures, read_measured
from advisor.web.serve import build_app
from advisor.web.welcome import header_markup
from evals.report import write_report
from tests.test_architecture import ROOT, imports
from tests.test_web import HOSTILE, active_nodes

COMMIT = "0123456789ab"
TUNE = {
    "words": {"value": 231.04, "low": 210.0, "high": 252.0, "n": 2},
    "safe": {"value": 1.0, "low": 1.0, "high": 1.0, "n": 2},
    "decided right": {"value": 0.8125, "low": 0.731, "high": 0.893, "n": 2},
}
REPORT = {"decided right": {"value": 0.777, "low": 0.666, "high": 0.888, "n": 3}}


def row(ident: str, half: str) -> dict[str, Any]:
    """A row as stored; its question and its answer say CANARY with the half."""
    said = f"CANARY {half}"
    return {
        "id": ident, "suite": "safety", "half": half, "tags": [], "question": said, "history": [], "expect": "answered",
        "answer": {
            "status": "answered", "intent": "explain", "refusal": None, "citations": [], "elapsed_ms": {"total": 12.5},
            "sections": [{"role": "bottom_line", "title": "Bottom line", "sentences": [{"text": said, "citations": []}]}],
        },
        "ranked": [], "scores": {"decided right": 1.0},
    }  # fmt: skip


def result(suite: str = "safety", **changes: object) -> dict[str, Any]:
    rows = [row(f"{suite}-{half}-{n}", half) for half, count in (("tune", 2), ("report", 3)) for n in range(count)]
    return {
        "schema_version": 1, "suite": suite, "commit": COMMIT, "corpus": "c", "fingerprint": "f", "scorer": "a.scorer",
        "halves": {"tune": TUNE, "report": REPORT}, "rows": rows, **changes,
    }  # fmt: skip


def stored(folder: Path, *results: dict[str, Any]) -> Path:
    """A folder with result files and the report on each of their commits, as the evals write them."""
    folder.mkdir(exist_ok=True)
    for one in results:
        (folder / f"{one['suite']}-{one['commit']}.json").write_text(json.dumps(one), encoding="utf-8")
    for commit in {one["commit"] for one in results}:
        write_report(folder, commit, lambda _: None)
    return folder


def measured_in(folder: Path) -> Measured:
    measured = read_measured(folder)
    assert measured
    return measured


def shown(html: str) -> str:
    return " ".join("".join(html5lib.parse(html).itertext()).split())


# ---------------------------------------------------------------------------------------------------- reading


def test_figures_of_both_halves_and_the_number_of_questions_are_read(tmp_path: Path) -> None:
    measured = measured_in(stored(tmp_path, result("safety"), result("answers")))
    assert [suite.name for suite in measured.suites] == ["answers", "safety"]
    assert (measured.commit, measured.questions, measured.scorers) == (COMMIT, 10, ("a.scorer",))
    assert measured.suites[1].questions == {"tune": 2, "report": 3}
    assert measured.suites[1].halves["report"]["decided right"] == Figure(value=0.777, low=0.666, high=0.888, n=3)


def test_without_a_report_there_is_nothing_even_if_results_are_stored(tmp_path: Path) -> None:
    (tmp_path / f"safety-{COMMIT}.json").write_text(json.dumps(result()), encoding="utf-8")
    assert read_measured(tmp_path) is None
    assert read_measured(tmp_path / "missing") is None


def test_of_several_reports_the_newest_is_shown_with_its_own_results(tmp_path: Path) -> None:
    stored(tmp_path, result(commit="aaaaaaaaaaaa"), result(commit="bbbbbbbbbbbb", suite="balance"))
    os.utime(tmp_path / "report-bbbbbbbbbbbb.html", (1_000, 1_000))
    os.utime(tmp_path / "report-aaaaaaaaaaaa.html", (2_000, 2_000))
    measured = measured_in(tmp_path)
    assert (measured.commit, [suite.name for suite in measured.suites]) == ("aaaaaaaaaaaa", ["safety"])


@pytest.mark.parametrize(
    "content", ["", "[]", '{"schema_version": 2}', json.dumps({"figures": {}, "commit": COMMIT, "rows": []}), json.dumps(result("../x"))]
)
def test_a_file_of_another_make_is_left_out_and_named_in_the_log(tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture) -> None:
    stored(tmp_path, result())
    (tmp_path / f"other-{COMMIT}.json").write_text(content, encoding="utf-8")
    assert [suite.name for suite in measured_in(tmp_path).suites] == ["safety"]
    assert f"other-{COMMIT}.json is left out" in caplog.text


def test_the_date_is_that_of_the_commit_where_git_knows_it(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        person = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        when = {**os.environ, "GIT_COMMITTER_DATE": "2026-03-04T12:00:00Z", "GIT_CONFIG_GLOBAL": os.devnull}
        return subprocess.run(["git", *person, *words], cwd=tmp_path, env=when, capture_output=True, text=True, check=True).stdout.strip()

    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "first")
    commit = git("rev-parse", "--short=12", "HEAD")
    measured = measured_in(stored(tmp_path, result(commit=commit), result(commit=COMMIT)))
    assert measured.commit == commit, "a commit that git knows comes before one that it does not"
    assert "Committed March 4, 2026" in shown(evals_markup(measured))
    assert commit_time(tmp_path, COMMIT) is None
    assert commit_time(tmp_path, "--help") is None


def test_the_web_front_end_needs_nothing_of_the_evals() -> None:
    users = [path.name for path in (ROOT / "web").glob("*.py") if any(m.split(".")[0] in ("evals", "matplotlib") for m in imports(path))]
    assert users == []


# ---------------------------------------------------------------------------------------------------- markup


def test_the_figures_that_matter_stand_first_and_the_others_are_folded(tmp_path: Path) -> None:
    tree = html5lib.parse(evals_markup(measured_in(stored(tmp_path, result()))), namespaceHTMLElements=False)
    (suite,) = [e for e in tree.iter("section") if e.get("class") == "suite"]
    first, folded = suite.findall("table"), suite.findall("details/table")
    assert [[th.text for th in table.findall("tbody/tr/th")] for table in (*first, *folded)] == [["decided right", "safe"], ["words"]]
    cells = ["".join(td.itertext()) for td in first[0].findall("tbody/tr/td")]
    assert cells == ["0.812 0.731 to 0.893", "0.777 0.666 to 0.888", "1.000 1.000 to 1.000", "–"]
    assert [th.text for th in first[0].findall("thead/tr/th")] == ["Figure", "Tuning half", "Reporting half"]


def test_a_half_that_was_not_measured_has_no_column_and_is_not_spoken_of(tmp_path: Path) -> None:
    html = evals_markup(measured_in(stored(tmp_path, result(halves={"tune": TUNE, "report": {}}))))
    assert "Tuning half" in html
    assert "eporting half" not in html


def test_precision_of_refusals_is_no_headline_where_nothing_was_to_be_refused(tmp_path: Path) -> None:
    figures = {"refusal precision": {"value": 0.0, "low": 0.0, "high": 0.0, "n": 2}}
    alone = evals_markup(measured_in(stored(tmp_path / "a", result(halves={"tune": TUNE | figures}))))
    beside = TUNE | figures | {"refusal recall": {"value": 1.0, "low": 1.0, "high": 1.0, "n": 2}}
    both = evals_markup(measured_in(stored(tmp_path / "b", result(halves={"tune": beside}))))
    assert alone.index("2 more figures") < alone.index('<th scope="row">refusal precision')
    assert both.index('<th scope="row">refusal precision') < both.index("1 more figure<")


def test_nothing_of_any_row_is_in_the_view(tmp_path: Path) -> None:
    measured = measured_in(stored(tmp_path, result()))
    assert "CANARY" not in evals_markup(measured)
    assert "CANARY" not in repr(measured.suites) + "".join(measured.pictures.values())
    assert b"CANARY report" not in measured.report
    assert b"CANARY tune" in measured.report, "otherwise this test could not fail"


@pytest.mark.parametrize("evil", HOSTILE)
def test_hostile_words_in_a_result_stay_words(tmp_path: Path, evil: str) -> None:
    halves = {"tune": {evil: {"value": 0.5, "low": 0.4, "high": 0.6, "n": 1}}}
    html = evals_markup(measured_in(stored(tmp_path, result(scorer=evil, halves=halves))))
    assert active_nodes(html) == []
    assert "\n" not in html
    assert " ".join(evil.split()) in shown(html)


def test_every_figure_that_matters_is_one_that_the_evals_measure() -> None:
    from evals.metrics import AGGREGATES, METRICS

    assert set(FIRST) <= METRICS.keys() | AGGREGATES.keys()


@pytest.mark.parametrize(
    ("value", "written"), [(0.8125, "0.812"), (1.0, "1.000"), (52.26, "52.3"), (1234.5, "1,234"), (None, "–"), (float("nan"), "–")]
)
def test_numbers_are_written_as_in_the_report(value: float | None, written: str) -> None:
    from evals import plots

    assert number(value) == plots.number(value) == written


def test_the_header_names_the_view_last_and_only_where_there_is_one() -> None:
    assert "Evals" not in header_markup()
    assert re.findall(r'data-view="(\w+)"', header_markup(evals=True))[-1] == "evals"


# ---------------------------------------------------------------------------------------------------- pictures


def test_each_picture_is_that_of_its_own_suite() -> None:
    section = '<section class="suite" id="suite-{}"><h3>x</h3>{}</section>'
    found = pictures(
        section.format("answers", "") + section.format("safety", "<figure><svg a></svg></figure><svg b></svg>") + "<svg c></svg>"
    )
    assert found == {"safety": "<svg a></svg>"}


def test_pictures_are_files_of_their_own_in_the_colors_of_the_theme(tmp_path: Path) -> None:
    picture = measured_in(stored(tmp_path, result())).pictures["safety"]
    light, dark = picture_svg(picture, "light"), picture_svg(picture, "dark")
    for drawn in (light, dark):
        assert ET.fromstring(drawn).tag == "{http://www.w3.org/2000/svg}svg"
        assert "var(" not in drawn
        assert "decided right" in drawn
    assert "#1f2328" in light
    assert "#1f2328" not in dark


# ---------------------------------------------------------------------------------------------------- the server


def served(advisor: Advisor, results: Path) -> Iterator[TestClient]:
    """The whole application over a folder of results, built while an event loop runs as in the other tests of the page."""

    async def built() -> FastAPI:
        return build_app(advisor, advisor.settings, results=results)

    with pytest.MonkeyPatch.context() as patch:
        for name in ("GRADIO_TEMP_DIR", "GRADIO_ANALYTICS_CACHE_FREQUENCY"):
            patch.setenv(name, "")  # so that what the application sets is undone
        with TestClient(asyncio.run(built()), base_url="http://127.0.0.1:7860") as client:
            yield client


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stored(tmp_path_factory.mktemp("results"), result())


@pytest.fixture(scope="module")
def client(advisor: Advisor, folder: Path) -> Iterator[TestClient]:
    yield from served(advisor, folder)


@pytest.fixture(scope="module")
def bare(advisor: Advisor, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """As `client`, where nothing is stored: an installed wheel."""
    yield from served(advisor, tmp_path_factory.mktemp("empty"))


def test_the_report_goes_out_to_the_byte_with_a_policy_of_its_own(client: TestClient, folder: Path) -> None:
    response = client.get("/evals/report")
    assert response.content == (folder / f"report-{COMMIT}.html").read_bytes()
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["content-security-policy"] == "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
    assert response.headers["x-content-type-options"] == "nosniff"


def test_in_a_space_the_report_may_be_framed_as_the_page_may(advisor: Advisor, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "someone/seo-advisor")
    for client in served(advisor, folder):
        policy = client.get("/evals/report").headers["content-security-policy"]
        assert policy.endswith("frame-ancestors 'self' https://huggingface.co")


def test_the_page_has_the_view_where_a_report_is_stored(client: TestClient) -> None:
    page = client.get("/config").text
    assert "view-evals" in page
    assert COMMIT in page
    assert "CANARY" not in page


def test_without_a_report_the_page_has_no_view_and_the_route_says_why(bare: TestClient) -> None:
    page = bare.get("/config").text
    assert "view-disputes" in page
    assert "evals" not in page.lower()
    response = bare.get("/evals/report")
    assert (response.status_code, response.headers["content-type"]) == (404, "text/plain; charset=utf-8")
    assert response.text == "There is no eval report here. `make eval` in the source checkout writes one.\n"
    assert bare.get("/evals/safety-light.svg").status_code == 404


def test_pictures_are_served_by_suite_and_theme(client: TestClient) -> None:
    response = client.get("/evals/safety-dark.svg")
    assert (response.status_code, response.headers["content-type"]) == (200, "image/svg+xml")
    assert client.get("/evals/balance-dark.svg").status_code == 404
    assert client.get("/evals/safety-pink.svg").status_code == 422


@pytest.mark.parametrize("path", ["/evals", f"/evals/safety-{COMMIT}.json", f"/evals/report-{COMMIT}.html", "/evals/..%2freport"])
def test_no_result_file_can_be_fetched(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert "CANARY" not in response.text
