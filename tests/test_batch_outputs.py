from __future__ import annotations

import csv
import fcntl
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import html5lib
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from advisor.batch import workbook
from advisor.batch.cells import link, number, safe_cell, shortened
from advisor.batch.outputs import FORMATS, Answered, Layout, check_target, write
from advisor.errors import AdvisorError, InputError, StorageError
from advisor.models import Answer, AnswerSentence, Citation, Confidence, Elapsed, Refusal, Section, Support

ROOT = Path(__file__).parent.parent
# Cells that other programs must not run, kept outside the repository.
VECTORS = ROOT.parent / "shared" / "vectors" / "csv_formula.jsonl"
PLANTED = (
    '<script>alert(1)</script><img src="https://evil.example/x" onerror="alert(1)">![x](https://evil.example/y) [a](javascript:alert(1))'
)
OUR_COLUMNS = [
    "status", "bottom line", "answer", "confidence", "reason", "sources", "disputes", "refused because", "error", "same as row", "answer id",
]  # fmt: skip
NOBODY = 65534


def sentence(text: str, *citations: int, verdict: Any = "supported") -> AnswerSentence:
    return AnswerSentence(text=text, citations=citations, support=Support(verdict=verdict, score=0.9))


def citation(n: int, **changed: Any) -> Citation:
    values = {
        "number": n, "passage_id": f"p/{n}", "source_id": f"s{n}", "title": f"Title {n}", "publisher": f"Publisher {n}",
        "url": f"https://source.example/{n}#part", "published": "2026-08-28", "kind": "official", "interest": "operates the search engine",
        "evidence": "primary", "check": "confirmed", "where": "Link spam", "quote": f"Quote {n}",
    }  # fmt: skip
    return Citation.model_validate({**values, **changed})


def answered(question: str = "Should I buy links?", *, text: str = "No. Do not buy links.", **changed: Any) -> Answer:
    values: dict[str, Any] = {
        "id": "01ANSWER", "conversation_id": "01TALK", "question": question, "searched": question, "status": "answered", "intent": "decide",
        "confidence": Confidence(level="medium", reason="Two official pages agree."),
        "sections": (
            Section(role="bottom_line", title="Bottom line", sentences=(sentence(text, 1),)),
            Section(role="steps", title="What to do", sentences=(sentence("Measure.", 2), sentence("Wait.", 1, 2, verdict="unsupported"))),
        ),
        "citations": (citation(1), citation(2, kind="vendor", check="contradicted")),
        "disputes": ("do-links-count",), "engine": "extractive", "elapsed_ms": Elapsed(), "fingerprint": "f1n9er",
    }  # fmt: skip
    return Answer(**{**values, **changed})


def refused(question: str) -> Answer:
    refusal = Refusal(reason="off_topic", message="I answer questions about search.", suggestions=("Are links dead?",))
    return answered(question, status="refused", refusal=refusal, sections=(), citations=(), disputes=())


def row(number: int = 1, question: str = "Should I buy links?", **changed: Any) -> Answered:
    values = {"number": number, "question": question, "columns": {}, "answer": answered(question)}
    return Answered(**{**values, **changed})


THREE = (
    row(1, "Should I buy links?", columns={"client": "Acme", "priority": "-12.5"}),
    row(2, "best pizza in rome", columns={"client": "=1+1", "priority": "007"}, answer=refused("best pizza in rome")),
    row(3, "", columns={"client": "Zoë", "priority": ""}, answer=None, error="row 3 has no question"),
)
COLUMNS = ("client", "priority")


def save(path: Path, rows: Sequence[Answered] | Iterator[Answered], columns: Sequence[str] = COLUMNS, **options: Any) -> Path:
    write(path, rows, columns=columns, question_column="question", **options)
    return path


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def read_sheets(path: Path) -> dict[str, Any]:
    book = openpyxl.load_workbook(path)
    return {sheet.title: sheet for sheet in book}


def columns_of(sheet: Any) -> dict[str, int]:
    return {cell.value: cell.column for cell in sheet[1]}


def elements(path: Path) -> list[Any]:
    """All elements of a page as a browser's parser makes them."""
    return [e for e in html5lib.parse(path.read_text("utf-8"), namespaceHTMLElements=False).iter() if isinstance(e.tag, str)]


