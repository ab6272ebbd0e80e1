"""The Batch view by mouse, keyboard and drop: a file in, a bar, counts, and a file out."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Browser, FilePayload, Locator, Page, expect

from advisor.models import Answer
from tests.browser.conftest import PHONE, Open, Site
from tests.browser.contrast import contrast
from tests.browser.steps import CLICKS, overflow

QUESTIONS = (CLICKS, "What CTR is usual at my position?", "best pizza in rome", "Do nofollow links help?", CLICKS)
TABLE = "client,question\n" + "".join(f"ACME {n},{question}\n" for n, question in enumerate(QUESTIONS, start=1))
UNNAMED = "client,what they ask\n" + "".join(f"ACME,{question}\n" for question in QUESTIONS)
DROP = """(zone, [name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name));
  for (const type of ["dragover", "drop"]) zone.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


def payload(name: str, text: str) -> FilePayload:
    return {"name": name, "mimeType": "text/plain", "buffer": text.encode()}


def opened(page: Page) -> Page:
    page.get_by_role("button", name="Batch", exact=True).click()
    expect(page.get_by_role("heading", name="Batch", level=2)).to_be_visible()
    return page


def bring(page: Page, text: str = TABLE, name: str = "clients.csv") -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a file").click()
    chooser.value.set_files(payload(name, text))


def start(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile("^Answer "))


def counts(page: Page) -> list[str]:
    expect(page.locator("#batch-result")).to_be_visible()
    return [" ".join(item.split()) for item in page.locator("#batch-counts li").all_inner_texts()]


