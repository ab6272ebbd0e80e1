"""Corpora for the tests: a tiny one that a reader knows by heart, and one of any size that is made up."""

from __future__ import annotations

from pathlib import Path

import yaml

TINY = Path(__file__).parent / "tiny"
PER_SOURCE = 40


def generate(folder: Path, *, passages: int, edition: int = 1) -> Path:
    """Write a corpus of so many passages and a tenth as many guidance entries; another edition shares no text with this one."""
    for part in ("sources", "guidance"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for start in range(0, passages, PER_SOURCE):
        numbers = range(start, min(start + PER_SOURCE, passages))
        _write(folder / "sources" / f"source-{start}.yaml", _source(f"source-{start}", numbers, edition))
    entries = [_guidance(n, edition) for n in range(0, passages, 10)]
    _write(folder / "guidance" / "made-up.yaml", entries)
    _write(
        folder / "scope.yaml", {"off_topic": [f"pizza recipe {edition}"], "uncovered": [{"topic": "ads", "examples": [f"ads {edition}"]}]}
    )
    return folder


def _source(ident: str, numbers: range, edition: int) -> dict[str, object]:
    return {
        "id": ident,
        "title": f"Observations, part {ident}",
        "publisher": "Observatory",
        "url": f"https://example.com/{ident}",
        "published": "2025",
        "kind": "study",
        "interest": "none known",
        "gains_from": [],
        "standing": "made up",
        "review_by": "2029-01",
        "passages": [_passage(n, edition) for n in numbers],
    }


def _passage(number: int, edition: int) -> dict[str, object]:
    name = f"site{number}x{edition}"
    return {
        "id": f"passage-{number}",
        "role": "claim",
        "stance": "neutral",
        "text": f"The ranking of {name} rose after its links were counted again.",
        "where": "table",
        "evidence": "data",
        "check": {"verdict": "confirmed"},
        "topics": ["ranking"],
        "asks": [f"Why did {name} rise?", f"which links did {name} have"],
    }


def _guidance(number: int, edition: int) -> dict[str, object]:
    name = f"site{number}x{edition}"
    rests_on = [f"source-{number - number % PER_SOURCE}/passage-{number}"]
    return {
        "id": f"advice-{number}",
        "asks": [f"What should {name} do?", f"advice for the owner of {name}"],
        "answer": [{"text": f"The owner of {name} should count links again.", "rests_on": rests_on}],
    }


def _write(path: Path, content: object) -> None:
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
