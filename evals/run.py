"""Measure the advisor on the eval questions: `python -m evals.run [--half tune|report|both]`.

Prints a table for each set and half and stores figures and per-question rows under evals/results/. Thresholds and weights are chosen
on the tuning halves only; the reporting halves are for reporting.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import ir_measures
import psutil
from ir_measures import RR, R, Success, nDCG
from rich.console import Console
from rich.progress import track
from rich.table import Table

from advisor import Advisor
from advisor.errors import AdvisorError
from advisor.index.generation import PASSAGES, Index
from advisor.models import Answer
from advisor.retrieve import query_texts, search
from evals.metrics import (
    SCORER,
    answer_text,
    citation_precision,
    citation_recall,
    cites_right_source,
    is_met,
    key_point_recall,
    seller_stands_alone,
)
from evals.questions import SETS, EvalQuestion, Half, read_questions

RESULTS = Path(__file__).with_name("results")
RANKING = (Success @ 5, R @ 5, RR, nDCG @ 10)
Row = dict[str, Any]


def measure(advisor: Advisor, questions: Sequence[EvalQuestion]) -> tuple[dict[str, float], list[Row]]:
    """Figures over the questions, and a row for each."""
    rows: list[Row] = []
    runs: list[ir_measures.ScoredDoc] = []
    for question in track(questions, description="Asking", console=Console(stderr=True)):
        answer = ask(advisor, question)
        rows.append(row_of(advisor, question, answer))
        if question.gold:
            runs += ranking(advisor, question.id, answer.searched or question.question)
    qrels = [ir_measures.Qrel(q.id, gold, 1) for q in questions for gold in q.gold]
    figures = {str(m): float(v) for m, v in ir_measures.calc_aggregate(RANKING, qrels, runs).items()} if qrels else {}
    return {**figures, **summary(rows)}, rows


def ask(advisor: Advisor, question: EvalQuestion) -> Answer:
    """The answer to a question after its history."""
    conversation = None
    for earlier in question.history:
        conversation = advisor.ask(earlier, conversation_id=conversation).conversation_id
    return advisor.ask(question.question, conversation_id=conversation)


def ranking(advisor: Advisor, question_id: str, searched: str) -> list[ir_measures.ScoredDoc]:
    """The passages for a question as searched, before they are spread over sources."""
    index, encoder = parts(advisor)
    spelled_out = advisor._open.lexicon.spelled_out(searched)
    plain = encoder.encode(query_texts(searched, spelled_out=spelled_out))
    hits = search(advisor._adapter.apply(plain), spelled_out, index, collection=PASSAGES, plain=plain)
    return [ir_measures.ScoredDoc(question_id, h.unit, h.score) for h in hits[:100]]


def parts(advisor: Advisor) -> tuple[Index, Any]:
    """The advisor's index and encoder; the evals look inside on purpose."""
    return advisor._open.index, advisor._encoder


def row_of(advisor: Advisor, question: EvalQuestion, answer: Answer) -> Row:
    index, encoder = parts(advisor)
    text = answer_text(answer)
    expected_answer = question.expect == "answered"
    return {
        "id": question.id,
        "kind": question.kind,
        "question": question.question,
        "searched": answer.searched,
        "expect": question.expect,
        "got": answer.refusal.reason if answer.refusal else answer.status,
        "right_source": cites_right_source(question, answer) if expected_answer else None,
        "key_points": key_point_recall(question.key_points, text) if expected_answer else None,
        "missed": [p.point for p in question.key_points if not is_met(p, text)] if expected_answer else [],
        "citation_recall": citation_recall(answer),
        "citation_precision": citation_precision(answer, index, encoder),
        "seller_alone": seller_stands_alone(answer, index),
        "words": len(text.split()),
        "cited": [c.passage_id for c in answer.citations],
        "ms": answer.elapsed_ms.total,
    }


def summary(rows: Sequence[Row]) -> dict[str, float]:
    """Figures over rows; refusal counts a question as refused for whatever reason."""
    answerable = [r for r in rows if r["expect"] == "answered"]
    refused = [r for r in rows if r["got"] != "answered"]
    to_refuse = [r for r in rows if r["expect"] != "answered"]
    off_topic = [r for r in rows if r["expect"] == "off_topic"]
    rightly = [r for r in refused if r["expect"] != "answered"]
    times = sorted(r["ms"] for r in rows)
    figures = {
        "right source cited": mean(float(r["right_source"]) for r in answerable),
        "key-point recall": mean(r["key_points"] for r in answerable if r["key_points"] is not None),
        "citation recall": mean(r["citation_recall"] for r in rows if r["citation_recall"] is not None),
        "citation precision": mean(r["citation_precision"] for r in rows if r["citation_precision"] is not None),
        "refusal precision": len(rightly) / len(refused) if refused else 1.0,
        "refusal recall": len(rightly) / len(to_refuse) if to_refuse else 1.0,
        "off-topic refused": mean(float(r["got"] != "answered") for r in off_topic),
        "in-domain refused": mean(float(r["got"] != "answered") for r in answerable),
        "seller alone": float(sum(r["seller_alone"] for r in rows)),
        "median words": statistics.median(r["words"] for r in answerable) if answerable else 0.0,
        "median ms": statistics.median(times),
        "p95 ms": times[int(0.95 * (len(times) - 1))],
    }
    pointless = set()
    if not answerable:
        pointless |= {"right source cited", "citation recall", "citation precision", "in-domain refused", "median words", "seller alone"}
    if not any(r["key_points"] is not None for r in answerable):
        pointless.add("key-point recall")
    if not to_refuse:
        pointless |= {"refusal precision", "refusal recall"}
    if not off_topic:
        pointless.add("off-topic refused")
    return {name: value for name, value in figures.items() if name not in pointless}


def mean(values: Any) -> float:
    collected = list(values)
    return statistics.fmean(collected) if collected else 0.0


def commit() -> str:
    """The commit measured, with "-dirty" when the tree has other changes than results."""
    try:
        done = subprocess.run(["git", "describe", "--always", "--abbrev=12", "--dirty"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def show(figures: dict[str, dict[str, float]]) -> None:
    table = Table(title=f"Answers (support scorer: {SCORER})")
    table.add_column("figure")
    for half in figures:
        table.add_column(half, justify="right")
    for name in dict.fromkeys(name for column in figures.values() for name in column):
        shown = (figures[column].get(name) for column in figures)
        table.add_row(name, *("" if value is None else f"{value:.3f}" for value in shown))
    Console().print(table)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=["tune", "report", "both"], default="both")
    parser.add_argument("--out", type=Path, default=None, help="where to store the result (default: evals/results/answers-<commit>.json)")
    args = parser.parse_args(argv)
    halves = ("tune", "report") if args.half == "both" else (args.half,)
    try:
        advisor = Advisor.open()
    except AdvisorError as exc:
        sys.stderr.write(f"{exc.line}\n")
        return 1
    figures: dict[str, dict[str, float]] = {}
    rows: dict[str, list[Row]] = {}
    for name in SETS:
        questions = read_questions(name)
        for half in halves:
            column = half if name == "questions" else f"{name} {half}"
            figures[column], rows[column] = measure(advisor, [q for q in questions if q.half == cast("Half", half)])
    show(figures)
    result = {
        "commit": commit(),
        "fingerprint": advisor.ask("hello").fingerprint,
        "scorer": SCORER,
        "peak_memory_mb": round(psutil.Process().memory_info().rss / 1e6),
        "figures": figures,
        "rows": rows,
    }
    path = args.out or RESULTS / f"answers-{result['commit']}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    Console().print(f"Stored in {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
