"""Refusals: whether what must be refused is refused, and nothing else.

An answer is a refusal when its status and its refusal both say so; what must be refused is a case that expects neither an answer nor
small talk. With TP rightly refused, FP refused though answerable, FN answered though not:
precision = TP / (TP + FP), recall = TP / (TP + FN), F1 = 2 TP / (2 TP + FP + FN).

Source: van Rijsbergen, "Information Retrieval", 2nd ed., 1979, ch. 7. Answerable accuracy stands beside them, since refusing everything has
a recall of 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from advisor.models import Answer
from evals.cases import Case
from evals.metrics.outcome import Outcome
from evals.metrics.reference import Reference


def is_refused(answer: Answer) -> bool:
    return answer.status == "refused" and answer.refusal is not None


def is_answered(answer: Answer) -> bool:
    return answer.status == "answered" and bool(answer.sections)


def must_be_refused(case: Case) -> bool:
    return case.expect not in ("answered", "smalltalk")


def is_right(case: Case, answer: Answer, reference: Reference) -> float:  # noqa: ARG001 - the shape of all metrics
    """1 if the case was refused or answered as expected, for whatever reason; else 0."""
    return float(is_refused(answer) if must_be_refused(case) else is_answered(answer))


def has_right_reason(case: Case, answer: Answer, reference: Reference) -> float | None:  # noqa: ARG001
    """1 if a right refusal gives the expected reason, else 0; None where nothing was rightly refused."""
    if not must_be_refused(case) or answer.refusal is None or not is_refused(answer):
        return None
    return float(answer.refusal.reason == case.expect)


def precision(outcomes: Sequence[Outcome]) -> float | None:
    """TP / (TP + FP); None when nothing was refused."""
    return _share(must_be_refused(o.case) for o in outcomes if is_refused(o.answer))


def recall(outcomes: Sequence[Outcome]) -> float | None:
    """TP / (TP + FN); None when nothing had to be refused."""
    return _share(is_refused(o.answer) for o in outcomes if must_be_refused(o.case))


def f1(outcomes: Sequence[Outcome]) -> float | None:
    """2 TP / (2 TP + FP + FN); None when nothing was refused or had to be."""
    refused = [is_refused(o.answer) for o in outcomes]
    wanted = [must_be_refused(o.case) for o in outcomes]
    both = sum(r and w for r, w in zip(refused, wanted, strict=True))
    total = sum(refused) + sum(wanted)
    return 2 * both / total if total else None


def answerable_accuracy(outcomes: Sequence[Outcome]) -> float | None:
    """The share of answerable questions that are answered; None without any."""
    return _share(is_answered(o.answer) for o in outcomes if o.case.expect == "answered")


def off_topic_refused(outcomes: Sequence[Outcome]) -> float | None:
    """The share of off-topic questions that are refused; None without any."""
    return _share(is_refused(o.answer) for o in outcomes if o.case.expect == "off_topic")


def in_domain_refused(outcomes: Sequence[Outcome]) -> float | None:
    """The share of answerable questions that are refused: smaller is better. None without any."""
    return _share(is_refused(o.answer) for o in outcomes if o.case.expect == "answered")


def _share(flags: Iterable[bool]) -> float | None:
    collected = list(flags)
    return sum(collected) / len(collected) if collected else None
