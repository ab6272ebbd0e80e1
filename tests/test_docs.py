"""The documents say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from advisor.cli import app
from advisor.settings import Settings
from evals.cases import all_cases
from evals.judge import MODEL_VARIABLE

ROOT = Path(__file__).parent.parent


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    documented = set(re.findall(r"ADVISOR_[A-Z_]+", read("docs/operation.md")))
    assert documented == {f"ADVISOR_{name.upper()}" for name in Settings.model_fields} | {MODEL_VARIABLE}


def test_every_command_that_the_readme_shows_exists() -> None:
    commands = {c.name or c.callback.__name__ for c in app.registered_commands if c.callback} | {g.name for g in app.registered_groups}
    shown = set(re.findall(r"seo-advisor ([a-z]+)", read("README.md")))
    assert shown <= commands
    assert {"ask", "chat", "sources"} <= shown


def test_every_make_target_that_the_documents_name_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    named = set(
        re.findall(r"`?make ([a-z-]+)", " ".join(read(n) for n in ("README.md", "CONTRIBUTING.md", "docs/operation.md", "evals/README.md")))
    )
    assert named <= targets | {"it"}


def test_links_between_documents_lead_somewhere() -> None:
    for name in ("README.md", "CONTRIBUTING.md", "corpus/README.md", "docs/answers.md", "docs/operation.md", "evals/README.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", read(name)):
            assert (ROOT / name).parent.joinpath(target).exists(), f"{name}: {target}"


def test_the_number_of_eval_questions_is_the_documented_one() -> None:
    count = len(all_cases())
    assert f"{count:,} questions" in read("evals/README.md")
    assert f"Evals of {count:,} questions" in read("CHANGELOG.md")
