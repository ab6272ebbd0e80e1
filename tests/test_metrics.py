"""The metrics against cases worked by hand, against another implementation, and against faults planted into good answers."""

from __future__ import annotations

import importlib.util
import random
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from advisor.answer.verify import citation
from advisor.engine import Advisor
from advisor.errors import NotFoundError
from advisor.models import (
    Answer,
    AnswerSentence,
    Citation,
    Confidence,
    Elapsed,
    Refusal,
    Section,
    SectionRole,
    Source,
    Support,
)
from evals.cases import Case, KeyPoint
from evals.metrics import AGGREGATES, METRICS, Outcome, Reference, intervals, scores
from evals.metrics.attribution import names
from evals.metrics.bootstrap import Interval, difference, differs, mean_interval, ratio_interval
from evals.metrics.coverage import coverage
from evals.metrics.polarity import polarity
from evals.metrics.ranking import MEASURES, aggregate, per_question
from evals.metrics.sellers import seller_stands_alone
from evals.metrics.stability import per_group
from tests.fakes import WordEncoder

EXACT = 1e-9
PAID = "google-links/paid-links"
EARNED = "google-links/earned-links"
MANUAL = "google-links/manual-action"
LIFT = "click-shop/clicks-lift"
SAFE = "click-shop/safe-clicks"
NO_VISIT = "court-clicks/no-single-visit"
TRAIN = "court-clicks/clicks-train"
TITLES = "title-study/titles-help"
BOTH = "title-study/both-first"


@pytest.fixture(scope="module")
def reference(advisor: Advisor) -> Reference:
    return Reference(advisor._open.index, WordEncoder())


def a_case(**given: Any) -> Case:
    return Case.model_validate({"id": "c1", "half": "tune", "tags": (), "question": "?", "expect": "answered", **given})


def a_sentence(text: str, *numbers: int) -> AnswerSentence:
    # The stored verdict is wrong on purpose wherever it matters: no metric of citations may read it.
    return AnswerSentence(text=text, citations=numbers, support=Support(verdict="partial", score=0.4))


def an_answer(
    reference: Reference, *told: tuple[str, Sequence[str]], role: SectionRole = "bottom_line", ms: float = 10.0, status: str = "answered"
) -> Answer:
    """An answer of one section whose sentences cite these passages."""
    numbers: dict[str, int] = {}
    sentences = [a_sentence(text, *(numbers.setdefault(i, len(numbers) + 1) for i in ids)) for text, ids in told]
    return Answer.model_validate(
        {
            **SHELL,
            "status": status,
            "sections": [Section(role=role, title="T", sentences=tuple(sentences))],
            "citations": [citation(reference.passage(i), n) for i, n in numbers.items()],
            "elapsed_ms": Elapsed(total=ms),
        }
    )


SHELL: Mapping[str, Any] = {
    "id": "a",
    "conversation_id": "c",
    "question": "?",
    "searched": "?",
    "intent": "decide",
    "confidence": Confidence(level="high", reason="r"),
    "engine": "extractive",
    "fingerprint": "f",
}


def a_refusal(reason: str = "off_topic", *, ms: float = 10.0) -> Answer:
    refusal = {"reason": reason, "message": "That is not my field.", "suggestions": ("Should I buy backlinks?",)}
    return Answer.model_validate({**SHELL, "status": "refused", "refusal": refusal, "elapsed_ms": {"total": ms}})


def text_of(reference: Reference, passage_id: str) -> str:
    return reference.passage(passage_id).text


def value(name: str, case: Case, answer: Answer, reference: Reference) -> float:
    found = METRICS[name](case, answer, reference)
    assert found is not None, f"{name} has no value"
    return found


# ------------------------------------------------------------------------------------------------ rankings


def test_ranking_measures_are_those_worked_by_hand() -> None:
    found = per_question(["a", "b", "x"], ["q", "a", "r", "b", "s", "t"])
    # Gold at ranks 2 and 4 of three in all. DCG = 1/log2(3) + 1/log2(5); the best order has them at 1, 2 and 3.
    dcg = 0.6309297535714575 + 0.43067655807339306
    best = 1.0 + 0.6309297535714575 + 0.5
    expected = {"success@5": 1, "recall@5": 2 / 3, "recall@10": 2 / 3, "recall@20": 2 / 3, "reciprocal rank": 1 / 2, "nDCG@10": dcg / best}
    assert found == pytest.approx(expected, abs=EXACT)


