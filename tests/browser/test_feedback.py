"""Saying whether an answer helped, by mouse and keyboard, for each answer of a conversation."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from advisor.feedback.record import Feedback, said_so_far
from tests.browser.conftest import PHONE, Open, Site
from tests.browser.contrast import contrast
from tests.browser.steps import CLICKS, ask, box, overflow

THANKS = "Thanks. Your rating is stored with the answer and your questions."


@pytest.fixture(autouse=True)
def _no_rows_left(chromium: Browser, site: Site) -> Iterator[None]:
    """The data folder of these tests is kept between runs; what they rate is not.

    The browser comes first: while its event loop runs, Gradio makes none of its own that stay open.
    """
    yield
    with contextlib.closing(sqlite3.connect(site.advisor.settings.data_dir / "advisor.sqlite3")) as connection, connection:
        connection.execute("DELETE FROM feedback")


def kept(site: Site, answer: Locator) -> list[Feedback]:
    """The rows of the answer in this turn."""
    ident = answer.locator(".feedback").get_attribute("data-answer")
    return [row for row in said_so_far(site.advisor.settings) if row.parsed and row.parsed.id == ident]


def helpful(answer: Locator) -> Locator:
    return answer.get_by_role("button", name="Helpful", exact=True)


def not_helpful(answer: Locator) -> Locator:
    return answer.get_by_role("button", name="Not helpful")


def form(answer: Locator) -> Locator:
    return answer.get_by_role("form", name="Why was this answer not helpful?")


def test_a_click_on_helpful_is_thanked_for_and_stored_with_the_whole_answer(page: Page, site: Site) -> None:
    answer = ask(page, CLICKS)
    expect(answer.get_by_role("group", name="Did this answer help?")).to_be_visible()
    expect(helpful(answer)).to_have_attribute("aria-pressed", "false")
    helpful(answer).click()
    expect(answer.locator(".rated")).to_have_text(THANKS)
    expect(page.locator("#announcer")).to_have_text(THANKS)
    expect(helpful(answer)).to_have_attribute("aria-pressed", "true")
    (row,) = kept(site, answer)
    assert (row.rating, row.reason, row.text, row.question) == ("helpful", "", "", CLICKS)
    assert row.parsed
    assert len(row.parsed.citations) == answer.locator(".evidence-store .card").count()


def test_not_helpful_takes_a_reason_and_words_by_keyboard_alone(page: Page, site: Site) -> None:
    answer = ask(page, CLICKS)
    not_helpful(answer).focus()
    page.keyboard.press("Enter")
    expect(not_helpful(answer)).to_have_attribute("aria-expanded", "true")
    expect(form(answer).get_by_label("It is wrong")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    chosen = form(answer).get_by_label("It leaves something out")
    expect(chosen).to_be_checked()
    # Gradio's own look of a choice is a plain square, in which nothing shows that it is chosen.
    assert chosen.evaluate("e => getComputedStyle(e).appearance") == "auto"
    page.keyboard.press("Tab")
    page.keyboard.type("Say how much.\nAnd when.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(answer.locator(".rated")).to_have_text(THANKS)
    expect(form(answer)).to_be_hidden()
    expect(not_helpful(answer)).to_be_focused()
    expect(not_helpful(answer)).to_have_attribute("aria-pressed", "true")
    expect(not_helpful(answer)).to_have_attribute("aria-expanded", "false")
    (row,) = kept(site, answer)
    assert (row.rating, row.reason, row.text) == ("not-helpful", "not enough", "Say how much.\nAnd when.")


def test_a_rating_can_be_changed_and_stays_one_row(page: Page, site: Site) -> None:
    answer = ask(page, CLICKS)
    not_helpful(answer).click()
    form(answer).get_by_label("It is outdated").check()
    form(answer).get_by_role("button", name="Send").click()
    expect(not_helpful(answer)).to_have_attribute("aria-pressed", "true")
    not_helpful(answer).click()
    expect(form(answer).get_by_label("It is outdated")).to_be_checked()
    helpful(answer).click()
    expect(helpful(answer)).to_have_attribute("aria-pressed", "true")
    expect(not_helpful(answer)).to_have_attribute("aria-pressed", "false")
    expect(form(answer)).to_be_hidden()
    (row,) = kept(site, answer)
    assert (row.rating, row.reason) == ("helpful", "")


def test_without_a_reason_or_with_too_long_a_text_nothing_is_sent(page: Page, site: Site) -> None:
    answer = ask(page, CLICKS)
    not_helpful(answer).click()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    form(answer).get_by_role("button", name="Send").click()
    expect(form(answer).locator(".form-line")).to_have_text("Choose the reason that fits best.")
    expect(page.locator("#announcer")).to_have_text("Choose the reason that fits best.")
    words = form(answer).get_by_label(re.compile("What should be different"))
    words.fill("x" * 900)
    expect(form(answer).locator(".form-line")).to_have_text("900 of 1,000 characters")
    words.fill("x" * 1_001)
    form(answer).get_by_label("Something else").check()
    form(answer).get_by_role("button", name="Send").click()
    expect(form(answer).locator(".form-line")).to_contain_text("Your text is too long: 1,000 characters are kept.")
    expect(words).to_be_focused()
    page.keyboard.press("Escape")
    expect(form(answer)).to_be_hidden()
    expect(not_helpful(answer)).to_be_focused()
    expect(not_helpful(answer)).to_have_attribute("aria-pressed", "false")
    assert sent == []
    assert kept(site, answer) == []


def test_earlier_answers_and_refusals_can_be_rated_also_after_export(page: Page, site: Site) -> None:
    ask(page, CLICKS)
    refusal = ask(page, "best pizza in rome", state="refused")
    with page.expect_download():
        page.get_by_role("button", name="Export").click()
    helpful(refusal).click()
    expect(refusal.locator(".rated")).to_have_text(THANKS)
    earlier = page.locator("#past .turn")
    not_helpful(earlier).click()
    form(earlier).get_by_label("It is too long").check()
    form(earlier).get_by_role("button", name="Send").click()
    expect(earlier.locator(".rated")).to_have_text(THANKS)
    (of_refusal,), (of_earlier,) = kept(site, refusal), kept(site, earlier)
    assert (of_refusal.rating, of_refusal.history) == ("helpful", (CLICKS,))
    assert (of_earlier.rating, of_earlier.reason, of_earlier.history) == ("not-helpful", "too long", ())


def test_what_was_said_stays_when_the_next_question_is_asked(page: Page) -> None:
    answer = ask(page, CLICKS)
    helpful(answer).click()
    expect(answer.locator(".rated")).to_have_text(THANKS)
    ask(page, "What is pogo-sticking?")
    expect(helpful(page.locator("#past .turn"))).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#turn .rated")).to_be_empty()
    expect(box(page)).to_have_value("")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_form_fits_a_phone_and_stands_out_from_what_is_behind_it(open_page: Open, dark: bool) -> None:
    page = open_page(viewport=PHONE, touch=True, dark=dark)
    answer = ask(page, CLICKS)
    not_helpful(answer).tap()
    form(answer).get_by_label("It is wrong").check()
    expect(form(answer)).to_be_visible()
    assert overflow(page) <= 0
    for part in (
        ".feedback .quiet",
        ".feedback-form legend",
        ".feedback-form label",
        ".feedback-form .form-line",
        ".feedback-form textarea",
    ):
        assert contrast(page.locator(part)) >= 4.5, part
    form(answer).get_by_role("button", name="Send").tap()
    expect(answer.locator(".rated")).to_have_text(THANKS)
    for part in (".rated", ".feedback [aria-pressed=true]"):
        assert contrast(page.locator(part)) >= 4.5, part
