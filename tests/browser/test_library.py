"""The Library and the disputes by mouse, keyboard and address."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Open
from tests.browser.steps import CLICKS, ask, chosen_card, overflow


def go(page: Page, place: str) -> None:
    """Open a place by its address, as from a shared link."""
    page.goto(f"{page.url.split('#')[0]}#/{place}")
    page.reload()
    expect(page.locator("body[data-ready]")).to_have_count(1)


def test_a_search_is_in_the_address_and_comes_back_with_it(page: Page) -> None:
    page.get_by_role("button", name="Library").click()
    page.get_by_role("searchbox", name="Search").fill("chrome data popularity")
    expect(page).to_have_url(re.compile(r"#/library\?q=chrome"))
    first = page.locator(".shelf h3 a").first
    expect(first).to_be_visible()
    first.click()
    expect(page.locator(".source h2")).to_be_visible()
    expect(page).to_have_url(re.compile("#/source/"))
    page.go_back()
    expect(page.get_by_role("searchbox", name="Search")).to_have_value("chrome data popularity")


def test_filters_narrow_the_list_and_clear_brings_all_back(page: Page) -> None:
    go(page, "library")
    shelves = page.locator(".shelf")
    expect(shelves.first).to_be_visible()
    every = shelves.count()
    page.get_by_label("Kind of source").select_option("court")
    expect(page.locator(".shelf .kind:not(.kind-court)")).to_have_count(0)
    assert 0 < shelves.count() < every
    page.get_by_role("button", name="Clear").click()
    expect(shelves).to_have_count(every)


def test_an_address_opens_a_statement_and_names_what_decides_it(page: Page) -> None:
    go(page, "source/us-v-google/navboost-13-months")
    statement = page.locator("#passage-navboost-13-months")
    expect(statement).to_be_in_viewport()
    expect(statement).to_be_focused()
    statement.get_by_role("link").first.click()
    expect(page).not_to_have_url(re.compile("navboost-13-months"))
    expect(page.locator(".source h2")).to_be_visible()


def test_a_card_leads_to_its_source_and_back_to_the_conversation(page: Page) -> None:
    answer = ask(page, CLICKS)
    answer.locator("button.cite").first.click()
    chosen_card(page).get_by_role("link", name="All of this source").click()
    expect(page.locator(".source h2")).to_be_visible()
    page.get_by_role("button", name="Chat").click()
    expect(answer.locator(".bottom-line")).to_be_visible()


def test_the_map_of_disputes_leads_to_each_and_its_question_can_be_asked(page: Page) -> None:
    go(page, "disputes")
    page.locator(".map").get_by_role("link", name="Does Google use clicks to rank pages?").click()
    dispute = page.locator("#dispute-does-google-use-clicks")
    expect(dispute).to_be_in_viewport()
    dispute.get_by_role("button", name="Ask this question").click()
    expect(page.locator("#turn .turn[data-state=answered]")).to_be_visible()


def test_the_curves_show_as_a_picture(page: Page) -> None:
    go(page, "library")
    shown = page.locator(".curves img:visible")
    expect(shown).to_have_count(1)
    shown.scroll_into_view_if_needed()
    expect(shown).to_have_js_property("complete", True)
    assert shown.evaluate("picture => picture.naturalWidth") > 0


def test_on_a_phone_the_library_and_the_map_fit(open_page: Open) -> None:
    page = open_page(viewport=PHONE, touch=True)
    for place in ("library?kind=court", "source/us-v-google", "disputes"):
        go(page, place)
        expect(page.locator(".shelf, .source, .map").first).to_be_visible()
        assert overflow(page) <= 0, place
