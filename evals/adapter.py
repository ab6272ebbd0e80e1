"""Train the map that question vectors pass through: `python -m evals.adapter`. Writes query_adapter.npz into the corpus.

Training pairs are the asks of the corpus with everything else that points to the same passage or guidance entry; the negatives of a
pair are all texts of all other units, the near neighbors among them included, so that hard negatives need no mining. The vectors
are those of the index: nothing is encoded again, and training takes seconds where passing each pair through the encoder anew would
take an hour. No eval question takes part. Printed beside it: how the tuning half is found without and with the map.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from advisor import Advisor
from advisor.index.adapter import FILE, QueryAdapter
from advisor.index.generation import GUIDANCE, PASSAGES, Index, guidance_entries, passage_entries
from advisor.models import Entry
from advisor.retrieve import query_texts, search
from evals.cases import Case, read_cases

Vectors = NDArray[np.float32]
# Chosen on the tuning half and on 122 questions that other people wrote from facts alone.
TEMPERATURE = 0.05
EPOCHS = 12
BATCH = 512
LEARNING_RATE = 1e-3
# What keeps the map near to the one that changes nothing: weight of the squared difference.
STAY_NEAR = 1e-2
SEED = 0
MASKED = -1e9


@dataclass(frozen=True, slots=True)
class Task:
    """One collection to learn from: its vectors (n, dim), the unit of each (n,), and the rows that are asks."""

    vectors: torch.Tensor
    units: torch.Tensor
    asks: torch.Tensor


def task(entries: Sequence[Entry], index: Index, *, asks: Sequence[int]) -> Task:
    numbers = {unit: n for n, unit in enumerate(dict.fromkeys(e.unit for e in entries))}
    rows = [index.vector(e.text) for e in entries]
    return Task(
        vectors=torch.from_numpy(np.stack([row for row in rows if row is not None])),
        units=torch.tensor([numbers[e.unit] for e in entries]),
        asks=torch.tensor(asks),
    )


def tasks(index: Index) -> tuple[Task, ...]:
    """Passages are searched by their asks, guidance by asks and answers."""
    passages, guidance = passage_entries(index.corpus), guidance_entries(index.corpus)
    return (
        task(passages, index, asks=[n for n, e in enumerate(passages) if not e.id.endswith("#0")]),
        task(guidance, index, asks=range(len(guidance))),
    )


def train(learned: Sequence[Task]) -> Vectors:
    """A (dim, dim) matrix that brings each ask nearer to the other texts of its unit than to those of all other units.

    Loss: InfoNCE over all texts, with all texts of the unit but the ask itself as positives; see van den Oord, Li and Vinyals,
    "Representation Learning with Contrastive Predictive Coding", 2018, arXiv:1807.03748.
    """
    torch.manual_seed(SEED)
    dim = learned[0].vectors.shape[1]
    change = torch.zeros(dim, dim, requires_grad=True)
    optimizer = torch.optim.Adam([change], lr=LEARNING_RATE)
    for _ in range(EPOCHS):
        for part in learned:
            for rows in torch.split(part.asks[torch.randperm(len(part.asks))], BATCH):
                loss = _loss(part, rows, change) + STAY_NEAR * change.square().sum()
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
    return np.asarray(np.eye(dim) + change.detach().numpy(), dtype=np.float32)


def _loss(part: Task, rows: torch.Tensor, change: torch.Tensor) -> torch.Tensor:
    asked = part.vectors[rows]
    turned = functional.normalize(asked + asked @ change.T, dim=1)
    scores = turned @ part.vectors.T / TEMPERATURE
    own = torch.zeros_like(scores, dtype=torch.bool)
    own[torch.arange(len(rows)), rows] = True
    scores = scores.masked_fill(own, MASKED)
    right = (part.units[rows][:, None] == part.units[None]) & ~own
    return (torch.logsumexp(scores, 1) - torch.logsumexp(scores.masked_fill(~right, MASKED), 1)).mean()


def found_in_first_five(advisor: Advisor, adapter: QueryAdapter, questions: Sequence[Case]) -> float:
    """The share of questions with a deciding passage among the first five."""
    index, encoder = advisor._open.index, advisor._encoder
    hits = 0
    for q in questions:
        ranked = search(adapter.apply(encoder.encode(query_texts(q.question))), q.question, index, collection=PASSAGES)
        hits += bool({h.unit for h in ranked[:5]} & set(q.gold))
    return hits / len(questions)


def main() -> None:
    argparse.ArgumentParser(description=__doc__.split("\n")[0]).parse_args()
    advisor = Advisor.open()
    index, encoder = advisor._open.index, advisor._encoder
    adapter = QueryAdapter(train(tasks(index)))
    path = advisor.settings.corpus_dir / FILE
    adapter.save(path, encoder.id)
    stored = QueryAdapter.of_corpus(advisor.settings.corpus_dir, encoder.id)
    tuning = [q for q in read_cases("answers") if q.half == "tune" and q.gold]
    for name, used in (("without", QueryAdapter()), ("with", stored)):
        print(f"{name} the map: {found_in_first_five(advisor, used, tuning):.3f} of {len(tuning)} found among the first five")
    print(f"{path} {stored.id}, {path.stat().st_size:,} bytes, over {GUIDANCE} and {PASSAGES} of {encoder.id}")


if __name__ == "__main__":
    main()