def test_ranking_measures_look_no_farther_than_they_say() -> None:
    found = per_question(["gold"], [*(f"p{n}" for n in range(10)), "gold"])
    expected = {"success@5": 0, "recall@5": 0, "recall@10": 0, "recall@20": 1, "reciprocal rank": 1 / 11, "nDCG@10": 0}
    assert found == pytest.approx(expected, abs=EXACT)


def test_a_ranking_that_found_nothing_is_zero_and_one_without_gold_has_no_value() -> None:
    assert set(per_question(["gold"], []).values()) == {0.0}
    assert set(per_question([], ["p"]).values()) == {None}


def test_a_passage_that_comes_twice_counts_where_it_comes_first() -> None:
    assert per_question(["b"], ["a", "a", "b"])["reciprocal rank"] == pytest.approx(1 / 2, abs=EXACT)


def test_the_aggregate_is_the_mean_over_questions_with_gold() -> None:
    empty = Answer.model_validate({**SHELL, "status": "answered", "elapsed_ms": Elapsed()})
    outcomes = [
        Outcome(case=a_case(id="1", gold=("a",)), answer=empty, ranked=("a", "b")),
        Outcome(case=a_case(id="2", gold=("a",)), answer=empty, ranked=("b", "a")),
        Outcome(case=a_case(id="3", gold=("a",)), answer=empty, ranked=()),
        Outcome(case=a_case(id="4"), answer=empty, ranked=("b",)),
    ]
    assert aggregate(outcomes)["reciprocal rank"] == pytest.approx((1 + 1 / 2 + 0) / 3, abs=EXACT)
    assert aggregate(outcomes[3:]) == {}


def test_ranking_measures_agree_with_ranx_on_random_runs() -> None:
    if importlib.util.find_spec("ranx") is None:
        pytest.skip("ranx is not installed, so the ranking measures are not compared with it")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ranx import Qrels, Run, evaluate
    rng = random.Random(11)
    ids = [f"p{n}" for n in range(60)]
    gold = {f"q{n}": rng.sample(ids, rng.randint(1, 8)) for n in range(40)}
    ranked = {q: rng.sample(ids, rng.randint(1, 50)) for q in gold}
    theirs = {
        "success@5": "hit_rate@5",
        "recall@5": "recall@5",
        "recall@10": "recall@10",
        "recall@20": "recall@20",
        "reciprocal rank": "mrr",
        "nDCG@10": "ndcg@10",
    }
    assert set(theirs) == set(MEASURES)
    qrels = Qrels({q: dict.fromkeys(found, 1) for q, found in gold.items()})
    run = Run({q: {p: float(len(found) - n) for n, p in enumerate(found)} for q, found in ranked.items()})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        evaluate(qrels, run, list(theirs.values()))
    ours = {q: per_question(gold[q], ranked[q]) for q in gold}
    for mine, other in theirs.items():
        assert {q: found[mine] for q, found in ours.items()} == pytest.approx(dict(run.scores[other]), abs=EXACT), mine


# ------------------------------------------------------------------------------------------------ one answer


def test_key_point_recall_counts_points_whose_groups_all_match(reference: Reference) -> None:
    answer = an_answer(reference, ("Buying links is LINK SPAM under the policies.", [PAID]))
    case = a_case(
        key_points=(
            KeyPoint(point="spam", all=(("link spam", "manipulat"),)),
            KeyPoint(point="policy and label", all=(("polic",), ("sponsored", "nofollow"))),
            KeyPoint(point="policy", all=(("polic",), ("buy",))),
        )
    )
    assert value("key-point recall", case, answer, reference) == pytest.approx(2 / 3, abs=EXACT)
    assert METRICS["key-point recall"](a_case(), answer, reference) is None


def test_citation_recall_and_precision_are_judged_anew_from_text_and_passages(reference: Reference) -> None:
    answer = an_answer(
        reference,
        (text_of(reference, PAID), [PAID]),  # supported, its one citation counts
        (text_of(reference, EARNED), [EARNED, LIFT]),  # supported, but the seller adds nothing
        (text_of(reference, TRAIN), [MANUAL]),  # not supported, so nothing counts
        ("Zebras prefer oranges.", []),  # not supported, nothing cited
    )
    assert value("citation recall", a_case(), answer, reference) == pytest.approx(2 / 4, abs=EXACT)
    assert value("citation precision", a_case(), answer, reference) == pytest.approx(2 / 4, abs=EXACT)
    # All four are stored as partial. The first two are supported and the last two unsupported.
    assert value("verdicts hold", a_case(), answer, reference) == 0.0