def many(count: int, alive: WeakValueDictionary[int, Answer] | None = None, peak: list[int] | None = None) -> Iterator[Answered]:
    """Rows made one at a time; `peak` gets the most answers that were alive together."""
    for n in range(1, count + 1):
        made = row(n, f"Question {n}?", columns={"client": f"Client {n}", "priority": str(n)})
        if alive is not None and peak is not None and made.answer:
            alive[n] = made.answer
            peak.append(max(peak.pop(), len(alive)))
        yield made


# ------------------------------------------------------------------------------------------------ cells


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "\n=1+1", " =1+1", "\ufeff=1+1", "\u00a0=1+1", "\u200b=1+1", "\u3000=1+1",
        "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20a", "\ufe661+1", "\u2212A1", "=cmd|' /C calc'!A0", "-12.5+A1", "+1 (555) 123", "-", "=",
        "+1\n=2", "45%+A1".replace("45%", "-45%"),
    ],
)  # fmt: skip
def test_a_cell_that_could_run_gets_an_apostrophe_and_nothing_else(cell: str) -> None:
    assert safe_cell(cell) == f"'{cell}"


@pytest.mark.parametrize(
    "cell",
    [
        "",
        " ",
        "a=1",
        "how to use @ in titles",
        "c++ seo",
        '"=1+1"',
        "'=1+1",
        "-12.5",
        "+3",
        "45%",
        "-45 %",
        "-1,234.50",
        "1e5",
        "-.5",
        "−3",
        "x\ny",
    ],
)
def test_other_text_and_plain_numbers_stay_as_they_are(cell: str) -> None:
    assert safe_cell(cell) == cell


@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=40))
def test_no_cell_begins_with_a_sign_or_holds_a_control_character(text: str) -> None:
    cell = safe_cell(text)
    assert cell.lstrip()[:1] not in tuple("=@")
    assert cell.lstrip()[:1] not in tuple("+-") or re.fullmatch(r"[+-][0-9.,eE+\-% '\u00a0\u202f]+", cell.strip())
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]", cell)
    assert "\r" not in cell or cell.startswith("'")
    assert cell.encode().decode() == cell


def test_control_characters_before_the_sign_do_not_hide_it() -> None:
    assert safe_cell("\x00\x1b=1+1") == "'=1+1"
    assert safe_cell("one\x00\r\ntwo\rthree\x0bfour\x1b[2J") == "one\ntwo\nthree\nfour[2J"
    assert safe_cell("half \ud800 a character") == "half \ufffd a character"


def vectors() -> list[dict[str, str]]:
    if not VECTORS.is_file():
        return []
    return [json.loads(line) for line in VECTORS.read_text("utf-8").splitlines() if line.strip()]


def test_the_shared_cells_leave_as_expected(tmp_path: Path) -> None:
    """Through the exported file as well, where a text cell must come back to the letter."""
    texts = [case for case in vectors() if "numeric cell" not in case["cell"]]
    if not texts:
        pytest.skip(f"{VECTORS} is not there")
    path = save(tmp_path / "a.csv", [row(n, columns={"cell": case["cell"]}) for n, case in enumerate(texts, start=1)], columns=("cell",))
    for case, written in zip(texts, read_csv(path), strict=True):
        assert safe_cell(case["cell"]) == written["cell"] == case["expect_exported_text"], case["id"]


def test_numbers_are_those_whose_text_can_be_had_back() -> None:
    assert [number(text) for text in ("12", "-12.5", "0", "0.1")] == [12, -12.5, 0, 0.1]
    texts = ("007", "1.50", "+3", "45%", "-0", "1e5", "12345678901234567890", "", "٣", "1,000", "=1", "nan")
    assert [number(text) for text in texts] == [None] * len(texts)


def test_only_addresses_of_the_web_are_linked() -> None:
    assert link("https://example.com/a?b=1#c") == "https://example.com/a?b=1#c"
    assert link("HTTP://example.com") == "HTTP://example.com"
    hostile = (
        "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//example.com", "https://", "", "ftp://example.com",
        "https://good.example@evil.example", "https://good.example\\@evil.example", "https://a.example/ x", "java\nscript:alert(1)",
        "https://a.example/>x", 'https://a.example/"x', "https://[bad", "https://a.example/" + "x" * 3000, "https://a.example:99999/",
        "internal:Answers!A1", "external:c:\\x", "mailto:a@b.example",
    )  # fmt: skip
    assert [address for address in hostile if link(address)] == []


