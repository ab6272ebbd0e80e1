"""What a visitor does on the page, in the words of the tests."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

CLICKS = "Does Google use clicks to rank pages?"


def box(page: Page) -> Locator:
    return page.get_by_label("Ask about links, user signals and their balance")


def turn(page: Page) -> Locator:
    """The latest question with its answer."""
    return page.locator("#turn .turn")


def ask(page: Page, question: str, *, state: str = "answered") -> Locator:
    """Type a question, press Enter, and wait for its finished turn."""
    box(page).fill(question)
    box(page).press("Enter")
    return finished(page, question, state=state)


def finished(page: Page, question: str, *, state: str = "answered") -> Locator:
    """The turn of this question once it is in that state."""
    found = page.locator(f"#turn .turn[data-state={state}]").filter(has=page.get_by_role("heading", level=2, name=question))
    expect(found).to_have_count(1)
    return found


def chosen_card(page: Page) -> Locator:
    return page.locator("#cards .card.chosen")


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))