def test_a_citation_counts_when_support_breaks_without_it(reference: Reference) -> None:
    joined = "Paid links need a sponsored attribute and Navboost trains on aggregated clicks of users."
    assert [reference.support(joined, [i]).verdict for i in (PAID, TRAIN)] == ["partial", "partial"]
    assert value("citation precision", a_case(), an_answer(reference, (joined, [PAID, TRAIN])), reference) == 1.0
    # A third one, which neither supports the sentence alone nor is missed, does not count.
    assert value("citation precision", a_case(), an_answer(reference, (joined, [PAID, TRAIN, TITLES])), reference) == pytest.approx(
        2 / 3, abs=EXACT
    )


def test_a_citation_that_cannot_be_followed_supports_nothing(reference: Reference) -> None:
    answer = an_answer(reference, (text_of(reference, PAID), [PAID]))
    whole = answer.citations[0]
    for broken in ({"passage_id": "made-up/passage"}, {"source_id": "click-shop"}, {"quote": "Links may be bought."}, {"number": 7}):
        changed = answer.model_copy(update={"citations": (whole.model_copy(update=broken),)})
        assert value("citation recall", a_case(), changed, reference) == 0.0, broken
        assert value("citation precision", a_case(), changed, reference) == 0.0, broken
    without_quote = answer.model_copy(update={"citations": (whole.model_copy(update={"quote": ""}),)})
    assert value("citation recall", a_case(), without_quote, reference) == 1.0


def test_figures_must_stand_in_a_passage_of_their_own_sentence(reference: Reference) -> None:
    answer = an_answer(
        reference,
        ("The rate rose by 12% on 600 pages.", [TITLES]),
        ("The rate rose by 12% on 700 pages.", [TITLES]),
        ("The rate rose by 12%.", [PAID]),
        ("The rate rose.", [PAID]),
    )
    assert value("figures in passages", a_case(), answer, reference) == pytest.approx(2 / 4, abs=EXACT)


def test_the_date_of_a_planned_step_is_no_figure(reference: Reference) -> None:
    answer = an_answer(reference, ("Weeks 3-4: Compare click-through rates.", [TITLES]), role="steps")
    assert value("figures in passages", a_case(), answer, reference) == 1.0


@pytest.mark.usefixtures("real_advisor")
def test_rates_worked_out_from_the_curves_are_no_loose_figures_and_changed_ones_are(real_advisor: Advisor) -> None:
    reference = Reference(real_advisor._open.index, real_advisor._encoder)
    answer = real_advisor.ask("My CTR at position 3.5 is 4%, is that good?")
    first = answer.sections[0].sentences[0]
    assert "position 3.5" in first.text
    assert value("figures in passages", a_case(), answer, reference) == 1.0
    changed = replaced_first(answer, first.text.replace("At position", "At 97.3% and position"))
    assert value("figures in passages", a_case(), changed, reference) < 1.0


def test_attribution_asks_for_a_name_where_a_seller_stands_alone(reference: Reference) -> None:
    answer = an_answer(
        reference,
        ("Click Shop says that 300 bought clicks lift a page.", [LIFT]),  # named
        ("300 bought clicks lift a page.", [LIFT]),  # not named
        (reference.passage(SAFE).check.note, [SAFE, PAID]),  # the record's own note
        ("Do not buy clicks, because a handful changes nothing.", [NO_VISIT, LIFT]),  # refuted beside the record
        ("A handful of bought clicks is well worth its price.", [NO_VISIT, LIFT]),  # uses the claim and hides whose it is
        ("Google still uses links.", [EARNED]),  # nobody's interest
    )
    assert value("attribution", a_case(), answer, reference) == pytest.approx(3 / 5, abs=EXACT)
    assert METRICS["attribution"](a_case(), an_answer(reference, ("Links count.", [EARNED])), reference) is None


def test_the_sources_that_a_case_wants_named_are_looked_for_where_they_are_cited(reference: Reference) -> None:
    case = a_case(attributed=("click-shop",))
    assert value("expected sources named", case, an_answer(reference, ("Click Shop sells clicks.", [LIFT])), reference) == 1.0
    assert value("expected sources named", case, an_answer(reference, ("Clicks are sold.", [LIFT])), reference) == 0.0
    assert METRICS["expected sources named"](case, an_answer(reference, ("Links count.", [EARNED])), reference) is None


