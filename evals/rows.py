"""One row of a run: the case, the answer it got in compact form, and the passages ranked for it.

Stored answers hold no more than the text and the ids of what was cited; the rest of a citation is that of the corpus. Whatever is
scored is scored from here, so that figures can be worked out anew, and a changed row changes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import Field

from advisor.answer.verify import citation
from advisor.errors import NotFoundError
from advisor.models import Answer
from evals.cases import Case
from evals.metrics.outcome import Outcome
from evals.metrics.reference import Reference

# Of a citation these are kept; of the answer all but what the corpus says again, and what is different at each run.
KEPT_OF_CITATION: Final = frozenset({"number", "passage_id"})
LEFT_OUT: Final = {"id", "conversation_id", "fingerprint", "schema_version"}


class Row(Case):
    """A case, and what it got.

    Attributes:
        answer: The answer in compact form, see `compact`.
        ranked: Ids of the passages ranked for the question as searched, best first; empty where no gold can judge them.
        scope: How surely the question is covered, by the advisor's own line, as a probability; None for a follow-up.
        scores: The figures of this row by name; None where a figure does not apply.
    """

    answer: dict[str, Any]
    ranked: tuple[str, ...] = ()
    scope: float | None = None
    scores: dict[str, float | None] = Field(default_factory=dict)

    @classmethod
    def of(cls, case: Case, answer: Answer, *, ranked: tuple[str, ...] = (), scope: float | None = None) -> Row:
        return cls(**case.model_dump(), answer=compact(answer), ranked=ranked, scope=scope)

    @property
    def got(self) -> str:
        """Either answered, smalltalk, or the reason of the refusal."""
        refusal = self.answer.get("refusal")
        if refusal:
            return str(refusal["reason"])
        return "smalltalk" if self.answer["intent"] == "smalltalk" else str(self.answer["status"])


def compact(answer: Answer) -> dict[str, Any]:
    """The answer as JSON without what the corpus holds or what differs from run to run."""
    dumped = answer.model_dump(mode="json", exclude=LEFT_OUT)
    dumped["citations"] = [{k: v for k, v in c.items() if k in KEPT_OF_CITATION} for c in dumped["citations"]]
    return dumped


def restored(stored: Mapping[str, Any], reference: Reference) -> Answer:
    """The answer of a row as the type that the metrics read; what a citation says of its source comes from the corpus."""
    filled = {**dict.fromkeys(LEFT_OUT - {"schema_version"}, "-"), **stored}
    filled["citations"] = [_citation(c["passage_id"], c["number"], reference) for c in stored["citations"]]
    return Answer.model_validate(filled)


def outcome(row: Row, reference: Reference) -> Outcome:
    """The row as the metrics read it."""
    return Outcome(case=row, answer=restored(row.answer, reference), ranked=row.ranked)


def _citation(passage_id: str, number: int, reference: Reference) -> dict[str, Any]:
    """All that a reader sees of a citation; of a passage that does not exist only that it was cited."""
    try:
        return citation(reference.passage(passage_id), number).model_dump(mode="json")
    except NotFoundError:
        unknown = dict.fromkeys(("source_id", "title", "publisher", "url", "published", "interest", "where", "quote"), "-")
        return {**unknown, "number": number, "passage_id": passage_id, "kind": "own", "evidence": "none", "check": "unsupported"}
