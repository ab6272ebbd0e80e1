"""Result files: evals/results/<suite>-<commit>.json, one a suite and commit, with figures and rows."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from advisor.errors import InputError
from evals.cases import SUITES
from evals.metrics.bootstrap import Interval
from evals.rows import Row

FOLDER: Final = Path(__file__).with_name("results")
COMMIT_LENGTH: Final = 12
UNKNOWN: Final = "unknown"


class Result(BaseModel):
    """One suite measured at one commit.

    Attributes:
        corpus: The corpus's fingerprint.
        fingerprint: That of all that can change an answer.
        scorer: What judges whether a passage supports a sentence.
        halves: Figures by half and name.
    """

    model_config = ConfigDict(extra="forbid")
    schema_version: int = 1
    suite: str
    commit: str
    corpus: str
    fingerprint: str
    scorer: str
    halves: Mapping[str, Mapping[str, Interval]]
    rows: tuple[Row, ...]

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.suite}-{self.commit}.json"


def save(result: Result, path: Path | None = None) -> Path:
    """Write a result; rows on one line each, so that two runs can be compared by any tool."""
    path = path or result.path
    path.parent.mkdir(parents=True, exist_ok=True)
    head = json.loads(result.model_dump_json(exclude={"rows"}))
    rows = ",\n  ".join(row.model_dump_json() for row in result.rows)
    body = json.dumps(head, indent=1, ensure_ascii=False)[:-2]
    path.write_text(f'{body},\n "rows": [\n  {rows}\n ]\n}}\n', encoding="utf-8")
    return path


def load(path: Path) -> Result:
    """Raises InputError if the file is not a result."""
    try:
        return Result.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as exc:
        raise InputError(f"{str(path)!r} is not a result of the evals", hint="Name a file of evals/results/, or a commit.") from exc


def results_of(named: str) -> dict[str, Result]:
    """Results by suite: of one file, of a folder, or of a commit under evals/results/ by the start of its hash.

    Raises:
        InputError: There are none.
    """
    path = Path(named)
    if path.is_file():
        result = load(path)
        return {result.suite: result}
    folder, pattern = (path, "*.json") if path.is_dir() else (FOLDER, f"*-{_safe(named)}*.json")
    found = [load(p) for p in sorted(folder.glob(pattern)) if p.name.rsplit("-", 1)[0] in SUITES]
    if not found:
        raise InputError(f"there are no results of {named!r}", hint=f"There are results of: {', '.join(stored_commits()) or 'no commit'}.")
    return {r.suite: r for r in found}


def stored_commits() -> list[str]:
    """The commits that have results, in order of their names."""
    return sorted({p.stem.rsplit("-", 1)[1] for p in FOLDER.glob("*.json") if p.name.rsplit("-", 1)[0] in SUITES})


def commit() -> str:
    """The first letters of the commit that is checked out; "unknown" outside a repository."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", f"--short={COMMIT_LENGTH}", "HEAD"], capture_output=True, text=True, check=True, cwd=FOLDER.parent
        )
    except (OSError, subprocess.CalledProcessError):
        return UNKNOWN
    return done.stdout.strip()


def _safe(text: str) -> str:
    return re.sub(r"[^0-9A-Za-z_.]", "", text)


def as_plain(result: Result) -> dict[str, Any]:
    """The result as JSON values, as the report reads it."""
    plain: dict[str, Any] = json.loads(result.model_dump_json())
    return plain