def test_a_source_is_named_by_publisher_house_or_last_name_of_its_author() -> None:
    def source(publisher: str, author: str = "") -> Source:
        return Source(
            id="s", title="t", publisher=publisher, author=author, url="u", published="2024", kind="vendor", interest="i", standing="s"
        )

    assert names("Click Shop's page says so.", source("Click Shop"))
    assert not names("A click at the shop.", source("Click Shop"))
    assert names("TitleLab measured it.", source("Title Lab"))
    assert names("Google claims that.", source("Google Search Central"))
    assert names("Vercel reported it.", source("Vercel and MERJ"))
    assert names("Illyes made light of it.", source("Search Engine Roundtable", "Gary Illyes, as reported"))
    assert names("Illyes made light of it.", source("The HOTH", "Gary Illyes (Google)"))
    assert not names("Google made light of it.", source("The HOTH", "Gary Illyes (Google)"))


def test_a_side_is_heard_by_an_independent_or_a_named_voice(reference: Reference) -> None:
    case = a_case(sides=("links", "signals"))
    assert value("sides heard", case, an_answer(reference, ("Links count.", [EARNED])), reference) == 0.5
    unnamed = an_answer(reference, ("Links count.", [EARNED]), ("Clicks lift a page.", [LIFT]))
    assert value("sides heard", case, unnamed, reference) == 0.5
    named = an_answer(reference, ("Links count.", [EARNED]), ("Clicks lift a page, says Click Shop.", [LIFT]))
    assert value("sides heard", case, named, reference) == 1.0
    assert value("sides heard", case, a_refusal(), reference) == 0.0
    assert METRICS["sides heard"](a_case(), named, reference) is None


def test_one_citation_without_its_interest_is_one_too_many(reference: Reference) -> None:
    answer = an_answer(reference, ("Links count.", [EARNED]), ("Clicks train.", [TRAIN]))
    assert value("interests shown", a_case(), answer, reference) == 1.0
    first, second = answer.citations
    changed = answer.model_copy(update={"citations": (first, second.model_copy(update={"interest": " "}))})
    assert value("interests shown", a_case(), changed, reference) == 0.0
    assert METRICS["interests shown"](a_case(), a_refusal(), reference) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Yes. Links matter.", "yes"),
        ("Yes, if they are earned.", "yes"),
        ("No. Do not buy them.", "no"),
        ("No, they are not.", "no"),
        ("Do not buy links.", "no"),
        ("Not by itself: it takes months.", "no"),
        ("False: Google uses links.", "no"),
        ("No source says that.", "neither"),
        ("Not only links count.", "neither"),
        ("Nobody knows.", "neither"),
        ("It depends on the trade.", "neither"),
        ("Yesterday's rule still holds.", "neither"),
        ("", "neither"),
    ],
)
def test_polarity_is_that_of_the_opening_words(text: str, expected: str) -> None:
    assert polarity(text) == expected


def test_polarity_is_measured_against_what_the_case_wants(reference: Reference) -> None:
    yes, no, neither = (an_answer(reference, (text, [PAID])) for text in ("Yes. Do it.", "No. Leave it.", "It depends on the trade."))
    got = {
        opens: [value("polarity", a_case(opens=opens), answer, reference) for answer in (yes, no, neither)]
        for opens in ("yes", "no", "depends")
    }
    assert got == {"yes": [1, 0, 0], "no": [0, 1, 0], "depends": [0, 0, 1]}
    assert value("polarity", a_case(opens="depends"), a_refusal(), reference) == 0.0
    assert METRICS["polarity"](a_case(), yes, reference) is None


def test_safety_reads_the_answer_the_refusal_and_its_suggestions(reference: Reference) -> None:
    answer = an_answer(reference, ("Buy links NOW.", [PAID]))
    assert value("safe", a_case(forbidden=("never said", r"buy links (now|today)")), answer, reference) == 0.0
    assert value("safe", a_case(forbidden=("never said",)), answer, reference) == 1.0
    assert value("safe", a_case(forbidden=("not my field",)), a_refusal(), reference) == 0.0
    assert value("safe", a_case(forbidden=("should i buy",)), a_refusal(), reference) == 0.0
    assert METRICS["safe"](a_case(), answer, reference) is None


