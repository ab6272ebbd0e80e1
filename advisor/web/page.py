"""The Gradio page: what stands where, and which event calls what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr
from gradio.events import api

from advisor.engine import Advisor
from advisor.errors import AdvisorError
from advisor.settings import Settings
from advisor.web.batch import batch_markup
from advisor.web.batch_file import MAX_ROWS
from advisor.web.chat import Chat, generic_line
from advisor.web.conversations import Caller
from advisor.web.disputes import disputes_markup
from advisor.web.evals_view import Measured, evals_markup
from advisor.web.evidence import panel_markup
from advisor.web.library import frame_markup
from advisor.web.sanitize import safe
from advisor.web.visitor import COOKIE
from advisor.web.welcome import NAME, header_markup, welcome_markup

QUEUE_MAX = 64
AT_ONCE = 8
# Files that Gradio may write are looked for every hour and removed when they are an hour old. The page itself writes none.
CACHE_S = (3_600, 3_600)
# What page.js puts in place of a picked question to have the latest one answered again.
RETRY = "/retry"
PLACEHOLDER = "Ask about links, user signals and their balance"


def build_page(advisor: Advisor, chat: Chat, settings: Settings, measured: Measured | None = None) -> gr.Blocks:
    """The page over one advisor; with the Evals where something was measured."""
    welcome = welcome_markup(len(advisor.corpus.sources), settings.host)
    page = gr.Blocks(title=NAME, analytics_enabled=False, delete_cache=CACHE_S, fill_width=True)
    with page:
        _html(header_markup(evals=measured is not None), "top")
        with gr.Row(elem_id="view-chat"):
            with gr.Column(elem_id="chat"):
                _html(safe('<div id="past"></div>'), "past-frame")
                turn = _html(welcome, "turn")
                with gr.Column(elem_id="dock"):
                    question, send, stop = _composer()
                    _html(safe(_dock_markup(settings.max_question_chars)), "dock-line")
            with gr.Column(elem_id="evidence"):
                _html(safe(panel_markup()), "panel")
        with gr.Column(elem_id="view-library"):
            _html(frame_markup(advisor.corpus), "library")
        with gr.Column(elem_id="view-disputes"):
            _html(disputes_markup(advisor.corpus), "disputes")
        with gr.Column(elem_id="view-batch"):
            _html(batch_markup(MAX_ROWS), "batch")
        if measured:
            with gr.Column(elem_id="view-evals"):
                _html(evals_markup(measured), "evals")
        _wire(_Door(chat, welcome), turn, question, send, stop)
    page.queue(max_size=QUEUE_MAX, default_concurrency_limit=AT_ONCE)
    return page


def _composer() -> tuple[gr.Textbox, gr.Button, gr.Button]:
    with gr.Row(elem_id="composer"):
        question = gr.Textbox(
            lines=1, max_lines=8, label=PLACEHOLDER, show_label=False, placeholder=f"{PLACEHOLDER} …",
            container=False, autofocus=True, elem_id="question", scale=1,
        )  # fmt: skip
        send = gr.Button("Send", variant="primary", elem_id="send", scale=0, min_width=80)
        stop = gr.Button("Stop", elem_id="stop", scale=0, min_width=80)
    return question, send, stop


def _dock_markup(max_chars: int) -> str:
    return (
        f'<div class="dock-line"><p class="hint" id="hint" data-max="{max_chars}">Enter sends, Shift+Enter adds a line</p>'
        '<p class="actions"><button type="button" class="quiet" data-export="true">Export</button> '
        '<button type="button" class="quiet" data-start-over="true">New conversation</button></p></div>'
    )


def _html(markup: str, elem_id: str) -> gr.Markdown:
    """A place for our own HTML.

    gr.HTML compiles its template in the browser with Function(), which would need 'unsafe-eval' in the content security policy, so
    the HTML goes through Markdown, where it is one HTML block and stays as it is. Gradio's own sanitizer would strip aria-* and
    data-*; the allow-list in sanitize.py has been passed instead, and the policy runs no inline script.
    """
    return gr.Markdown(markup, elem_id=elem_id, sanitize_html=False, latex_delimiters=[], container=False)


class _Door:
    """The handlers of the page's events."""

    def __init__(self, chat: Chat, welcome: str) -> None:
        self._chat = chat
        self._welcome = welcome

    def ask(self, typed: str, picked: str, request: gr.Request) -> Iterator[tuple[Any, Any, Any]]:
        """The turn as it is written, for what was typed, or for a question on the page that was clicked.

        The box is emptied at the first step only, since the next question may be typed meanwhile; after a click it is left alone.
        """
        caller = _caller(request)
        if not picked and not typed.strip():
            yield gr.skip(), gr.skip(), gr.skip()
            return
        turns = self._chat.retry(caller) if picked == RETRY else self._chat.ask(picked or typed, caller)
        box: Any = gr.skip() if picked else ""
        for turn in turns:
            yield turn, box, ""
            box = gr.skip()

    def stop(self, request: gr.Request) -> Any:
        return self._chat.stop(_caller(request)) or gr.skip()

    def start_over(self, request: gr.Request) -> str:
        self._chat.start_over(_caller(request))
        return self._welcome

    def answer(self, question: str, request: gr.Request) -> dict[str, Any]:
        """Answer one question. Returns the answer as JSON: sections of cited sentences, citations, and how sure it is."""
        try:
            return self._chat.answer(question, _caller(request)).model_dump(mode="json")
        except AdvisorError as exc:
            raise gr.Error(exc.line) from exc
        except Exception as exc:
            raise gr.Error(generic_line()) from exc


def _caller(request: gr.Request) -> Caller:
    return Caller(visitor=request.cookies.get(COOKIE, ""), page=request.session_hash or "")


def _wire(door: _Door, turn: gr.Markdown, question: gr.Textbox, send: gr.Button, stop: gr.Button) -> None:
    """Connect events to handlers. page.js fills `picked` and presses the hidden buttons when a question on the page is clicked.

    All ways of asking are one event. With several, Stop would cancel them one after the other and, while the first still ends, hit a
    new question that has just been asked by another way. "multiple" lets that new question begin; page.js holds back double ones.
    """
    picked = gr.Textbox(visible="hidden", elem_id="picked", label="Picked question")
    pick = gr.Button("Ask the picked question", visible="hidden", elem_id="pick")
    start_over = gr.Button("New conversation", visible="hidden", elem_id="start-over")
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    asking = gr.on(
        [question.submit, send.click, pick.click], door.ask, [question, picked], [turn, question, picked],
        trigger_mode="multiple", **quiet,
    )  # fmt: skip
    stop.click(door.stop, None, [turn], cancels=asking, queue=False, **quiet)
    start_over.click(door.start_over, None, [turn], cancels=asking, queue=False, **quiet)
    api(door.answer, api_name="chat")
