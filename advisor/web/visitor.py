"""A cookie that tells visitors apart, so that a conversation belongs to the browser that began it and to nobody else."""

from __future__ import annotations

import re
import secrets
from http.cookies import SimpleCookie

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "advisor_visitor"
SHAPE = re.compile(r"[0-9a-f]{32}")


class VisitorCookie:
    """Gives each new visitor of the page 128 random bits in a cookie that scripts cannot read.

    Gradio's session key is made by the browser with Math.random and is taken from whoever sends it, so nothing is decided by it.
    """

    def __init__(self, app: ASGIApp, *, embedded: bool) -> None:
        self._app = app
        self._embedded = embedded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Only the page sets it: the many files that a page loads at once would each set another one.
        if scope["type"] != "http" or scope["path"] != "/" or visitor_of(Request(scope)):
            await self._app(scope, receive, send)
            return

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("set-cookie", self._cookie())
            await send(message)

        await self._app(scope, receive, send_with_cookie)

    def _cookie(self) -> str:
        cookie = SimpleCookie({COOKIE: secrets.token_hex(16)})
        cookie[COOKIE]["path"] = "/"
        cookie[COOKIE]["httponly"] = True
        cookie[COOKIE]["samesite"] = "Lax"
        header = cookie[COOKIE].OutputString()
        # Inside another site's frame a browser keeps the cookie only with these words.
        return header.replace("SameSite=Lax", "SameSite=None; Secure; Partitioned") if self._embedded else header


def visitor_of(request: Request) -> str:
    """The visitor's key, or an empty string if there is no valid one."""
    key = request.cookies.get(COOKIE, "")
    return key if SHAPE.fullmatch(key) else ""
