"""An answer as the HTML of one turn of the chat. Every string in it is escaped, and the whole passes the allow-list."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from advisor.models import Answer, AnswerSentence, Citation, Event, Section, SectionRole
from advisor.web.evidence import cards_markup, sentence_key
from advisor.web.sanitize import exact, host_of, lines, safe, text
from advisor.web.words import MARKS, SUPPORT, described

MEASURE = re.compile(r"^(?P<step>.+?[.!?]) (?P<measure>Measure: .+)$", re.DOTALL)
RECORD = "The record: "
NOTHING_TO_SAY = "I found nothing in my sources that answers this. Ask it in other words, or ask about a part of it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question on the page: the key of its turn, and the words that were typed."""

    turn: str
    question: str


def writing(asked: Asked, events: Sequence[Event]) -> str:
    """The turn while the answer is written: the sentences checked so far, and a quiet line that says what is going on."""
    sentences = [e for e in events if e.kind == "sentence"]
    doing = "Checking each sentence against its sources" if sentences else "Looking through the sources"
    busy = f'<p class="busy"><span class="dots" aria-hidden="true"><span></span><span></span><span></span></span> {doing}…</p>'
    return _turn(asked, "writing", _checked_so_far(sentences) + busy)


def stopped(asked: Asked, events: Sequence[Event]) -> str:
    """The turn after Stop: what had been checked stays, with a way to go on."""
    note = '<div class="notice"><p>Stopped before the answer was complete, so its sources are not shown.</p></div>'
    return _turn(asked, "stopped", _checked_so_far([e for e in events if e.kind == "sentence"]) + note + _tools("", retry=True))


def problem(asked: Asked, line: str, *, retryable: bool = True) -> str:
    """The turn when something went wrong: one line with what to do, and Try again where that may help."""
    note = f'<div class="notice problem"><p>{text(line)}</p></div>'
    return _turn(asked, "failed", note + _tools("", retry=retryable))


def settled(asked: Asked, answer: Answer, *, dispute_questions: Sequence[str] = ()) -> str:
    """The finished turn: answer or refusal, its tools, and its evidence.

    Args:
        asked: The question as typed.
        answer: What the engine gave.
        dispute_questions: The question of each dispute that the answer names, for the heading of the disagreement.
    """
    if answer.refusal:
        body = f'<div class="notice refusal"><p>{text(answer.refusal.message)}</p></div>'
        body += _questions("Ask instead", answer.refusal.suggestions) + _rating(answer)
        return _turn(asked, "refused", body, answer=answer)
    if not answer.sections:
        return problem(asked, NOTHING_TO_SAY)
    body = "".join(_section(s, section, answer, dispute_questions) for s, section in enumerate(answer.sections))
    body += _trust(answer) + (_tools(answer.markdown, sources=len(answer.citations), retry=True) if answer.citations else "")
    body += _rating(answer) + _questions("Ask next", answer.follow_ups)
    return _turn(asked, "answered", body + cards_markup(answer), answer=answer)


# ---------------------------------------------------------------------------------------------------- parts of a turn


def _turn(asked: Asked, state: str, body: str, *, answer: Answer | None = None) -> str:
    conversation = f' data-conversation="{text(answer.conversation_id)}"' if answer else ""
    busy = ' aria-busy="true"' if state == "writing" else ""
    hosts = {host_of(c.url) for c in answer.citations} if answer else set()
    return safe(
        f'<article class="turn" data-turn="{text(asked.turn)}" data-state="{state}"{conversation}{busy}>'
        f'<h2 class="asked"><span class="unseen">You asked: </span>{lines(asked.question)}</h2>'
        f'<div class="answer">{body}</div></article>',
        hosts=hosts - {""},
    )


def _checked_so_far(sentences: Iterable[Event]) -> str:
    """Sentences by section, as they arrive in reading order; citations come with the finished answer."""
    parts: dict[tuple[SectionRole, str], list[str]] = {}
    for event in sentences:
        parts.setdefault((event.section or "evidence", event.title), []).append(_with_measure(event.text))
    return "".join(_part(role, title, items) for (role, title), items in parts.items())


def _section(s: int, section: Section, answer: Answer, dispute_questions: Sequence[str]) -> str:
    by_number = {c.number: c for c in answer.citations}
    items = [
        _sentence(sentence, sentence_key(s, n), by_number, strong=section.role == "bottom_line" and n == 0)
        for n, sentence in enumerate(section.sentences)
    ]
    if section.role == "disagreement":
        about = f": {dispute_questions[0]}" if dispute_questions else ""
        links = "".join(
            f'<button type="button" class="quiet" data-dispute="{text(d)}">See who holds what, and what would settle it</button>'
            for d in answer.disputes[:1]
        )
        return _disagreement(f"{section.title}{about}", items, links)
    return _part(section.role, section.title, items)