def held_back(site: Site, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Answers wait for this event, so that a batch stays under way."""
    ask_many, go_on = site.advisor.ask_many, threading.Event()

    def waiting(questions: Sequence[str]) -> Iterator[Answer]:
        assert go_on.wait(20)
        return ask_many(questions)

    monkeypatch.setattr(site.advisor, "ask_many", waiting)
    return go_on


def test_five_questions_become_a_workbook_with_cited_answers(page: Page, tmp_path: Path) -> None:
    bring(opened(page))
    card = page.locator("#batch-card")
    expect(card).to_be_focused()
    expect(card).to_contain_text("5 rows, 2 columns.")
    expect(card.get_by_label("Column with the questions")).to_have_value("question")
    expect(card.locator("#batch-first li")).to_have_text(list(QUESTIONS[:3]))
    expect(start(page)).to_have_text("Answer 5 questions")
    start(page).click()
    assert counts(page) == ["4 answered", "1 refused", "0 failed"]
    result = page.locator("#batch-result")
    expect(result).to_contain_text("1 off topic")
    expect(result).to_contain_text("1 row repeated an earlier question")
    expect(page.locator("#announcer")).to_have_text("Batch done: 4 answered, 1 refused.")
    with page.expect_download() as download:
        result.get_by_role("link", name="Download clients-answers.xlsx").click()
    download.value.save_as(tmp_path / download.value.suggested_filename)
    sheet = openpyxl.load_workbook(tmp_path / "clients-answers.xlsx")["Answers"]
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0][:3] == ("question", "client", "status")
    assert [row[:3] for row in rows[1:]] == [
        (question, f"ACME {n}", "refused" if "pizza" in question else "answered") for n, question in enumerate(QUESTIONS, start=1)
    ]
    assert "[1]" in str(rows[1][4])


def test_a_bar_shows_how_far_it_is_and_a_reload_finds_it_again(page: Page, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = held_back(site, monkeypatch)
    bring(opened(page))
    start(page).click()
    bar = page.get_by_role("progressbar", name="Questions answered")
    expect(bar).to_have_attribute("aria-valuemax", "5")
    expect(bar).to_have_attribute("aria-valuenow", "0")
    expect(bar).to_have_attribute("aria-valuetext", "0 of 5 rows")
    page.reload()
    expect(bar).to_have_attribute("aria-valuenow", "0")
    page.get_by_role("button", name="Chat", exact=True).click()
    go_on.set()
    expect(page.locator("#announcer")).to_have_text("Batch done: 4 answered, 1 refused.")
    assert counts(opened(page)) == ["4 answered", "1 refused", "0 failed"]


def test_cancel_stops_it_and_another_file_can_be_brought(page: Page, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = held_back(site, monkeypatch)
    bring(opened(page))
    start(page).click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#batch-line")).to_have_text("Cancelled. The file and its answers are removed from the server.")
    expect(page.get_by_role("button", name="Choose a file")).to_be_focused()
    go_on.set()
    bring(page, name="second.csv")
    expect(page.locator("#batch-name")).to_have_text("second.csv")
    expect(page.locator("#batch-line")).to_be_empty()


def test_the_column_is_chosen_where_none_is_named_question(page: Page) -> None:
    bring(opened(page), UNNAMED)
    expect(page.locator("#batch-card")).to_contain_text("No column is named question.")
    expect(start(page)).to_be_disabled()
    page.get_by_label("Column with the questions").select_option("what they ask")
    expect(page.locator("#batch-first li").first).to_have_text(CLICKS)
    expect(start(page)).to_have_text("Answer 5 questions")


def test_a_later_run_says_what_changed_since_an_earlier_one(page: Page, tmp_path: Path) -> None:
    bring(opened(page))
    page.get_by_label("Write the answers as").select_option("jsonl")
    start(page).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download clients-answers.jsonl").click()
    download.value.save_as(tmp_path / "before.jsonl")
    page.get_by_role("button", name="Another file").click()
    bring(page, TABLE + "New,What is pogo-sticking?\n")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a .jsonl file").click()
    chooser.value.set_files(tmp_path / "before.jsonl")
    expect(page.locator("#batch-earlier-name")).to_have_text("before.jsonl")
    start(page).click()
    expect(page.locator("#batch-result")).to_contain_text("5 same, 1 new question")


def test_answers_that_were_not_saved_are_let_go_of_only_at_a_second_press(page: Page) -> None:
    bring(opened(page))
    start(page).click()
    counts(page)
    page.get_by_role("button", name="Another file").click()
    expect(page.locator("#batch-result")).to_be_visible()
    page.get_by_role("button", name="Discard these answers").click()
    expect(page.get_by_role("button", name="Choose a file")).to_be_visible()


def test_a_file_can_be_dropped_and_what_is_no_file_of_questions_never_leaves_the_page(page: Page) -> None:
    opened(page)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    zone, line = page.locator("#batch-drop"), page.locator("#batch-line")
    zone.evaluate(DROP, ["photo.png", "x"])
    expect(line).to_have_text("photo.png is not a .csv, .tsv, .xlsx, .jsonl or .txt file. Save it as one and choose it again.")
    zone.evaluate(DROP, ["empty.csv", ""])
    expect(line).to_have_text("empty.csv is empty. Choose another file.")
    zone.evaluate(DROP, ["large.csv", "x" * (2 * 1024 * 1024 + 1)])
    expect(line).to_have_text(re.compile("^A file may have up to 2 MB."))
    assert sent == []
    zone.evaluate(DROP, ["clients.csv", TABLE])
    expect(page.locator("#batch-name")).to_have_text("clients.csv")
    expect(line).to_be_empty()


def test_a_bad_file_shows_its_sentence_and_a_too_large_one_is_refused_by_the_server_too(chromium: Browser, site: Site) -> None:
    # In a window of its own: a browser notes each refusal as an error, and here they are meant.
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(site.address)
        expect(page.locator("body[data-ready]")).to_have_count(1)
        bring(opened(page), "question\n" + "Do links matter?\n" * 1_001)
        expect(page.locator("#batch-line")).to_have_text(re.compile(r"^'clients\.csv' has more than 1,000 rows\. Split the file"))
        bring(page, "question\n", "header.csv")
        expect(page.locator("#batch-line")).to_have_text(re.compile(r"^'header\.csv' has a header and no rows\."))
        expect(page.get_by_role("button", name="Choose a file")).to_be_visible()
        post = "async size => { const r = await fetch('batch', { method: 'POST', body: 'x'.repeat(size) }); return [r.status, await r.text()]; }"
        status, sentence = page.evaluate(post, 2 * 1024 * 1024 + 1)
        assert status == 413
        assert sentence.startswith("A file may have up to 2 MB. ")


def test_another_visitor_finds_nothing_at_its_address(open_page: Open, site: Site) -> None:
    first, second = open_page(), open_page()
    bring(opened(first))
    start(first).click()
    counts(first)
    ident = first.evaluate("sessionStorage.getItem('batch')")
    for place in (f"batch/{ident}", f"batch/{ident}/answers"):
        assert first.request.get(f"{site.address}{place}").ok
        assert second.request.get(f"{site.address}{place}").status == 404


def test_the_view_can_be_linked_and_used_by_keyboard_alone(page: Page) -> None:
    page.goto(f"{page.url.split('#')[0]}#/batch")
    choose = page.get_by_role("button", name="Choose a file")
    expect(choose).to_be_visible()  # the place after # is gone to a moment later, and what is hidden takes no focus
    with page.expect_file_chooser() as chooser:
        choose.press("Enter")
    chooser.value.set_files(payload("clients.csv", TABLE))
    expect(page.locator("#batch-card")).to_be_focused()
    for _ in range(5):  # another file, column, format, earlier run, answer
        page.keyboard.press("Tab")
    expect(start(page)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#batch-result")).to_be_focused()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_view_fits_a_phone_and_can_be_read(open_page: Open, dark: bool) -> None:
    page = opened(open_page(viewport=PHONE, touch=True, dark=dark))
    assert overflow(page) <= 0
    parts = [".drop-note", ".drop .primary"]
    readable(page, parts)
    bring(page, TABLE + "ACME 6,\n", "a-very-long-name-" * 4 + ".csv")
    expect(page.locator("#batch-card")).to_be_visible()
    assert overflow(page) <= 0
    readable(
        page,
        ["#batch-facts", ".batch-form .label", "#batch-column", "#batch-first li", "#batch-unusable", "#batch-start", ".batch-head .quiet"],
    )
    start(page).tap()
    counts(page)
    assert overflow(page) <= 0
    readable(page, [".count-answered span", ".count-refused b", ".count-failed b", "#batch-more p", "#batch-download"])


def readable(page: Page, parts: list[str]) -> None:
    for part in parts:
        assert contrast(page.locator(f"{part}:visible")) >= 4.5, part
