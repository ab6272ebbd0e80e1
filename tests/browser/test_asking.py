"""Asking, reading, stopping and starting over."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from advisor.models import Event
from advisor.web.welcome import EXAMPLES
from tests.browser.conftest import Open, Site
from tests.browser.steps import CLICKS, ask, box, finished, turn


def test_the_first_visit_says_what_it_does_and_from_how_many_sources(page: Page, site: Site) -> None:
    welcome = page.locator(".welcome")
    expect(welcome.get_by_role("button")).to_have_text(list(EXAMPLES))
    count = len(site.advisor.corpus.sources)
    expect(welcome).to_contain_text(f"Answers from {count} reviewed sources. No data leaves this machine.")


@pytest.mark.parametrize("question", EXAMPLES)
def test_every_example_question_is_answered_with_sources(site: Site, question: str) -> None:
    answer = site.advisor.ask(question)
    assert answer.status == "answered"
    assert answer.citations


def test_enter_brings_the_first_words_within_a_second(page: Page) -> None:
    box(page).fill(CLICKS)
    started = time.perf_counter()
    box(page).press("Enter")
    expect(page.locator("#turn .bottom-line")).to_be_visible()
    assert time.perf_counter() - started < 1.0
    expect(box(page)).to_have_value("")


def test_an_answer_has_real_headings_lists_and_a_confidence_line(page: Page) -> None:
    answer = ask(page, "What is a sensible plan for the first 90 days?")
    expect(answer.get_by_role("heading", level=3, name="What to do")).to_be_visible()
    expect(answer.locator("ol > li").first).to_be_visible()
    expect(answer.locator("ol em").first).to_have_text(re.compile("^Measure: "))
    expect(answer.locator(".confidence")).to_have_text(re.compile("^Confidence: (high|medium|low)"))


def test_shift_enter_adds_a_line_and_does_not_send(page: Page) -> None:
    box(page).fill("one")
    box(page).press("Shift+Enter")
    box(page).press_sequentially("two")
    expect(box(page)).to_have_value("one\ntwo")
    expect(page.locator(".welcome")).to_be_visible()


def test_a_follow_up_question_asks_itself_and_the_earlier_answer_stays(page: Page) -> None:
    answer = ask(page, CLICKS)
    follow_up = answer.locator("[data-ask]").first
    question = follow_up.inner_text()
    follow_up.click()
    finished(page, question)
    expect(page.locator("#past .turn")).to_have_count(1)
    expect(page.locator("#past")).to_contain_text(CLICKS)


def test_the_question_as_searched_is_shown_when_it_differs(page: Page) -> None:
    ask(page, "Should I buy guest posts or fix my CTR?")
    answer = ask(page, "and for a local shop?")
    expect(answer.locator(".searched")).to_contain_text("Searched:")


def test_a_refusal_is_friendly_and_its_suggestions_work(page: Page) -> None:
    refusal = ask(page, "best pizza in rome", state="refused")
    expect(refusal.locator(".notice")).to_contain_text("outside my field")
    expect(refusal.locator(".cite")).to_have_count(0)
    suggestion = refusal.locator("[data-ask]").first
    question = suggestion.inner_text()
    suggestion.click()
    finished(page, question)


def test_the_disagreement_is_open_folds_away_and_leads_to_its_dispute(page: Page) -> None:
    answer = ask(page, CLICKS)
    details = answer.locator("details.part-disagreement")
    expect(details).to_have_attribute("open", "")
    expect(details.locator("b", has_text="The record:")).to_be_visible()
    details.locator("summary").click()
    expect(details.locator("li").first).to_be_hidden()
    details.locator("summary").click()
    details.locator("[data-dispute]").click()
    dispute = page.locator(".dispute").filter(has=page.get_by_role("heading", name=CLICKS))
    expect(dispute).to_be_in_viewport()
    expect(dispute).to_contain_text("What would settle it")
    expect(dispute.locator(".positions .interest").first).to_be_visible()


def test_a_script_in_a_question_stays_text(page: Page) -> None:
    evil = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script> does google use clicks?'
    box(page).fill(evil)
    box(page).press("Enter")
    expect(turn(page).locator(".asked")).to_contain_text(evil)
    expect(page.locator("#turn .turn:not([data-state=writing])")).to_have_count(1)
    assert page.evaluate("window.hacked") is None
    expect(page.locator("#chat img, #chat script")).to_have_count(0)


def test_a_long_question_is_refused_in_words_and_a_huge_paste_never_leaves_the_page(page: Page) -> None:
    box(page).fill("clicks " * 400)
    expect(page.locator("#hint")).to_have_text("2,800 of 2,000 characters")
    box(page).press("Enter")
    expect(page.locator("#turn .turn[data-state=refused]")).to_contain_text("the limit is 2,000")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    box(page).evaluate("(e) => { e.value = 'x'.repeat(5_000_000); e.dispatchEvent(new Event('input', { bubbles: true })); }")
    box(page).press("Enter")
    expect(page.locator("#hint")).to_have_text("Too long to send: 5,000,000 characters, and the limit is 2,000.")
    assert sent == []


def test_stop_keeps_what_was_checked_and_try_again_finishes_it(page: Page, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    stream, go_on = site.advisor.stream, threading.Event()

    def held(question: str, *, conversation_id: str | None = None) -> Iterator[Event]:
        for event in stream(question, conversation_id=conversation_id):
            yield event
            if event.kind == "sentence":
                go_on.wait(timeout=5)

    monkeypatch.setattr(site.advisor, "stream", held)
    box(page).fill(CLICKS)
    box(page).press("Enter")
    expect(turn(page).locator(".bottom-line")).to_be_visible()
    expect(turn(page).locator(".busy")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    stopped = finished(page, CLICKS, state="stopped")
    expect(stopped.locator(".bottom-line")).to_be_visible()
    go_on.set()
    monkeypatch.undo()
    stopped.get_by_role("button", name="Try again").click()
    finished(page, CLICKS)
    expect(page.locator("#past .turn")).to_have_count(0)


def test_an_unforeseen_error_is_one_line_with_an_id(page: Page, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(question: str, *, conversation_id: str | None = None) -> Iterator[Event]:
        raise RuntimeError("CANARY-7")

    monkeypatch.setattr(site.advisor, "stream", broken)
    failed = ask(page, CLICKS, state="failed")
    expect(failed.locator(".notice")).to_have_text(re.compile(r"^Something went wrong on our side.*report the id [0-9a-f]{8}\.$"))
    assert "CANARY-7" not in page.content()


def test_a_new_conversation_starts_from_the_first_visit(page: Page) -> None:
    ask(page, CLICKS)
    ask(page, "What is pogo-sticking?")
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".welcome")).to_be_visible()
    expect(page.locator("#chat .turn")).to_have_count(0)


def test_two_visitors_share_nothing(open_page: Open, site: Site) -> None:
    first, second = open_page(), open_page()
    mine = ask(first, CLICKS)
    ask(second, "What is pogo-sticking?")
    expect(second.locator("#chat")).not_to_contain_text(CLICKS)
    address = f"{site.address}conversations/{mine.get_attribute('data-conversation')}.md"
    assert first.request.get(address).ok
    assert second.request.get(address).status == 404
