"""The report on eval results: whole in itself, safe to open, silent about the reporting half's rows, and the same for the same input."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import html5lib
import pytest

from advisor.errors import InputError
from advisor.models import Check, Passage, Source
from evals import plots
from evals.compare import Change, QuestionChange
from evals.report import WORST, report_html, write_report

COMMIT = "0123456789ab"
HOSTILE = """<script>alert(1)</script><img src="http://evil.example/x" onerror='alert(2)'>"""
FIGURES = {
    "key-point recall": {"value": 0.812, "low": 0.731, "high": 0.893, "n": 40},
    "words": {"value": 231.0, "low": 210.0, "high": 252.0, "n": 40},
}
REPORT_FIGURES = {"key-point recall": {"value": 0.777, "low": 0.666, "high": 0.888, "n": 41}}


def row(name: str, *, half: str = "tune", question: str = "", score: float = 1.0, expect: str = "answered", **more: Any) -> dict[str, Any]:
    refusal = {"reason": expect, "message": "Not in my sources.", "suggestions": []}
    sentence = {"text": f"Said to {name}.", "citations": [1], "support": {"verdict": "partial", "score": 0.51}}
    answer = {
        "status": "answered" if expect == "answered" else "refused",
        "refusal": None if expect == "answered" else refusal,
        "intent": "explain",
        "sections": [{"role": "bottom_line", "title": "Bottom line", "sentences": [sentence]}] if expect == "answered" else [],
        "citations": [{"number": 1, "passage_id": "maker/claim"}] if expect == "answered" else [],
        "elapsed_ms": {"total": 12.5},
    }
    case = {"id": name, "half": half, "tags": ["plain"], "question": question or f"Asked by {name}?", "history": [], "expect": expect}
    return {
        "case": case,
        "answer": {**answer, **more},
        "ranked": [],
        "scores": {"key-point recall": score, "words": 200.0, "polarity": None},
    }


def result(suite: str = "answers", rows: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "suite": suite,
        "commit": COMMIT,
        "corpus": "corpus-fp",
        "fingerprint": "settings-fp",
        "scorer": "advisor.answer.verify.support",
        "halves": {"tune": FIGURES, "report": REPORT_FIGURES},
        "rows": [row("t1", score=0.5), row("r1", half="report", score=0.0)] if rows is None else rows,
        **more,
    }


def a_passage(text: str = "Our links work.") -> Passage:
    source = Source(
        id="maker",
        title="Why links",
        publisher="Link Maker",
        url="https://maker.example/",
        published="2024",
        kind="vendor",
        interest="sells links",
        standing="none",
    )
    return Passage(
        id="maker/claim",
        source=source,
        role="claim",
        stance="links",
        text=text,
        where="p. 1",
        evidence="none",
        check=Check(verdict="unsupported"),
    )


def elements(page: str) -> list[Any]:
    """All elements of the page as a browser reads it; a page that is no clean HTML is an error."""
    found = list(html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page).iter())
    for element in found:
        element.tag = element.tag.rsplit("}", 1)[-1]  # those of pictures are of another namespace
    return found


def words_of(page: str) -> str:
    tree = html5lib.parse(page, namespaceHTMLElements=False)
    return " ".join(" ".join(tree.itertext()).split())


def test_the_page_asks_nothing_of_a_network_and_runs_nothing() -> None:
    page = report_html([result(), result("refusals", [row("t2", expect="off_topic")])])
    for element in elements(page):
        assert element.tag not in {"script", "link", "img", "iframe", "object", "embed"}
        for name, value in element.attrib.items():
            assert not name.lower().startswith("on")
            if name in {"src", "href", "{http://www.w3.org/1999/xlink}href", "action"}:
                assert value.startswith("#")
    assert "http:" not in page
    assert "https:" not in page
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page)
    assert "default-src 'none'" in page


def test_texts_from_outside_are_shown_as_text_and_never_as_markup() -> None:
    hostile = row(HOSTILE, question=HOSTILE, expect="answered")
    hostile["case"]["tags"] = hostile["case"]["history"] = [HOSTILE]
    refused = row("t9", expect="off_topic", refusal={"reason": HOSTILE, "message": HOSTILE, "suggestions": []})
    planted = result(rows=[hostile, refused], corpus=HOSTILE, suite=f"suite{HOSTILE}")
    planted["halves"] = {"tune": {HOSTILE: {"value": 0.5, "low": 0.4, "high": 0.6, "n": 2}}, "report": {}}
    page = report_html([planted], passage=lambda _: a_passage(HOSTILE))
    assert {e.tag for e in elements(page)}.isdisjoint({"script", "img"})
    assert words_of(page).count("<script>alert(1)</script>") > 8


def test_rows_of_the_reporting_half_are_nowhere_but_their_figures_are() -> None:
    secret = row("secret-id", half="report", question="Secret question?", score=0.0, sections=[], refusal=None)
    unknown = row("unknown-half", question="Of no half?")
    del unknown["case"]["half"]
    page = report_html([result(rows=[row("t1"), secret, unknown])], passage=lambda _: a_passage())
    assert "Asked by t1?" in page
    for absent in ("secret-id", "Secret question", "unknown-half", "Of no half"):
        assert absent not in page
    assert "0.777" in page


def test_rows_that_name_their_half_themselves_are_treated_alike() -> None:
    flat = [{**r["case"], **{k: v for k, v in r.items() if k != "case"}} for r in (row("t1"), row("r1", half="report"))]
    assert report_html([result(rows=flat)]) == report_html([result(rows=[row("t1"), row("r1", half="report")])])


def test_the_reporting_half_changes_no_picture_of_rows() -> None:
    one = result(rows=[row("t1"), row("r1", half="report", score=0.0)])
    other = result(rows=[row("t1"), row("r1", half="report", score=1.0, expect="off_topic")])
    assert report_html([one]) == report_html([other])


def test_every_suite_and_figure_is_named_with_its_interval() -> None:
    page = words_of(report_html([result("safety"), result("answers")]))
    assert page.index("Answers: value, 95 % interval") < page.index("Safety: value, 95 % interval")
    assert page.count("key-point recall 0.812 0.731 to 0.893 n 40 0.777 0.666 to 0.888 n 41") == 2
    assert page.count("words 231 210 to 252 n 40 –") == 2
    for fact in (COMMIT, "corpus-fp", "settings-fp", "advisor.answer.verify.support"):
        assert fact in page


def test_results_that_do_not_belong_together_are_marked() -> None:
    assert "differ in commit" in report_html([result(), result("safety", commit="other")])
    assert "do not belong together" not in report_html([result(), result("safety")])


def test_the_same_input_gives_the_same_bytes_in_any_order() -> None:
    results = [result("safety"), result("answers")]
    assert report_html(results) == report_html(json.loads(json.dumps(results)))
    assert report_html(results) == report_html(results[::-1])


def test_the_weakest_answers_come_first_with_sentences_marks_and_evidence() -> None:
    rows = [row(f"t{n:02}", score=n / 100) for n in range(40)][::-1]
    page = report_html([result(rows=rows)], passage=lambda name: a_passage() if name == "maker/claim" else None)
    shown = re.findall(r"<h3>Asked by (t\d\d)\?</h3>", page)
    assert shown == [f"t{n:02}" for n in range(WORST)]
    said = words_of(page)
    assert "Said to t00. 1 partial, 0.510" in said
    assert "Link Maker , Why links Our links work. maker/claim" in said
    ids = {e.attrib["id"] for e in elements(page) if "id" in e.attrib}
    assert {e.attrib["href"][1:] for e in elements(page) if e.tag == "a"} <= ids


def test_a_mark_without_a_citation_and_a_citation_without_a_passage_are_said() -> None:
    wrong = row("t1")
    wrong["answer"]["sections"][0]["sentences"][0]["citations"] = [7]
    page = words_of(report_html([result(rows=[wrong])]))
    assert "7?" in page
    assert "There is no such passage in the corpus." in page


def test_what_was_expected_stands_beside_what_came() -> None:
    wrong = row("t1", expect="off_topic", refusal=None, status="answered")
    page = words_of(report_html([result(rows=[wrong, row("t2", expect="off_topic")])]))
    assert "Expected a refusal (off topic); got an answer ." in page
    assert "Expected a refusal (off topic), and got it." in page


def test_what_has_changed_is_told_for_sure_changes_and_questions_of_the_tuning_half() -> None:
    figures = [
        Change(suite="answers", half="report", name="key-point recall", before=0.7, after=0.9, low=0.1, high=0.3),
        Change(suite="answers", half="report", name="polarity", before=0.7, after=0.9, low=-0.1, high=0.5),
    ]
    questions = [
        QuestionChange(suite="answers", id=name, question=asked, scores={"safe": (0.0, 1.0)}, before="No.", after="Yes.")
        for name, asked in (("t1", "Shown?"), ("r1", "Hidden?"))
    ]
    page = report_html([result()], {"commit": "ba98", "figures": figures, "questions": questions})
    said = words_of(page)
    assert "Compared with commit ba98" in said
    assert "key-point recall Answers, reporting half 0.700 0.900 better 0.100 to 0.300" in said
    assert "polarity Answers" not in said
    assert "Shown? t1 safe 0.000 → 1.000 Before: No. Now: Yes." in said
    assert "Hidden?" not in page
    assert "What has changed" not in report_html([result()])


def test_every_picture_says_what_it_shows_and_no_id_is_there_twice() -> None:
    rows = [row("t1"), row("t2", score=0.3), row("t3", expect="off_topic")]
    for n, one in enumerate(rows):
        one["scores"]["scope"] = 0.9 - 0.3 * n
    found = elements(report_html([result(rows=rows), result("refusals", rows)]))
    pictures = [e for e in found if e.tag == "svg"]
    assert len(pictures) == 7
    assert all(e.attrib["role"] == "img" and len(e.attrib["aria-label"]) > 20 for e in pictures)
    assert sum(e.tag == "figcaption" for e in found) == len(pictures)
    ids = [e.attrib["id"] for e in found if "id" in e.attrib]
    assert len(ids) == len(set(ids))


def test_the_four_counts_of_refusals_are_in_the_picture() -> None:
    rows = [
        row("t1"),
        row("t2", refusal={"reason": "unclear", "message": "?"}),
        row("t3", expect="off_topic"),
        row("t4", expect="smalltalk"),
    ]
    page = report_html([result(rows=rows)])
    assert "1 answered of 2 to be answered; 1 refused of 2 to be answered; 0 answered of 1 to be refused; 1 refused of 1" in page


def test_the_curve_counts_what_lies_below_the_threshold() -> None:
    picture = plots.refusal_curve([0.6, 0.7, 0.8, 0.9, 1.0], [0.0, 0.1, 0.2, 0.7])
    assert "75.0% of those to be refused and 0.0% of those to be answered" in picture
    assert plots.refusal_curve([0.5], []) == ""


def test_pictures_hold_texts_as_texts_and_take_their_colors_from_the_page() -> None:
    picture = plots.suite_bars("answers", {"tune": FIGURES, "report": REPORT_FIGURES})
    assert "0.812  (0.731 to 0.893)" in picture
    assert ">key-point recall</text>" in picture
    assert ">words<" not in picture
    assert "var(--tune, #1b5e7d)" in picture
    assert not re.search(r"(?<!, )#[0-9a-f]{6}\b(?!\))", picture.replace("#000000", "")), "a color that no page can change"
    assert "font-family" not in picture
    assert "<metadata" not in picture


def test_results_without_rows_or_intervals_still_make_a_page() -> None:
    bare = result(rows=[], halves={"tune": {"safe": {"value": 1.0, "low": None, "high": None, "n": 1}}})
    page = words_of(report_html([bare]))
    assert "safe 1.000 – n 1 –" in page
    assert "weakest" not in page


def test_write_report_reads_the_files_of_its_commit_alone(tmp_path: Path) -> None:
    for suite in ("answers", "safety"):
        (tmp_path / f"{suite}-{COMMIT}.json").write_text(json.dumps(result(suite)), encoding="utf-8")
    (tmp_path / "balance-ba9876543210.json").write_text("not read", encoding="utf-8")
    path = write_report(tmp_path, COMMIT + "cdef", lambda _: a_passage())
    assert path == tmp_path / f"report-{COMMIT}.html"
    page = path.read_text(encoding="utf-8")
    assert 'id="suite-answers"' in page
    assert 'id="suite-safety"' in page
    assert "suite-balance" not in page
    assert "Our links work." in page


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"commit": "0123456789ab", "figures": {}}', '{"schema_version": 2, "suite": "", "halves": {}, "rows": []}']
)
def test_a_file_that_is_no_result_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / f"answers-{COMMIT}.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=f"answers-{COMMIT}.json"):
        write_report(tmp_path, COMMIT, lambda _: None)


@pytest.mark.parametrize("commit", ["ffffffffffff", "", "*"])
def test_a_commit_without_results_is_said(tmp_path: Path, commit: str) -> None:
    (tmp_path / f"answers-{COMMIT}.json").write_text(json.dumps(result()), encoding="utf-8")
    with pytest.raises(InputError, match="no eval results of commit"):
        write_report(tmp_path, commit, lambda _: None)
