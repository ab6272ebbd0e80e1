"""An answer as people read it: Markdown, plain text, and a conversation for export."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from advisor.models import Answer, AnswerSentence, Citation, Section

MARKS = {"contradicted": "contradicted by the record", "unsupported": "no support found", "qualified": "true with limits"}
SUPPORT_MARKS = {"partial": " *(partly supported)*", "unsupported": " *(unsupported)*", "supported": ""}


def markdown(answer: Answer, *, heading_level: int = 3) -> str:
    """The answer as Markdown: sections, confidence, next questions and the numbered sources."""
    if answer.refusal:
        return refusal_markdown(answer)
    hashes = "#" * heading_level
    parts = [section_markdown(s, hashes) for s in answer.sections]
    if answer.citations:
        parts.append(f"*Confidence: {answer.confidence.level}. {escape(answer.confidence.reason)}*")
    if answer.searched and answer.searched != answer.question:
        parts.append(f"*Searched: {escape(answer.searched)}*")
    if answer.citations:
        parts.append(f"{hashes} Sources\n\n" + "\n".join(source_line(c) for c in answer.citations))
    return "\n\n".join(parts)


def refusal_markdown(answer: Answer) -> str:
    """The refusal's sentence and what can be asked instead."""
    if answer.refusal is None:
        return ""
    suggestions = "\n".join(f"- {escape(s)}" for s in answer.refusal.suggestions)
    return f"{escape(answer.refusal.message)}\n\n{suggestions}".strip()


def section_markdown(section: Section, hashes: str) -> str:
    """One section; the bottom line has no heading and stands in bold, steps are numbered."""
    if section.role == "bottom_line":
        lines = [sentence_markdown(s) for s in section.sentences]
        first = section.sentences[0]
        lines[0] = f"**{escape(first.text)}**{marks(first)}"
        return " ".join(lines)
    if section.role == "steps":
        body = "\n".join(f"{n}. {sentence_markdown(s)}" for n, s in enumerate(section.sentences, start=1))
    else:
        body = "\n".join(f"- {sentence_markdown(s)}" for s in section.sentences)
    return f"{hashes} {section.title}\n\n{body}"


def sentence_markdown(sentence: AnswerSentence) -> str:
    return f"{escape(sentence.text)}{marks(sentence)}"


def marks(sentence: AnswerSentence) -> str:
    """The citation marks of a sentence and, where support is not full, a word on it."""
    numbers = "".join(f"[{n}]" for n in sentence.citations)
    return f"{' ' if numbers else ''}{numbers}{SUPPORT_MARKS[sentence.support.verdict]}"


def source_line(citation: Citation) -> str:
    """One numbered source with kind, date, interest and check."""
    check = f"; check: {citation.check}" + (f" ({MARKS[citation.check]})" if citation.check in MARKS else "")
    return (
        f"{citation.number}. **{escape(citation.publisher)}**, [{escape(citation.title)}](<{citation.url}>), {citation.kind}, "
        f"{citation.published}. *Interest: {escape(citation.interest)}.* Evidence: {citation.evidence}{check}. "
        f"{escape(citation.where)}: {escape(citation.quote)}"
    )


def escape(text: str) -> str:
    """Text that Markdown shows as it stands: its special characters and angle brackets are neutralised."""
    for mark in ("\\", "`", "*", "_", "[", "]", "<", ">", "#", "|", "~"):
        text = text.replace(mark, f"\\{mark}")
    return text.replace("![", "!\\[")


def conversation_markdown(answers: Sequence[Answer]) -> str:
    """A whole conversation for export."""
    parts = ["# SEO Advisor: conversation"]
    for answer in answers:
        parts += [f"## {escape(answer.question)}", markdown(answer)]
    return "\n\n".join(parts) + "\n"


def plain(answer: Answer) -> str:
    """The answer without any markup, for logs and mail."""
    if answer.refusal:
        return "\n".join([answer.refusal.message, *(f"- {s}" for s in answer.refusal.suggestions)])
    return "\n\n".join(_plain_sections(answer.sections))


def _plain_sections(sections: Iterable[Section]) -> Iterable[str]:
    for section in sections:
        lines = [f"{s.text}{''.join(f' [{n}]' for n in s.citations)}" for s in section.sentences]
        yield "\n".join([section.title, *lines])
