"""The extractive writer: chooses guidance, statements, disputes and steps, and arranges them by role. No model, milliseconds.

Every sentence of a draft is a reviewed one: a guidance sentence, a passage, or a check note, word for word. The writer decides
which of them answer the question, in which order, and how many fit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from advisor.answer.composition import Page
from advisor.answer.question import business_of, intent_of
from advisor.answer.rates import position_asked, speaks_of_rates
from advisor.index.generation import Index
from advisor.models import (
    Draft,
    Evidence,
    Guidance,
    Hit,
    Question,
)
from advisor.text import stems

# All chosen on the tuning half of evals/questions.jsonl; see evals/results/.
# Guidance leads from this cosine of the question as encoded on, unless a passage is nearer by the second figure.
GUIDANCE_MIN_COSINE = 0.46
PASSAGE_LEADS_BY = 0.14
# Guidance is chosen by its fused score, from 0 to 1, and a little by its cosine, which tells a near second from a far one. On top come
# the kind of business, the kind of question, and the new word of a follow-up.
COSINE_WEIGHT = 0.5
BUSINESS_BONUS = 0.05
INTENT_BONUS = 0.05
# What a definition loses where something else than a definition is asked for.
DEFINITION_PENALTY = 0.1
FOCUS_BONUS = 0.3
# What an entry on usual rates gains when a position is named.
RATES_BONUS = 0.3
# What guidance loses that the conversation has shown already, when the follow-up asks for something by itself.
SHOWN_PENALTY = 0.3
# What a playbook gains when a plan is asked for, and loses when none is.
PLAN_BONUS = 0.2
FOLLOW_UPS = 3
# A question may as well be for another entry that is nearly as close as the first: up to so many of them are answered in short. On the
# tuning halves the lead rests on a deciding passage for .762 (answers) and .533 (retrieval), the lead or a reading shown for .829 and
# .582, with about one reading in two answers.
READING_MARGIN = 0.25
READINGS = 3

ASKS_FOR_PLAN = re.compile(
    r"\b(plan|plans|playbook|step.by.step|checklist|roadmap|road map|template|schedule|timeline|workflow|sop|run ?book|guide|routine|"
    r"process|programme?|(\d+|six|three|first) (week|month|day)s?|week by week|month by month|sprint|quarterly|procedure)\b",
    re.IGNORECASE,
)


def write(question: Question, evidence: Evidence, index: Index) -> Draft:
    """A draft that answers the question from the evidence.

    A guidance entry that is close to the question leads. Where a single passage is much closer than any guidance, the passage
    leads, behind what the record says of it. The caller has already refused questions with neither.
    """
    page = Page(question=question, evidence=evidence, index=index)
    guidance, *readings = choose_guidance(question, evidence) or (None,)
    if guidance is None:
        page.lead_with_passages()
    else:
        page.lead_with_guidance(guidance, readings)
    page.add_related()
    return Draft(
        sections=page.sections(),
        disputes=tuple(page.disputes),
        follow_ups=_follow_ups(question, evidence, (guidance, *readings)),
        guidance=guidance.id if guidance else "",
        read_as=guidance.question if guidance and page.has_readings else "",
    )


def choose_guidance(question: Question, evidence: Evidence) -> tuple[Guidance, ...]:
    """The guidance entry that answers the question, and behind it those that the question may as well be for.

    Empty if a passage answers better or nothing is near.
    """
    ranked = sorted(((_closeness(g, hit, question), g, hit) for g, hit in evidence.guidance), key=lambda row: -row[0])
    if not ranked:
        return ()
    closeness, entry, hit = ranked[0]
    best_passage = max((h.plain for _, h in evidence.passages), default=0.0)
    if hit.plain < max(GUIDANCE_MIN_COSINE, best_passage - PASSAGE_LEADS_BY):
        return ()
    others = [g for near, g, h in ranked[1:] if near >= closeness - READING_MARGIN and h.plain >= GUIDANCE_MIN_COSINE and not g.plan]
    return (entry, *[g for g in others if _is_definition(entry) or not _is_definition(g)][:READINGS])


def _is_definition(entry: Guidance) -> bool:
    return intent_of(entry.question) == "define"


def _closeness(entry: Guidance, hit: Hit, question: Question) -> float:
    """The fused score, with what the cosine, the kind of business and of question, and the new words of a follow-up say for it."""
    closeness = hit.score + COSINE_WEIGHT * hit.cosine
    if entry.plan:
        closeness += PLAN_BONUS if ASKS_FOR_PLAN.search(question.searched) else -PLAN_BONUS
    if entry.business != "any":
        closeness += BUSINESS_BONUS if entry.business == business_of(question.searched) else -BUSINESS_BONUS
    asks = intent_of(entry.question)
    if asks == question.intent:
        closeness += INTENT_BONUS
    elif asks == "define":
        closeness -= DEFINITION_PENALTY
    if speaks_of_rates(entry) and position_asked(question.searched) is not None:
        closeness += RATES_BONUS
    if question.focus and set(question.focus) & set(stems(" ".join((*entry.asks, entry.answer[0].text)))):
        closeness += FOCUS_BONUS
    if entry.id in question.shown:
        closeness -= SHOWN_PENALTY
    return closeness


def _follow_ups(question: Question, evidence: Evidence, used: Sequence[Guidance | None]) -> tuple[str, ...]:
    """The canonical questions of the next nearest guidance, none that repeats the question asked."""
    asked = question.searched.casefold().strip(" ?")
    near = [g.question for g, _ in evidence.guidance if g not in used and g.question.casefold().strip(" ?") != asked]
    return tuple(dict.fromkeys(near))[:FOLLOW_UPS]
