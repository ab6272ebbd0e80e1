"""Expected click-through rates: the curves as data, the range they give, and answers that use it."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.answer.rates import position_asked
from advisor.ctr import expected_ctr, gap, rate_at
from advisor.engine import Advisor
from advisor.knowledge.cards import read_corpus
from advisor.models import CtrCurve, CurveUse

CORPUS = Path(__file__).parent.parent / "corpus"


def curve(name: str, use: CurveUse, **points: float) -> CtrCurve:
    fields = {"published": "2025", "sample": "some", "device": "any", "layout": "any", "queries": "any", "passages": ("s/p",)}
    return CtrCurve(id=name, name=name, use=use, points=tuple((int(k[1:]), v) for k, v in points.items()), **fields)  # type: ignore[arg-type]


CURVES = (curve("low", "typical", p1=20, p2=10, p3=6), curve("high", "typical", p1=30, p2=14, p3=8), curve("far", "outlier", p1=5))


def test_the_range_spans_the_typical_curves_and_the_departure_all_of_them() -> None:
    expected = expected_ctr(CURVES, 1)
    assert expected is not None
    assert (expected.low, expected.high, expected.lowest, expected.highest) == (20, 30, 5, 30)
    assert expected.why_curves_differ


def test_between_two_positions_the_rate_lies_on_a_straight_line() -> None:
    assert rate_at(CURVES[0], 2.25) == 9.0
    expected = expected_ctr(CURVES, 1.5)
    assert expected is not None
    assert (expected.low, expected.high) == (15, 22)


@pytest.mark.parametrize("position", [0.9, 3.5, 10.1, 25])
def test_there_is_no_expectation_where_no_curve_reaches(position: float) -> None:
    assert expected_ctr(CURVES, position) is None


def test_an_ai_overview_lowers_the_first_three_positions_only() -> None:
    lowered, usual = expected_ctr(CURVES, 2, ai_overview=True), expected_ctr(CURVES, 2)
    assert lowered is not None
    assert usual is not None
    assert (lowered.low, lowered.high) == (4.0, 9.1)
    ten = expected_ctr(read_corpus(CORPUS).curves, 5, ai_overview=True)
    assert ten is not None
    assert not ten.ai_overview


@pytest.mark.parametrize(
    ("clicks", "impressions", "lies"), [(0, 20, "too few"), (5, 100, "below"), (25, 100, "within"), (40, 100, "above")]
)
def test_a_gap_is_called_only_with_enough_expected_clicks(clicks: int, impressions: int, lies: str) -> None:
    expected = expected_ctr(CURVES, 1)
    assert expected is not None
    assert gap(expected, clicks=clicks, impressions=impressions) == lies


@pytest.mark.parametrize(
    ("question", "position"),
    [
        ("What CTR is usual at position 3?", 3.0),
        ("we are at position 4 with 3 percent ctr", 4.0),
        ("our page ranks second, what share clicks it", 2.0),
        ("clicks at #1", 1.0),
        ("What percent of people click the 5th result?", 5.0),
        ("my ctr is 3% at rank 2.5", 2.5),
        ("ctr at position 3 or position 8", None),
        ("ranked 14th, any clicks?", None),
        ("where is position 3 on the pitch", None),
        ("i bought 5 clicks in 2019", None),
    ],
)
def test_the_position_that_a_question_names_is_read(question: str, position: float | None) -> None:
    assert position_asked(question) == position


def test_an_answer_gives_the_range_at_the_position_and_judges_the_rate_that_was_named(real_advisor: Advisor) -> None:
    answer = real_advisor.ask("we are at position 4 with a ctr of 3 percent, is that okay")
    line = answer.sections[0].sentences[0]
    assert line.text.startswith("3% lies below the usual range there. At position 4 a CTR of 8-8.4% is usual")
    assert line.support.verdict == "supported"
    sources = {answer.citations[n - 1].source_id for n in line.citations}
    assert sources == {"sistrix-ctr-2020", "backlinko-ctr-curve"}


def test_with_an_ai_overview_the_judgment_behind_the_lower_range_is_cited(real_advisor: Advisor) -> None:
    line = real_advisor.ask("What CTR should I expect at position 1 with an AI Overview?")
    cited = {line.citations[n - 1].passage_id for n in line.sections[0].sentences[0].citations}
    assert "ctr-curves/ai-overview-effect" in cited
    assert "11-18.5%" in line.sections[0].sentences[0].text
