"""The command line. Parses, asks the engine, renders; nothing else.

Exit codes: 0 answered or done, 1 an error that the message explains, 2 wrong usage, 3 the question was refused.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from advisor.errors import AdvisorError
from advisor.settings import Settings

if TYPE_CHECKING:
    from advisor.engine import Advisor

ANSWERED, FAILED, REFUSED = 0, 1, 3
STAGES = {"Encoding": "Encoding texts", "Writing": "Writing the index", "Verifying": "Verifying the index"}

app = typer.Typer(
    name="seo-advisor",
    help="Checked, cited answers about balancing links and user signals in search.",
    epilog="Exit codes: 0 answered or done · 1 an error, explained in one line · 2 wrong usage · 3 the question was refused.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    add_completion=False,
)
out = Console()
err = Console(stderr=True)


@app.command(
    epilog="""**Examples**

    seo-advisor ask "Should I keep buying guest posts or fix my click-through rate?"

    seo-advisor ask "what is pogo sticking" --json | jq .confidence

    echo "Are backlinks dead?" | seo-advisor ask -"""
)
def ask(
    question: Annotated[str, typer.Argument(help="The question, or - to read it from standard input.")],
    json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Ask one question and print the answer with its sources."""
    with errors():
        text = sys.stdin.read() if question == "-" else question
        answer = open_advisor().ask(text)
        if json:
            sys.stdout.write(answer.model_dump_json(indent=2) + "\n")
        else:
            from advisor.terminal import answer_view

            out.print(answer_view(answer))
    raise typer.Exit(REFUSED if answer.status == "refused" else ANSWERED)


@app.command(
    epilog="""**Examples**

    seo-advisor chat

Then ask, and ask on: "and for a local shop?". An empty line, *quit* or Ctrl-D ends it; *new* starts another conversation."""
)
def chat() -> None:
    """Hold a conversation in the terminal; follow-ups are read in its light."""
    with errors():
        advisor = open_advisor()
        from advisor.terminal import answer_view

        out.print(Text("Ask about links, user signals and their balance. An empty line ends the conversation.", style="dim"))
        conversation: str | None = None
        for question in _questions():
            if question.lower() == "new":
                conversation = None
                out.print(Text("A new conversation.", style="dim"))
                continue
            answer = advisor.ask(question, conversation_id=conversation)
            conversation = answer.conversation_id
            out.print(answer_view(answer))


@app.command(
    epilog="""**Examples**

    seo-advisor index            (does nothing when the index fits the corpus)

    seo-advisor index --force    (writes a new generation; stored vectors are used again)"""
)
def index(force: Annotated[bool, typer.Option("--force", help="Write a new generation even if the current one fits.")] = False) -> None:
    """Build the index from the corpus: only what changed is encoded again."""
    with errors():
        from advisor.index.build import build_index
        from advisor.index.encoder import SentenceEncoder

        settings = Settings()
        with progress_bar() as progress:
            report = build_index(settings, SentenceEncoder.from_setting(settings.encoder), progress, force=force)
    if report.built:
        out.print(f"{report.generation} is current: {report.texts} texts, {report.encoded} of them encoded now.")
    else:
        out.print(f"{report.generation} is current and fits the corpus: nothing to do.")


@app.command(
    epilog="""**Examples**

    seo-advisor sources

    seo-advisor sources google-spam-policies

    seo-advisor sources --kind court

    seo-advisor sources --find "do clicks move rankings" --check contradicted"""
)
def sources(
    source_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="Show one source with its statements.")] = None,
    find: Annotated[str, typer.Option(help="Show the statements found for these words, the best first.")] = "",
    kind: Annotated[str | None, typer.Option(help="Only official, court, paper, study, practitioner, vendor or own.")] = None,
    stance: Annotated[str | None, typer.Option(help="Only statements that favor links, signals, balance or neutral.")] = None,
    interest: Annotated[str | None, typer.Option(help="Only publishers who gain from links, signals, services, tools or engine.")] = None,
    check: Annotated[str | None, typer.Option(help="Only confirmed, qualified, contradicted, unsupported or opinion.")] = None,
) -> None:
    """Browse and search the sources, or show one with its statements and their checks."""
    with errors():
        from advisor.care.library import browse, parse_filters, used_by
        from advisor.errors import NotFoundError
        from advisor.knowledge.cards import read_corpus
        from advisor.terminal_library import shelves_view, source_view, sources_view

        filters = parse_filters(kind=kind, stance=stance, gain=interest, check=check)
        if find:
            out.print(shelves_view(open_advisor().library(find, filters)))
            return
        corpus = read_corpus(Settings().corpus_dir)
        if source_id is None:
            out.print(sources_view(browse(corpus, filters)))
            return
        found = next((s for s in corpus.sources if s.id == source_id), None)
        if found is None:
            raise NotFoundError(f"there is no source {source_id!r}")
        out.print(source_view(found, tuple(p for p in corpus.passages if p.source.id == source_id), used_by(corpus, found)))


