"""Whether a text is in our own words: runs of words that it shares with other texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from advisor.text import words

RUN = 8


def shared_runs(text: str, others: Mapping[str, str], *, run: int = RUN) -> Iterator[tuple[str, str]]:
    """Each longest run of `run` or more words of a text that also stands in another one, with the name of that one."""
    grams: dict[tuple[str, ...], str] = {}
    for name, other in others.items():
        tokens = words(other)
        for start in range(len(tokens) - run + 1):
            grams.setdefault(tuple(tokens[start : start + run]), name)
    tokens = words(text)
    start = 0
    while start <= len(tokens) - run:
        found = grams.get(tuple(tokens[start : start + run]))
        if found is None:
            start += 1
            continue
        end = start + run
        while end < len(tokens) and tuple(tokens[end - run + 1 : end + 1]) in grams:
            end += 1
        yield " ".join(tokens[start:end]), found
        start = end