def test_a_cut_text_says_so_and_counts_as_spreadsheets_do() -> None:
    assert shortened("x" * 100, 100) == "x" * 100
    cut = shortened("😀" * 60, 100)
    assert len(cut.encode("utf-16-le")) // 2 <= 100
    assert cut.startswith("😀😀")
    assert cut.endswith("… [cut: 60 characters in all]")


# ------------------------------------------------------------------------------------------------ csv and jsonl


def test_csv_keeps_the_columns_and_adds_the_answer(tmp_path: Path) -> None:
    path = save(tmp_path / "a.csv", THREE)
    assert path.read_bytes().startswith(b"\xef\xbb\xbfquestion,client,priority,status,")
    assert path.read_bytes().count(b"\r\n") == 4
    first, second, third = read_csv(path)
    assert list(first) == ["question", *COLUMNS, *OUR_COLUMNS]
    assert (first["question"], first["client"], first["priority"]) == ("Should I buy links?", "Acme", "-12.5")
    assert first["status"] == "answered"
    assert first["bottom line"] == "No. Do not buy links. [1]"
    assert first["answer"] == "Bottom line\nNo. Do not buy links. [1]\n\nWhat to do\n1. Measure. [2]\n2. Wait. [1] [2] (unsupported)"
    assert (first["confidence"], first["reason"]) == ("medium", "Two official pages agree.")
    assert first["sources"].splitlines() == [
        "[1] Publisher 1: Title 1, official, operates the search engine, https://source.example/1#part",
        "[2] Publisher 2: Title 2, vendor, operates the search engine, https://source.example/2#part",
    ]
    assert (first["disputes"], first["answer id"]) == ("do-links-count", "01ANSWER")
    assert (second["status"], second["refused because"], second["client"]) == ("refused", "off_topic", "'=1+1")
    assert (second["answer"], second["confidence"]) == ("I answer questions about search.\n- Are links dead?", "")
    assert (third["status"], third["error"], third["answer"]) == ("failed", "row 3 has no question", "")


def test_a_column_of_the_same_name_stays_and_ours_says_whose_it_is(tmp_path: Path) -> None:
    names = ("Status", "answer", "status (advisor)")
    path = save(tmp_path / "a.csv", [row(columns={"Status": "open", "answer": "old", "status (advisor)": "x"})], columns=names)
    written = read_csv(path)[0]
    assert (written["Status"], written["answer"], written["status (advisor)"]) == ("open", "old", "x")
    assert written["status (advisor) (advisor)"] == "answered"
    assert written["answer (advisor)"].startswith("Bottom line")


def test_what_changed_is_a_column_only_when_rows_were_compared(tmp_path: Path) -> None:
    rows = [row(1), row(2, same_as=1, change="citations changed")]
    assert "change" not in read_csv(save(tmp_path / "a.csv", rows))[1]
    compared = read_csv(save(tmp_path / "b.csv", rows, changes=True))
    assert [r["change"] for r in compared] == ["", "citations changed"]
    assert [r["same as row"] for r in compared] == ["", "1"]


def test_formulas_in_question_columns_names_and_answers_are_harmless_in_tables(tmp_path: Path) -> None:
    rows = [row(1, "=HYPERLINK(A1)", columns={"=name": "@x"}, answer=answered("=q", text="=cmd|x", id="+id"))]
    for suffix in ("csv", "xlsx"):
        path = tmp_path / f"a.{suffix}"
        write(path, rows, columns=("=name",), question_column="@question")
        if suffix == "csv":
            with path.open(encoding="utf-8-sig", newline="") as file:
                cells = [cell for line in csv.reader(file) for cell in line]
        else:
            found = [cell for sheet in read_sheets(path).values() for line in sheet.iter_rows() for cell in line if cell.value is not None]
            assert {cell.data_type for cell in found} <= {"s", "n"}
            cells = [str(cell.value) for cell in found]
        assert {"'@question", "'=name", "'=HYPERLINK(A1)", "'@x", "'=cmd|x [1]", "'+id"} <= set(cells)
        assert not [cell for cell in cells if cell.lstrip()[:1] in ("=", "+", "@")]


