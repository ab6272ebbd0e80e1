"""The Evals by mouse and by address, with the stored report inside the page."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from advisor.engine import Advisor
from advisor.settings import Settings
from advisor.web.serve import build_app
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.contrast import contrast
from tests.browser.steps import overflow
from tests.test_web_evals import result, stored


@pytest.fixture(scope="module")
def address(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page over results of two suites; the report carries a script, which must not run."""
    folder = stored(tmp_path_factory.mktemp("results"), result("answers"), result("safety"))
    (report,) = folder.glob("report-*.html")
    alarm = "<script>document.body.textContent = 'It ran.'</script></body>"
    report.write_text(report.read_text(encoding="utf-8").replace("</body>", alarm), encoding="utf-8")
    data = tmp_path_factory.mktemp("data") / "data"
    shutil.copytree(real_data, data)
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.MonkeyPatch.context() as patch:
        for name in ("GRADIO_TEMP_DIR", "GRADIO_ANALYTICS_CACHE_FREQUENCY"):
            patch.setenv(name, "")  # so that what the application sets is undone
        settings = Settings(data_dir=data, port=listener.getsockname()[1])
        advisor = Advisor.open(settings)
        config = uvicorn.Config(build_app(advisor, settings, results=folder), log_level="warning", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{settings.port}/"
        server.should_exit = True
        thread.join(timeout=10)
        advisor.close()


Opened = Callable[..., Page]


@pytest.fixture
def opened(chromium: Browser, address: str) -> Iterator[Opened]:
    """Opens the view in a browser of its own and waits until it can be used."""
    contexts: list[BrowserContext] = []

    def opened(*, viewport: ViewportSize = DESKTOP, dark: bool = False) -> Page:
        contexts.append(chromium.new_context(viewport=viewport, color_scheme="dark" if dark else "light"))
        page = contexts[-1].new_page()
        page.goto(f"{address}#/evals")
        expect(page.locator("body[data-ready]")).to_have_count(1)
        return page

    yield opened
    for context in contexts:
        context.close()


def test_the_view_opens_by_its_address_and_by_its_button_and_holds_a_table_for_each_suite(opened: Opened, address: str) -> None:
    page = opened()
    suites = page.locator("#evals .suite")
    expect(suites.get_by_role("heading", level=3)).to_have_text(["Answers", "Safety"])
    expect(suites.first.get_by_role("row", name="decided right 0.812 0.731 to 0.893 0.777 0.666 to 0.888")).to_be_visible()
    page.get_by_role("button", name="Chat").click()
    expect(suites.first).to_be_hidden()
    page.get_by_role("button", name="Evals").click()
    expect(suites.first).to_be_visible()
    expect(page).to_have_url(f"{address}#/evals")


def test_the_other_figures_and_the_picture_unfold(opened: Opened) -> None:
    page = opened()
    suite = page.locator("#evals .suite").last
    expect(suite.get_by_role("rowheader", name="words")).to_be_hidden()
    suite.get_by_text("1 more figure", exact=True).click()
    expect(suite.get_by_role("rowheader", name="words")).to_be_visible()
    suite.get_by_text("The figures as a picture").click()
    picture = suite.locator("img:visible")
    expect(picture).to_have_count(1)
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("picture => picture.naturalWidth") > 0


def test_the_report_is_read_inside_the_page_and_none_of_its_scripts_runs(opened: Opened) -> None:
    page = opened()
    page.get_by_role("button", name="Read the report").click()
    report = page.frame_locator("#eval-report iframe")
    expect(report.get_by_role("heading", name="Eval report")).to_be_visible()
    expect(report.get_by_text("It ran.", exact=True)).to_have_count(0)
    with page.expect_popup() as tab:
        page.get_by_role("link", name="Open it in a new tab").click()
    expect(tab.value.get_by_role("heading", name="Eval report")).to_be_visible()
    page.get_by_role("button", name="Close the report").click()
    expect(page.locator("#eval-report iframe")).to_have_count(0)


@pytest.mark.parametrize("dark", [False, True])
def test_figures_and_intervals_can_be_read_in_light_and_dark(opened: Opened, dark: bool) -> None:
    page = opened(dark=dark)
    for part in (".suite td b", ".suite .between", ".suite .about", ".intro", ".facts b"):
        assert contrast(page.locator(f"#evals {part}")) >= 4.5, part


def test_on_a_phone_the_view_fits_and_no_column_runs_into_the_next(opened: Opened) -> None:
    page = opened(viewport=PHONE)
    assert overflow(page) <= 0
    wider = "cells => cells.filter(cell => cell.scrollWidth > cell.clientWidth).map(cell => cell.textContent)"
    assert page.locator("#evals .suite td").evaluate_all(wider) == []
    name, views = page.locator("#top h1").bounding_box(), page.locator("#top nav").bounding_box()
    assert name
    assert views
    assert views["y"] >= name["y"] + name["height"] or views["x"] >= name["x"] + name["width"], "the views lie on the name"
