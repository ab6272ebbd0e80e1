"""Stability: whether wordings of one question get one verdict."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from advisor.models import Answer
from evals.metrics.outcome import Outcome
from evals.metrics.polarity import polarity
from evals.metrics.reference import Reference
from evals.metrics.texts import first_sentence


def per_group(outcomes: Sequence[Outcome], reference: Reference) -> Mapping[str, float]:
    """1 for each group of wordings that is stable, else 0, by group; a group of one wording is left out.

    A group is stable when all first sentences have the same polarity, and all bottom lines share a cited passage or are the same text.
    A refusal shares no passage with an answer, so that a group of which only some are refused is not stable. A group that comes twice,
    as in a bootstrap draw, counts twice.

    Source: consistency over paraphrases, Elazar et al., TACL 9, 2021, arXiv:2102.01017, with a group in place of pairs.
    """
    groups: dict[tuple[str, int], list[Answer]] = defaultdict(list)
    seen: Counter[str] = Counter()
    for outcome in outcomes:
        if outcome.case.group:
            groups[outcome.case.group, seen[outcome.case.id]].append(outcome.answer)
            seen[outcome.case.id] += 1
    return {
        f"{name}#{copy}" if copy else name: float(_is_stable(answers, reference))
        for (name, copy), answers in sorted(groups.items(), key=lambda item: item[0])
        if len(answers) > 1
    }


def stable(outcomes: Sequence[Outcome], reference: Reference) -> float | None:
    """The share of stable groups; None without groups."""
    groups = per_group(outcomes, reference)
    return sum(groups.values()) / len(groups) if groups else None


def _is_stable(answers: Sequence[Answer], reference: Reference) -> bool:
    if len({polarity(first_sentence(answer)) for answer in answers}) > 1:
        return False
    same_text = len({_bottom_line(answer) for answer in answers}) == 1
    return same_text or bool(frozenset.intersection(*(_rests_on(answer, reference) for answer in answers)))


def _bottom_line(answer: Answer) -> str:
    line = answer.section("bottom_line")
    return " ".join(s.text for s in line.sentences) if line else first_sentence(answer)


def _rests_on(answer: Answer, reference: Reference) -> frozenset[str]:
    """The passages that the bottom line cites."""
    line, cited = answer.section("bottom_line"), reference.cited(answer)
    return frozenset(i for s in (line.sentences if line else ()) for n in s.citations if (i := cited.get(n)))
