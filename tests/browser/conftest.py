"""A real server with the real advisor, and a real browser. Every page is watched: no foreign request, no error in the console."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize, expect, sync_playwright

from advisor.engine import Advisor
from advisor.settings import Settings
from advisor.web.serve import build_app

CHROMIUM_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}

Open = Callable[..., Page]


@dataclass(frozen=True, slots=True)
class Site:
    """The running page and the advisor behind it, which a test may slow down or break."""

    address: str
    advisor: Advisor


@pytest.fixture(scope="package")
def site(real_data: Path) -> Iterator[Site]:
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.MonkeyPatch.context() as patch:
        for name in ("GRADIO_TEMP_DIR", "GRADIO_ANALYTICS_CACHE_FREQUENCY"):
            patch.setenv(name, "")  # so that what the application sets is undone
        settings = Settings(data_dir=real_data, port=listener.getsockname()[1])
        advisor = Advisor.open(settings)
        server = uvicorn.Server(uvicorn.Config(build_app(advisor, settings), log_level="warning", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield Site(f"http://127.0.0.1:{settings.port}/", advisor)
        server.should_exit = True
        thread.join(timeout=10)
        advisor.close()


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    # Not for the whole session: while Playwright runs, an event loop runs too, and other tests could not start theirs.
    found = next((path for name in ("chromium", "chromium-browser", "google-chrome", "chrome") if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium on the PATH, so the page was not opened")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser, site: Site) -> Iterator[Open]:
    """Opens the page in a browser of its own (own cookies) and waits until it can be used."""
    contexts: list[BrowserContext] = []
    foreign: list[str] = []
    errors: list[str] = []

    def note_error(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    def opened(*, viewport: ViewportSize = DESKTOP, dark: bool = False, touch: bool = False) -> Page:
        context = chromium.new_context(
            viewport=viewport, color_scheme="dark" if dark else "light", has_touch=touch, is_mobile=touch, accept_downloads=True
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        context.on("request", lambda r: foreign.append(r.url) if _leaves(r.url, site.address) else None)
        page = context.new_page()
        page.on("console", note_error)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(site.address)
        expect(page.locator("body[data-ready]")).to_have_count(1)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert foreign == [], "the page asked another host for something"
    assert errors == [], "the browser reported errors"


@pytest.fixture
def page(open_page: Open) -> Page:
    return open_page()


def _leaves(url: str, address: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme not in ("data", "blob", "about") and parts.netloc != urlsplit(address).netloc
