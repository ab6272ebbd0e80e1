"""Polarity: whether an answer to a yes/no question opens in the right direction."""

from __future__ import annotations

import re
from typing import Final, Literal

from advisor.models import Answer
from evals.cases import Case
from evals.metrics.reference import Reference
from evals.metrics.texts import first_sentence

Polarity = Literal["yes", "no", "neither"]
# "No" counts as an answer, not as the article of "No source says"; "Do not buy links" says no to "Should I buy links?".
YES: Final = re.compile(r"\W*(yes\b|true[.,:;!])", re.IGNORECASE)
NO: Final = re.compile(r"\W*(no(?=\s*(?:[.,:;!–—-]|$))|false[.,:;!]|(do not|don['’]t|never|neither|not(?! only))\b)", re.IGNORECASE)


def polarity(text: str) -> Polarity:
    """Whether a sentence opens with yes, with no or a prohibition, or with neither."""
    if YES.match(text):
        return "yes"
    return "no" if NO.match(text) else "neither"


def opens_right(case: Case, answer: Answer, reference: Reference) -> float | None:  # noqa: ARG001 - the shape of all metrics
    """1 if the first sentence opens as the case wants, else 0; "depends" wants neither yes nor no. None where nothing is wanted.

    A refusal opens with neither, and a question that wants yes or no is not answered by it.

    Source: accuracy on yes/no questions (Clark et al., "BoolQ", NAACL 2019), with the answer read from the opening words.
    """
    if not case.opens:
        return None
    wanted = "neither" if case.opens == "depends" else case.opens
    return float(answer.status == "answered" and polarity(first_sentence(answer)) == wanted)