def test_verbosity_counts_words_of_sentences(reference: Reference) -> None:
    assert value("words", a_case(), an_answer(reference, ("Links still count.", []), ("By 12%.", [])), reference) == 5.0
    assert METRICS["words"](a_case(), a_refusal(), reference) is None


def test_advice_on_sellers_alone_is_seen(reference: Reference) -> None:
    seller = an_answer(reference, ("Buy clicks.", [LIFT, SAFE]))
    both = an_answer(reference, ("Buy no clicks.", [LIFT, NO_VISIT]))
    assert seller_stands_alone(seller, reference.index)
    assert not seller_stands_alone(both, reference.index)
    assert value("independent advice", a_case(), seller, reference) == 0.0
    assert value("independent advice", a_case(), both, reference) == 1.0
    assert METRICS["independent advice"](a_case(), a_refusal(), reference) is None


def test_the_right_source_is_one_of_a_gold_passage(reference: Reference) -> None:
    answer = an_answer(reference, ("Links count.", [EARNED]))
    assert value("right source cited", a_case(gold=(PAID,)), answer, reference) == 1.0
    assert value("right source cited", a_case(gold=(TRAIN,)), answer, reference) == 0.0
    assert METRICS["right source cited"](a_case(), answer, reference) is None


def test_small_talk_is_not_asked_for_citations_and_an_answer_without_them_is(reference: Reference) -> None:
    hello = an_answer(reference, ("Hello.", []))
    assert METRICS["citation recall"](a_case(expect="smalltalk"), hello, reference) is None
    assert value("citation recall", a_case(), hello, reference) == 0.0


def test_an_unknown_passage_is_said_to_be_unknown(reference: Reference) -> None:
    with pytest.raises(NotFoundError, match="no/such"):
        reference.passage("no/such")


# ------------------------------------------------------------------------------------------------ many answers


def refused_and_answered(reference: Reference) -> list[Outcome]:
    """Rightly refused 2 (one for another reason), wrongly refused 1, wrongly answered 1, rightly answered 3."""
    answer = an_answer(reference, ("Links count.", [EARNED]))
    rows: list[tuple[str, Answer]] = [
        ("off_topic", a_refusal()),
        ("not_in_sources", a_refusal("off_topic")),
        ("answered", a_refusal("unclear")),
        ("off_topic", answer),
        ("answered", answer),
        ("answered", answer),
        ("smalltalk", answer),
    ]
    return [Outcome(case=a_case(id=str(n), expect=expect), answer=given) for n, (expect, given) in enumerate(rows)]


def test_refusal_figures_are_those_worked_by_hand(reference: Reference) -> None:
    outcomes = refused_and_answered(reference)
    got = {name: AGGREGATES[name](outcomes, reference) for name in AGGREGATES if "refus" in name or "answerable" in name}
    assert got == pytest.approx(
        {
            "refusal precision": 2 / 3,
            "refusal recall": 2 / 3,
            "refusal F1": 2 / 3,
            "answerable accuracy": 2 / 3,
            "off-topic refused": 1 / 2,
            "in-domain refused": 1 / 3,
        },
        abs=EXACT,
    )
    assert [METRICS["decided right"](o.case, o.answer, reference) for o in outcomes] == [1, 1, 0, 0, 1, 1, 1]
    assert [METRICS["refusal reason"](o.case, o.answer, reference) for o in outcomes] == [1, 0, None, None, None, None, None]


def test_refusal_figures_without_rows_to_judge_have_no_value(reference: Reference) -> None:
    answered = [o for o in refused_and_answered(reference) if o.case.expect == "answered" and o.answer.refusal is None]
    for name in ("refusal precision", "refusal recall", "refusal F1", "off-topic refused"):
        assert AGGREGATES[name](answered, reference) is None
    assert all(statistic([], reference) is None for name, statistic in AGGREGATES.items() if not name.endswith("reached"))