def test_jsonl_holds_the_full_answer(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jsonl", [*THREE, row(4, "half \ud800", columns={"client": "\u2028é"}, same_as=1, change="same")])
    records = [json.loads(line) for line in path.read_bytes().split(b"\n") if line]
    assert [set(r) for r in records] == [{"row", "question", "columns", "status", "error", "same_as", "change", "answer"}] * 4
    assert Answer.model_validate(records[0]["answer"]) == THREE[0].answer
    assert records[0]["columns"] == {"client": "Acme", "priority": "-12.5"}
    assert (records[2]["answer"], records[2]["status"], records[2]["error"]) == (None, "failed", "row 3 has no question")
    assert (records[3]["question"], records[3]["same_as"], records[3]["change"]) == ("half \ud800", 1, "same")
    assert "Zoë".encode() in path.read_bytes()


# ------------------------------------------------------------------------------------------------ xlsx


def test_the_workbook_holds_the_rows_typed_colored_and_framed(tmp_path: Path) -> None:
    sheets = read_sheets(save(tmp_path / "a.xlsx", THREE))
    assert list(sheets) == ["Answers", "Sources", "About"]
    answers = sheets["Answers"]
    at = columns_of(answers)
    assert list(at) == ["question", *COLUMNS, *OUR_COLUMNS]
    assert answers.freeze_panes == "B2"
    assert answers.auto_filter.ref == answers.dimensions == f"A1:{answers.cell(1, len(at)).column_letter}4"
    assert answers["A1"].font.b
    assert [answers.cell(n, at["priority"]).value for n in (2, 3, 4)] == [-12.5, "007", None]
    assert [answers.cell(n, at["client"]).value for n in (2, 3, 4)] == ["Acme", "'=1+1", "Zoë"]
    states = [answers.cell(n, at["status"]) for n in (2, 3, 4)]
    assert [cell.value for cell in states] == ["answered", "refused", "failed"]
    assert len({cell.fill.fgColor.rgb for cell in states}) == 3
    assert answers.cell(2, at["answer"]).alignment.wrap_text
    assert answers.column_dimensions[answers.cell(1, at["answer"]).column_letter].width > 60
    assert read_csv(save(tmp_path / "a.csv", THREE))[0]["answer"] == answers.cell(2, at["answer"]).value


def test_citations_lead_to_the_sources_and_back(tmp_path: Path) -> None:
    sheets = read_sheets(save(tmp_path / "a.xlsx", [THREE[1], row(2), row(3, answer=answered("Three?"))]))
    answers, sources = sheets["Answers"], sheets["Sources"]
    at, of = columns_of(answers), columns_of(sources)
    assert answers.cell(2, at["sources"]).hyperlink is None
    assert [answers.cell(n, at["sources"]).hyperlink.location for n in (3, 4)] == ["Sources!A2", "Sources!A4"]
    lines = [{name: sources.cell(n, column).value for name, column in of.items()} for n in range(2, sources.max_row + 1)]
    assert [(line["row"], line["number"]) for line in lines] == [(2, 1), (2, 2), (3, 1), (3, 2)]
    assert lines[1] == {
        "row": 2, "number": 2, "publisher": "Publisher 2", "title": "Title 2", "url": "https://source.example/2#part", "kind": "vendor",
        "published": "2026-08-28", "interest": "operates the search engine", "evidence": "primary", "check": "contradicted",
        "where": "Link spam", "quote": "Quote 2", "back": "to row 2",
    }  # fmt: skip
    linked = sources.cell(3, of["title"]).hyperlink
    assert (linked.target, linked.location) == ("https://source.example/2", "part")
    assert [sources.cell(n, of["back"]).hyperlink.location for n in (2, 3, 4, 5)] == [
        "Answers!A3",
        "Answers!A3",
        "Answers!A4",
        "Answers!A4",
    ]


def test_the_sheet_about_counts_and_explains(tmp_path: Path) -> None:
    about = read_sheets(save(tmp_path / "a.xlsx", THREE, title="=Our answers"))["About"]
    told = [(line[0], line[1]) for line in about.iter_rows(values_only=True)]
    assert told[0][0] == "'=Our answers"
    assert {("rows", 3), ("answered", 1), ("refused", 1), ("failed", 1), ("fingerprint", "f1n9er")} <= set(told)
    assert any(name == "how to read it" and "Sources" in text for name, text in told)
    assert not [text for name, text in told if name == "left out"]


def test_an_address_that_may_not_be_linked_stands_as_text(tmp_path: Path) -> None:
    bad = answered(citations=(citation(1, url="javascript:alert(1)"), citation(2, url="file:///etc/passwd")))
    path = save(tmp_path / "a.xlsx", [row(1, answer=bad)])
    sources = read_sheets(path)["Sources"]
    of = columns_of(sources)
    assert [sources.cell(n, of["title"]).hyperlink for n in (2, 3)] == [None, None]
    assert sources.cell(2, of["url"]).value == "javascript:alert(1)"
    with zipfile.ZipFile(path) as parts:
        assert "xl/worksheets/_rels/sheet2.xml.rels" not in parts.namelist()


def test_a_text_longer_than_a_cell_is_cut_and_said_to_be(tmp_path: Path) -> None:
    sheets = read_sheets(save(tmp_path / "a.xlsx", [row(1, "q" * 40_000, columns={"client": "<r><t>raw</t></r>"})]))
    value = sheets["Answers"]["A2"].value
    assert len(value) == 32_767
    assert value.endswith("… [cut: 40,000 characters in all]")
    assert sheets["Answers"]["B2"].value == "<r><t>raw</t></r> "
    assert [line[1] for line in sheets["About"].iter_rows(values_only=True) if line[0] == "left out"] == [
        "1 texts are cut at 32,767 characters, the most that a cell holds; the .jsonl output has all of them."
    ]


def test_more_links_than_a_sheet_holds_are_left_as_text_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MAX_LINKS", 4)
    path = save(tmp_path / "a.xlsx", many(5))
    sheets = read_sheets(path)
    titles = [sheets["Sources"].cell(n, 4).hyperlink for n in range(2, 12)]
    assert [bool(t) for t in titles] == [True, True, True] + [False] * 7
    with zipfile.ZipFile(path) as parts:
        counts = [parts.read(f"xl/worksheets/sheet{n}.xml").count(b"<hyperlink ") for n in (1, 2)]
    assert counts == [4, 4]
    assert any(str(line[1]).startswith("7 titles are not linked") for line in sheets["About"].iter_rows(values_only=True))


def test_a_table_that_a_sheet_cannot_hold_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MAX_LINES", 3)
    with pytest.raises(InputError, match="an Excel sheet holds 3 rows"):
        save(tmp_path / "a.xlsx", many(5))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="16,384 columns"):
        save(tmp_path / "a.xlsx", many(1), columns=[f"c{n}" for n in range(20_000)])


