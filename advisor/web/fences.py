"""What stands before the application: a limit on request bodies, and the security headers of every response."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from advisor.web.document import our_document, script_hashes

# The page takes no files, and nothing behind it needs Gradio's proxy.
CLOSED = ("/gradio_api/upload", "/gradio_api/proxy=")
POLICY = "content-security-policy"


class _BodyTooLargeError(Exception):
    """More bytes arrived than a request may have."""


@dataclass(frozen=True, slots=True)
class Uploads:
    """The one address to which larger bodies may be posted, and what is said of those that are too large even there."""

    path: str
    max_bytes: int
    refusal: str


class RequestLimits:
    """Refuses large bodies before they are read, and the routes that the page does not use."""

    def __init__(self, app: ASGIApp, *, max_bytes: int, uploads: Uploads | None = None) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"].startswith(CLOSED):
            await PlainTextResponse("Not found.\n", 404)(scope, receive, send)
            return
        most, refusal = self._limit(scope)
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdigit() or int(declared) > most:
            await _refuse(refusal, scope, receive, send)
            return
        await self._counted(most, refusal, scope, receive, send)

    def _limit(self, scope: Scope) -> tuple[int, str]:
        """How many bytes the request may have, and what is said when it has more."""
        if self._uploads and scope["method"] == "POST" and scope["path"] == self._uploads.path:
            return self._uploads.max_bytes, self._uploads.refusal
        return self._max_bytes, f"A request may have {self._max_bytes:,} bytes."

    async def _counted(self, most: int, refusal: str, scope: Scope, receive: Receive, send: Send) -> None:
        """A declared length may be wrong or missing, so what arrives is counted too."""
        received = 0
        started = False

        async def counting() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > most:
                raise _BodyTooLargeError
            return message

        async def noting(message: Message) -> None:
            nonlocal started
            # The application may answer the broken-off body with an error of its own; ours says what was wrong.
            if started or received <= most:
                started = True
                await send(message)

        with contextlib.suppress(_BodyTooLargeError):
            await self._app(scope, counting, noting)
        if received > most and not started:
            await _refuse(refusal, scope, receive, send)


async def _refuse(refusal: str, scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(f"{refusal}\n", 413, headers={"connection": "close"})(scope, receive, send)


class SecurityHeaders:
    """Puts the policy on every response, and turns Gradio's document into ours on the way out.

    A document that brings a policy of its own is no page of Gradio's and goes out as it is.
    """

    def __init__(self, app: ASGIApp, *, framed_by: str) -> None:
        self._app = app
        self._framed_by = framed_by

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"] == "/":
            # The document is read and changed on the way out, so it must not come compressed.
            scope = {**scope, "headers": [(k, v) for k, v in scope["headers"] if k != b"accept-encoding"]}
        held: Message | None = None
        body = b""

        async def send_fenced(message: Message) -> None:
            nonlocal held, body
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html") and POLICY not in headers:
                    held = message
                    return
                self._secure(message, ())
            elif held is not None and message["type"] == "http.response.body":
                body += message.get("body", b"")
                if message.get("more_body"):
                    return
                document = our_document(body.decode()).encode()
                self._secure(held, script_hashes(document))
                MutableHeaders(scope=held)["content-length"] = str(len(document))
                await send(held)
                message, held = {"type": "http.response.body", "body": document}, None
            await send(message)

        await self._app(scope, receive, send_fenced)

    def _secure(self, start: Message, hashes: tuple[str, ...]) -> None:
        headers = MutableHeaders(scope=start)
        own = headers.get(POLICY)
        headers[POLICY] = f"{own}; frame-ancestors {self._framed_by}" if own else policy(hashes, self._framed_by)
        headers["x-content-type-options"] = "nosniff"
        headers["referrer-policy"] = "same-origin"
        headers["permissions-policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


def policy(script_hashes: tuple[str, ...] = (), framed_by: str = "'self'") -> str:
    """The content security policy.

    Scripts come from this server or are the document's own inline ones, named by hash; none is compiled from text. Gradio sets style
    attributes and adds style elements, so inline styles must stay allowed.
    """
    scripts = " ".join(("'self'", *(f"'{h}'" for h in script_hashes)))
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src {scripts}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
            f"frame-ancestors {framed_by}",
        )
    )
