"""What stands around the chat: the header, the first visit, and the line on where answers come from."""

from __future__ import annotations

import ipaddress

from advisor.web.markup import chip
from advisor.web.sanitize import safe, text

NAME = "SEO Advisor"
PURPOSE = "Links or user signals? Decide with checked sources."
DESCRIPTION = (
    "Ask how much to invest in links and how much in what real users do. Every sentence of an answer cites a reviewed source and says "
    "who profits from it."
)
# One of each kind of question: decide, verify, compare, figure, plan, define.
EXAMPLES = (
    "Should I buy guest posts or fix my CTR?",
    "Does Google use clicks to rank pages?",
    "How should a local shop balance links and user signals?",
    "What CTR is usual at my position?",
    "What is a sensible plan for the first 90 days?",
    "What is pogo-sticking?",
)


def header_markup(*, evals: bool = False) -> str:
    """Name, purpose, the views and the choice of light or dark. The Evals are a view only where a report is stored."""
    measured = '<button type="button" class="view" data-view="evals">Evals</button>' if evals else ""
    return safe(
        '<header class="top"><button type="button" class="quiet skip" data-skip="true">Skip to the question box</button>'
        f'<div class="name"><h1>{NAME}</h1><p>{text(PURPOSE)}</p></div>'
        '<nav aria-label="Views"><button type="button" class="view" data-view="chat" aria-current="page">Chat</button>'
        '<button type="button" class="view" data-view="library">Library</button>'
        '<button type="button" class="view" data-view="disputes">Disputes</button>'
        '<button type="button" class="view" data-view="batch">Batch</button>'
        f"{measured}</nav>"
        '<button type="button" class="quiet theme" data-theme-toggle="true" aria-label="Switch between light and dark">'
        '<span class="moon" aria-hidden="true"></span></button></header>'
    )


def welcome_markup(sources: int, host: str) -> str:
    """The first visit: what it does, questions to start from, and where answers come from."""
    chips = "".join(f"<li>{chip(question)}</li>" for question in EXAMPLES)
    return safe(
        f'<section class="welcome"><h2>{text(DESCRIPTION)}</h2><ul class="chips examples">{chips}</ul>'
        f'<p class="promise">Answers from {sources} reviewed sources. {text(_privacy(host))}</p></section>'
    )


def _privacy(host: str) -> str:
    """True wherever the page runs: on another machine than the reader's, the question does travel there."""
    return "No data leaves this machine." if is_loopback(host) else "Your questions are not passed on to any other service."


def is_loopback(host: str) -> bool:
    """Whether a page that listens on this address can only be opened on the same machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
