"""The routes of the Batch view: bring a file, start it, ask how far it is, fetch the answers, drop it.

What goes wrong is answered with one sentence of plain text, which the page shows as it stands. Another visitor's batch and one that is
gone are the same 404.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response

from advisor.errors import InputError
from advisor.web.batch import FORMATS
from advisor.web.batches import NOT_STORED, Batches, BusyError, FullError, Held
from advisor.web.feedback import is_same_origin
from advisor.web.visitor import visitor_of

log = logging.getLogger(__name__)

UPLOADS: Final = "/batch"
MAX_FILE_BYTES: Final = 2 * 1024 * 1024
TOO_LARGE: Final = "A file may have up to 2 MB. Split it, or run seo-advisor batch in a terminal, which takes any size."
# The answers of a thousand questions with all their quotes; packed, it is the size of a file.
MAX_EARLIER_BYTES: Final = 64 * 1024 * 1024
# Reading a file can take seconds of work, and the threads that serve the rest of the page must not wait for it.
READERS: Final = 2

ELSEWHERE: Final = "A batch is taken only from this page."
NO_COOKIE: Final = "Your browser keeps no cookie of this page, so the batch could not be told from another visitor's. Allow it and reload."
GONE: Final = "This batch is no longer here. Bring the file again."
NO_FORMAT: Final = "There is no such format. Choose one of the list."


def add_batches(app: FastAPI, batches: Batches) -> None:
    """Add the routes."""
    desk = _Desk(batches)
    app.add_api_route(UPLOADS, desk.take, methods=["POST"])
    app.add_api_route("/batch/{ident}/start", desk.start, methods=["POST"])
    app.add_api_route("/batch/{ident}", desk.state, methods=["GET"])
    app.add_api_route("/batch/{ident}/answers", desk.answers, methods=["GET"])
    app.add_api_route("/batch/{ident}", desk.drop, methods=["DELETE"])


class _Desk:
    """The handlers of the routes."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches
        self._readers = CapacityLimiter(READERS)

    async def take(self, request: Request, compare: str = "") -> Response:
        """A file of questions; with ?compare=id, an earlier run for that batch, or nothing to forget it."""
        visitor = visitor_of(request)
        if refused := _refused(request, visitor):
            return refused
        name = unquote(request.headers.get("x-file-name", ""), errors="replace")
        body = await request.body()
        if compare:
            return await self._compare(self._batches.owned(visitor, compare), name, body, packed="x-packed" in request.headers)
        return await self._answered(lambda: self._batches.take(visitor, name, body))

    async def _compare(self, held: Held | None, name: str, body: bytes, *, packed: bool) -> Response:
        if held is None:
            return _sentence(GONE, 404)

        def keep() -> Held:
            self._batches.compare(held, name, _unpacked(body) if packed else body)
            return held

        return await self._answered(keep)

    async def start(self, request: Request, ident: str, column: str = "", ending: str = "xlsx") -> Response:
        held, refused = self._own(request, ident)
        if held is None:
            return refused
        if ending not in FORMATS:
            return _sentence(NO_FORMAT, 400)

        def go() -> Held:
            self._batches.start(held, column=column, ending=ending)
            return held

        return await self._answered(go)

    async def state(self, request: Request, ident: str) -> Response:
        held = self._batches.owned(visitor_of(request), ident)
        return self._json(held) if held else _sentence(GONE, 404)

    async def answers(self, request: Request, ident: str) -> Response:
        held = self._batches.owned(visitor_of(request), ident)
        if held is None or held.state != "done" or held.target is None or not held.target.is_file():
            return _sentence(GONE, 404)
        # As bytes of no kind: what a visitor's file holds is saved, and never shown under the page's own address.
        headers = {"cache-control": "no-store"}
        return FileResponse(held.target, media_type="application/octet-stream", filename=held.target.name, headers=headers)

    async def drop(self, request: Request, ident: str) -> Response:
        held, refused = self._own(request, ident)
        if held is None:
            return refused
        await to_thread.run_sync(self._batches.drop, held)
        return Response(status_code=204)

    def _own(self, request: Request, ident: str) -> tuple[Held | None, Response]:
        """The visitor's batch, or None and why it may not be changed."""
        visitor = visitor_of(request)
        refused = _refused(request, visitor)
        return (None, refused) if refused else (self._batches.owned(visitor, ident), _sentence(GONE, 404))

    async def _answered(self, work: Callable[[], Held]) -> Response:
        """What became of the batch, or why nothing did. A visitor whose batch is not done is told where it is."""
        try:
            return self._json(await to_thread.run_sync(work, limiter=self._readers))
        except BusyError as exc:
            return _sentence(exc.line, 409, {"location": f"{UPLOADS}/{exc.held.id}"})
        except FullError as exc:
            return _sentence(str(exc), 503)
        except InputError as exc:
            return _sentence(exc.line, 400)
        except OSError:
            log.exception("A batch could not be stored.")
            return _sentence(NOT_STORED, 503)

    def _json(self, held: Held) -> Response:
        return JSONResponse(told(held, ahead=self._batches.ahead(held)), headers={"cache-control": "no-store"})


def _refused(request: Request, visitor: str) -> Response | None:
    if not is_same_origin(request):
        return _sentence(ELSEWHERE, 403)
    return None if visitor else _sentence(NO_COOKIE, 403)


def told(held: Held, *, ahead: int = 0) -> dict[str, Any]:
    """A batch as the page's script reads it. Rates are rows a second; times are in seconds."""
    past = held.now - held.began
    rate = held.done / past if held.done and past > 0 else None
    report = held.report
    return {
        "id": held.id,
        "name": held.source.name,
        "state": held.state,
        "rows": held.sheet.rows,
        "columns": [{"name": c.name, "first": c.first, "unusable": c.unusable} for c in held.sheet.columns],
        "chosen": held.sheet.chosen,
        "note": held.sheet.note,
        "earlier": held.earlier.name if held.earlier else "",
        "done": held.done,
        "total": held.total,
        "ahead": ahead,
        "rate": rate,
        "left_s": (held.total - held.done) / rate if rate else None,
        "error": held.error,
        "answers": held.target.name if held.target and report else "",
        "statuses": dict(report.summary.statuses.most_common()) if report else {},
        "reasons": {reason.replace("_", " "): count for reason, count in report.summary.reasons.most_common()} if report else {},
        "repeated": report.summary.repeated if report else 0,
        "changes": dict(report.changes.most_common()) if report else {},
        "seconds": report.seconds if report else None,
    }


def _sentence(words: str, status: int, headers: dict[str, str] | None = None) -> Response:
    """A sentence with a capital letter; the errors of the terminal begin with a small one."""
    return PlainTextResponse(f"{words[:1].upper()}{words[1:]}\n", status, headers={"cache-control": "no-store", **(headers or {})})


def _unpacked(body: bytes) -> bytes:
    """What was packed by gzip.

    Raises:
        InputError: It is not packed by gzip, or is too much.
    """
    try:
        plain = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS).decompress(body, MAX_EARLIER_BYTES + 1)
    except zlib.error as exc:
        raise InputError("the earlier run could not be unpacked", hint="Choose the .jsonl file again.") from exc
    if len(plain) > MAX_EARLIER_BYTES:
        raise InputError("the earlier run is larger than 64 MB", hint="Compare with it in a terminal: seo-advisor batch --against.")
    return plain
