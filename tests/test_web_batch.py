"""Batches of the page's visitors: what a file holds, whose it is, when it is gone, and what is refused in which words."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import threading
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from starlette.testclient import TestClient

from advisor.engine import Advisor
from advisor.errors import InputError
from advisor.models import Answer
from advisor.web.batch import FORMATS, batch_markup
from advisor.web.batch_file import MAX_ROWS, file_name
from advisor.web.batch_routes import MAX_FILE_BYTES, told
from advisor.web.batches import AT_ONCE, KEPT_S, MAX_HELD, Batches, BusyError, FullError, Held
from tests.test_web import built

HOME = "http://127.0.0.1:7860"
SAME = {"sec-fetch-site": "same-origin"}
QUESTIONS = b"question,client\nDo links matter?,ACME\nbest pizza in rome,Bolt\n,Empty\ndo links matter,Twice\n"
SENTENCE = re.compile(r"[A-Z'][^\n]+\.\n")


def finish() -> None:
    """Wait until every batch that was begun, or waited, has ended."""
    while threads := [thread for thread in threading.enumerate() if thread.name == "batch"]:
        for thread in threads:
            thread.join(30)


class Hold:
    """Holds the answers of an advisor back until it is let go; `begun` counts the batches that wait in it."""

    def __init__(self, advisor: Advisor) -> None:
        self._ask_many = advisor.ask_many
        self.begun = threading.Semaphore(0)
        self.go_on = threading.Event()

    def ask_many(self, questions: Sequence[str]) -> Iterator[Answer]:
        self.begun.release()
        assert self.go_on.wait(30)
        return self._ask_many(questions)


@pytest.fixture
def hold(advisor: Advisor, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hold]:
    held = Hold(advisor)
    monkeypatch.setattr(advisor, "ask_many", held.ask_many)
    yield held
    held.go_on.set()
    finish()


# ---------------------------------------------------------------------------------------------------- what is held


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "batches"


@pytest.fixture
def batches(advisor: Advisor, folder: Path) -> Iterator[Batches]:
    made = Batches(advisor, folder)
    yield made
    made.close()


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_file_is_read_at_once_and_said_to_be_what_it_is(batches: Batches) -> None:
    told_of = told(batches.take("me", "Fragen.csv", "client;question;why\nCafé;Do links matter?;x\nB;What is a link?;\n".encode("cp1252")))
    assert (told_of["name"], told_of["state"], told_of["rows"], told_of["chosen"]) == ("Fragen.csv", "ready", 2, "question")
    assert {c["name"]: c["first"] for c in told_of["columns"]} == {
        "question": ("Do links matter?", "What is a link?"),
        "client": ("Café", "B"),
        "why": ("x",),
    }
    assert {c["name"]: c["unusable"] for c in told_of["columns"]} == {"question": 0, "client": 0, "why": 1}
    assert "Windows-1252" in told_of["note"]


@pytest.mark.parametrize("header", ["client,ask them,why", '"a, b",ask them,why', "client.,ask them,why"])
def test_where_no_column_is_named_like_a_question_all_are_offered(batches: Batches, header: str) -> None:
    held = batches.take("me", "q.csv", f"{header}\nACME,Do links matter?,x\n".encode())
    assert held.sheet.chosen == ""
    assert [c.name for c in held.sheet.columns] == next(csv.reader([header]))
    batches.start(held, column="ask them", ending="csv")
    finish()
    assert (held.state, held.error) == ("done", "")
    assert held.report
    assert held.report.summary.statuses["answered"] == 1


def far_workbook() -> bytes:
    """A small workbook whose one sheet claims to reach to the last cell that a sheet can have."""
    book = openpyxl.Workbook()
    book.active.append(["question"])
    book.active.append(["Do links matter?"])
    book.save(plain := io.BytesIO())
    with zipfile.ZipFile(plain) as before, zipfile.ZipFile(far := io.BytesIO(), "w") as after:
        for name in before.namelist():
            part = before.read(name)
            if name.endswith("sheet1.xml"):
                part = (
                    part.replace(b'ref="A1:A2"', b'ref="A1:XFD1048576"')
                    .replace(b'r="A2"', b'r="A1048576"')
                    .replace(b'r="2"', b'r="1048576"')
                )
            after.writestr(name, part)
    return far.getvalue()


REFUSED = {
    "nothing in it": ("q.csv", b"", "is empty"),
    "a picture": ("q.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, "is not a text file"),
    "another kind": ("q.pdf", b"%PDF-1.7", "is not a file of questions"),
    "no ending": ("questions", b"Do links matter?", "is not a file of questions"),
    "no workbook": ("q.xlsx", b"question\nDo links matter?\n", "is no Excel workbook"),
    "a workbook without end": ("q.xlsx", far_workbook(), "reaches further than 2,000,000 cells"),
    "too many rows": ("q.txt", b"Do links matter?\n" * (MAX_ROWS + 1), "has more than 1,000 rows"),
    "too many columns": ("q.csv", b",".join(b"c%d" % n for n in range(101)) + b",question\n" + b"x," * 101 + b"why?\n", "102 columns"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_answered_is_refused_and_leaves_nothing(batches: Batches, folder: Path, what: str) -> None:
    name, body, words = REFUSED[what]
    with pytest.raises(InputError, match=words) as caught:
        batches.take("me", name, body)
    assert name in caught.value.line
    assert not re.search(r"--|/", caught.value.line)
    assert files(folder) == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("questions.csv", "questions.csv"), ("../../etc/passwd.csv", "passwd.csv"), ("C:\\Users\\me\\Fragen 1.xlsx", "Fragen 1.xlsx"),
        ("..", "file"), ("", "file"), (".csv", "file.csv"), ("a\n\x00b.csv", "ab.csv"), ("ü" * 300 + ".csv", "ü" * 60 + ".csv"),
        ("q." + "x" * 300, "q." + "x" * 10),
    ],
)  # fmt: skip
def test_a_file_keeps_its_name_but_nothing_that_could_lead_elsewhere(given: str, kept: str) -> None:
    assert file_name(given) == kept


def test_two_batches_run_at_once_and_the_others_wait_in_their_order(batches: Batches, hold: Hold) -> None:
    held = [batches.take(str(n), "q.csv", QUESTIONS) for n in range(AT_ONCE + 2)]
    for one in held:
        batches.start(one, column="", ending="csv")
    for _ in range(AT_ONCE):
        assert hold.begun.acquire(timeout=30)
    assert not hold.begun.acquire(blocking=False)
    assert [one.state for one in held] == ["running"] * AT_ONCE + ["waiting"] * 2
    assert [batches.ahead(one) for one in held[AT_ONCE:]] == [0, 1]
    hold.go_on.set()
    finish()
    assert {one.state for one in held} == {"done"}


def test_a_visitor_has_one_batch_that_a_new_file_replaces_unless_it_is_under_way(batches: Batches, folder: Path, hold: Hold) -> None:
    first = batches.take("me", "first.csv", QUESTIONS)
    second = batches.take("me", "second.csv", QUESTIONS)
    assert batches.owned("me", first.id) is None
    assert [path.name for path in files(folder)] == ["second.csv"]
    batches.start(second, column="", ending="csv")
    assert hold.begun.acquire(timeout=30)
    with pytest.raises(BusyError, match=r"second\.csv") as caught:
        batches.take("me", "third.csv", QUESTIONS)
    assert caught.value.held is second
    with pytest.raises(InputError, match="has begun"):
        batches.start(second, column="", ending="csv")


def test_a_cancelled_batch_stops_and_its_files_go(batches: Batches, folder: Path, hold: Hold) -> None:
    held = batches.take("me", "q.txt", "".join(f"Do links matter in case {n}?\n" for n in range(200)).encode())
    batches.start(held, column="", ending="csv")
    assert hold.begun.acquire(timeout=30)
    batches.drop(held)
    assert batches.owned("me", held.id) is None
    hold.go_on.set()
    finish()
    assert 0 < held.done < held.total == 200
    assert files(folder) == []


def test_a_waiting_batch_that_is_cancelled_never_runs(batches: Batches, hold: Hold) -> None:
    held = [batches.take(str(n), "q.csv", QUESTIONS) for n in range(AT_ONCE + 1)]
    for one in held:
        batches.start(one, column="", ending="csv")
    batches.drop(held[-1])
    hold.go_on.set()
    finish()
    assert [one.report is not None for one in held] == [True] * AT_ONCE + [False]


def test_what_nobody_asked_for_in_an_hour_is_removed_and_so_is_everything_at_the_start(advisor: Advisor, folder: Path) -> None:
    now = 0.0
    batches = Batches(advisor, folder, clock=lambda: now)
    held = batches.take("me", "q.csv", QUESTIONS)
    now = KEPT_S - 1
    assert batches.owned("me", held.id) is held
    now += KEPT_S - 1
    batches.sweep()
    assert files(folder)
    now += 2
    batches.sweep()
    assert files(folder) == []
    assert batches.owned("me", held.id) is None
    batches.take("me", "q.csv", QUESTIONS)
    Batches(advisor, folder)
    assert files(folder) == []
    batches.close()


def test_more_than_can_be_held_is_refused_until_there_is_room(batches: Batches) -> None:
    held = [batches.take(str(n), "q.txt", b"Do links matter?") for n in range(MAX_HELD)]
    with pytest.raises(FullError):
        batches.take("one more", "q.txt", b"Do links matter?")
    batches.drop(held[0])
    assert batches.take("one more", "q.txt", b"Do links matter?").state == "ready"


def test_a_batch_that_breaks_says_so_and_the_visitor_may_bring_another(batches: Batches, monkeypatch: pytest.MonkeyPatch) -> None:
    held = batches.take("me", "q.csv", QUESTIONS)
    monkeypatch.setattr(type(batches._advisor), "fingerprint", property(lambda _: 1 / 0))
    batches.start(held, column="", ending="csv")
    finish()
    assert held.state == "failed"
    assert re.fullmatch(r"Something went wrong on our side.*report the id [0-9a-f]{8}\.", held.error)
    assert batches.take("me", "q.csv", QUESTIONS).state == "ready"


def test_every_format_of_the_list_can_be_written(batches: Batches) -> None:
    for ending in FORMATS:
        held = batches.take("me", "q.csv", QUESTIONS)
        batches.start(held, column="question", ending=ending)
        finish()
        assert held.target
        assert (held.target.name, held.target.stat().st_size > 0) == (f"q-answers.{ending}", True)
        assert f'value="{ending}"' in batch_markup(MAX_ROWS)


# ---------------------------------------------------------------------------------------------------- the routes


@pytest.fixture(scope="module")
def app(advisor: Advisor) -> Iterator[TestClient]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("GRADIO_TEMP_DIR", "GRADIO_ANALYTICS_CACHE_FREQUENCY"):
            patch.setenv(name, "")  # so that what the application sets is undone
        with TestClient(built(advisor), base_url=HOME) as client:
            yield client


@pytest.fixture
def client(app: TestClient) -> TestClient:
    """The server, for a visitor who has just opened the page."""
    app.cookies.clear()
    app.get("/")
    return app


def bring(client: TestClient, name: str = "q.csv", body: bytes = QUESTIONS, **query: str) -> Any:
    return client.post("/batch", content=body, params=query, headers={**SAME, "x-file-name": name})


def answered(client: TestClient, ending: str = "csv", **changes: Any) -> dict[str, Any]:
    """A batch that is done, as the server tells it."""
    ident = bring(client, **changes).json()["id"]
    assert client.post(f"/batch/{ident}/start", params={"ending": ending}, headers=SAME).status_code == 200
    finish()
    told_of: dict[str, Any] = client.get(f"/batch/{ident}").json()
    return told_of


def test_a_file_becomes_answers_that_are_counted_and_can_be_fetched(client: TestClient) -> None:
    done = answered(client, "xlsx")
    assert (done["state"], done["done"], done["total"]) == ("done", 4, 4)
    assert done["statuses"] == {"answered": 2, "refused": 1, "failed": 1}
    assert (done["reasons"], done["repeated"], done["changes"]) == ({"off topic": 1}, 1, {})
    response = client.get(f"/batch/{done['id']}/answers")
    assert response.headers["content-disposition"] == 'attachment; filename="q-answers.xlsx"'
    sheet = openpyxl.load_workbook(io.BytesIO(response.content))["Answers"]
    assert [row[0] for row in sheet.iter_rows(min_row=2, values_only=True)][:2] == ["Do links matter?", "best pizza in rome"]


def test_a_page_of_answers_is_saved_as_it_was_written_and_never_shown(client: TestClient) -> None:
    done = answered(client, "html", body=b"question\n<script>alert(1)</script> do links matter?\n")
    response = client.get(f"/batch/{done['id']}/answers")
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["content-disposition"].startswith("attachment")
    assert "page.js" not in response.text


def test_another_visitor_can_do_nothing_with_a_batch(client: TestClient) -> None:
    mine = answered(client)
    cookie = dict(client.cookies)
    client.cookies.clear()
    client.get("/")
    place = f"/batch/{mine['id']}"
    for response in (
        client.get(place), client.get(f"{place}/answers"), client.post(f"{place}/start", headers=SAME), client.delete(place, headers=SAME),
        bring(client, "old.jsonl", b"{}", compare=mine["id"]),
    ):  # fmt: skip
        assert response.status_code == 404
        assert response.text == "This batch is no longer here. Bring the file again.\n"
    client.cookies.clear()
    client.cookies.update(cookie)
    assert client.get(f"{place}/answers").status_code == 200


@pytest.mark.parametrize(
    "headers", [{}, {"sec-fetch-site": "cross-site"}, {"origin": "http://evil.example"}, {"sec-fetch-site": "same-site"}]
)
def test_another_site_can_neither_bring_start_nor_drop(client: TestClient, headers: dict[str, str]) -> None:
    ident = bring(client).json()["id"]
    for response in (
        client.post("/batch", content=QUESTIONS, headers={**headers, "x-file-name": "q.csv"}),
        client.post(f"/batch/{ident}/start", headers=headers),
        client.delete(f"/batch/{ident}", headers=headers),
    ):
        assert response.status_code == 403
    assert client.get(f"/batch/{ident}").json()["state"] == "ready"


def test_without_our_cookie_no_file_is_taken(client: TestClient) -> None:
    client.cookies.clear()
    response = bring(client)
    assert response.status_code == 403
    assert SENTENCE.fullmatch(response.text)


def test_a_file_may_have_two_megabytes_and_nothing_else_may(client: TestClient) -> None:
    body = b"question\n" + b"Do links matter?" + b" " * 500_000
    assert bring(client, body=body).status_code == 200
    for content in (b"x" * (MAX_FILE_BYTES + 1), (b"x" * 100_000 for _ in range(30))):
        response = client.post("/batch", content=content, headers={**SAME, "x-file-name": "q.csv"})
        assert response.status_code == 413
        assert response.text.startswith("A file may have up to 2 MB. ")
    for path in ("/feedback", "/batch/x/start", "/batch/"):
        assert client.post(path, content=body, headers=SAME).status_code == 413


def test_what_is_wrong_with_a_file_is_one_sentence_with_its_name(client: TestClient) -> None:
    response = bring(client, "Gr%C3%B6%C3%9Fen.pdf", b"%PDF")
    assert response.status_code == 400
    assert response.text == "'Größen.pdf' is not a file of questions. Bring a .csv, .tsv, .xlsx, .jsonl, .txt file.\n"
    ident = bring(client).json()["id"]
    for query in ({"column": "nothing"}, {"ending": "exe"}, {"ending": "../x"}):
        response = client.post(f"/batch/{ident}/start", params=query, headers=SAME)
        assert response.status_code == 400
        assert SENTENCE.fullmatch(response.text)
    assert client.get(f"/batch/{ident}").json()["state"] == "ready"


def test_while_a_batch_is_under_way_a_second_file_is_told_where_it_is(client: TestClient, hold: Hold) -> None:
    ident = bring(client).json()["id"]
    client.post(f"/batch/{ident}/start", headers=SAME)
    response = bring(client)
    assert response.status_code == 409
    assert response.headers["location"] == f"/batch/{ident}"
    assert client.delete(f"/batch/{ident}", headers=SAME).status_code == 204
    assert client.get(f"/batch/{ident}").status_code == 404


@pytest.mark.parametrize("packed", [True, False])
def test_what_changed_since_an_earlier_run_is_counted(client: TestClient, packed: bool) -> None:
    first = answered(client, "jsonl")
    run = [json.loads(line) for line in client.get(f"/batch/{first['id']}/answers").text.splitlines()]
    run[0]["answer"]["citations"] = []
    body = "".join(json.dumps(line) + "\n" for line in (run[0], run[2])).encode()
    ident = bring(client).json()["id"]
    headers = {**SAME, "x-file-name": "old.jsonl", **({"x-packed": "gzip"} if packed else {})}
    response = client.post("/batch", params={"compare": ident}, content=gzip.compress(body) if packed else body, headers=headers)
    assert response.json()["earlier"] == "old.jsonl"
    client.post(f"/batch/{ident}/start", headers=SAME)
    finish()
    assert client.get(f"/batch/{ident}").json()["changes"] == {"citations changed": 2, "new question": 1, "same": 1}


@pytest.mark.parametrize("body", [b"{}", b"no json", b"\xff\xfe\x00"])
def test_a_wrong_earlier_run_is_refused_without_telling_where_files_lie(client: TestClient, body: bytes) -> None:
    ident = bring(client).json()["id"]
    response = bring(client, "old.jsonl", body, compare=ident)
    assert response.status_code == 400
    assert SENTENCE.fullmatch(response.text)
    assert ("old.jsonl" in response.text, ident in response.text) == (True, False)
    assert client.get(f"/batch/{ident}").json()["earlier"] == ""


def test_a_packed_bomb_and_what_is_not_packed_are_refused(client: TestClient) -> None:
    ident = bring(client).json()["id"]
    for body in (gzip.compress(b"\n" * 80_000_000), b"not packed"):
        response = client.post(
            "/batch", params={"compare": ident}, content=body, headers={**SAME, "x-file-name": "old.jsonl", "x-packed": "gzip"}
        )
        assert response.status_code == 400
        assert "earlier run" in response.text


def test_files_lie_under_the_data_folder_and_go_when_dropped(client: TestClient, advisor: Advisor) -> None:
    done = answered(client)
    folder = advisor.settings.data_dir / "web" / "batches" / done["id"]
    assert {path.name for path in files(folder)} == {"q.csv", "q-answers.csv"}
    assert client.delete(f"/batch/{done['id']}", headers=SAME).status_code == 204
    assert not folder.exists()


def test_ids_are_long_and_never_the_same(batches: Batches) -> None:
    held: list[Held] = [batches.take(str(n), "q.txt", b"why?") for n in range(20)]
    assert len({one.id for one in held}) == 20
    assert min(len(one.id) for one in held) >= 24
