"""The opening "Yes." or "No." of an answer, kept only where it answers the question as it was asked.

A reviewed answer opens for its canonical question. The same answer serves "do links still matter?" and "are links dead?", so the
opening is kept, turned or left out by comparing the two questions. A missing yes is a small loss, a wrong one is not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from advisor.text import stems, words

OPENING = re.compile(r"^(Yes|No)([.,:;]) (.)")
POLARITY = re.compile(r"(yes|no|it depends)\b", re.IGNORECASE)
LEANING = re.compile(
    r"(if|but|where|when|while|as|because|unless|though|although|only|not|for|with|within|in|on|at|by|provided|to|from|and|except|since|until)\b",
    re.IGNORECASE,
)
YES_NO_QUESTION = re.compile(
    r"^((so|but|and|ok|hi|hello|hey|please|well)[, ]+)*(should|shall|can|could|do|does|did|is|are|was|were|will|would|has|have|am|may|must|isn't|"
    r"aren't|don't|doesn't|won't|can't|true or false)\b"
    r"|\b(should (i|we|you|they)|can (i|we)|could (i|we)|do (i|we) (need|have|really)|is (it|this|that|there)|are (they|there|these|links|backlinks)|"
    r"does (it|this|that|google)|will (it|this|that)|is it true|worth it|right\?)(?!\w)",
    re.IGNORECASE,
)
OPEN_QUESTION = re.compile(r"^(what|why|how|which|who|where|when|whats|hows|tell|explain|give|list|describe|compare)\b", re.IGNORECASE)
# "Yes. Do not buy ..." reads as its own contradiction, so an instruction's opening is never turned.
IMPERATIVE = re.compile(r"(Do not|Don't|Never|Stop|Keep|Do|Use|Buy|Put|Give|Fix|Leave|Treat|Start|Walk|Ask|Earn|Spend)\b")
# Words whose reach is hard to tell: "can I rank without links", "are links not important any more". Then neither yes nor no is said.
NEGATION = re.compile(r"\b(not|no longer|any ?more|without|skip|never|instead|stop|quit|avoid)\b|n't\b", re.IGNORECASE)
# The corpus knows policies, not laws: neither yes nor no is an answer to these.
LEGAL = re.compile(r"\b(il)?legal(ly)?\b|\blaws?\b|\bcrime\b", re.IGNORECASE)
# Words that turn a question round: "are links useless" asks the opposite of "are links useful".
TURNING = frozenset(
    """dead dying useless pointless worthless wrong bad harmful harm harms hurt hurts risky dangerous unsafe ignore
    against forbidden prohibited banned ban myth lie nonsense obsolete outdated overrated waste wasting wasted scam scams
    cheating killing penalized penalised penalty punish punished kill kills
    bullshit crap irrelevant unnecessary false""".split()
)

# The share of the shorter question's content words that the other must hold.
ALIKE = 0.5


def polarity(sentence: str) -> str:
    """How a sentence opens: "yes", "no" or "depends"; else ""."""
    found = POLARITY.match(sentence)
    return {"yes": "yes", "no": "no", "it depends": "depends"}[found.group(1).lower()] if found else ""


def fitted(text: str, *, question: str, canonical: str, asks: Sequence[str]) -> str:
    """The first sentence of an answer with its "Yes" or "No" kept, turned, or left out.

    Args:
        text: The sentence as reviewed; returned as it is when it does not open with "Yes" or "No".
        question: The question as searched.
        canonical: The question that the opening was written for.
        asks: The other wordings that the same answer was written for.
    """
    found = OPENING.match(text)
    if found is None:
        return text
    rest = found.group(3).upper() + text[found.end() :]
    if found.group(2) != "." and LEANING.match(rest):
        # "Yes, if ..." without its yes would be half a sentence; what it depends on is said in the same breath.
        return text
    if not is_yes_no(question) or not is_yes_no(canonical):
        return rest
    if bool(NEGATION.search(question)) != bool(NEGATION.search(canonical)) or not is_alike(question, canonical):
        return rest
    if is_turned(question) == is_turned(canonical):
        return text
    if not IMPERATIVE.match(rest) and any(is_yes_no(ask) and is_turned(ask) == is_turned(question) for ask in asks):
        other = "No" if found.group(1) == "Yes" else "Yes"
        return f"{other}{found.group(2)} {text[found.start(3) :]}"
    return rest


def is_alike(question: str, canonical: str) -> bool:
    """Whether two questions are about the same words, so that a yes to one is a yes to the other."""
    one, two = ({s.removeprefix("back") for s in stems(q) if s not in TURNING} for q in (question, canonical))
    return len(one & two) >= ALIKE * min(len(one), len(two))


def is_yes_no(question: str) -> bool:
    """Whether yes or no can answer the question. "Should I do this or that?" and questions of law are not such."""
    if OPEN_QUESTION.match(question) or LEGAL.search(question) or re.search(r"\bor\b(?! (not|no)\b)", question, re.IGNORECASE):
        return False
    return bool(YES_NO_QUESTION.search(question))


def is_turned(question: str) -> bool:
    """Whether an odd number of words turns the question round, in the clause that asks: "my rate is bad, should I ..." is not turned."""
    clauses = [c for c in re.split(r"[,;.!?:]+\s*", question) if YES_NO_QUESTION.search(c)]
    return sum(word in TURNING for clause in clauses or [question] for word in words(clause)) % 2 == 1
