"""Deciding whether a question can be answered from the corpus, and refusing it politely if not."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from advisor.models import Evidence, Question, Refusal
from advisor.text import words

# A question is covered when these weights on `scope_figures` sum to at least 0. Fitted on the tuning halves of evals/ by
# `python -m evals.scope`. All figures are absolute evidence: raw cosines, the odds of the scope classifier, and whether a term of the
# trade is named; never fused or per-question scores, which separate poorly.
NEAR_WEIGHT, OUTSIDE_WEIGHT, ODDS_WEIGHT, TERM_WEIGHT, INTERCEPT = 7.64, -9.95, 0.94, 0.68, 1.15
# Below this nothing was found that could answer, whatever the field.
NOTHING_NEAR_COSINE = 0.38
ONE_WORD_COSINE = 0.5
# From here on a question is one that was reviewed, in nearly the same words, whatever else it resembles.
REVIEWED_COSINE = 0.95
SURE = 1e-3
LETTERS_IN_ENGLISH = 0.6

NOT_OUR_FIELD = "That is outside my field: I answer questions about balancing links and user signals in search."
NOT_IN_SOURCES = "That belongs to search marketing, but my sources do not cover {topic}, so I would rather not guess."
NOT_UNDERSTOOD = "I found nothing near enough to that to answer well; say it in other words, or pick one of the nearest questions."
STARTERS = (
    "Do links or user signals matter more?",
    "Does Google use clicks to rank pages?",
    "What should I do when my click-through rate is low?",
)


def input_refusal(asked: str, cleaned: str, *, max_chars: int) -> Refusal | None:
    """A refusal for input that is not a question in English of a sensible length, decided before anything is searched."""
    if not cleaned:
        return _unclear("The question is empty; type a question about links, user signals or their balance.")
    if len(asked) > max_chars:
        return _unclear(
            f"The question has {len(asked):,} characters and the limit is {max_chars:,}; shorten it to the point that you must decide."
        )
    letters = [ch for ch in cleaned if ch.isalpha()]
    if not letters:
        return _unclear("I could not find a word in that; ask in plain English about links, user signals or their balance.")
    if sum(ch.isascii() for ch in letters) / len(letters) < LETTERS_IN_ENGLISH:
        return _unclear("I read and answer English only; please ask the question in English.")
    if is_foreign(cleaned):
        return _unclear("That does not look like English, the only language I answer in; please ask the question in English.")
    return None


# Function words that are frequent in one language and no words of English. Two of them, and more of them than English ones, mark
# a question as foreign; a language detector was tried and misjudged short questions made of trade terms.
FOREIGN_WORDS = frozenset(
    """der die das und ist nicht wie ich sind für mit auf ein eine soll kann warum welche meine mehr oder kaufen werden
    le la les des une est pas comment pour avec sur dans je mes mon que qui quel quelle sont faut plus ou acheter puis pourquoi
    el los las una es por para con como qué cómo mi mis son más comprar puedo debo cuál sobre porque
    il lo gli che per sono non di una della delle come posso devo quale perché più comprare
    o os um uma não como meu minha são mais comprar posso devo qual porque
    het een van niet hoe ik zijn voor met mijn waarom moet welke kopen
    jak czy nie jest się na dla mój moje dlaczego""".split()
) - frozenset("die per come on is non as a me plus o des para met sur la le el los san".split())
ENGLISH_WORDS = frozenset(
    "the a an is are do does how what why should i my to of for and in on it we can if with or you your not be".split()
)


def is_foreign(text: str) -> bool:
    """Whether the function words of a text are those of another language."""
    tokens = re.findall(r"[^\W\d_]+", text.lower())
    foreign = sum(t in FOREIGN_WORDS for t in tokens)
    return foreign >= 2 and foreign > sum(t in ENGLISH_WORDS for t in tokens)


def _unclear(message: str) -> Refusal:
    return Refusal(reason="unclear", message=message, suggestions=STARTERS)


def refusal_for(question: Question, evidence: Evidence) -> Refusal | None:
    """A refusal if the question lies outside the field or outside the sources, else None."""
    best, scope = best_cosine(evidence), evidence.scope
    if len(words(question.searched)) == 1 and best < ONE_WORD_COSINE:
        return _unclear("One word is not enough for me to tell what you want to decide; please ask a whole question.")
    if is_covered(question, evidence):
        return nothing_near(evidence) if best < NOTHING_NEAR_COSINE else None
    if scope.off_topic > scope.uncovered:
        return Refusal(reason="off_topic", message=f"{NOT_OUR_FIELD} Try one of these instead.", suggestions=STARTERS)
    message = NOT_IN_SOURCES.format(topic=scope.nearest_uncovered or "it")
    return Refusal(reason="not_in_sources", message=message, suggestions=_nearest(evidence))


def is_covered(question: Question, evidence: Evidence) -> bool:
    """Whether a question lies in the field and in the sources."""
    return covered_log_odds(question, evidence) >= 0 or best_cosine(evidence) >= REVIEWED_COSINE


def covered_log_odds(question: Question, evidence: Evidence) -> float:
    """How surely a question is covered, as log-odds: 0 is the line."""
    weights = (NEAR_WEIGHT, OUTSIDE_WEIGHT, ODDS_WEIGHT, TERM_WEIGHT)
    return sum(w * f for w, f in zip(weights, scope_figures(question, evidence), strict=True)) + INTERCEPT


def scope_figures(question: Question, evidence: Evidence) -> tuple[float, float, float, float]:
    """How near a question is to what was reviewed and to the examples outside (cosines), its log-odds of being covered, and 1 where it
    names a term of the trade, else 0.
    """
    covered = min(max(evidence.scope.covered, SURE), 1 - SURE)
    return best_cosine(evidence), evidence.scope.nearest_outside, math.log(covered / (1 - covered)), float(question.names_a_term)


def nothing_near(evidence: Evidence) -> Refusal:
    """The refusal when nothing was found that could answer."""
    return Refusal(reason="unclear", message=NOT_UNDERSTOOD, suggestions=_nearest(evidence))


def best_cosine(evidence: Evidence) -> float:
    """The highest cosine of the question with any text of any passage or guidance entry."""
    hits = [h for _, h in evidence.passages] + [h for _, h in evidence.guidance]
    return max((h.plain for h in hits), default=0.0)


def _nearest(evidence: Evidence) -> tuple[str, ...]:
    nearest: Sequence[str] = [g.question for g, _ in evidence.guidance[:3]]
    return tuple(nearest) or STARTERS
