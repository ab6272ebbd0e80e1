"""Care of the corpus: each check finds what it is for, and nothing in a sound corpus; the README teaches what works."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from advisor.care.check import check_corpus, last_day
from advisor.care.ledger import open_figures, provenance
from advisor.care.library import Filters, browse, parse_filters, used_by
from advisor.care.stats import stats
from advisor.care.words import shared_runs
from advisor.engine import Advisor
from advisor.errors import InputError
from advisor.index.adapter import QueryAdapter
from advisor.index.build import ensure_index
from advisor.knowledge.cards import read_corpus
from advisor.settings import Settings
from tests.fakes import WordEncoder

README = Path(__file__).parent.parent / "corpus" / "README.md"


def found(settings: Settings, check: str, **options: object) -> list[tuple[str, str]]:
    """Where a check of this corpus finds something, and what."""
    encoder = WordEncoder()
    index = ensure_index(settings, encoder)
    try:
        findings = check_corpus(index, encoder, QueryAdapter(), today=date(2026, 11, 20), **options)  # type: ignore[arg-type]
    finally:
        index.close()
    return [(f.where, f.what) for f in findings if f.check == check]


def change(settings: Settings, name: str, old: str, new: str) -> None:
    path = settings.corpus_dir / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_sound_corpus_has_no_errors(settings: Settings) -> None:
    assert found(settings, "figures") == []
    assert found(settings, "near-duplicates") == []
    assert found(settings, "review") == []


def test_a_source_past_its_review_date_is_found(settings: Settings) -> None:
    change(settings, "sources/title-study.yaml", "review_by: 2027-06", "review_by: 2026-10")
    assert [where for where, _ in found(settings, "review")] == ["title-study"]


@pytest.mark.parametrize(("written", "day"), [("2026", (2026, 12, 31)), ("2026-02", (2026, 2, 28)), ("2026-11-20", (2026, 11, 20))])
def test_a_review_date_is_over_when_its_last_day_is(written: str, day: tuple[int, int, int]) -> None:
    assert last_day(written) == date(*day)


def test_two_statements_that_say_the_same_are_found(settings: Settings) -> None:
    change(
        settings,
        "sources/title-study.yaml",
        "text: Pogo-sticking means that a searcher opens a result, returns to the results at once, and opens another.",
        "text: Google says that its ranking systems use links between pages still as one of several signals of relevance.",
    )
    assert found(settings, "near-duplicates") == [
        ("google-links/earned-links", "title-study/pogo-sticking says nearly the same (cosine 1.00)")
    ]


def test_an_ask_that_finds_another_passage_first_is_found(settings: Settings) -> None:
    change(
        settings,
        "sources/title-study.yaml",
        "- average ctr gain from rewriting titles",
        "- does google still use links between pages as one of several signals of relevance",
    )
    assert any(where == "title-study/titles-help" and "google-links/earned-links" in what for where, what in found(settings, "asks"))


def test_passages_that_no_question_retrieves_are_listed_and_without_questions_nothing_is_said(settings: Settings) -> None:
    assert found(settings, "unused") == []
    # All ten passages of so small a corpus are among the first twelve, but for the third of a source.
    ask = next(p for p in read_corpus(settings.corpus_dir).passages if p.id == "google-links/earned-links").asks[0]
    unused = {where for where, _ in found(settings, "unused", questions=[ask])}
    assert "google-links/earned-links" not in unused


def test_words_shared_with_a_source_text_are_found(settings: Settings) -> None:
    text = "They wrote that a searcher opens a result, returns to the results at once, and opens another one."
    assert [where for where, _ in found(settings, "own words", compare={"a.txt": text})] == ["title-study/pogo-sticking"]
    assert list(shared_runs("one two three four five six seven", {"a": "one two three four five six seven"})) == []


def test_a_figure_without_source_reporter_or_verdict_is_an_error(settings: Settings) -> None:
    change(settings, "sources/title-study.yaml", "evidence: data", "evidence: none")
    change(settings, "sources/title-study.yaml", "verdict: qualified", "verdict: confirmed")
    change(settings, "sources/title-study.yaml", "      because: [court-clicks/no-single-visit]\n", "")
    corpus = read_corpus(settings.corpus_dir)
    assert [p.id for p in open_figures(corpus.passages)] == ["title-study/titles-help"]


def test_every_figure_of_the_shipped_corpus_has_its_place_in_the_ledger() -> None:
    corpus = read_corpus(README.parent)
    assert [p.id for p in open_figures(corpus.passages)] == []
    assert {provenance(p) for p in corpus.passages if p.role == "figure"} <= {"primary-backed", "reported", "no primary source"}


def test_stats_count_what_is_there(advisor: Advisor) -> None:
    counts = {(c.heading, c.name): c.number for c in stats(advisor.corpus)}
    assert counts["In all", "sources"] == 4
    assert counts["In all", "playbooks"] == 1
    assert counts["Sources by kind", "court"] == 1


def test_the_library_shows_what_the_filters_let_through(advisor: Advisor) -> None:
    assert [s.source.id for s in browse(advisor.corpus, Filters(kind="court"))] == ["court-clicks"]
    assert {s.source.id for s in browse(advisor.corpus, Filters(gain="tools"))} == {"title-study"}
    contested = browse(advisor.corpus, Filters(check="qualified"))
    assert all(p.check.verdict == "qualified" for shelf in contested for p in shelf.passages)
    assert len(browse(advisor.corpus, Filters())) == 4


def test_a_filter_that_does_not_exist_is_refused_with_the_choices() -> None:
    with pytest.raises(InputError, match="there is no kind 'blog'") as caught:
        parse_filters(kind="blog")
    assert "practitioner" in caught.value.line


def test_a_search_of_the_library_puts_the_best_source_first(advisor: Advisor) -> None:
    shelves = advisor.library("pogo-sticking searcher returns to the results")
    assert shelves[0].source.id == "title-study"
    assert shelves[0].passages[0].id == "title-study/pogo-sticking"
    assert advisor.library("pogo-sticking", Filters(kind="court")) == () or all(
        s.source.kind == "court" for s in advisor.library("pogo-sticking", Filters(kind="court"))
    )


def test_what_leans_on_a_source_is_known(advisor: Advisor) -> None:
    used = used_by(advisor.corpus, advisor.source("court-clicks"))
    assert "click-services" in {g.id for g in used.guidance}
    assert "title-study/titles-help" in {p.id for p in used.decides}


def test_a_newcomer_who_follows_the_readme_adds_a_source_that_is_found(settings: Settings) -> None:
    card = re.search(r"```yaml\n(.+?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert card
    ident = re.search(r"^id: (.+)$", card[1], re.MULTILINE)
    assert ident
    (settings.corpus_dir / "sources" / f"{ident[1]}.yaml").write_text(card[1], encoding="utf-8")
    encoder = WordEncoder()
    advisor = Advisor(settings, encoder, ensure_index(settings, encoder))
    try:
        answer = advisor.ask("do newspapers use the anchor i ask for")
        assert f"{ident[1]}/editors-choose-words" in {c.passage_id for c in answer.citations}
    finally:
        advisor.close()
