"""What changed since an earlier run: each question's answer against the one in a .jsonl file of that run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from advisor.answer.lead import polarity
from advisor.batch.journal import key_of
from advisor.errors import InputError
from advisor.models import Answer

NEWLY_REFUSED: Final = "newly refused"
NEWLY_ANSWERED: Final = "newly answered"
VERDICT: Final = "verdict changed"
CITATIONS: Final = "citations changed"
WORDING: Final = "answer changed"
NEW: Final = "new question"
SAME: Final = "same"


@dataclass(frozen=True, slots=True)
class _Before:
    status: str
    polarity: str
    cited: frozenset[str]
    sentences: tuple[str, ...]


class Earlier:
    """The answers of an earlier run by question, kept small: opening, citations and sentences, no quotes."""

    def __init__(self, path: Path) -> None:
        """Raises InputError if the file is not the .jsonl output of a batch."""
        self._before: dict[str, _Before] = {}
        for number, record in _records(path):
            try:
                answer = record["answer"]
                self._before[key_of(record["question"])] = _summary(Answer.model_validate(answer)) if answer else _failed()
            except (KeyError, TypeError, ValueError) as exc:
                raise InputError(f"{path.name!r}, line {number} is no answer of a batch", hint="Bring the .jsonl output of a run.") from exc
        self.counts: Counter[str] = Counter()

    def change(self, question: str, answer: Answer | None) -> str:
        """What changed, the weightiest first and alone; counted in `counts`."""
        before = self._before.get(key_of(question))
        change = NEW if before is None else _change(before, _summary(answer) if answer else _failed())
        self.counts[change] += 1
        return change


def _records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, json.loads(line)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as exc:
        raise InputError(f"{str(path)!r} cannot be read as an earlier run", hint="Bring the .jsonl output of a run.") from exc


def _summary(answer: Answer) -> _Before:
    sentences = tuple(s.text for section in answer.sections for s in section.sentences)
    return _Before(
        status=answer.status,
        polarity=polarity(sentences[0]) if sentences else "",
        cited=frozenset(c.passage_id for c in answer.citations),
        sentences=sentences,
    )


def _failed() -> _Before:
    return _Before(status="failed", polarity="", cited=frozenset(), sentences=())


def _change(before: _Before, now: _Before) -> str:
    if before.status != now.status:
        return NEWLY_ANSWERED if now.status == "answered" else NEWLY_REFUSED if now.status == "refused" else "newly failed"
    if before.polarity != now.polarity:
        return VERDICT
    if before.cited != now.cited:
        return CITATIONS
    return SAME if before.sentences == now.sentences else WORDING