def test_stability_asks_for_one_polarity_and_a_shared_passage_or_text(reference: Reference) -> None:
    def wordings(group: str, *answers: Answer) -> list[Outcome]:
        return [Outcome(case=a_case(id=f"{group}{n}", group=group), answer=answer) for n, answer in enumerate(answers)]

    outcomes = [
        *wordings("shared", an_answer(reference, ("Yes. It counts.", [PAID, EARNED])), an_answer(reference, ("Yes, still.", [EARNED]))),
        *wordings("turned", an_answer(reference, ("Yes. It counts.", [PAID])), an_answer(reference, ("No. It does not.", [PAID]))),
        *wordings("apart", an_answer(reference, ("Yes. It counts.", [PAID])), an_answer(reference, ("Yes. It does.", [TRAIN]))),
        *wordings("same", an_answer(reference, ("It counts.", [])), an_answer(reference, ("It counts.", []))),
        *wordings("refused", a_refusal(), a_refusal()),
        *wordings("half refused", a_refusal(), an_answer(reference, ("It counts.", [PAID]))),
        *wordings(
            "pairs only", *(an_answer(reference, ("It counts so.", ids)) for ids in ([PAID, EARNED], [EARNED, TRAIN], [TRAIN, PAID]))
        ),
        *wordings("single", an_answer(reference, ("It counts.", [PAID]))),
        Outcome(case=a_case(id="none"), answer=a_refusal()),
    ]
    expected = {"shared": 1, "turned": 0, "apart": 0, "same": 1, "refused": 1, "half refused": 0, "pairs only": 1}
    assert per_group(outcomes, reference) == expected
    assert AGGREGATES["stability"](outcomes, reference) == pytest.approx(4 / 7, abs=EXACT)
    assert AGGREGATES["stability"]([*outcomes, *outcomes[:2]], reference) == pytest.approx(5 / 8, abs=EXACT)


def test_latency_is_the_median_and_the_95th_percentile_of_whole_times(reference: Reference) -> None:
    outcomes = [Outcome(case=a_case(id=str(ms)), answer=a_refusal(ms=float(ms))) for ms in (40, 10, 30, 20)]
    assert AGGREGATES["median ms"](outcomes, reference) == pytest.approx(25.0, abs=EXACT)
    assert AGGREGATES["p95 ms"](outcomes, reference) == pytest.approx(30 + 0.85 * 10, abs=EXACT)


def test_coverage_names_the_claims_and_the_guidance_that_no_answer_reaches(advisor: Advisor, reference: Reference) -> None:
    claims = {p.id for p in reference.corpus.passages if p.role == "claim"}
    assert claims == {LIFT, TRAIN, NO_VISIT, EARNED, MANUAL}
    # The first answer sentence of "buy-links", with an opening that it does not have as reviewed.
    advice = next(g for g in reference.corpus.guidance if g.id == "buy-links").answer[0].text
    found = coverage([an_answer(reference, (f"No. {advice}", [PAID, EARNED]), ("And so on.", [TRAIN])), a_refusal()], reference)
    assert found.claims == pytest.approx(2 / 5, abs=EXACT)
    assert set(found.claims_never_reached) == {LIFT, NO_VISIT, MANUAL}
    assert "buy-links" not in found.guidance_never_reached
    assert found.guidance == pytest.approx(1 / len(reference.corpus.guidance), abs=EXACT)
    asked = coverage([advisor.ask(g.question) for g in reference.corpus.guidance], reference)
    assert asked.guidance == 1.0
    assert asked.guidance_never_reached == ()


# ------------------------------------------------------------------------------------------------ intervals


def test_the_interval_of_a_mean_holds_it_and_is_the_same_each_time() -> None:
    values = [0.0, 1.0] * 50
    found = mean_interval(values)
    assert found == mean_interval(values)
    assert found is not None
    assert found.value == pytest.approx(0.5, abs=EXACT)
    assert found.n == 100
    # The normal approximation: 1.96 standard errors of 0.05 each way.
    assert found.low == pytest.approx(0.402, abs=0.02)
    assert found.high == pytest.approx(0.598, abs=0.02)


def test_an_interval_leaves_out_what_has_no_value() -> None:
    assert mean_interval([1.0, None, 1.0]) == Interval(1.0, 1.0, 1.0, 2)
    assert mean_interval([None, None]) is None
    assert mean_interval([]) is None
    nothing: list[int] = []
    assert ratio_interval(nothing, len) is None
    assert ratio_interval([1, 2], lambda rows: None if rows else 0.0) is None


def test_a_ratio_is_drawn_over_rows_and_not_over_its_parts() -> None:
    rows = [(1, 1), (0, 9)] * 20

    def ratio(drawn: Sequence[tuple[int, int]]) -> float:
        return sum(a for a, _ in drawn) / sum(b for _, b in drawn)

    found = ratio_interval(rows, ratio)
    assert found is not None
    assert found.value == pytest.approx(20 / 200, abs=EXACT)
    assert found.low < 0.1 < found.high
    assert found.n == 40


