from __future__ import annotations

from pathlib import Path

import pytest

from advisor.errors import CorpusError
from advisor.knowledge.cards import corpus_fingerprint, read_corpus
from advisor.settings import Settings


def problems(settings: Settings) -> tuple[str, ...]:
    with pytest.raises(CorpusError) as caught:
        read_corpus(settings.corpus_dir)
    return caught.value.problems


def edit(path: Path, old: str, new: str) -> int:
    """Replace the first occurrence; returns the line on which it stood."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_the_tiny_corpus_reads_cleanly(settings: Settings) -> None:
    corpus = read_corpus(settings.corpus_dir)
    assert len(corpus.sources) == 4
    assert all(p.id.startswith(f"{p.source.id}/") for p in corpus.passages)


def test_a_missing_field_is_named_with_file_and_line(settings: Settings) -> None:
    line = edit(settings.corpus_dir / "sources/google-links.yaml", "publisher:", "# publisher:")
    found = problems(settings)
    assert len(found) == 1
    assert found[0].startswith("sources/google-links.yaml:")
    assert "publisher: Field required" in found[0]
    assert line > 0


def test_an_unknown_value_is_reported_on_its_own_line(settings: Settings) -> None:
    path = settings.corpus_dir / "sources/google-links.yaml"
    line = edit(path, "role: ", "role: rumor # ")
    assert problems(settings)[0].startswith(f"sources/google-links.yaml:{line}: passages.0.role:")


def test_a_misspelt_field_is_reported(settings: Settings) -> None:
    line = edit(settings.corpus_dir / "sources/google-links.yaml", "standing:", "standng:")
    assert any(p.startswith(f"sources/google-links.yaml:{line}: standng: Extra inputs") for p in problems(settings))


def test_broken_yaml_is_reported_with_its_line(settings: Settings) -> None:
    edit(settings.corpus_dir / "sources/google-links.yaml", "publisher: ", "publisher: [")
    assert problems(settings)[0].startswith("sources/google-links.yaml:")
    assert "is not valid YAML" in problems(settings)[0]


def test_a_card_that_is_not_utf8_is_reported(settings: Settings) -> None:
    (settings.corpus_dir / "sources/google-links.yaml").write_bytes(b"id: caf\xe9")
    assert "sources/google-links.yaml:1: is not UTF-8 text" in problems(settings)[0]


def test_a_duplicate_source_is_reported(settings: Settings) -> None:
    original = settings.corpus_dir / "sources/google-links.yaml"
    (settings.corpus_dir / "sources/copy.yaml").write_text(original.read_text(encoding="utf-8"), encoding="utf-8")
    assert any("the source id 'google-links' is used 2 times" in p for p in problems(settings))


def test_a_dangling_reference_is_reported_where_its_entry_stands(settings: Settings) -> None:
    path = settings.corpus_dir / "guidance/links.yaml"
    edit(path, "google-links/paid-links", "google-links/no-such-passage")
    found = [p for p in problems(settings) if "there is no passage 'google-links/no-such-passage'" in p]
    assert found == ["guidance/links.yaml:1: rests_on: there is no passage 'google-links/no-such-passage'"]


def test_a_figure_that_stands_in_no_cited_passage_is_reported(settings: Settings) -> None:
    edit(settings.corpus_dir / "guidance/links.yaml", "one of several signals of relevance", "one of 212 signals of relevance")
    assert any("the figure 212 stands in no passage" in p for p in problems(settings))


def test_advice_that_rests_on_a_seller_alone_is_reported(settings: Settings) -> None:
    edit(
        settings.corpus_dir / "guidance/signals.yaml", "[court-clicks/no-single-visit, click-shop/clicks-lift]", "[click-shop/clicks-lift]"
    )
    assert any("answer: rests on sellers alone" in p for p in problems(settings))


def test_a_verdict_against_a_statement_needs_its_reason(settings: Settings) -> None:
    edit(settings.corpus_dir / "sources/google-links.yaml", "verdict: confirmed", "verdict: contradicted")
    assert any("needs `because`" in p for p in problems(settings))


def test_an_ask_that_two_passages_share_is_reported(settings: Settings) -> None:
    corpus = read_corpus(settings.corpus_dir)
    one, two = corpus.passages[0], corpus.passages[-1]
    path = settings.corpus_dir / f"sources/{two.source.id}.yaml"
    edit(path, two.asks[0], one.asks[0])
    assert any("is already one of" in p for p in problems(settings))


def test_an_empty_folder_is_one_clear_problem(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no cards here; set ADVISOR_CORPUS_DIR"):
        read_corpus(tmp_path)


def test_the_fingerprint_changes_with_any_card(settings: Settings) -> None:
    before = corpus_fingerprint(settings.corpus_dir)
    edit(settings.corpus_dir / "scope.yaml", "pizza", "pasta")
    assert corpus_fingerprint(settings.corpus_dir) != before
