from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.text import clean, figures, sentences, stems


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("66.5% of 1,500 links", {"66.5", "1500"}),
        ("positions at (2,4,6)", {"2", "4", "6"}),
        ("GA4 and F1 are names", set()),
        ("0.19-0.30, or 2.50", {"0.19", "0.3", "2.5"}),
        ("5 trillion in 2025.", {"5", "2025"}),
        ("no figures at all", set()),
    ],
)
def test_figures_are_read_in_one_spelling(text: str, expected: set[str]) -> None:
    assert figures(text) == expected


def test_clean_removes_control_and_invisible_characters_and_folds_space() -> None:
    assert clean("are\x1b[31m\u200b links\x00\r\n\tdead\u202e?") == "are[31m links dead?"


@given(st.text())
def test_clean_text_is_printable_and_stays_as_it_is(text: str) -> None:
    once = clean(text)
    assert all(unicodedata.category(ch)[0] != "C" for ch in once)
    assert clean(once) == once


def test_stems_leave_out_stop_words_and_endings() -> None:
    assert stems("Should we be buying the links?") == ["buy", "link"]


def test_sentences_are_not_ended_by_abbreviations() -> None:
    assert sentences("We tried a few, e.g. Ahrefs. Nothing moved! Why?") == ["We tried a few, e.g. Ahrefs.", "Nothing moved!", "Why?"]
