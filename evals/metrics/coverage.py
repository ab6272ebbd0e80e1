"""Coverage: which claims and which guidance no answer ever reaches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from advisor.answer.lead import OPENING
from advisor.models import Answer
from evals.metrics.reference import Reference
from evals.metrics.texts import sentences


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Shares that answers reach, from 0 to 1 and None where there is nothing to reach, and the ids of what they never reach."""

    claims: float | None
    guidance: float | None
    claims_never_reached: tuple[str, ...]
    guidance_never_reached: tuple[str, ...]


def coverage(answers: Iterable[Answer], reference: Reference) -> Coverage:
    """How much of the corpus these answers reach.

    claims = |passages of role "claim" that an answer cites| / |passages of role "claim"|. guidance = |entries whose first answer sentence
    stands in an answer| / |entries|; its opening "Yes." or "No." may be turned or left out, as the product does.

    Source: our own; it is to a corpus what statement coverage is to a program.
    """
    cited: set[str] = set()
    said: set[str] = set()
    for answer in answers:
        cited.update(reference.cited(answer).values())
        said.update(_without_opening(sentence.text) for sentence in sentences(answer))
    claims = [p.id for p in reference.corpus.passages if p.role == "claim"]
    guidance = {g.id: _without_opening(g.answer[0].text) for g in reference.corpus.guidance if g.answer}
    missed_claims = tuple(i for i in claims if i not in cited)
    missed_guidance = tuple(i for i, first in guidance.items() if first not in said)
    return Coverage(
        claims=_reached(len(claims), len(missed_claims)),
        guidance=_reached(len(guidance), len(missed_guidance)),
        claims_never_reached=missed_claims,
        guidance_never_reached=missed_guidance,
    )


def _reached(total: int, missed: int) -> float | None:
    return (total - missed) / total if total else None


def _without_opening(text: str) -> str:
    """The sentence without "Yes." or "No." before it, in one case."""
    found = OPENING.match(text)
    return (text[found.start(3) :] if found else text).casefold()