@app.command(
    epilog="""**Examples**

    seo-advisor ctr 4

    seo-advisor ctr 1.8 --ai-overview"""
)
def ctr(
    position: Annotated[float, typer.Argument(min=1.0, help="Average position in organic results, from 1 to 10.")],
    ai_overview: Annotated[bool, typer.Option("--ai-overview", help="The queries are known to show an AI Overview.")] = False,
) -> None:
    """Show which click-through rate is usual at a position, and how far the published curves differ."""
    with errors():
        from advisor.ctr import LAST_POSITION, expected_ctr
        from advisor.errors import InputError
        from advisor.knowledge.cards import read_corpus
        from advisor.terminal_library import ctr_view

        curves = read_corpus(Settings().corpus_dir).curves
        expected = expected_ctr(curves, position, ai_overview=ai_overview)
        if expected is None:
            raise InputError(f"there is no usual rate for position {position:g}", hint=f"Name a position from 1 to {LAST_POSITION}.")
        out.print(ctr_view(expected))


@app.command(
    epilog="""**Examples**

    seo-advisor serve

    seo-advisor serve --port 7861 --open"""
)
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; 127.0.0.1 unless ADVISOR_HOST says otherwise.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port to listen on; 7860 unless ADVISOR_PORT says otherwise.")] = None,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Serve the web page on this machine."""
    with errors():
        from advisor.web.serve import serve as serve_page

        changed = {"host": host, "port": port}
        settings = Settings(**{k: v for k, v in changed.items() if v is not None})  # type: ignore[arg-type]
        serve_page(settings, open_advisor=open_advisor, open_browser=open_browser)


def main() -> None:
    """The entry point of the `seo-advisor` command."""
    app()


def _add_commands() -> None:
    """Imported last: those commands use what this file defines."""
    from advisor import cli_batch, cli_eval  # noqa: F401 - they register themselves
    from advisor.cli_corpus import corpus_app
    from advisor.cli_feedback import feedback_app

    app.add_typer(corpus_app, name="corpus")
    app.add_typer(feedback_app, name="feedback")


def _questions() -> Iterator[str]:
    """Lines that the user types, until an empty one, "quit" or the end of input."""
    while True:
        try:
            question = out.input("[bold]> [/bold]").strip()
        except (EOFError, KeyboardInterrupt):
            out.print()
            return
        if not question or question.lower() in ("quit", "exit"):
            return
        yield question


def open_advisor(settings: Settings | None = None) -> Advisor:
    """The advisor, opened with a progress bar on whatever takes long."""
    from advisor.engine import Advisor

    with progress_bar() as progress:
        return Advisor.open(settings, progress=progress)


@contextmanager
def progress_bar() -> Iterator[_Bar]:
    """A progress bar on standard error; it shows itself only once there is work to show."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = _Bar(Progress(*columns, console=err))
    try:
        yield bar
    finally:
        bar.stop()


class _Bar:
    """Turns (stage, done, total) into one rich task for each stage."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, stage: str, done: int, total: int) -> None:
        if total == 0:
            return
        if not self._tasks:
            self._progress.start()
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(STAGES.get(stage, stage), total=total)
        self._progress.update(self._tasks[stage], completed=done)

    def stop(self) -> None:
        """Leave the finished bars as they stand; without any there is nothing to leave."""
        if self._tasks:
            self._progress.stop()


@contextmanager
def errors() -> Iterator[None]:
    """Show an error that the user can act on as one line, without a traceback."""
    try:
        yield
    except ValidationError as exc:
        first = exc.errors()[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        err.print(Text(f"seo-advisor: ADVISOR_{name} is not valid: {first['msg']}. Correct it or unset it.", style="red"), soft_wrap=True)
        raise typer.Exit(FAILED) from exc
    except AdvisorError as exc:
        err.print(Text(f"seo-advisor: {exc.line}", style="red"), soft_wrap=True)
        raise typer.Exit(FAILED) from exc
    except KeyboardInterrupt:
        err.print(Text("Stopped.", style="yellow"))
        raise typer.Exit(130) from None
    except BrokenPipeError:
        # The reader of a pipe has gone; there is nobody left to tell.
        sys.stderr.close()
        raise typer.Exit(FAILED) from None


_add_commands()

if __name__ == "__main__":
    main()
