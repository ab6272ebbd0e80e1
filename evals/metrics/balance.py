"""Balance: whether the sides that a question has are heard, and whether a reader sees what each source stands to gain."""

from __future__ import annotations

from advisor.models import Answer
from evals.cases import Case
from evals.metrics.attribution import names
from evals.metrics.reference import UNKNOWN, Reference
from evals.metrics.texts import sentences


def sides_heard(case: Case, answer: Answer, reference: Reference) -> float | None:
    """The share of the case's sides that are heard: |sides with a passage of that stance| / |sides|; None without sides.

    A passage counts when its source is independent, or when a sentence that cites it names its publisher or author.

    Source: our own.
    """
    if not case.sides:
        return None
    cited = reference.cited(answer)
    heard: set[str] = set()
    for sentence in sentences(answer):
        for passage in reference.passages([cited.get(number, UNKNOWN) for number in sentence.citations]):
            if passage.source.is_independent or names(sentence.text, passage.source):
                heard.add(passage.stance)
    return sum(side in heard for side in case.sides) / len(case.sides)


def interests_shown(case: Case, answer: Answer, reference: Reference) -> float | None:  # noqa: ARG001 - the shape of all metrics
    """1 if every citation says what its publisher stands to gain, "none known" included, else 0; None without citations."""
    if not answer.citations:
        return None
    return float(all(c.interest.strip() for c in answer.citations))
