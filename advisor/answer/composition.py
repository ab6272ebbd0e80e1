"""Putting an answer together from reviewed sentences: which of them, in which sections, and how many fit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from advisor.answer.lead import fitted
from advisor.answer.rates import rate_sentences, speaks_of_rates
from advisor.answer.sentences import advice, is_hearsay, note, positions, record, reviewed, step, takes, verbatim
from advisor.index.generation import Index
from advisor.models import (
    DraftSection,
    DraftSentence,
    Evidence,
    Guidance,
    Intent,
    Passage,
    Plan,
    Question,
    SectionRole,
)
from advisor.text import figures, stems, words

TITLES: dict[SectionRole, str] = {
    "bottom_line": "Bottom line",
    "for_links": "What favors links",
    "for_signals": "What favors user signals",
    "evidence": "Why",
    "disagreement": "Where the sources disagree",
    "steps": "What to do",
    "cautions": "Cautions",
}

READING_TITLE = "If you meant: {question}"
PLAN_TITLES = {"expect": "What to expect", "measures": "What to measure", "stop": "When to stop"}
REASONS: frozenset[SectionRole] = frozenset({"for_links", "for_signals", "evidence"})

# All chosen on the tuning half of evals/questions.jsonl; see evals/results/.
# Passages that fill an answer up are at least this near (cosines here are of the question as encoded), and not much farther than
# the nearest.
PASSAGE_MIN_COSINE = 0.40
PASSAGE_BELOW_BEST = 0.11
# A seller's statement is brought up only when it is this near, and a contested one only once.
SELLER_MIN_COSINE = 0.55
# What a passage gains when it holds what the question asks for: a figure or a time.
KIND_BONUS = 0.15
SAY_THE_SAME = 0.80
ENOUGH_REASONS = 5
READING_SENTENCES = 2
# Words that the short answers of other readings may take.
READING_BUDGET = 110
# Behind guidance at least this near to the question, passages that fill up must be this near to its bottom line.
SURE_LEAD_COSINE = 0.72
KINSHIP_COSINE = 0.5
# Words of a whole answer: 60 to 300, but a definition is short and a plan is not.
WORD_BUDGET = 300
DEFINITION_BUDGET = 120
PLAN_BUDGET = 700

ASKS_TIME = re.compile(r"\b(how (long|soon|fast|often)|when|since when|until when)\b", re.IGNORECASE)
HOLDS_TIME = re.compile(r"\b(second|minute|hour|day|week|month|year)s?\b", re.IGNORECASE)
ASKS_NUMBER = re.compile(r"\b(how (many|much|high|low|big)|what (share|percent(age)?|number|rate)|percent(age)?)\b", re.IGNORECASE)


@dataclass
class Page:
    """An answer in the making: sections by role, and the words spent."""

    question: Question
    evidence: Evidence
    index: Index
    disputes: list[str] = field(default_factory=list)
    _parts: dict[tuple[SectionRole, str], list[DraftSentence]] = field(default_factory=dict)
    _first_titles: list[str] = field(default_factory=list)
    _spent: int = 0
    _lead_cosine: float = 0.0
    _is_plan: bool = False
    _is_complete: bool = False

    @property
    def intent(self) -> Intent:
        return self.question.intent

    @property
    def budget(self) -> int:
        if self._is_plan:
            return PLAN_BUDGET
        return DEFINITION_BUDGET if self.intent == "define" else WORD_BUDGET

    @property
    def has_readings(self) -> bool:
        return bool(self._first_titles)

    # -------------------------------------------------------------------------------- leading

    def lead_with_guidance(self, entry: Guidance, readings: Sequence[Guidance] = ()) -> None:
        """Bottom line, both sides or the reasons, cautions, steps and the dispute of one entry.

        Args:
            readings: Other entries that the question may as well be for; their short answers stand behind the bottom line.
        """
        self._lead_cosine = next(hit.plain for other, hit in self.evidence.guidance if other is entry)
        if entry.plan:
            self._lead_with_plan(entry, entry.plan)
            return
        if speaks_of_rates(entry) and (rates := rate_sentences(self.question.searched, self.index.corpus)):
            self._lead_with_rates(entry, rates)
            return
        self._add("bottom_line", self._opening(entry))
        self._add_readings(readings)
        if self.intent == "define":
            self._add("evidence", (reviewed(s) for s in entry.evidence[:1]))
            return
        self._add("for_links", (reviewed(s) for s in entry.for_links))
        self._add("for_signals", (reviewed(s) for s in entry.for_signals))
        self._add("evidence", (reviewed(s) for s in entry.evidence))
        self._add_best_passages(1)
        self._add("cautions", (reviewed(s) for s in entry.cautions[:1]))
        # Who asks how wants the steps, whatever room they take; who asks whether must see that the sources disagree.
        if self.intent == "how_to":
            self._add("steps", (step(s) for s in entry.steps))
        if entry.disputes:
            self._add_dispute(entry.disputes)
            self.disputes += [d for d in entry.disputes if d not in self.disputes]
        self._add("steps", (step(s) for s in entry.steps))
        self._add("cautions", (reviewed(s) for s in entry.cautions[1:]))

    def _lead_with_rates(self, entry: Guidance, rates: Sequence[DraftSentence]) -> None:
        """What is usual at the position asked about; of the entry only what does not quote rates of other positions."""
        self._is_complete = True
        self._add("bottom_line", [*rates, *(reviewed(s) for s in entry.answer if not figures(s.text))])
        quoted = {ref for curve in self.index.corpus.curves if curve.use != "split" for ref in curve.passages}
        self._add("evidence", (reviewed(s) for s in entry.evidence if not quoted & set(s.rests_on)))
        self._add("steps", (step(s) for s in entry.steps))
        self._add("cautions", (reviewed(s) for s in entry.cautions))

    def _lead_with_plan(self, entry: Guidance, plan: Plan) -> None:
        """A playbook whole: what it is for, what to expect, its steps with their time, what to watch, and when to stop."""
        self._is_plan = self._is_complete = True
        self._add("bottom_line", (advice(s) for s in entry.answer))
        self._add("evidence", (reviewed(s) for s in entry.evidence), title=PLAN_TITLES["expect"])
        self._add("steps", (step(s) for s in entry.steps), title=takes(plan))
        self._add("steps", (advice(s) for s in plan.measures), title=PLAN_TITLES["measures"])
        self._add("cautions", (advice(s) for s in plan.stop), title=PLAN_TITLES["stop"])
        self._add("cautions", (reviewed(s) for s in entry.cautions))
        self.disputes += entry.disputes

    def _add_readings(self, readings: Sequence[Guidance]) -> None:
        """The short answers of entries that say something else than the bottom line, each under the question that it answers."""
        room = READING_BUDGET
        for entry in readings:
            sentences = [reviewed(s) for s in entry.answer[:READING_SENTENCES]]
            room -= sum(len(words(s.text)) for s in sentences)
            title = READING_TITLE.format(question=entry.question)
            if room >= 0 and self._says_something_new(sentences[0]) and self._add("evidence", sentences, title=title):
                self._first_titles.append(title)

    def _opening(self, entry: Guidance) -> list[DraftSentence]:
        first, *others = entry.answer
        text = fitted(first.text, question=self.question.searched, canonical=entry.question, asks=entry.asks[1:])
        return [DraftSentence(text=text, cites=first.rests_on, meaning=first.text), *(reviewed(s) for s in others)]

    def lead_with_passages(self) -> None:
        """The nearest passage answers; a claim that the record does not carry comes after what the record says."""
        near = self._near_passages()
        if not near:
            return
        best = near[0]
        if best.check.note and (best.needs_the_record or best.source.is_seller):
            self._add("bottom_line", [note(best)])
            self._add("evidence", [verbatim(best)])
        elif best.source.is_seller:
            deciding = [self.index.passages[ref] for ref in best.check.because]
            independent = next((p for p in (*near[1:], *deciding) if p.source.is_independent), None)
            if independent is None:
                return
            self._add("bottom_line", [verbatim(independent)])
            self._add("evidence", [verbatim(best)])
        else:
            self._add("bottom_line", [verbatim(best)])
            self._add("bottom_line", [note(best)] if best.check.note else [])
        helper = next((g for g, hit in self.evidence.guidance if hit.plain >= SELLER_MIN_COSINE), None)
        if helper and self.intent in ("how_to", "decide", "compare"):
            self._add("steps", (step(s) for s in helper.steps[:3]))
        self._add_dispute(())

    def add_related(self) -> None:
        """Fill what room is left with the nearest passages that add something; an answer with its reasons given needs fewer.

        A plan, and an answer with computed rates, are left as they are.
        """
        if self._is_complete:
            return
        reasons = sum(len(part) for (role, title), part in self._parts.items() if role in REASONS and title not in self._first_titles)
        self._add_best_passages(2 if self.intent == "define" else max(1, ENOUGH_REASONS - reasons))

    # -------------------------------------------------------------------------------- parts

    def _near_passages(self) -> list[Passage]:
        """Passages near the question, best first: by fused score, and by whether they hold the kind of thing it asks for."""
        if not self.evidence.passages:
            return []
        best = max(hit.plain for _, hit in self.evidence.passages)
        floor = max(PASSAGE_MIN_COSINE, best - PASSAGE_BELOW_BEST)
        near = [(p, hit) for p, hit in self.evidence.passages if hit.plain >= floor]
        ranked = sorted(near, key=lambda pair: -(pair[1].score + self._kind_bonus(pair[0])))
        return [p for p, hit in ranked if p.source.is_independent or hit.plain >= SELLER_MIN_COSINE or hit is near[0][1]]

    def _kind_bonus(self, passage: Passage) -> float:
        asked = self.question.searched
        bonus = 0.0
        if ASKS_TIME.search(asked) and HOLDS_TIME.search(passage.text):
            bonus += KIND_BONUS
        if ASKS_NUMBER.search(asked) and figures(passage.text):
            bonus += KIND_BONUS
        if self.question.focus and set(self.question.focus) & set(stems(passage.text)):
            bonus += 2 * KIND_BONUS
        return bonus

    def _add_best_passages(self, count: int) -> None:
        """Add up to `count` near passages that no sentence cites yet; a contested one only with what the record says, and only one."""
        contested = any(self.index.passages[ref].needs_the_record for ref in self._cited())
        added = 0
        for passage in self._near_passages():
            if added == count:
                return
            if passage.id in self._cited() or (passage.needs_the_record and (contested or not passage.check.note)):
                continue
            if is_hearsay(passage) or not self._is_kin(passage):
                continue
            sentences = [verbatim(passage)]
            if passage.needs_the_record:
                sentences.append(note(passage))
            if self._says_something_new(sentences[0]) and self._add("evidence", sentences, whole=True):
                added += 1
                contested = contested or passage.needs_the_record

    def _add_dispute(self, named: Sequence[str]) -> None:
        """The dispute that the question is about, if there is one: each position with its interest, then the record."""
        if self.intent == "how_to" and not named:
            return
        dispute = next((d for d in self.evidence.disputes if not named or d.id in named), None)
        if not named and self.intent in ("define", "figure"):
            return
        if dispute is None:
            return
        sentences = [*positions(dispute, self.index), record(dispute)]
        if self._add("disagreement", sentences, whole=True):
            self.disputes.append(dispute.id)

    def _is_kin(self, passage: Passage) -> bool:
        """Whether a passage speaks of what the bottom line speaks of, and not only of a word in the question.

        Asked only where the guidance surely is the right one: where it may be a neighbor, other passages are the safety net.
        """
        if self._lead_cosine < SURE_LEAD_COSINE:
            return True
        line = self._parts.get(("bottom_line", TITLES["bottom_line"]), [])
        rows = [row for s in line if (row := self.index.vector(s.meaning or s.text)) is not None]
        own = self.index.vector(passage.text)
        return own is None or not rows or max(float(own @ row) for row in rows) >= KINSHIP_COSINE

    def _says_something_new(self, sentence: DraftSentence) -> bool:
        vector = self.index.vector(sentence.text)
        if vector is None:
            return True
        said = (self.index.vector(s.meaning or s.text) for s in self._all())
        return all(other is None or float(vector @ other) < SAY_THE_SAME for other in said)

    def _add(self, role: SectionRole, sentences: Iterable[DraftSentence], *, whole: bool = False, title: str = "") -> bool:
        """Add sentences that are new and fit the budget; with `whole`, all or none. Returns whether any was added."""
        part = (role, title or TITLES[role])
        fresh = [s for s in sentences if all(s.text != other.text for other in self._all())]
        if whole and self._spent + sum(len(words(s.text)) for s in fresh) > self.budget:
            return False
        added = False
        for sentence in fresh:
            length = len(words(sentence.text))
            if self._spent + length > self.budget and role != "bottom_line":
                break
            self._parts.setdefault(part, []).append(sentence)
            self._spent += length
            added = True
        return added

    def _all(self) -> list[DraftSentence]:
        return [s for part in self._parts.values() for s in part]

    def _cited(self) -> set[str]:
        return {ref for s in self._all() for ref in s.cites}

    def sections(self) -> tuple[DraftSection, ...]:
        """The sections in reading order: by role, and within a role as they were added; other readings follow the bottom line."""
        order = list(TITLES)
        parts = sorted(self._parts.items(), key=lambda item: 0.5 if item[0][1] in self._first_titles else order.index(item[0][0]))
        return tuple(DraftSection(role=role, title=title, sentences=tuple(sentences)) for (role, title), sentences in parts)
