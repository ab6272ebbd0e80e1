"""From a click under an answer to a row, a file and an eval case."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import json
import re
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from typer.testing import CliRunner, Result

from advisor.cli import app  # noqa: F401 - the commands are added to it, so it has to be there first
from advisor.cli_feedback import feedback_app
from advisor.engine import Advisor
from advisor.errors import InputError
from advisor.feedback.cases import make_case
from advisor.feedback.kinds import REASONS, TEXT_MAX
from advisor.feedback.record import Feedback, Said, keep, one, said_so_far
from advisor.feedback.scrub import domains_in, scrub
from advisor.index.build import ensure_index
from advisor.models import Answer
from advisor.settings import Settings
from advisor.store import SCHEMA_VERSION, FeedbackRow, Store
from advisor.web.document import STATIC
from advisor.web.feedback import GONE
from advisor.web.serve import build_app
from evals.cases import read_cases
from tests.corpora import TINY
from tests.fakes import WordEncoder

QUESTION = "Do links matter?"
REFUSED = "best sourdough bread at home"
HOME = "http://127.0.0.1:7860"
VISITOR = "a" * 32
GOLD = "title-study/titles-help"
run = CliRunner()


@pytest.fixture
def given(advisor: Advisor) -> Answer:
    return advisor.ask(QUESTION)


def said(answer: Answer, rating: str = "helpful", **more: str) -> Said:
    return Said.model_validate({"conversation": answer.conversation_id, "answer": answer.id, "rating": rating, **more})


def unhelpful(answer: Answer, **more: str) -> Said:
    return said(answer, "not-helpful", **{"reason": "not enough", **more})


# ---------------------------------------------------------------------------------------------------- what is kept


def test_a_rating_comes_back_with_the_whole_answer_and_the_questions_before_it(settings: Settings, given: Answer) -> None:
    ident = keep(
        settings, unhelpful(given, text="  Say more.\nMuch\x1b[31m more.\x00 "), given, visitor=VISITOR, history=("Hi there", "And?")
    )
    row = one(settings, ident)
    assert (row.rating, row.reason, row.text) == ("not-helpful", "not enough", "Say more.\nMuch[31m more.")
    assert (row.question, row.history, row.fingerprint) == (QUESTION, ("Hi there", "And?"), given.fingerprint)
    assert row.parsed == given
    assert Answer.model_validate_json(row.answer).citations


def test_one_visitor_has_one_row_for_an_answer_and_the_last_word_counts(settings: Settings, given: Answer, advisor: Advisor) -> None:
    first = keep(settings, unhelpful(given, text="no"), given, visitor=VISITOR)
    assert keep(settings, said(given), given, visitor=VISITOR) == first
    other = advisor.ask(QUESTION)
    keep(settings, said(other), other, visitor=VISITOR)
    keep(settings, unhelpful(given), given, visitor="b" * 32)
    rows = said_so_far(settings)
    assert len(rows) == 3
    (mine,) = (row for row in rows if row.id == first)
    assert (mine.rating, mine.reason, mine.text) == ("helpful", "", "")


def test_the_visitor_is_kept_as_a_hash_that_is_another_in_another_database(settings: Settings, given: Answer, tmp_path: Path) -> None:
    elsewhere = settings.model_copy(update={"data_dir": tmp_path / "elsewhere"})
    hashes = []
    for place in (settings, settings, elsewhere):
        hashes.append(one(place, keep(place, said(given), given, visitor=VISITOR)).visitor)
        files = b"".join(path.read_bytes() for path in place.data_dir.glob("advisor.sqlite3*"))
        assert VISITOR.encode() not in files
    assert hashes[0] == hashes[1] != hashes[2]
    assert re.fullmatch("[0-9a-f]{32}", hashes[0])


def test_ratings_of_one_answer_at_the_same_moment_leave_one_row(settings: Settings, given: Answer) -> None:
    ready, failed = threading.Barrier(8), []

    def rate() -> None:
        ready.wait()
        try:
            keep(settings, said(given), given, visitor=VISITOR)
        except Exception as exc:  # noqa: BLE001 - told below, in the thread of the test
            failed.append(exc)

    threads = [threading.Thread(target=rate) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(said_so_far(settings)) == 1


def test_a_database_of_the_first_schema_gets_the_new_tables_and_keeps_its_vectors(settings: Settings, given: Answer) -> None:
    Store.open(settings).close()
    with contextlib.closing(sqlite3.connect(settings.data_dir / "advisor.sqlite3")) as old, old:
        old.executescript("DROP TABLE feedback; DROP TABLE salts; PRAGMA user_version = 1;")
        old.execute("INSERT INTO vectors VALUES ('h', 'e', x'00')")
    keep(settings, said(given), given, visitor=VISITOR)
    with contextlib.closing(sqlite3.connect(settings.data_dir / "advisor.sqlite3")) as new:
        assert new.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        assert new.execute("SELECT count(*) FROM vectors").fetchone() == (1,)
    assert len(said_so_far(settings)) == 1


def test_rows_come_newest_first_and_by_rating_and_day(settings: Settings) -> None:
    stored(settings, ("helpful", "2026-01-30"), ("not-helpful", "2026-01-31"), ("helpful", "2026-02-01"))
    assert [row.id for row in said_so_far(settings)] == [3, 2, 1]
    assert [row.id for row in said_so_far(settings, rating="helpful")] == [3, 1]
    assert [row.id for row in said_so_far(settings, since="2026-01-31")] == [3, 2]
    assert [row.id for row in said_so_far(settings, limit=1)] == [3]


def stored(settings: Settings, *rated: tuple[str, str]) -> None:
    """Rows of these ratings and days, whose answers are of a shape that this version does not know."""
    with contextlib.closing(Store.open(settings)) as store:
        for number, (rating, _) in enumerate(rated):
            row = FeedbackRow(
                answer_id=f"a{number}", visitor="v", rating=rating, reason="", text=f"text {number}", question=f"question {number}",
                history="[]", answer='{"schema_version": 0}', fingerprint="f",
            )  # fmt: skip
            store.put_feedback(row)
    with contextlib.closing(sqlite3.connect(settings.data_dir / "advisor.sqlite3")) as connection, connection:
        for number, (_, day) in enumerate(rated):
            connection.execute("UPDATE feedback SET time = ? WHERE answer_id = ?", (f"{day}T12:00:00+00:00", f"a{number}"))


def body(**changes: object) -> bytes:
    return json.dumps({"conversation": "c", "answer": "a", "rating": "not-helpful", "reason": "wrong", **changes}).encode()


@pytest.mark.parametrize(
    ("sent", "line"),
    [
        (body(text="x" * 1_001), "Your text has 1,001 characters, and 1,000 is the most that is kept. Shorten it and send again."),
        (body(reason=""), "A reason is missing. Choose the one that fits best."),
        (body(reason="I do not like it"), "That rating could not be read. Reload the page and rate the answer again."),
        (body(rating="helpful"), "Only an answer that was not helpful is given a reason. Send the rating alone."),
        (body(rating="great"), "That rating could not be read. Reload the page and rate the answer again."),
        (body(more=1), "That rating could not be read. Reload the page and rate the answer again."),
        (b"\xff{", "That rating could not be read. Reload the page and rate the answer again."),
        (b'{"conversation": "c", "answer": "a", "rating": "not-helpful", "reason": "wrong", "text": "\\ud800"}', "That rating could not be read."),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused_with_a_sentence(sent: bytes, line: str) -> None:
    with pytest.raises(InputError) as caught:
        Said.parse(sent)
    assert caught.value.line.startswith(line)
    assert Said.parse(body(text="é" * 1_000)).text == "é" * 1_000


# ---------------------------------------------------------------------------------------------------- the route


class Browser:
    """A visitor with a cookie of their own."""

    def __init__(self, client: TestClient) -> None:
        client.cookies.clear()
        client.get("/")
        self.cookie = f"advisor_visitor={client.cookies['advisor_visitor']}"
        self._client = client
        client.cookies.clear()

    def ask(self, question: str) -> Answer:
        headers = {"cookie": self.cookie}
        event = self._client.post("/gradio_api/call/chat", json={"data": [question], "session_hash": "page"}, headers=headers).json()[
            "event_id"
        ]
        lines = self._client.get(f"/gradio_api/call/chat/{event}", headers=headers).text.splitlines()
        return Answer.model_validate(json.loads(lines[1].removeprefix("data: "))[0])

    def rate(self, answer: Answer, rating: str = "helpful", headers: dict[str, str] | None = None, **more: object) -> tuple[int, str]:
        sent = {"conversation": answer.conversation_id, "answer": answer.id, "rating": rating, **more}
        own = {"cookie": self.cookie, "origin": HOME} if headers is None else headers
        reply = self._client.post("/feedback", json=sent, headers=own)
        return reply.status_code, reply.text


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, Settings]]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("rated") / "data", corpus_dir=TINY)
    encoder = WordEncoder()
    advisor = Advisor(settings, encoder, ensure_index(settings, encoder))

    async def built() -> FastAPI:
        return build_app(advisor, settings)

    with pytest.MonkeyPatch.context() as patch:
        for name in ("GRADIO_TEMP_DIR", "GRADIO_ANALYTICS_CACHE_FREQUENCY"):
            patch.setenv(name, "")  # so that what the application sets is undone
        with TestClient(asyncio.run(built()), base_url=HOME) as client:
            yield client, settings
    advisor.close()


def kept(settings: Settings, answer: Answer) -> list[Feedback]:
    return [row for row in said_so_far(settings) if row.parsed and row.parsed.id == answer.id]


def test_every_answer_of_a_conversation_can_be_rated_and_rated_anew_also_after_export(running: tuple[TestClient, Settings]) -> None:
    client, settings = running
    visitor = Browser(client)
    first, refusal = visitor.ask(QUESTION), visitor.ask(REFUSED)
    assert refusal.refusal
    exported = client.get(f"/conversations/{first.conversation_id}.md", headers={"cookie": visitor.cookie})
    assert exported.status_code == 200
    thanks = (200, "Thanks. Your rating is stored with the answer and your questions.\n")
    assert visitor.rate(refusal, "not-helpful", reason="other", text="It is about bread links.") == thanks
    assert visitor.rate(first, "not-helpful", reason="wrong") == thanks
    assert visitor.rate(first) == thanks
    (of_first,), (of_refusal,) = kept(settings, first), kept(settings, refusal)
    assert (of_first.rating, of_first.history) == ("helpful", ())
    assert (of_refusal.text, of_refusal.history) == ("It is about bread links.", (QUESTION,))
    assert of_first.visitor == of_refusal.visitor


def test_only_the_visitor_who_got_an_answer_may_rate_it_and_nobody_learns_that_it_exists(running: tuple[TestClient, Settings]) -> None:
    client, settings = running
    mine, theirs = Browser(client), Browser(client)
    answer, own = mine.ask(QUESTION), theirs.ask(QUESTION)
    unknown = answer.model_copy(update={"id": "01ARZ3NDEKTSV4RRFFQ69G5FAV"})
    under_own_conversation = answer.model_copy(update={"conversation_id": own.conversation_id})
    replies = [
        theirs.rate(answer),
        theirs.rate(under_own_conversation),
        mine.rate(unknown),
        mine.rate(answer, headers={"origin": HOME}),
        mine.rate(answer, headers={"origin": HOME, "cookie": "advisor_visitor=made-up"}),
    ]
    assert set(replies) == {(404, f"{GONE}\n")}
    assert kept(settings, answer) == kept(settings, own) == []


@pytest.mark.parametrize(
    "headers",
    [
        {}, {"origin": "http://evil.example"}, {"origin": "null"}, {"origin": f"{HOME}.evil.example"}, {"origin": "http://127.0.0.1:1"},
        {"origin": HOME, "sec-fetch-site": "cross-site"}, {"origin": HOME, "sec-fetch-site": "same-site"},
    ],
)  # fmt: skip
def test_a_rating_that_another_site_sends_is_refused(running: tuple[TestClient, Settings], headers: dict[str, str]) -> None:
    client, settings = running
    visitor = Browser(client)
    answer = visitor.ask(QUESTION)
    refused = visitor.rate(answer, headers={"cookie": visitor.cookie, **headers})
    assert refused == (403, "A rating is taken only from this page.\n")
    assert kept(settings, answer) == []
    assert visitor.rate(answer, headers={"cookie": visitor.cookie, "sec-fetch-site": "same-origin"})[0] == 200


def test_a_long_text_is_refused_in_words_and_a_huge_one_before_it_is_read(running: tuple[TestClient, Settings]) -> None:
    client, settings = running
    visitor = Browser(client)
    answer = visitor.ask(QUESTION)
    long = visitor.rate(answer, "not-helpful", reason="wrong", text="x" * (TEXT_MAX + 1))
    assert long == (
        400,
        "Your text has 1,001 characters, and 1,000 is the most that is kept. Shorten it and send again.\n",
    )
    assert visitor.rate(answer, "not-helpful", reason="wrong", text="x" * 100_000)[0] == 413
    assert kept(settings, answer) == []


def test_a_database_that_cannot_be_used_is_told_without_details(
    running: tuple[TestClient, Settings], caplog: pytest.LogCaptureFixture
) -> None:
    client, settings = running
    visitor = Browser(client)
    answer = visitor.ask(QUESTION)
    database, aside = settings.data_dir / "advisor.sqlite3", settings.data_dir / "aside"
    database.rename(aside)
    database.write_bytes(b"no database" * 1_000)
    try:
        refused = visitor.rate(answer)
    finally:
        database.unlink()
        aside.rename(database)
    assert refused == (503, "Your rating could not be stored. Try again later.\n")
    assert "is damaged" in caplog.text
    assert visitor.rate(answer)[0] == 200


def test_the_page_offers_the_reasons_and_the_limit_that_the_server_takes() -> None:
    script = (STATIC / "feedback.js").read_text(encoding="utf-8")
    offered = script.split("const REASONS = [")[1].split("];")[0]
    assert tuple(re.findall(r'\["([^"]+)",', offered)) == REASONS
    assert f"const MOST_CHARACTERS = {TEXT_MAX};" in script


# ---------------------------------------------------------------------------------------------------- personal data

KNOWN = domains_in("See https://www.ahrefs.com/blog/links and moz.com.")


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        ("Mail peter.miller+seo@mueller-shop.de now", "Mail someone@example.com now"),
        ("peter (at) shop (dot) de or peter at shop dot co dot uk", "someone@example.com or someone@example.com"),
        ("I follow @petermiller and use \"@type\": \"Product\"", "I follow @someone and use \"@type\": \"Product\""),
        ("See https://peter@shop.de:8080/orders?name=Peter#x.", "See https://example.com."),
        ("My site is www.peters-shop.co.uk/products?id=5, help", "My site is example.com, help"),
        ("(myshop.de) ...myshop.de -myshop.de müller.de x.com/peter", "(example.com) ...example.com example.com example.com example.com"),
        ("moz.com, www.moz.com/u/peter and https://ahrefs.com/u/peter?x", "moz.com, www.moz.com and https://ahrefs.com"),
        ("https://www.ahrefs.com/blog/links says so", "https://www.ahrefs.com/blog/links says so"),
        ("peter.moz.com", "example.com"),
        ("robots.txt, node.js, e.g. links.Should I, and 3.5 or 10.2k", "robots.txt, node.js, e.g. links.Should I, and 3.5 or 10.2k"),
        ("from 10.0.0.17:8080 and 2a00:1450:4001:81b::200e at 12:30:45", "from 192.0.2.1:8080 and 2001:db8::1 at 12:30:45"),
        ("+49 (0)171 2345678, 0113 496 0000, (555) 123-4567, 1-800-555-0199", "+1 555 0100, +1 555 0100, +1 555 0100, +1 555 0100"),
        ("call me on 555 1234", "call me on +1 555 0100"),
        ("order 12345678 and AB1234567, card 4111 1111 1111 1111", "order 0000000 and AB0000000, card 0000000"),
        ("DE89 3704 0044 0532 0130 00", "0000000"),
        ("1500000 visits, 1,234,567 views, 10 000 000 clicks", "1500000 visits, 1,234,567 views, 10 000 000 clicks"),
        ("01/2024 - 06/2024, 2024-03-15, 0.25 0.35 0.45", "01/2024 - 06/2024, 2024-03-15, 0.25 0.35 0.45"),
        ("My name is Peter Paul Miller and I run a shop", "My name is Alex and I run a shop"),
        ("my name is peter miller, hello", "my name is Alex, hello"),
        ("I'm Anne-Marie O'Neil from Leeds", "I'm Alex from Leeds"),
        ("i am Dr. J. Smith", "i am Alex"),
        ("This is Bob from Acme. Thanks, Bob", "This is Alex from Acme. Thanks, Alex"),
        ("I am looking for links. I'm Head of SEO. I am SEO manager.", "I am looking for links. I'm Head of SEO. I am SEO manager."),
        ("This is Google data", "This is Google data"),
        ("zero\u200bwidth pe\u200bter@shop.de and peter＠shop.de", "zerowidth someone@example.com and someone@example.com"),
    ],
)  # fmt: skip
def test_personal_data_with_a_shape_is_replaced_and_the_rest_stays(typed: str, left: str) -> None:
    found = scrub(typed, known=KNOWN)
    assert found.text == left
    assert scrub(left, known=KNOWN).text == left


def test_what_was_replaced_is_told_by_kind() -> None:
    assert scrub("I am Peter, a@b.de, c@d.de, 10.0.0.1").removed == ("e-mail address", "IP address", "name")
    assert scrub("Do links matter?").removed == ()


# ---------------------------------------------------------------------------------------------------- the commands


@pytest.fixture
def checkout(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A data folder, and beside the corpus an evals folder with two suites; the last line of one does not end."""
    suites = tmp_path / "evals" / "suites"
    suites.mkdir(parents=True)
    case = {"id": "u007", "half": "tune", "tags": ["plain"], "question": "Why?", "expect": "answered"}
    (suites / "answers.jsonl").write_text(json.dumps(case), encoding="utf-8")
    (suites / "refusals.jsonl").write_text(json.dumps({**case, "id": "q001"}) + "\n", encoding="utf-8")
    monkeypatch.setenv("ADVISOR_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("ADVISOR_CORPUS_DIR", str(settings.corpus_dir))
    return settings


def command(*arguments: object) -> Result:
    return run.invoke(feedback_app, [str(a) for a in arguments], env={"COLUMNS": "160"})


def test_list_shows_what_was_said_and_filters_it(checkout: Settings) -> None:
    assert "There is no feedback yet." in command("list").stdout
    stored(checkout, ("helpful", "2026-01-30"), ("not-helpful", "2026-01-31"), ("helpful", "2026-02-01"))
    everything = command("list").stdout
    assert re.findall(r"question \d", everything) == ["question 2", "question 1", "question 0"]
    assert "2026-01-31 12:00" in everything
    assert re.findall(r"question \d", command("list", "--rating", "not-helpful").stdout) == ["question 1"]
    assert re.findall(r"question \d", command("list", "--since", "2026-02-01").stdout) == ["question 2"]
    limited = command("list", "--limit", 2).stdout
    assert re.findall(r"question \d", limited) == ["question 2", "question 1"]
    assert "Older ones are left out; --limit 4 shows more." in limited
    assert command("list", "--since", "yesterday").exit_code == 2
    assert command("list", "--rating", "great").exit_code == 2


def test_no_control_character_reaches_the_terminal(checkout: Settings, given: Answer) -> None:
    hostile = given.model_copy(update={"question": "links\x1b]0;owned\x07 \x9b31m?"})
    keep(checkout, said(hostile), hostile, visitor=VISITOR)
    shown = command("list")
    assert "links]0;owned" in shown.stdout
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", shown.stdout)


def test_export_writes_a_table_without_formulas_and_lines_with_whole_answers(checkout: Settings, given: Answer, tmp_path: Path) -> None:
    asked = given.model_copy(update={"question": "=HYPERLINK(A1)"})
    keep(checkout, unhelpful(asked, text="@SUM(A1)\nsecond line"), asked, visitor=VISITOR, history=("+1+1",))
    table, lines = tmp_path / "f.csv", tmp_path / "f.jsonl"
    done = command("export", table)
    assert (done.exit_code, done.stdout) == (0, f"1 row in {table}.\n")
    with table.open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["question"], row["text"], row["history"]) == ("'=HYPERLINK(A1)", "'@SUM(A1)\nsecond line", "'+1+1")
    assert (row["rating"], row["reason"], row["status"]) == ("not-helpful", "not enough", "answered")
    assert row["passages"].split() == [c.passage_id for c in given.citations]
    assert "### Sources" in row["answer"]
    assert command("export", lines).exit_code == 0
    (line,) = lines.read_text(encoding="utf-8").splitlines()
    assert Answer.model_validate(json.loads(line)["answer"]) == asked
    assert json.loads(line)["history"] == ["+1+1"]
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["f.csv", "f.jsonl"]


