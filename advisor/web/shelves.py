"""The routes of the Library: results, a source, and the picture of the click curves."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from advisor.care.library import parse_filters, used_by
from advisor.engine import Advisor
from advisor.errors import InputError, NotFoundError
from advisor.web.chart import Theme, curves_svg
from advisor.web.library import results_markup, source_markup


def add_library(app: FastAPI, advisor: Advisor) -> None:
    """Add the routes. What they send is put into the page by library.js; the addresses that people share are places on the page."""

    @app.get("/library")
    def results(q: str = "", kind: str = "", stance: str = "", interest: str = "", check: str = "") -> Response:
        try:
            filters = parse_filters(kind=kind, stance=stance, gain=interest, check=check)
        except InputError as exc:
            return PlainTextResponse(f"{exc.line}\n", 400)
        searched = any((q.strip(), kind, stance, interest, check))
        return HTMLResponse(results_markup(advisor.library(q, filters), searched=searched))

    @app.get("/library/ctr-curves-{theme}.svg")
    def curves(theme: Theme) -> Response:
        return Response(curves_svg(advisor.corpus.curves, theme), media_type="image/svg+xml", headers={"cache-control": "no-cache"})

    @app.get("/library/{source_id}")
    def source(source_id: str) -> Response:
        corpus = advisor.corpus
        try:
            found = advisor.source(source_id)
        except NotFoundError:
            return PlainTextResponse("There is no such source.\n", 404)
        passages = tuple(p for p in corpus.passages if p.source.id == source_id)
        return HTMLResponse(source_markup(found, passages, used_by(corpus, found), corpus))
