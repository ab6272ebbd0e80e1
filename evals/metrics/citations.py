"""Citation recall and precision: whether citations carry the sentences under which they stand, and whether each is needed.

Source: Gao et al., "Enabling Large Language Models to Generate Text with Citations" (ALCE), EMNLP 2023, arXiv:2305.14627, with the
product's own support scorer (`SCORER`) in place of an entailment model. Verdicts are made anew from the stored text and passage ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from advisor.models import Answer, SupportVerdict
from evals.cases import Case
from evals.metrics.reference import UNKNOWN, Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class CitedSentence:
    """A sentence with the passage ids of its citations, as the scorer reads it.

    Attributes:
        stored: What the answer says of its support.
        computed: The figures in it that were worked out from click curves.
    """

    text: str
    ids: tuple[str, ...]
    stored: SupportVerdict
    is_advice: bool
    computed: tuple[str, ...]

    def verdict(self, ids: Sequence[str], reference: Reference) -> SupportVerdict:
        """Whether these passages together carry the sentence, judged anew."""
        return reference.support(self.text, ids, is_advice=self.is_advice, computed=self.computed).verdict


def recall(case: Case, answer: Answer, reference: Reference) -> float | None:
    """The share of sentences that are supported: |{s: all citations of s together support s}| / |sentences|.

    A sentence without citations is not supported. None without sentences, and for small talk where small talk is expected.
    """
    if case.expect == "smalltalk":
        return None
    verdicts = [_supported(s, s.ids, reference) for s in cited_sentences(answer, reference)]
    return sum(verdicts) / len(verdicts) if verdicts else None


def precision(case: Case, answer: Answer, reference: Reference) -> float | None:  # noqa: ARG001 - the shape of all metrics
    """The share of citations that count: |{(s, c): s is supported, and c alone supports s or s without c is not}| / |{(s, c)}|.

    None without citations.
    """
    counted = [counts for s in cited_sentences(answer, reference) for counts in _counting(s, reference)]
    return sum(counted) / len(counted) if counted else None


def _counting(sentence: CitedSentence, reference: Reference) -> list[bool]:
    """For each citation of a sentence, whether it counts."""
    if not _supported(sentence, sentence.ids, reference):
        return [False for _ in sentence.ids]
    return [
        _supported(sentence, [one], reference) or not _supported(sentence, [*sentence.ids[:n], *sentence.ids[n + 1 :]], reference)
        for n, one in enumerate(sentence.ids)
    ]


def _supported(sentence: CitedSentence, ids: Sequence[str], reference: Reference) -> bool:
    return sentence.verdict(ids, reference) == "supported"


def cited_sentences(answer: Answer, reference: Reference) -> Iterator[CitedSentence]:
    """All sentences of an answer; steps are judged as advice."""
    cited = reference.cited(answer)
    for section in answer.sections:
        for sentence in section.sentences:
            yield CitedSentence(
                text=sentence.text,
                ids=tuple(cited.get(number, UNKNOWN) for number in sentence.citations),
                stored=sentence.support.verdict,
                is_advice=section.role == "steps",
                computed=reference.computed(answer, sentence.text),
            )
