"""The shipped corpus: complete, cross-checked, in our own words."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from advisor.engine import Advisor
from advisor.knowledge.cards import read_corpus
from advisor.models import Corpus
from evals.cases import all_cases

ROOT = Path(__file__).parent.parent
CLAIMS = Path(__file__).with_name("claims.tsv")
ARTICLES = {
    "A": ("serpclix-diminishing-returns", 22),
    "B": ("enterbacklink-user-signals", 73),
    "C": ("seamonster-seo-backlinks", 30),
    "D": ("turboseotools-thought-leadership", 27),
}
OWN_WORDS = ROOT.parent / "shared" / "tools" / "own_words.py"


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return read_corpus(ROOT / "corpus")


@pytest.fixture(scope="module")
def claims() -> dict[str, list[str]]:
    """Every claim of the four articles with the passages that represent it."""
    table: dict[str, list[str]] = defaultdict(list)
    for line in CLAIMS.read_text(encoding="utf-8").splitlines():
        claim, passage = line.split("\t")
        table[claim].append(passage)
    return table


def test_every_claim_of_the_four_articles_has_a_passage_of_its_article(corpus: Corpus, claims: dict[str, list[str]]) -> None:
    expected = {f"{letter}{n}" for letter, (_, count) in ARTICLES.items() for n in range(1, count + 1)}
    assert set(claims) == expected
    known = {p.id for p in corpus.passages}
    for claim, passages in claims.items():
        assert set(passages) <= known, claim
        assert any(p.startswith(f"{ARTICLES[claim[0]][0]}/") for p in passages), claim


def test_every_statement_of_the_articles_stands_for_a_claim_or_a_disclosure(corpus: Corpus, claims: dict[str, list[str]]) -> None:
    mapped = {p for passages in claims.values() for p in passages}
    articles = {source for source, _ in ARTICLES.values()}
    loose = [p.id for p in corpus.passages if p.source.id in articles and p.id not in mapped and p.role != "disclosure"]
    assert loose == []


def test_every_contested_verdict_points_at_independent_passages_that_decide_it(corpus: Corpus) -> None:
    passages = {p.id: p for p in corpus.passages}
    articles = {source for source, _ in ARTICLES.values()}
    for p in corpus.passages:
        if p.source.id in articles and p.check.verdict in ("contradicted", "qualified", "unsupported"):
            assert any(passages[ref].source.is_independent for ref in p.check.because), p.id
            assert p.check.note, p.id


def test_the_corpus_is_as_large_as_the_documents_say(corpus: Corpus) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{len(corpus.sources)} sources in {len(corpus.passages)} short statements" in readme
    change = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    counts = f"{len(corpus.sources)} sources, {len(corpus.passages)} statements, {len(corpus.guidance)} guidance entries and {len(corpus.disputes)} disputes"
    assert counts in change
    assert sum(s.is_independent for s in corpus.sources) >= 80
    assert len(corpus.passages) >= 550
    assert len(corpus.disputes) >= 25
    assert len(corpus.playbooks) >= 10


def test_guidance_for_action_has_steps_with_measures_and_cautions(corpus: Corpus) -> None:
    whole = [g for g in corpus.guidance if not g.plan and g.steps and g.cautions and all(s.measure for s in g.steps)]
    assert len(whole) >= 150
    assert {g.business for g in whole} >= {"local", "shop", "software", "publisher", "agency"}


def test_every_playbook_says_what_to_expect_and_when_to_stop(corpus: Corpus) -> None:
    for g in corpus.playbooks:
        assert g.plan
        assert g.plan.stop
        assert g.evidence
        assert len(g.steps) >= 5
        assert all(s.when and s.measure for s in g.steps), g.id


def test_every_passage_and_entry_is_asked_for_in_several_wordings(corpus: Corpus) -> None:
    assert [p.id for p in corpus.passages if len(p.asks) < 3] == []
    assert [g.id for g in corpus.guidance if len(g.asks) < 3 and not g.id.startswith("term-")] == []


def test_every_claim_of_the_articles_is_found_by_a_plain_question_with_its_verdict(
    corpus: Corpus, claims: dict[str, list[str]], real_advisor: Advisor
) -> None:
    """The first ask of a claim is its plain question: the answer cites the claim, or what decides it."""
    passages = {p.id: p for p in corpus.passages}
    articles = {source for source, _ in ARTICLES.values()}
    lost: list[str] = []
    for claim, ids in claims.items():
        for own in (passages[i] for i in ids if i.split("/")[0] in articles):
            answer = real_advisor.ask(own.asks[0])
            cited = {c.passage_id for c in answer.citations}
            if own.id not in cited and not cited & set(own.check.because):
                lost.append(f"{claim} {own.id}: {own.asks[0]}")
    assert lost == []


def test_every_source_says_what_its_publisher_gains(corpus: Corpus) -> None:
    assert all(s.interest.strip() and s.standing.strip() for s in corpus.sources)


def test_every_gold_of_the_eval_is_a_passage(corpus: Corpus) -> None:
    known = {p.id for p in corpus.passages}
    questions = all_cases()
    assert len(questions) >= 150
    assert len({q.id for q in questions}) == len(questions)
    dangling = {gold for q in questions for gold in q.gold if gold not in known}
    assert dangling == set()
    assert all(q.gold for q in questions if q.expect == "answered")
    halves = [sum(q.half == half for q in questions) for half in ("tune", "report")]
    assert halves[0] == halves[1]


def test_no_eval_question_is_an_ask_of_the_corpus(corpus: Corpus) -> None:
    every = [a for p in corpus.passages for a in p.asks] + [a for g in corpus.guidance for a in g.asks]
    asks = {a.casefold().strip(" ?!.") for a in every}
    copied = [q.id for q in all_cases() if q.half == "report" and q.expect == "answered" and q.question.casefold().strip(" ?!.") in asks]
    # A few short questions ("what is pogo-sticking") have only one natural wording.
    assert len(copied) <= 5, copied


def test_the_corpus_is_in_our_own_words() -> None:
    if not OWN_WORDS.is_file():
        pytest.skip("the articles to compare with are not beside the project")
    paths = [str(ROOT / name) for name in ("corpus", "evals", "README.md", "docs", "advisor")]
    done = subprocess.run([sys.executable, str(OWN_WORDS), *paths], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
