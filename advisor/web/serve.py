"""Serving the page: the application with its fences, and the process around it."""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import threading
import webbrowser
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.staticfiles import StaticFiles

from advisor.engine import Advisor
from advisor.errors import ServerError
from advisor.render import conversation_markdown
from advisor.settings import Settings
from advisor.web.batch_routes import MAX_FILE_BYTES, TOO_LARGE, UPLOADS, add_batches
from advisor.web.batches import Batches
from advisor.web.chat import Chat
from advisor.web.document import STATIC, static_folder
from advisor.web.evals_view import RESULTS, add_evals, read_measured
from advisor.web.feedback import add_feedback
from advisor.web.fences import RequestLimits, SecurityHeaders, Uploads
from advisor.web.shelves import add_library
from advisor.web.visitor import VisitorCookie, visitor_of

GRACE_S = 10
SMALLEST_BODY_LIMIT = 64 * 1024
# A character takes up to four bytes, and JSON around the question takes some more.
BODY_BYTES_PER_CHARACTER = 8


def build_app(advisor: Advisor, settings: Settings, *, results: Path = RESULTS) -> FastAPI:
    """The whole web application over a ready advisor.

    Args:
        results: The folder of stored eval results; the page shows the newest report in it, if there is one.
    """
    # Both are read by Gradio when a page is built. It must not write outside the data folder, and must not rebuild a table of all
    # past events after each one, which makes a long-running page slower with every question.
    os.environ["GRADIO_TEMP_DIR"] = str(settings.data_dir / "web")
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(2**31)
    import gradio as gr

    from advisor.web.page import build_page
    from advisor.web.theme import theme

    chat = Chat(advisor)
    batches = Batches(advisor, settings.data_dir / "web" / "batches")
    app = FastAPI(title="SEO Advisor", docs_url=None, redoc_url=None, openapi_url=None, lifespan=_ending(batches))
    _add_routes(app, chat)
    add_library(app, advisor)
    add_feedback(app, chat, settings)
    add_batches(app, batches)
    measured = read_measured(results)
    add_evals(app, measured)
    page = build_page(advisor, chat, settings, measured)
    gr.mount_gradio_app(
        app, page, path="/", server_name=settings.host, server_port=settings.port, theme=theme(),
        favicon_path=str(STATIC / "favicon.svg"), footer_links=[], run_history=False, pwa=False, ssr_mode=False, mcp_server=False,
        show_error=False, enable_monitoring=False, allowed_paths=[], blocked_paths=[str(settings.data_dir)],
        max_file_size=SMALLEST_BODY_LIMIT, app_kwargs={"openapi_url": None},
    )  # fmt: skip
    # A Hugging Face Space is shown inside a frame of another site; elsewhere nobody may frame the page.
    embedded = "SPACE_ID" in os.environ
    app.add_middleware(VisitorCookie, embedded=embedded)
    app.add_middleware(
        RequestLimits,
        max_bytes=max(SMALLEST_BODY_LIMIT, BODY_BYTES_PER_CHARACTER * settings.max_question_chars),
        uploads=Uploads(UPLOADS, MAX_FILE_BYTES, TOO_LARGE),
    )
    app.add_middleware(SecurityHeaders, framed_by="'self' https://huggingface.co" if embedded else "'self'")
    return app


def _ending(batches: Batches) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """What happens around the application's life: at its end the batches stop, so that nobody asks a closed advisor."""

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(batches.close)

    return life


def _add_routes(app: FastAPI, chat: Chat) -> None:
    """Our own routes; they stand before Gradio's, which take the rest."""
    app.mount(static_folder(), StaticFiles(directory=STATIC))

    @app.get("/healthz")
    def healthz() -> Response:
        return PlainTextResponse("ok")

    @app.get("/conversations/{conversation_id}.md")
    def export(conversation_id: str, request: Request) -> Response:
        conversation = chat.conversations.owned(visitor_of(request), conversation_id)
        if conversation is None or not conversation.answers:
            return PlainTextResponse("Not found.\n", 404)
        headers = {"content-disposition": 'attachment; filename="seo-advisor-conversation.md"', "cache-control": "no-store"}
        return Response(conversation_markdown(conversation.answers), media_type="text/markdown", headers=headers)


def serve(settings: Settings, *, open_advisor: Callable[[Settings], Advisor] = Advisor.open, open_browser: bool = False) -> None:
    """Serve the page until the process is told to stop. The advisor is opened only once the port is ours.

    Raises:
        AdvisorError: The port is taken, or the corpus, the encoder or the data folder cannot be used.
    """
    listener = _listen(settings)
    try:
        advisor = open_advisor(settings)
        config = uvicorn.Config(
            build_app(advisor, settings),
            log_level=logging.WARNING,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
        )
        with _signals_end_quietly():
            _Server(config, address(settings), open_browser=open_browser).run(sockets=[listener])
        advisor.close()
    finally:
        listener.close()


def address(settings: Settings) -> str:
    """Where a browser on the same machine finds the page."""
    host = {"0.0.0.0": "localhost", "::": "localhost"}.get(settings.host, settings.host)
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def _listen(settings: Settings) -> socket.socket:
    """A socket on the port, taken before anything slow is done."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family)
    except OSError as exc:
        other = settings.port + 1 if settings.port < 65_535 else settings.port - 1
        command = f"seo-advisor serve --port {other}"
        if exc.errno == errno.EADDRINUSE:
            hint = f"Stop the other program or choose another port: {command}"
            raise ServerError(f"port {settings.port} on {settings.host} is in use", hint=hint) from exc
        hint = f"Choose another address with ADVISOR_HOST or another port: {command}"
        raise ServerError(f"could not listen on {settings.host}:{settings.port}: {exc.strerror or exc}", hint=hint) from exc


class _Server(uvicorn.Server):
    """Says where the page is once it answers."""

    def __init__(self, config: uvicorn.Config, page: str, *, open_browser: bool) -> None:
        super().__init__(config)
        self._page = page
        self._open_browser = open_browser

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(f"SEO Advisor is ready at {self._page} (Ctrl+C stops it)", flush=True)  # noqa: T201 - told to whoever started it
        if self._open_browser:
            threading.Thread(target=webbrowser.open, args=(self._page,), daemon=True).start()


@contextmanager
def _signals_end_quietly() -> Iterator[None]:
    """The server raises the signal that stopped it once more when it is done; the process should then end as after any other work."""

    def ignore(number: int, frame: FrameType | None) -> None:
        """The stop was graceful and is over."""

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, ignore) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
