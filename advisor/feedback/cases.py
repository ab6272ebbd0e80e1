"""An eval case made of a row of feedback, without personal data."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from advisor.errors import InputError
from advisor.feedback.kinds import Expect
from advisor.feedback.record import Feedback
from advisor.feedback.scrub import domains_in, scrub
from advisor.knowledge.cards import corpus_files, read_corpus
from advisor.settings import Settings

PREFIX: Final = "u"
TAG: Final = "feedback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A case as the line that was appended, the file, and which kinds of personal data were replaced."""

    line: str
    path: Path
    removed: tuple[str, ...]


def make_case(feedback: Feedback, suite: str, settings: Settings, *, expect: Expect | None = None, gold: Sequence[str] = ()) -> Made:
    """Append a case to the suite beside the corpus, with an id that no suite there has.

    It is of the tuning half, since somebody has looked at it. A person must read it before it is committed: see `scrub`.

    Args:
        feedback: The row.
        suite: Name of a file of evals/suites without its ending.
        settings: Names the corpus; the suites lie in the evals folder beside it.
        expect: What a right answer is; by default what was given if it was called helpful, else "answered".
        gold: Ids of the passages that decide the question.

    Raises:
        InputError: There is no such suite or passage, or the suite has the question already.
        CorpusError: The corpus cannot be read.
    """
    folder = settings.corpus_dir.parent / "evals" / "suites"
    path = _suite(folder, suite)
    _check_passages(gold, settings)
    known = domains_in("\n".join(card.read_text(encoding="utf-8") for card in corpus_files(settings.corpus_dir)))
    question, *history = (scrub(text, known=known) for text in (feedback.question, *feedback.history))
    asked = (question.text, tuple(h.text for h in history))
    for case in _cases(path):
        if (case["question"], tuple(_texts(case.get("history")))) == asked:
            raise InputError(f"the suite {suite!r} has this question already, as {case['id']}", hint="Edit that case instead.")
    fields: dict[str, object] = {"id": _free_id(folder), "half": "tune", "tags": [TAG], "question": question.text}
    fields |= {"history": asked[1]} if history else {}
    fields |= {"expect": expect or _expected(feedback)}
    fields |= {"gold": list(gold)} if gold else {}
    line = json.dumps(fields, ensure_ascii=False)
    _append(path, line)
    removed = dict.fromkeys(kind for scrubbed in (question, *history) for kind in scrubbed.removed)
    return Made(line=line, path=path, removed=tuple(removed))


def _suite(folder: Path, suite: str) -> Path:
    """The suite's file; the name is looked up among those that are there, so it cannot lead elsewhere."""
    found = {path.stem: path for path in sorted(folder.glob("*.jsonl"))}
    if not found:
        raise InputError(f"there are no eval suites in {str(folder)!r}", hint="Run this in a checkout of the project.")
    if suite not in found:
        raise InputError(f"there is no suite {suite!r}", hint=f"The suites are: {', '.join(found)}.")
    return found[suite]


def _check_passages(gold: Sequence[str], settings: Settings) -> None:
    known = {passage.id for passage in read_corpus(settings.corpus_dir).passages} if gold else set()
    for ident in gold:
        if ident not in known:
            raise InputError(f"there is no passage {ident!r}", hint="Find its id with `seo-advisor sources --find WORDS` (source/passage).")


def _cases(path: Path) -> list[dict[str, object]]:
    cases = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            case = json.loads(line)
            cases.append({**case, "id": str(case["id"]), "question": str(case["question"])})
        except (ValueError, TypeError, KeyError) as exc:
            raise InputError(f"{path.name}, line {number} is not an eval case", hint="Correct that line and run this again.") from exc
    return cases


def _texts(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _free_id(folder: Path) -> str:
    """The next number in all suites together, since cases of all of them are read side by side."""
    ids = (str(case["id"]) for path in folder.glob("*.jsonl") for case in _cases(path))
    taken = [int(found[1]) for ident in ids if (found := re.fullmatch(rf"{PREFIX}(\d+)", ident))]
    return f"{PREFIX}{max(taken, default=0) + 1:03d}"


def _expected(feedback: Feedback) -> str:
    answer = feedback.parsed
    if answer is None or feedback.rating == "not-helpful":
        return "answered"
    if answer.refusal:
        return answer.refusal.reason
    return "smalltalk" if answer.intent == "smalltalk" else "answered"


def _append(path: Path, line: str) -> None:
    """On a line of its own, also after a last line that does not end."""
    content = path.read_bytes()
    gap = "" if not content or content.endswith(b"\n") else "\n"
    try:
        with path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(f"{gap}{line}\n")
    except OSError as exc:
        raise InputError(f"{str(path)!r} cannot be written: {exc.strerror}", hint="Make the file writable and run this again.") from exc
