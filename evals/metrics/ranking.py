"""Ranking metrics, by ir-measures: how high the passages that decide a question stand among those found for it.

success@5 = whether a gold passage is among the first 5; recall@k = |gold among the first k| / |gold|; reciprocal rank = 1 / rank of the
first gold passage; nDCG@10 = DCG@10 / DCG@10 of the best order, DCG@k = sum over ranks i <= k of rel_i / log2(i + 1), rel 0 or 1.

Source: MacAvaney et al., "Streamlining Evaluation with ir-measures", ECIR 2022; nDCG: Järvelin & Kekäläinen, TOIS 20(4), 2002.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import ir_measures
from ir_measures import RR, Qrel, R, ScoredDoc, Success, nDCG

from evals.metrics.outcome import Outcome

MEASURES: Final = {
    "success@5": Success @ 5,
    "recall@5": R @ 5,
    "recall@10": R @ 10,
    "recall@20": R @ 20,
    "reciprocal rank": RR,
    "nDCG@10": nDCG @ 10,
}


def per_question(gold: Sequence[str], ranked: Sequence[str]) -> dict[str, float | None]:
    """Each measure of one ranking, by name.

    Args:
        gold: Ids of the passages that decide the question, all equally; without any, every measure is None.
        ranked: Ids of the passages found, the best first; one that comes twice counts where it comes first.
    """
    if not gold:
        return dict.fromkeys(MEASURES)
    measured = {m.measure: float(m.value) for m in ir_measures.iter_calc(MEASURES.values(), _qrels("q", gold), _run("q", ranked))}
    return {name: measured[measure] for name, measure in MEASURES.items()}


def aggregate(outcomes: Iterable[Outcome]) -> dict[str, float]:
    """The mean of each measure over the outcomes with gold passages; empty without any."""
    judged = [o for o in outcomes if o.case.gold]
    if not judged:
        return {}
    qrels = [qrel for o in judged for qrel in _qrels(o.case.id, o.case.gold)]
    run = [doc for o in judged for doc in _run(o.case.id, o.ranked)]
    means = ir_measures.calc_aggregate(MEASURES.values(), qrels, run)
    return {name: float(means[measure]) for name, measure in MEASURES.items()}


def _qrels(question: str, gold: Sequence[str]) -> list[Qrel]:
    return [Qrel(question, passage, 1) for passage in dict.fromkeys(gold)]


def _run(question: str, ranked: Sequence[str]) -> list[ScoredDoc]:
    """Scores that fall with the rank, so that the order is kept and there are no ties to break."""
    distinct = list(dict.fromkeys(ranked))
    return [ScoredDoc(question, passage, float(len(distinct) - n)) for n, passage in enumerate(distinct)]
