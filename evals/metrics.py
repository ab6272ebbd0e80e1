"""What an answer is measured by. Ranking metrics come from ir-measures; here stands what is particular to cited answers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from advisor.answer.verify import support
from advisor.index.encoder import Encoder
from advisor.index.generation import Index
from advisor.models import Answer
from evals.questions import EvalQuestion, KeyPoint

SCORER = "advisor.answer.verify.support"


def answer_text(answer: Answer) -> str:
    """All sentences of an answer, and of a refusal, in lower case on one line."""
    sentences = [s.text for section in answer.sections for s in section.sentences]
    return " ".join([*sentences, answer.refusal.message if answer.refusal else ""]).lower()


def key_point_recall(points: Sequence[KeyPoint], text: str) -> float | None:
    """The share of key points that a text meets; None without key points. A point is met when each of its groups matches."""
    if not points:
        return None
    return sum(is_met(point, text) for point in points) / len(points)


def is_met(point: KeyPoint, text: str) -> bool:
    return all(any(re.search(pattern, text) for pattern in group) for group in point.all)


def cites_right_source(question: EvalQuestion, answer: Answer) -> bool:
    """Whether a source of a gold passage is among the citations."""
    wanted = {gold.split("/")[0] for gold in question.gold}
    return any(c.source_id in wanted for c in answer.citations)


def citation_recall(answer: Answer) -> float | None:
    """The share of sentences that their citations support; None without sentences.

    Source: Gao et al., "Enabling Large Language Models to Generate Text with Citations" (ALCE), EMNLP 2023, arXiv:2305.14627,
    with the product's own scorer in place of an entailment model.
    """
    verdicts = [s.support.verdict for section in answer.sections for s in section.sentences]
    return sum(v == "supported" for v in verdicts) / len(verdicts) if verdicts else None


def citation_precision(answer: Answer, index: Index, encoder: Encoder) -> float | None:
    """The share of citations that matter: alone they support the sentence, or without them its support is worse. None without any.

    Source: as for `citation_recall`.
    """
    needed = total = 0
    ids = {c.number: c.passage_id for c in answer.citations}
    for section in answer.sections:
        for sentence in section.sentences:
            cited = [index.passages[ids[n]] for n in sentence.citations]
            for passage in cited:
                total += 1
                alone = support(sentence.text, [passage], index, encoder)
                others = [p for p in cited if p is not passage]
                worse = not others or support(sentence.text, others, index, encoder).score < sentence.support.score
                needed += alone.verdict == "supported" or worse
    return needed / total if total else None


def seller_stands_alone(answer: Answer, index: Index) -> bool:
    """Whether all citations of the advice (bottom line and steps) are those of sellers."""
    numbers = {n for s in answer.sections if s.role in ("bottom_line", "steps") for x in s.sentences for n in x.citations}
    cited = [index.passages[c.passage_id] for c in answer.citations if c.number in numbers]
    return bool(cited) and all(p.source.is_seller for p in cited)
