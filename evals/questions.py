"""Reading the eval questions."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

FOLDER = Path(__file__).parent
# The main set; questions that other people wrote in eight voices from facts alone; and questions that must be refused.
SETS = ("questions", "voices", "outside")
Half = Literal["tune", "report"]
Expect = Literal["answered", "off_topic", "not_in_sources"]


class KeyPoint(BaseModel):
    """What a good answer must contain: in each group, at least one of the patterns."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    point: str
    all: tuple[tuple[str, ...], ...]


class EvalQuestion(BaseModel):
    """One question with what is expected of its answer.

    Attributes:
        half: "tune" questions may be looked at while working; "report" ones are only measured.
        history: Earlier questions of the same conversation, oldest first.
        gold: Ids of the passages that decide the question; any of them counts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str
    half: Half
    kind: str
    question: str
    history: tuple[str, ...] = ()
    expect: Expect
    gold: tuple[str, ...] = ()
    key_points: tuple[KeyPoint, ...] = ()


def read_questions(name: str = "questions") -> tuple[EvalQuestion, ...]:
    """All questions of a set in file order."""
    lines = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(EvalQuestion.model_validate_json(line) for line in lines if line.strip())
