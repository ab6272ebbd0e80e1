"""Attribution: whether the claims of interested or contradicted sources are told as theirs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from advisor.models import Answer, Passage, Source
from advisor.text import words
from evals.cases import Case
from evals.metrics.reference import UNKNOWN, Reference
from evals.metrics.texts import sentences

CONTESTED: Final = ("contradicted", "unsupported")
DEPARTMENTS: Final = frozenset({"search", "central", "developers", "help", "support", "research", "blog"})
# What a sentence says that tells the reader that the record does not carry a claim.
DENIAL: Final = re.compile(
    r"\b(no|not|nothing|none|nobody|never|neither|nor|cannot|without|against|only|contradict\w*|unsupported|unproven|unproved|disput\w*|"
    r"false|myth|fails?|lacks?|refut\w*|den(y|ies|ied))\b|n['’]t\b",
    re.IGNORECASE,
)


def attributed(case: Case, answer: Answer, reference: Reference) -> float | None:  # noqa: ARG001 - the shape of all metrics
    """The share of sentences on interested or contested ground that say whose it is; None when no sentence stands on such ground.

    Such a sentence cites sellers alone, or a claim that the record contradicts or does not support. It is attributed when it names the
    publisher or author of one of those passages; or when it is what the record says of the claim: its check note, or a sentence that
    cites an independent uncontested passage beside it, and it says that the record does not carry the claim.

    Source: our own, after "attributable to identified sources" (Rashkin et al., Computational Linguistics 49(4), 2023, arXiv:2112.12870).
    """
    cited = reference.cited(answer)
    told: list[bool] = []
    for sentence in sentences(answer):
        passages = reference.passages([cited.get(number, UNKNOWN) for number in sentence.citations])
        doubtful = _doubtful(passages)
        if doubtful:
            told.append(_names_any(sentence.text, doubtful) or _is_refuted(sentence.text, passages))
    return sum(told) / len(told) if told else None


def expected_named(case: Case, answer: Answer, reference: Reference) -> float | None:
    """The share of the case's `attributed` sources, of those cited, that a sentence citing them names; None when none is cited."""
    cited = reference.cited(answer)
    named: dict[str, bool] = {}
    for sentence in sentences(answer):
        for passage in reference.passages([cited.get(number, UNKNOWN) for number in sentence.citations]):
            if passage.source.id in case.attributed:
                named[passage.source.id] = named.get(passage.source.id, False) or names(sentence.text, passage.source)
    return sum(named.values()) / len(named) if named else None


def names(text: str, source: Source) -> bool:
    """Whether a text names the publisher of a source, or its author by the last name.

    Notes in brackets and after a comma do not count; one of two joint publishers is enough, and so is a house for its departments
    ("Google" for "Google Search Central").
    """
    spoken = f" {_spelled(text)} "
    wanted = {_spelled(part) for part in re.split(r" and | & ", _bare(source.publisher))}
    wanted |= {" ".join(w for w in name.split() if w not in DEPARTMENTS) for name in wanted}
    wanted |= {name.replace(" ", "") for name in wanted}
    wanted |= set(_spelled(_bare(source.author)).split()[-1:])
    return any(name and f" {name} " in spoken for name in wanted)


def _doubtful(passages: Sequence[Passage]) -> list[Passage]:
    """The passages for whose sake a sentence that cites them all must say whose claim it tells."""
    if passages and all(p.source.is_seller for p in passages):
        return list(passages)
    return [p for p in passages if p.check.verdict in CONTESTED]


def _names_any(text: str, passages: Sequence[Passage]) -> bool:
    return any(names(text, p.source) for p in passages)


def _is_refuted(text: str, passages: Sequence[Passage]) -> bool:
    """Whether the sentence is what the record says of a contested claim, and says that the record does not carry it."""
    is_note = any(p.needs_the_record and text == p.check.note for p in passages)
    has_record = any(p.source.is_independent and p.check.verdict not in CONTESTED for p in passages)
    return (is_note or has_record) and bool(DENIAL.search(text))


def _bare(name: str) -> str:
    """A name without what stands in brackets or after a comma: "Gary Illyes, as reported" is Gary Illyes."""
    return re.sub(r"\(.*?\)|,.*", "", name).strip()


def _spelled(text: str) -> str:
    """The words in lower case, without possessives, between single spaces."""
    return " ".join(word.removesuffix("'s") for word in words(text))
