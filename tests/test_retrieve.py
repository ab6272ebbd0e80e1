from __future__ import annotations

import pytest

from advisor.engine import Advisor
from advisor.index.adapter import QueryAdapter
from advisor.index.generation import PASSAGES
from advisor.models import Hit, Question
from advisor.retrieve import diversify, fuse, min_max, query_texts, retrieve, search
from tests.fakes import WordEncoder


def hit(unit: str, score: float, cosine: float = 0.0) -> Hit:
    return Hit(unit=unit, score=score, retriever="dense", cosine=cosine)


def test_min_max_stretches_scores_to_the_unit_interval() -> None:
    assert min_max({"a": 3.0, "b": 1.0, "c": 2.0}) == {"a": 1.0, "b": 0.0, "c": 0.5}
    assert min_max({"a": 2.0, "b": 2.0}) == {"a": 1.0, "b": 1.0}
    assert min_max({}) == {}


def test_fusion_adds_weighted_normalized_scores_and_keeps_the_cosine() -> None:
    fused = fuse([hit("a", 0.9, 0.9), hit("b", 0.5, 0.5)], ([hit("b", 8.0), hit("c", 4.0)], 1.0))
    assert [(h.unit, h.score, h.cosine) for h in fused] == [("a", 0.5, 0.9), ("b", 0.5, 0.5), ("c", 0.0, 0.0)]


def test_a_unit_that_both_retrievers_put_first_scores_one() -> None:
    fused = fuse([hit("b", 0.9), hit("a", 0.1)], ([hit("b", 5.0), hit("a", 1.0)], 1.0))
    assert fused[0].unit == "b"
    assert fused[0].score == pytest.approx(1.0)


def test_a_lower_weight_lets_the_first_ranking_lead() -> None:
    fused = fuse([hit("a", 0.9), hit("b", 0.5)], ([hit("b", 8.0), hit("a", 4.0)], 0.25))
    assert [(h.unit, h.score) for h in fused] == [("a", 0.8), ("b", 0.2)]


def test_a_long_question_is_also_searched_by_its_sentences() -> None:
    long = "We run a small shop in the north and have done so for years. Last month the clicks fell by half. Should we now buy some links or not?"
    assert query_texts(long)[0] == long
    assert "Should we now buy some links or not?" in query_texts(long)
    assert query_texts("Should we buy links?") == ["Should we buy links?"]


def test_an_ask_finds_its_passage_first(advisor: Advisor) -> None:
    index = advisor._open.index
    for passage in index.corpus.passages:
        for ask in passage.asks:
            hits = search(WordEncoder().encode([ask]), ask, index, collection=PASSAGES)
            assert hits[0].unit == passage.id, ask


def test_no_more_than_two_passages_come_from_one_source(advisor: Advisor) -> None:
    index = advisor._open.index
    kept = diversify([hit(p.id, 1.0) for p in index.corpus.passages], index, top_k=100)
    for source in index.corpus.sources:
        assert sum(p.source.id == source.id for p, _ in kept) <= 2


def test_the_other_side_takes_the_last_place_when_one_side_holds_them_all(advisor: Advisor) -> None:
    index = advisor._open.index
    links = [p for p in index.corpus.passages if p.stance == "links"]
    signals = [p for p in index.corpus.passages if p.stance == "signals"]
    kept = diversify([hit(p.id, 1.0) for p in [*links, *signals]], index, top_k=1)
    assert kept[-1][0].stance == "signals"


def test_a_dispute_is_found_when_its_guidance_or_a_position_is_near(advisor: Advisor) -> None:
    index = advisor._open.index
    question = Question(asked="q", searched="Should I pay for a click service?", intent="decide")
    assert [d.id for d in retrieve(question, index, WordEncoder(), QueryAdapter()).disputes] == ["do-clicks-rank"]
