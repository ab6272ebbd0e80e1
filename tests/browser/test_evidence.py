"""Citations, the evidence panel, copying and saving, by mouse, keyboard and touch."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from advisor.text import stems
from tests.browser.conftest import PHONE, Open
from tests.browser.contrast import contrast
from tests.browser.steps import CLICKS, ask, box, chosen_card, finished, overflow

AA = 4.5


def cite(answer: Locator, nth: int = 0) -> Locator:
    return answer.locator("button.cite").nth(nth)


def test_a_citation_opens_its_passage_with_the_supporting_words_marked(page: Page) -> None:
    answer = ask(page, CLICKS)
    second = cite(answer, 1)
    second.click()
    card = chosen_card(page)
    expect(card).to_be_in_viewport()
    expect(card.locator(".number")).to_have_text(second.inner_text())
    expect(card.locator("h3")).not_to_be_empty()
    expect(card.locator(".interest, .grades, .kind")).to_have_count(3)
    link = card.get_by_role("link", name="opens the source")
    expect(link).to_have_attribute("href", re.compile("^https?://"))
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
    expect(link).to_have_attribute("target", "_blank")
    sentence = set(stems(page.locator(".sentence.reading").inner_text()))
    marks = card.locator(".passage:visible mark").all_inner_texts()
    assert marks
    assert all(sentence & set(stems(mark)) for mark in marks)


def test_the_panel_goes_from_one_sentence_to_all_sources(page: Page) -> None:
    answer = ask(page, CLICKS)
    cite(answer).click()
    page.locator("#evidence").get_by_role("button", name=re.compile("All sources of this answer")).click()
    numbers = page.locator("#cards .card .number").all_inner_texts()
    assert numbers == [str(n) for n in range(1, len(numbers) + 1)]
    assert len(numbers) > 1


def test_hover_and_focus_say_who_published_a_source_and_what_they_gain(page: Page) -> None:
    answer = ask(page, CLICKS)
    cite(answer).hover()
    expect(page.locator("#tip")).to_be_visible()
    expect(page.locator("#tip")).to_contain_text("Interest: ")
    expect(cite(answer)).to_have_attribute("aria-label", re.compile(r"^Source 1: .+ Interest: .+"))
    page.mouse.move(0, 0)
    expect(page.locator("#tip")).to_be_hidden()
    cite(answer).focus()
    expect(page.locator("#tip")).to_be_visible()


def test_a_statement_that_the_record_contradicts_says_so_in_words(page: Page) -> None:
    answer = ask(page, CLICKS)
    expect(answer.locator(".doubt-contradicted .mark").first).to_have_text("contradicted by the record")


def test_everything_works_by_keyboard(page: Page) -> None:
    expect(box(page)).to_be_focused()
    page.keyboard.type(CLICKS)
    page.keyboard.press("Enter")
    answer = finished(page, CLICKS)
    first = cite(answer)
    for _ in range(60):
        page.keyboard.press("Shift+Tab")
        if first.evaluate("e => e === document.activeElement"):
            break
    expect(first).to_be_focused()
    assert first.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(chosen_card(page)).to_be_focused()
    page.keyboard.press("Tab")
    expect(chosen_card(page).get_by_role("link").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(first).to_be_focused()


def test_the_answer_is_announced(page: Page) -> None:
    ask(page, CLICKS)
    expect(page.get_by_role("status").filter(has_text="sources.")).to_have_count(1)
    expect(page.locator("#announcer")).to_have_attribute("aria-live", "polite")


def test_copying_gives_markdown_with_its_sources(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    answer = ask(page, CLICKS)
    answer.get_by_role("button", name="Copy answer").click()
    expect(answer.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("**")
    assert "### Sources" in copied


def test_export_saves_the_whole_conversation(page: Page, tmp_path: Path) -> None:
    ask(page, CLICKS)
    ask(page, "What is pogo-sticking?")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    saved = tmp_path / download.value.suggested_filename
    download.value.save_as(saved)
    text = saved.read_text()
    assert saved.suffix == ".md"
    assert text.index(CLICKS) < text.index("What is pogo-sticking?")


def test_on_a_phone_the_evidence_is_a_sheet_that_takes_and_gives_back_focus(open_page: Open) -> None:
    page = open_page(viewport=PHONE, touch=True)
    answer = ask(page, CLICKS)
    assert overflow(page) == 0
    sheet = page.get_by_role("dialog", name="Evidence")
    expect(sheet).to_have_count(0)
    for close in ("button", "key", "outside"):
        cite(answer).tap()
        expect(sheet).to_be_in_viewport()
        expect(chosen_card(page)).to_be_focused()
        page.keyboard.press("Shift+Tab")
        assert page.evaluate("document.activeElement.closest('#evidence') !== null")
        if close == "button":
            sheet.get_by_role("button", name="Close").tap()
        elif close == "key":
            page.keyboard.press("Escape")
        else:
            page.touchscreen.tap(100, 20)
        expect(page.locator("#evidence")).to_be_hidden()
        expect(cite(answer)).to_be_focused()


@pytest.mark.parametrize("zoom", [1, 2])
def test_nothing_scrolls_sideways(open_page: Open, zoom: int) -> None:
    page = open_page(viewport={"width": 1280 // zoom, "height": 800 // zoom})
    assert overflow(page) <= 0
    ask(page, "What CTR is usual at my position?")
    assert overflow(page) <= 0
    page.get_by_role("button", name="Disputes").click()
    assert overflow(page) <= 0


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(open_page: Open, dark: bool) -> None:
    page = open_page(dark=dark)
    assert contrast(page.locator(".promise")) >= AA
    answer = ask(page, CLICKS)
    cite(answer, 1).click()
    measured = {
        name: contrast(page.locator(name))
        for name in (
            ".asked", ".bottom-line strong", ".part li", ".cite:not([aria-current])", ".cite[aria-current]", ".doubt-contradicted .mark", ".doubt-qualified .mark",
            ".confidence", ".tools .quiet", ".next .chip", ".hint", "#send", "#question textarea", ".view", ".card .number",
            ".card .kind", ".card .title a", ".card .interest", ".passage:not([hidden])", ".passage:not([hidden]) mark",
        )
    }  # fmt: skip
    kinds = {f"{kind}": contrast(page.locator(f"#legend .kind-{kind}")) for kind in KINDS}
    assert {name: round(ratio, 1) for name, ratio in {**measured, **kinds}.items() if ratio < AA} == {}


KINDS = ("official", "court", "paper", "study", "practitioner", "vendor", "own")


def test_the_toggle_changes_light_and_dark_and_is_remembered(page: Page) -> None:
    root = page.locator("html")
    expect(root).to_have_attribute("data-theme", "light")
    page.get_by_role("button", name="Switch between light and dark").click()
    expect(root).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(root).to_have_attribute("data-theme", "dark")


def test_kinds_have_a_word_each(page: Page) -> None:
    expect(page.locator("#legend .kind")).to_have_text([*KINDS[:-1], "our own work"])
