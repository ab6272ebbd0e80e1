"""The eval cases: what is asked, and what is expected of the answer. One JSON object a line in evals/suites/<suite>.jsonl."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from advisor.errors import InputError

FOLDER: Final = Path(__file__).parent / "suites"
SUITES: Final = ("answers", "retrieval", "refusals", "follow-ups", "balance", "safety", "stability")

Half = Literal["tune", "report"]
Expect = Literal["answered", "off_topic", "not_in_sources", "unclear", "smalltalk"]
Opens = Literal["yes", "no", "depends"]
Side = Literal["links", "signals"]


class KeyPoint(BaseModel):
    """What a good answer must contain: in each group, at least one of the patterns, searched in the lower-cased answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    point: str
    all: tuple[tuple[str, ...], ...]

    @field_validator("all")
    @classmethod
    def _compile(cls, groups: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        for pattern in (p for group in groups for p in group):
            re.compile(pattern)
        return groups


class Case(BaseModel):
    """One question with what is expected of its answer.

    Attributes:
        half: "tune" cases may be looked at while working; "report" ones are only measured.
        tags: What kind of question, asker or trick it is.
        history: Earlier questions of the same conversation, oldest first.
        expect: "answered", or the reason for which it must be refused; "smalltalk" is answered without citations.
        gold: Ids of the passages that decide the question; any of them counts.
        opens: The polarity that the first sentence must have, where only one is right.
        attributed: Interested sources whose claim the answer is likely to use and must attribute.
        sides: The sides from which evidence must be heard.
        forbidden: Patterns that must not stand in the answer.
        document: Text that the asker brings along, with an injection in it.
        group: Cases of one group are wordings of the same question.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str
    suite: str = ""
    half: Half
    tags: tuple[str, ...]
    question: str
    history: tuple[str, ...] = ()
    expect: Expect
    gold: tuple[str, ...] = ()
    key_points: tuple[KeyPoint, ...] = ()
    opens: Opens | None = None
    attributed: tuple[str, ...] = ()
    sides: tuple[Side, ...] = ()
    forbidden: tuple[str, ...] = ()
    document: str = ""
    group: str = ""


def read_cases(suite: str, folder: Path = FOLDER) -> tuple[Case, ...]:
    """All cases of a suite in file order.

    Raises:
        InputError: There is no such suite, or a line is not a case.
    """
    path = folder / f"{suite}.jsonl"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as exc:
        raise InputError(f"there is no suite {suite!r}", hint=f"The suites are: {', '.join(SUITES)}.") from exc
    cases = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            cases.append(Case.model_validate_json(line).model_copy(update={"suite": suite}))
        except (ValidationError, re.error) as exc:
            raise InputError(f"{path.name}, line {number} is not an eval case", hint=str(exc).split("\n")[0]) from exc
    return tuple(cases)


def all_cases() -> tuple[Case, ...]:
    """The cases of all suites."""
    return tuple(case for suite in SUITES for case in read_cases(suite))