# ------------------------------------------------------------------------------------------------ documents

HOSTILE = row(
    1,
    PLANTED,
    columns={PLANTED: PLANTED},
    change=PLANTED,
    error=PLANTED,
    same_as=1,
    answer=answered(
        PLANTED,
        text=PLANTED,
        searched=PLANTED + "?",
        fingerprint=PLANTED,
        confidence=Confidence(level="low", reason=PLANTED),
        citations=(
            citation(1, title=PLANTED, publisher=PLANTED, interest=PLANTED, where=PLANTED, quote=PLANTED, published=PLANTED, url="javascript:alert(1)"),
            citation(2, url="https://source.example/a>b\"onclick='x'"),
            citation(3, url="https://source.example/?a=1&b=2"),
        ),
    ),
)  # fmt: skip


def test_the_page_holds_questions_answers_and_sources_in_order(tmp_path: Path) -> None:
    page = save(tmp_path / "a.html", [*THREE, row(4, same_as=1, change="citations changed")], changes=True)
    found = elements(page)
    articles = [e for e in found if e.tag == "article"]
    assert [a.get("id") for a in articles] == ["row-1", "row-2", "row-3", "row-4"]
    texts = [" ".join("".join(a.itertext()).split()) for a in articles]
    assert all(
        part in texts[0] for part in ("1. Should I buy links?", "clientAcme", "No. Do not buy links. [1]", "Wait. [1][2] (unsupported)")
    )
    assert (
        "vendor, 2026-08-28. Interest: operates the search engine. Evidence: primary; check: contradicted (contradicted by the" in texts[0]
    )
    assert "I answer questions about search." in texts[1]
    assert "row 3 has no question" in texts[2]
    assert "The same question as in row 1 · Since the earlier run: citations changed" in texts[3]
    anchors = {e.get("id") for e in found if e.get("id")}
    inside = [e.get("href") for e in found if e.tag == "a" and e.get("href").startswith("#")]
    assert len(inside) > 8
    assert {address[1:] for address in inside} <= anchors
    outside = [e for e in found if e.tag == "a" and not e.get("href").startswith("#")]
    assert [e.get("href") for e in outside[:2]] == ["https://source.example/1#part", "https://source.example/2#part"]
    assert {e.get("rel") for e in outside} == {"noopener noreferrer nofollow"}


