"""A check of the whole corpus: what a person who looks after it should mend, from broken references to asks that find something else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from advisor.care.ledger import open_figures
from advisor.care.words import shared_runs
from advisor.index.adapter import QueryAdapter
from advisor.index.encoder import Encoder
from advisor.index.generation import GUIDANCE, PASSAGES, Index
from advisor.models import Corpus
from advisor.retrieve import PASSAGES_KEPT, diversify, query_texts, search

Vectors = NDArray[np.float32]
Severity = Literal["error", "warning", "note"]
Progress = Callable[[str, int, int], None]

# Two statements, or two canonical questions, with a higher cosine than this probably say the same.
NEAR_DUPLICATE = 0.93
DAYS_IN_MONTH = 31


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to look at: in which check, at which passage, entry or source, and what was found."""

    check: str
    severity: Severity
    where: str
    what: str


CHECKS: dict[str, tuple[Severity, str]] = {
    "cards": ("error", "Cards: schema, references, duplicate ids and asks, loose figures, advice on sellers alone"),
    "figures": ("error", "Figures without a primary source, a reporter or a verdict"),
    "own words": ("error", "Runs of eight words or more shared with a source text"),
    "near-duplicates": ("warning", f"Statements or questions that say nearly the same (cosine above {NEAR_DUPLICATE})"),
    "asks": ("warning", "Asks that find another passage or entry first"),
    "review": ("warning", "Sources past their review date"),
    "unused": ("note", "Passages that no eval question retrieves"),
}


def check_corpus(
    index: Index,
    encoder: Encoder,
    adapter: QueryAdapter,
    *,
    today: date,
    questions: Sequence[str] = (),
    compare: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> tuple[Finding, ...]:
    """All findings, in the order of `CHECKS`.

    Cards that cannot be read at all never get this far: reading them raises CorpusError with every problem.

    Args:
        index: The current index of the corpus.
        today: Sources whose `review_by` lies before it are past review.
        questions: Eval questions; without any, unused passages are not looked for.
        compare: Source texts by name; without any, own words are not checked.
        progress: Told of the check, how much of it is done, and how much there is.
    """
    tell = progress or (lambda _stage, _done, _total: None)
    corpus = index.corpus
    found = [
        *_figures(corpus),
        *_own_words(corpus, compare or {}),
        *_near_duplicates(index),
        *_lost_asks(index, adapter, tell),
        *_past_review(corpus, today),
        *_unused(index, encoder, adapter, questions, tell),
    ]
    return tuple(found)


def _finding(check: str, where: str, what: str) -> Finding:
    return Finding(check=check, severity=CHECKS[check][0], where=where, what=what)


def _figures(corpus: Corpus) -> Iterator[Finding]:
    for p in open_figures(corpus.passages):
        yield _finding("figures", p.id, "name who reported it (`via`), or what decides it (`because`), or say that nothing supports it")


def _own_words(corpus: Corpus, compare: Mapping[str, str]) -> Iterator[Finding]:
    if not compare:
        return
    texts = {p.id: f"{p.text} . {p.check.note}" for p in corpus.passages}
    texts |= {g.id: " . ".join(s.text for s in g.sentences()) for g in corpus.guidance}
    for where, text in texts.items():
        for run, name in shared_runs(text, compare):
            yield _finding("own words", where, f"shares {run!r} with {name}")


def _near_duplicates(index: Index) -> Iterator[Finding]:
    statements = [(p.id, p.text) for p in index.corpus.passages]
    questions = [(g.id, g.question) for g in index.corpus.guidance]
    for kind in (statements, questions):
        rows = np.stack([_vector(index, text) for _, text in kind])
        cosines = np.triu(rows @ rows.T, k=1)
        for i, j in np.argwhere(cosines > NEAR_DUPLICATE):
            yield _finding("near-duplicates", kind[i][0], f"{kind[j][0]} says nearly the same (cosine {cosines[i, j]:.2f})")


def _lost_asks(index: Index, adapter: QueryAdapter, tell: Progress) -> Iterator[Finding]:
    owners = [(p.id, ask, PASSAGES) for p in index.corpus.passages for ask in p.asks]
    owners += [(g.id, ask, GUIDANCE) for g in index.corpus.guidance for ask in g.asks]
    for n, (owner, ask, collection) in enumerate(owners, start=1):
        # Without the router, which was fitted on this very ask.
        hits = search(adapter.apply(_vector(index, ask)[None]), ask, index, collection=collection)
        if hits and hits[0].unit != owner:
            yield _finding("asks", owner, f"{ask!r} finds {hits[0].unit} first")
        if n % 100 == 0 or n == len(owners):
            tell("Asking every ask", n, len(owners))


def _past_review(corpus: Corpus, today: date) -> Iterator[Finding]:
    for source in corpus.sources:
        if source.review_by and last_day(source.review_by) < today:
            yield _finding("review", source.id, f"was to be looked at again by {source.review_by}: {source.url}")


def last_day(written: str) -> date:
    """The last day of a date written as year, year and month, or day."""
    parts = [int(part) for part in written.split("-")]
    year, month, day = (*parts, 12, DAYS_IN_MONTH)[:3] if len(parts) == 1 else (*parts, DAYS_IN_MONTH)[:3]
    while True:
        try:
            return date(year, month, day)
        except ValueError:
            day -= 1


def _unused(index: Index, encoder: Encoder, adapter: QueryAdapter, questions: Sequence[str], tell: Progress) -> Iterator[Finding]:
    if not questions:
        return
    retrieved: set[str] = set()
    for n, question in enumerate(questions, start=1):
        plain = encoder.encode(query_texts(question))
        hits = search(adapter.apply(plain), question, index, collection=PASSAGES, plain=plain)
        retrieved |= {p.id for p, _ in diversify(hits, index, top_k=PASSAGES_KEPT)}
        tell("Asking the eval questions", n, len(questions))
    for p in index.corpus.passages:
        if p.id not in retrieved:
            yield _finding("unused", p.id, p.text)


def _vector(index: Index, text: str) -> Vectors:
    row = index.vector(text)
    if row is None:
        raise ValueError(f"the index has no vector for {text[:60]!r}")
    return row