def test_a_difference_is_one_only_outside_the_interval_and_over_shared_ids() -> None:
    before: dict[str, float | None] = {f"q{n}": float(n % 2) for n in range(40)}
    better = {**before, **{f"q{n}": 1.0 for n in range(0, 24, 2)}}
    one_better = {**before, "q0": 1.0}
    found = difference(before, better)
    assert found is not None
    assert found.value == pytest.approx(12 / 40, abs=EXACT)
    assert differs(before, better)
    assert differs(better, before)
    assert not differs(before, one_better)
    assert not differs(before, dict(before))
    assert not differs(before, {"other": 1.0})
    assert not differs({"a": 0.0}, {"a": 1.0})
    with_gaps = difference({"a": 0.0, "b": None, "c": 1.0}, {"a": 1.0, "b": 1.0, "d": 1.0})
    assert with_gaps == Interval(1.0, 1.0, 1.0, 1)


def test_every_aggregate_gets_an_interval_that_holds_it(reference: Reference) -> None:
    outcomes = refused_and_answered(reference)
    found = intervals(outcomes, reference)
    assert set(found) == set(AGGREGATES) - {"stability"}
    for name, interval in found.items():
        assert interval.value == AGGREGATES[name](outcomes, reference)
        assert interval.low <= interval.value <= interval.high
    grouped = [Outcome(case=a_case(id=str(n), group=f"g{n // 2}"), answer=a_refusal()) for n in range(6)]
    assert intervals([*outcomes, *grouped], reference)["stability"] == Interval(1.0, 1.0, 1.0, 3)


# ------------------------------------------------------------------------------------------------ planted faults


def replaced_first(answer: Answer, text: str) -> Answer:
    """The answer with another text of its first sentence."""
    return with_sentence(answer, answer.sections[0].sentences[0].model_copy(update={"text": text}))


def with_sentence(answer: Answer, sentence: AnswerSentence) -> Answer:
    first, *others = answer.sections
    changed = first.model_copy(update={"sentences": (sentence, *first.sentences[1:])})
    return answer.model_copy(update={"sections": (changed, *others)})


GOOD = (
    "Should I buy backlinks?",
    "Should I invest in links or in click-through rate?",
    "Should I pay for a click service?",
    "Will bought clicks lift my page?",
    "Does Google use clicks in ranking?",
)


@pytest.fixture(params=GOOD)
def good(advisor: Advisor, reference: Reference, request: pytest.FixtureRequest) -> Answer:
    answer = advisor.ask(str(request.param))
    assert value("citation recall", a_case(), answer, reference) == 1.0
    assert value("figures in passages", a_case(), answer, reference) == 1.0
    # Stored and read again, as results are.
    return Answer.model_validate_json(answer.model_dump_json())


def test_a_wrong_citation_lowers_citation_recall_or_precision(good: Answer, reference: Reference) -> None:
    def quality(answer: Answer) -> tuple[float, float]:
        return value("citation recall", a_case(), answer, reference), value("citation precision", a_case(), answer, reference)

    recall, precision = quality(good)
    for n, shown in enumerate(good.citations):
        wrong = citation(reference.passage("title-study/pogo-sticking"), shown.number)
        planted = good.model_copy(update={"citations": (*good.citations[:n], wrong, *good.citations[n + 1 :])})
        now = quality(planted)
        assert now[0] <= recall
        assert now[1] <= precision
        if counts(good, shown, reference):
            assert now != (recall, precision), shown.passage_id


def counts(answer: Answer, shown: Citation, reference: Reference) -> bool:
    """Whether a citation counts somewhere: one that is idle already can be wrong without a loss."""
    from evals.metrics.citations import _counting, cited_sentences

    return any(
        flag
        for sentence in cited_sentences(answer, reference)
        for i, flag in zip(sentence.ids, _counting(sentence, reference), strict=True)
        if i == shown.passage_id
    )


def test_a_stored_verdict_that_was_changed_moves_only_the_metric_that_checks_it(good: Answer, reference: Reference) -> None:
    first = good.sections[0].sentences[0]
    changed = with_sentence(good, first.model_copy(update={"support": Support(verdict="unsupported", score=0.0)}))
    before, after = scores(a_case(), good, reference), scores(a_case(), changed, reference)
    assert {name for name in before if before[name] != after[name]} == {"verdicts hold"}
    assert value("verdicts hold", a_case(), changed, reference) < value("verdicts hold", a_case(), good, reference)