def test_the_page_runs_and_fetches_nothing_whatever_is_planted(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    write(path, [HOSTILE], columns=(PLANTED,), question_column=PLANTED, title=PLANTED, changes=True)
    found = elements(path)
    allowed = {
        "html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "h3", "p", "nav", "ol", "ul", "li", "a", "main", "article", "span",
        "dl", "div", "dt", "dd", "strong", "em", "blockquote",
    }  # fmt: skip
    assert {e.tag for e in found} <= allowed
    assert {name for e in found for name in e.attrib} <= {
        "lang", "charset", "http-equiv", "content", "name", "aria-label", "value", "href", "class", "id", "rel",
    }  # fmt: skip
    assert {e.get("href") for e in found if e.get("href") and not e.get("href").startswith("#")} == {"https://source.example/?a=1&b=2"}
    style = next(e.text for e in found if e.tag == "style")
    assert "url(" not in style
    assert "@import" not in style
    whole = " ".join("".join(found[0].itertext()).split())
    assert whole.count("<script>alert(1)</script>") > 8


def test_planted_markup_is_text_in_markdown(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    write(path, [HOSTILE], columns=(PLANTED,), question_column=PLANTED, title=PLANTED, changes=True)
    tokens = MarkdownIt("commonmark", {"html": True}).parse(path.read_text("utf-8"))
    leaves = [leaf for token in tokens for leaf in (token.children or [token])]
    assert {leaf.content.strip() for leaf in leaves if leaf.type.startswith("html")} <= {'<a id="row-1">', "</a>"}
    assert not [leaf for leaf in leaves if leaf.type == "image"]
    links = {leaf.attrGet("href") for leaf in leaves if leaf.type == "link_open"}
    assert links == {"#row-1", "https://source.example/?a=1&b=2"}


def test_markdown_holds_questions_answers_and_columns(tmp_path: Path) -> None:
    text = save(tmp_path / "a.md", [*THREE, row(4, same_as=1)]).read_text("utf-8")
    assert text.startswith("# SEO Advisor: answers\n\n4 rows: 2 answered, 1 refused, 1 failed. Fingerprint: f1n9er.\n\n- [1\\. Should I")
    places = [text.index(f"## {n}\\. ") for n in (1, 2, 3, 4)]
    assert places == sorted(places)
    assert "*client: Acme; priority: -12.5*" in text
    assert "**No. Do not buy links.** [1]" in text
    assert "**Failed:** row 3 has no question" in text
    assert "*The same question as in [row 1](#row-1).*" in text


@pytest.mark.parametrize("suffix", ["md", "html"])
def test_contents_stand_before_as_many_rows_as_help(suffix: str, tmp_path: Path) -> None:
    few = save(tmp_path / f"few.{suffix}", many(200)).read_text("utf-8")
    more = save(tmp_path / f"more.{suffix}", many(201)).read_text("utf-8")
    contents = re.compile(r"\[7\\?\. Question 7\?\]\(#row-7\)|<li value=\"7\"><a href=\"#row-7\">Question 7\?")
    assert contents.search(few)
    assert not contents.search(more)
    assert "Question 201?" in more


# ------------------------------------------------------------------------------------------------ files


@pytest.mark.parametrize("suffix", FORMATS)
def test_rows_are_taken_one_at_a_time(suffix: str, tmp_path: Path) -> None:
    alive: WeakValueDictionary[int, Answer] = WeakValueDictionary()
    peak = [0]
    save(tmp_path / f"a{suffix}", many(2000, alive, peak))
    assert 1 <= peak[0] <= 3


@pytest.mark.parametrize("suffix", FORMATS)
def test_an_error_among_the_rows_leaves_the_old_file_and_no_other(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"old")

    def broken(error: Exception) -> Iterator[Answered]:
        yield from many(50)
        raise error

    for error in (ValueError("stop"), OSError(28, "the journal is gone"), StorageError("the journal is full")):
        with pytest.raises(type(error)) as caught:
            save(path, broken(error))
        assert caught.value is error
        assert path.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_killed_run_leaves_the_old_file_whole(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"old")
    code = f"""
import os, signal
from pathlib import Path
from tests.test_batch_outputs import many, save
def rows():
    yield from many(300)
    os.kill(os.getpid(), signal.SIGKILL)
save(Path({str(path)!r}), rows())
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, env={**os.environ, "TMPDIR": str(tmp_path)})
    assert done.returncode == -9
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_new_file_takes_the_place_and_the_rights_of_the_old_one(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix.upper()}"
    path.write_bytes(b"old")
    path.chmod(0o640)
    named = tmp_path / f"link{suffix}"
    named.symlink_to(path)
    with path.open("rb") as reader:
        save(named, THREE)
        assert reader.read() == b"old"
    assert path.stat().st_size > 100
    assert path.stat().st_mode & 0o777 == 0o640
    assert named.is_symlink()
    assert sorted(tmp_path.iterdir()) == sorted([path, named])


@pytest.mark.parametrize("suffix", FORMATS)
def test_no_rows_make_a_file_all_the_same(suffix: str, tmp_path: Path) -> None:
    assert save(tmp_path / f"a{suffix}", []).exists()


def one_sentence(error: AdvisorError) -> str:
    """The error's message, which is one line of one sentence with a hint."""
    message = str(error)
    assert "\n" not in message
    assert "Traceback" not in message
    assert error.hint
    assert error.hint.endswith(".")
    return message


@contextmanager
def as_ordinary_user() -> Iterator[None]:
    """Without the rights of root, which may write anywhere."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.mark.parametrize("use", [lambda path: check_target(path), lambda path: save(path, many(3))], ids=["check", "write"])
def test_a_read_only_folder_is_told_before_anything_is_answered(use: Callable[[Path], None]) -> None:
    with tempfile.TemporaryDirectory(dir=tempfile.gettempdir()) as name:
        folder = Path(name)
        folder.chmod(0o555)
        with as_ordinary_user(), pytest.raises(InputError) as caught:
            use(folder / "a.csv")
        folder.chmod(0o755)
        assert one_sentence(caught.value) == f"'{folder}/a.csv' cannot be written: Permission denied"
        assert list(folder.iterdir()) == []


def refusal(path: Path) -> str:
    """What is said of a target, by the check and by writing alike, and that no row was taken."""
    taken = []

    def rows() -> Iterator[Answered]:
        taken.append(1)
        yield row()

    said = []
    for use in (lambda: check_target(path), lambda: save(path, rows())):
        with pytest.raises(InputError) as caught:
            use()
        said.append(one_sentence(caught.value))
    assert taken == []
    assert said[0] == said[1]
    return said[0]


def test_a_target_that_cannot_be_written_is_told_in_one_sentence(tmp_path: Path) -> None:
    old = tmp_path / "old.csv"
    old.write_bytes(b"old")
    old.chmod(0o444)
    assert refusal(old) == f"'{old}' cannot be written: the file is read-only"
    old.chmod(0o644)
    with old.open("r+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert refusal(old) == f"'{old}' cannot be written: the file is locked by another program"
    assert old.read_bytes() == b"old"
    assert refusal(tmp_path / "a.pdf") == "'a.pdf' does not end in a format that can be written"
    assert refusal(tmp_path / "answers") == "'answers' does not end in a format that can be written"
    assert refusal(tmp_path / "none" / "a.csv") == f"there is no folder '{tmp_path}/none' to write 'a.csv' in"
    (tmp_path / "folder.csv").mkdir()
    assert refusal(tmp_path / "folder.csv") == f"'{tmp_path}/folder.csv' is a folder"
    assert refusal(old / "a.csv").startswith("there is no folder")
    os.mkfifo(tmp_path / "pipe.csv")
    assert refusal(tmp_path / "pipe.csv").endswith("not an ordinary file")
    assert refusal(tmp_path / ("x" * 300 + ".csv")).endswith("File name too long")


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file may grow beyond so many bytes, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_full_disk_is_told_in_one_sentence_and_leaves_the_old_file(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"old")
    with largest_file(100_000), pytest.raises(StorageError) as caught:
        save(path, many(2000))
    assert one_sentence(caught.value) == f"could not write 'a{suffix}' in '{tmp_path}': File too large"
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_disk_that_is_full_at_the_end_raises_once(suffix: str) -> None:
    """And says nothing more when what was half written is thrown away; warnings are errors here."""
    layout = Layout(title="t", question_column="question", columns=COLUMNS)
    with Path("/dev/full").open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        FORMATS[suffix](file, many(500), layout)