def _part(role: SectionRole, title: str, items: Sequence[str]) -> str:
    """One section: the bottom line as a paragraph, steps as numbered items, the rest as a list."""
    if role == "bottom_line":
        more = f'<p class="bottom-more">{" ".join(items[1:])}</p>' if items[1:] else ""
        return f'<p class="bottom-line">{items[0]}</p>{more}'
    tag = "ol" if role == "steps" else "ul"
    listed = "".join(f"<li>{item}</li>" for item in items)
    return f'<section class="part part-{role}"><h3>{text(title)}</h3><{tag}>{listed}</{tag}></section>'


def _disagreement(title: str, items: Sequence[str], links: str) -> str:
    """Open, because who disagrees is part of the answer; a reader who has seen it can fold it away."""
    listed = "".join(f"<li>{item}</li>" for item in items)
    return f'<details class="part part-disagreement" open><summary><h3>{text(title)}</h3></summary><ul>{listed}</ul>{links}</details>'


def _sentence(sentence: AnswerSentence, key: str, by_number: dict[int, Citation], *, strong: bool) -> str:
    body = _with_measure(sentence.text)
    body = f"<strong>{body}</strong>" if strong else body
    cited = _citations([by_number[n] for n in sentence.citations if n in by_number], key)
    verdict = sentence.support.verdict
    doubt = f' <span class="doubt doubt-{verdict}"><span class="mark">{SUPPORT[verdict]}</span></span>' if verdict in SUPPORT else ""
    return f'<span class="sentence" data-sentence="{key}">{body}{"&nbsp;" + cited if cited else ""}</span>{doubt}'


def _with_measure(sentence: str) -> str:
    """The escaped sentence; what to measure after a step stands in italics, what the record says begins in bold."""
    if found := MEASURE.match(sentence):
        return f'{text(found["step"])} <em class="measure">{text(found["measure"])}</em>'
    if sentence.startswith(RECORD):
        return f"<b>{RECORD.strip()}</b> {text(sentence.removeprefix(RECORD))}"
    return text(sentence)


def _citations(citations: Sequence[Citation], key: str) -> str:
    """The numbers of a sentence; neighbors whose statements hold only so far stand in one frame with the words that say so."""
    parts: list[str] = []
    for check, group in groupby(citations, key=lambda c: c.check):
        numbers = "".join(_citation(c, key) for c in group)
        mark = f'<span class="doubt doubt-{check}">{numbers} <span class="mark">{MARKS[check]}</span></span>' if check in MARKS else numbers
        parts.append(mark)
    return "".join(parts)


def _citation(citation: Citation, key: str) -> str:
    who = text(described(citation))
    return (
        f'<button type="button" class="cite" data-cite="{citation.number}" data-sentence="{key}" data-tip="{who}" '
        f'aria-label="Source {citation.number}: {who}">{citation.number}</button>'
    )


def _trust(answer: Answer) -> str:
    if not answer.citations:
        return ""
    level = answer.confidence.level
    searched = ""
    if answer.searched and answer.searched.strip() != answer.question.strip():
        searched = f'<p class="searched"><b>Searched:</b> {text(answer.searched)}</p>'
    return (
        f'<div class="trust"><p class="confidence"><span class="level level-{level}">Confidence: {level}</span> '
        f"{text(answer.confidence.reason)}</p>{searched}</div>"
    )


def _tools(markdown: str, *, sources: int = 0, retry: bool = False) -> str:
    buttons = []
    if sources:
        count = "1 source" if sources == 1 else f"{sources} sources"
        buttons.append(f'<button type="button" class="quiet" data-all-sources="true">All {count} of this answer</button>')
    if markdown:
        # As JSON, because a line break inside an attribute would end the HTML block that carries it.
        buttons.append(f'<button type="button" class="quiet" data-copy="{exact(json.dumps(markdown))}">Copy answer</button>')
    if retry:
        buttons.append('<button type="button" class="quiet" data-retry="true">Try again</button>')
    return f'<p class="tools">{" ".join(buttons)}</p>' if buttons else ""


def _rating(answer: Answer) -> str:
    """Two quiet buttons that say whether the answer helped; feedback.js adds the form for the reasons, and what was stored."""
    return (
        f'<div class="feedback" role="group" aria-label="Did this answer help?" data-answer="{text(answer.id)}"><p class="tools">'
        '<button type="button" class="quiet" data-rate="helpful" aria-pressed="false">Helpful</button> '
        '<button type="button" class="quiet" data-rate="not-helpful" aria-pressed="false" aria-expanded="false">Not helpful</button> '
        '<span class="rated"></span></p></div>'
    )


def _questions(title: str, questions: Sequence[str]) -> str:
    """Questions that a click asks."""
    if not questions:
        return ""
    chips = "".join(f"<li>{chip(q)}</li>" for q in questions)
    return f'<section class="next"><h3>{title}</h3><ul class="chips">{chips}</ul></section>'


def chip(question: str) -> str:
    """A button that asks this question."""
    return f'<button type="button" class="chip" data-ask="{text(question)}">{text(question)}</button>'
