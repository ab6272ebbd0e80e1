"""The route by which a visitor says whether an answer helped."""

from __future__ import annotations

import logging
from typing import Final
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from advisor.errors import AdvisorError, InputError
from advisor.feedback.record import Said, keep
from advisor.models import Answer
from advisor.settings import Settings
from advisor.web.chat import Chat
from advisor.web.visitor import visitor_of

log = logging.getLogger(__name__)

THANKS: Final = "Thanks. Your rating is stored with the answer and your questions."
# The same words for another visitor's answer, one that was let go of and one that never was: nobody learns which there are.
GONE: Final = "This answer can no longer be rated. Ask the question again to rate its new answer."
ELSEWHERE: Final = "A rating is taken only from this page."
NOT_STORED: Final = "Your rating could not be stored. Try again later."


def add_feedback(app: FastAPI, chat: Chat, settings: Settings) -> None:
    """Add the route. Its answers are sentences that the page shows as they stand."""

    @app.post("/feedback")
    async def rate(request: Request) -> Response:
        if not is_same_origin(request):
            return PlainTextResponse(f"{ELSEWHERE}\n", 403)
        try:
            said = Said.parse(await request.body())
        except InputError as exc:
            return PlainTextResponse(f"{exc.line}\n", 400)
        visitor = visitor_of(request)
        given = given_to(chat, visitor, said)
        if given is None:
            return PlainTextResponse(f"{GONE}\n", 404)
        answer, history = given
        try:
            await run_in_threadpool(keep, settings, said, answer, visitor=visitor, history=history)
        except AdvisorError as exc:
            log.error("A rating was not stored: %s", exc.line)
            return PlainTextResponse(f"{NOT_STORED}\n", 503)
        return PlainTextResponse(f"{THANKS}\n")


def is_same_origin(request: Request) -> bool:
    """Whether a browser says that the request comes from this page; what does not say so is refused.

    Every browser in use sends one of the two headers with a POST, and no script of another site can set either. Only hosts are
    compared, because behind a proxy the scheme that we see is not the browser's.
    """
    if site := request.headers.get("sec-fetch-site"):
        return site == "same-origin"
    origin = request.headers.get("origin", "")
    return bool(origin) and urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()


def given_to(chat: Chat, visitor: str, said: Said) -> tuple[Answer, tuple[str, ...]] | None:
    """The answer, with the questions asked before it, if it was given to this visitor and is still held."""
    conversation = chat.conversations.owned(visitor, said.conversation)
    answers = list(conversation.answers) if conversation else []
    for place, answer in enumerate(answers):
        if answer.id == said.answer:
            return answer, tuple(earlier.question for earlier in answers[:place])
    return None