def test_a_file_that_cannot_be_written_is_one_sentence(checkout: Settings, tmp_path: Path) -> None:
    stored(checkout, ("helpful", "2026-01-30"))
    for file, line in (
        (tmp_path / "f.xlsx", "Name a file that ends in .csv or .jsonl."),
        (tmp_path / "no" / "f.csv", "No such file or directory"),
    ):
        refused = command("export", file)
        assert refused.exit_code == 1
        assert line in refused.stderr
        assert refused.stderr.count("\n") == 1
    # An answer that an earlier version stored in another shape is exported as it is.
    assert command("export", tmp_path / "f.csv").exit_code == 0
    assert "schema_version" in (tmp_path / "f.csv").read_text(encoding="utf-8")


def test_case_appends_a_case_without_personal_data_that_the_evals_can_read(checkout: Settings, given: Answer) -> None:
    asked = given.model_copy(update={"question": "My name is Peter Miller, should peters-shop.de buy links? peter@peters-shop.de"})
    ident = keep(checkout, unhelpful(asked), asked, visitor=VISITOR, history=("I run peters-shop.de",))
    done = command("case", ident, "--suite", "answers", "--gold", GOLD)
    assert done.exit_code == 0, done.stderr
    suites = checkout.corpus_dir.parent / "evals" / "suites"
    first, second = (suites / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(first)["id"] == "u007"
    assert done.stdout == f"{second}\n"
    assert "Replaced: e-mail address, domain, name. Read it before you commit it." in done.stderr
    _, case = read_cases("answers", suites)
    assert case.model_dump(exclude_defaults=True) == {
        "id": "u008", "suite": "answers", "half": "tune", "tags": ("feedback",), "history": ("I run example.com",), "expect": "answered",
        "question": "My name is Alex, should example.com buy links? someone@example.com", "gold": (GOLD,),
    }  # fmt: skip


def test_a_domain_that_the_corpus_names_stays_in_a_case(checkout: Settings, given: Answer) -> None:
    named = next(iter(sorted(d for d in domains_in((checkout.corpus_dir / "sources" / "title-study.yaml").read_text()) if "/" not in d)))
    asked = given.model_copy(update={"question": f"Is {named} right, and is peters-shop.de?"})
    made = make_case(one(checkout, keep(checkout, said(asked), asked, visitor=VISITOR)), "answers", checkout)
    assert json.loads(made.line)["question"] == f"Is {named} right, and is example.com?"


def test_case_numbers_go_on_through_all_suites_and_expectations_follow_what_was_said(checkout: Settings, advisor: Advisor) -> None:
    refusal = advisor.ask(REFUSED)
    assert refusal.refusal
    ident = keep(checkout, said(refusal), refusal, visitor=VISITOR)
    first = json.loads(command("case", ident, "--suite", "refusals").stdout)
    assert (first["id"], first["expect"]) == ("u008", refusal.refusal.reason)
    again = command("case", ident, "--suite", "refusals")
    assert again.exit_code == 1
    assert "the suite 'refusals' has this question already, as u008" in again.stderr
    keep(checkout, unhelpful(refusal), refusal, visitor=VISITOR)
    second = json.loads(command("case", ident, "--suite", "answers").stdout)
    assert (second["id"], second["expect"]) == ("u009", "answered")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("99", "--suite", "answers"), "there is no feedback 99. See which there is with `seo-advisor feedback list`."),
        (("1", "--suite", "../corpus"), "there is no suite '../corpus'. The suites are: answers, refusals."),
        (("1", "--suite", "answers", "--gold", "no/such"), "there is no passage 'no/such'."),
    ],
)
def test_a_case_that_cannot_be_made_changes_nothing(checkout: Settings, arguments: tuple[str, ...], line: str) -> None:
    stored(checkout, ("helpful", "2026-01-30"))
    suites = checkout.corpus_dir.parent / "evals" / "suites"
    before = {path: path.read_bytes() for path in suites.iterdir()}
    refused = command("case", *arguments)
    assert refused.exit_code == 1
    assert line in refused.stderr
    assert {path: path.read_bytes() for path in suites.iterdir()} == before


def test_outside_a_checkout_a_case_says_where_it_belongs(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADVISOR_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("ADVISOR_CORPUS_DIR", str(settings.corpus_dir))
    stored(settings, ("helpful", "2026-01-30"))
    assert "Run this in a checkout of the project." in command("case", 1, "--suite", "answers").stderr


@pytest.mark.parametrize("name", ["list", "export", "case"])
def test_help_teaches_by_example(name: str) -> None:
    shown = command(name, "--help")
    assert shown.exit_code == 0
    assert f"seo-advisor feedback {name}" in shown.stdout
