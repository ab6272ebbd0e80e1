from __future__ import annotations

import io

from rich.console import Console

from advisor.care.library import Filters, browse, used_by
from advisor.engine import Advisor
from advisor.render import conversation_markdown, escape, markdown, plain
from advisor.terminal import answer_view
from advisor.terminal_library import source_view, sources_view


def in_terminal(view: object) -> str:
    console = Console(file=io.StringIO(), width=100, force_terminal=False)
    console.print(view)
    output = console.file
    assert isinstance(output, io.StringIO)
    return output.getvalue()


def test_markdown_holds_every_sentence_with_its_marks_and_every_source(advisor: Advisor) -> None:
    answer = advisor.ask("Should I invest in links or in click-through rate?")
    text = answer.markdown
    for section in answer.sections:
        for sentence in section.sentences:
            assert f"[{sentence.citations[0]}]" in text
    for citation in answer.citations:
        assert f"{citation.number}. **{citation.publisher}**" in text
        assert citation.interest in text
    assert "*Confidence: " in text


def test_the_question_as_searched_is_shown_when_it_differs(advisor: Advisor) -> None:
    first = advisor.ask("Should I buy backlinks?")
    second = advisor.ask("and for a local shop?", conversation_id=first.conversation_id)
    assert "*Searched: Should I buy backlinks, for a local shop?*" in markdown(second)
    assert "Searched" not in markdown(first)


def test_a_refusal_shows_its_sentence_and_what_to_ask(advisor: Advisor) -> None:
    answer = advisor.ask("how do i make sourdough bread at home")
    assert answer.refusal is not None
    assert markdown(answer).startswith(answer.refusal.message)
    assert all(s in markdown(answer) for s in answer.refusal.suggestions)


def test_text_from_outside_cannot_become_markup() -> None:
    assert escape("![x](http://evil)") == "!\\[x\\](http://evil)"
    assert "<script>" not in escape("<script>alert(1)</script>").replace("\\<", "")


def test_an_exported_conversation_holds_questions_and_answers_in_order(advisor: Advisor) -> None:
    answers = [advisor.ask("Should I buy backlinks?"), advisor.ask("What does pogo-sticking mean?")]
    text = conversation_markdown(answers)
    assert text.index("## Should I buy backlinks?") < text.index("## What does pogo-sticking mean?")
    assert text.endswith("\n")


def test_plain_text_has_no_markup(advisor: Advisor) -> None:
    assert "**" not in plain(advisor.ask("Should I buy backlinks?"))


def test_the_terminal_shows_sections_sources_and_no_control_codes(advisor: Advisor) -> None:
    shown = in_terminal(answer_view(advisor.ask("Should I buy\x1b[2J backlinks?")))
    assert "What to do" in shown
    assert "Sources" in shown
    assert "Interest:" in shown
    assert "\x1b" not in shown


def test_the_terminal_lists_sources_and_shows_one(advisor: Advisor) -> None:
    corpus = advisor.corpus
    assert "google-links" in in_terminal(sources_view(browse(corpus, Filters())))
    source = corpus.sources[0]
    shown = in_terminal(source_view(source, tuple(p for p in corpus.passages if p.source.id == source.id), used_by(corpus, source)))
    assert "Interest:" in shown
    assert "check" in shown