def test_a_flipped_first_sentence_loses_its_polarity(good: Answer, reference: Reference) -> None:
    no = replaced_first(good, f"No. {good.sections[0].sentences[0].text}")
    yes = replaced_first(good, f"Yes. {good.sections[0].sentences[0].text}")
    assert value("polarity", a_case(opens="no"), no, reference) == 1.0
    assert value("polarity", a_case(opens="no"), yes, reference) == 0.0
    assert value("polarity", a_case(opens="yes"), no, reference) == 0.0


def test_a_prohibition_turned_into_advice_loses_its_polarity(advisor: Advisor, reference: Reference) -> None:
    answer = advisor.ask("Should I buy backlinks?")
    first = answer.sections[0].sentences[0].text
    assert value("polarity", a_case(opens="no"), answer, reference) == 1.0
    flipped = replaced_first(answer, first.replace("Do not buy", "Buy"))
    assert value("polarity", a_case(opens="no"), flipped, reference) == 0.0


def test_an_unsupported_figure_is_seen(good: Answer, reference: Reference) -> None:
    planted = replaced_first(good, good.sections[0].sentences[0].text.rstrip(".") + ", in 83% of cases.")
    assert value("figures in passages", a_case(), planted, reference) < 1.0
    assert value("citation recall", a_case(), planted, reference) < 1.0


def test_a_dropped_refusal_is_seen(advisor: Advisor, reference: Reference) -> None:
    case = a_case(expect="off_topic")
    refused = advisor.ask("best pizza in rome")
    instead = advisor.ask("Should I buy backlinks?")
    dropped = refused.model_copy(update={"refusal": None})
    other = [Outcome(case=a_case(id="c2", expect="off_topic"), answer=refused)]
    assert value("decided right", case, refused, reference) == 1.0
    for planted in (dropped, dropped.model_copy(update={"status": "answered"}), instead):
        assert value("decided right", case, planted, reference) == 0.0
        outcomes = [Outcome(case=case, answer=planted), *other]
        assert AGGREGATES["refusal recall"](outcomes, reference) == pytest.approx(1 / 2, abs=EXACT)
        assert AGGREGATES["refusal F1"](outcomes, reference) == pytest.approx(2 / 3, abs=EXACT)
        assert AGGREGATES["off-topic refused"](outcomes, reference) == pytest.approx(1 / 2, abs=EXACT)


def test_a_planted_refusal_of_a_good_question_is_seen(good: Answer, reference: Reference) -> None:
    refusal = Refusal(reason="off_topic", message="That is not my field.")
    planted = good.model_copy(update={"status": "refused", "refusal": refusal, "sections": (), "citations": ()})
    assert value("decided right", a_case(), good, reference) == 1.0
    assert value("decided right", a_case(), planted, reference) == 0.0
    assert AGGREGATES["in-domain refused"]([Outcome(case=a_case(), answer=planted)], reference) == 1.0


def test_a_forbidden_sentence_is_seen(good: Answer, reference: Reference) -> None:
    case = a_case(forbidden=(r"guarantee[sd]? .{0,30}first (place|position)",))
    assert value("safe", case, good, reference) == 1.0
    planted = replaced_first(good, good.sections[0].sentences[0].text + " This GUARANTEES you the first position.")
    assert value("safe", case, planted, reference) == 0.0


def test_a_hidden_seller_is_seen(advisor: Advisor, reference: Reference) -> None:
    answer = advisor.ask("Will bought clicks lift my page?")
    assert value("attribution", a_case(), answer, reference) == 1.0
    shown = [s.text for section in answer.sections for s in section.sentences]
    named = next(text for text in shown if text.startswith("Click Shop says"))
    sections = tuple(
        section.model_copy(
            update={
                "sentences": tuple(
                    s.model_copy(update={"text": "It is well known" + named.removeprefix("Click Shop says")}) if s.text == named else s
                    for s in section.sentences
                )
            }
        )
        for section in answer.sections
    )
    assert value("attribution", a_case(), answer.model_copy(update={"sections": sections}), reference) < 1.0


def test_scores_of_one_answer_are_the_same_each_time(good: Answer, reference: Reference, advisor: Advisor) -> None:
    fresh = Reference(advisor._open.index, WordEncoder())
    assert scores(a_case(), good, reference) == scores(a_case(), good, fresh)
    assert set(scores(a_case(), good, reference)) == set(METRICS)
