"""The commands for people who look after the corpus: `seo-advisor corpus check` and `seo-advisor corpus stats`."""

from __future__ import annotations

import json as json_module
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from advisor.cli import FAILED, errors, out, progress_bar
from advisor.settings import Settings

corpus_app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", help="Look after what the advisor knows: check it, count it.")


@corpus_app.command(
    epilog="""**Examples**

    seo-advisor corpus check

    seo-advisor corpus check --compare ../articles      (own words: no run of eight words of these texts)

    seo-advisor corpus check --all                      (every finding, not only the first ten of each check)

Exit codes: 0 no errors, though there may be warnings · 1 errors."""
)
def check(
    compare: Annotated[Path | None, typer.Option(help="Folder of source texts (.txt) to compare wordings with.")] = None,
    questions: Annotated[Path | None, typer.Option(help="Eval questions (.jsonl) for finding unused passages.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Show every finding.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Check every card, and whether what was written is found."""
    with errors():
        from advisor.care.check import check_corpus
        from advisor.index.adapter import QueryAdapter
        from advisor.index.build import ensure_index
        from advisor.index.encoder import SentenceEncoder
        from advisor.terminal_library import findings_view

        settings = Settings()
        encoder = SentenceEncoder.from_setting(settings.encoder)
        asked, looked_in = eval_questions(questions, settings)
        with progress_bar() as progress:
            index = ensure_index(settings, encoder, progress)
            found = check_corpus(
                index,
                encoder,
                QueryAdapter.of_corpus(settings.corpus_dir, encoder.id),
                today=date.today(),
                questions=asked,
                compare=texts_in(compare),
                progress=progress,
            )
            corpus = index.corpus
            index.close()
        if json:
            out.print_json(json_module.dumps([asdict(f) for f in found]))
        else:
            skipped = (
                {} if asked else {"unused": f"not checked: there are no questions in {str(looked_in)!r}; name a file with --questions"}
            )
            skipped |= {} if compare else {"own words": "not checked: name a folder of source texts with --compare"}
            out.print(findings_view(found, corpus, skipped, at_most=None if everything else 10))
    if any(f.severity == "error" for f in found):
        raise typer.Exit(FAILED)


@corpus_app.command(
    epilog="""**Examples**

    seo-advisor corpus stats"""
)
def stats() -> None:
    """Count sources, statements, guidance, disputes and terms, and where the figures come from."""
    with errors():
        from advisor.care.stats import stats as counted
        from advisor.knowledge.cards import read_corpus
        from advisor.terminal_library import stats_view

        out.print(stats_view(counted(read_corpus(Settings().corpus_dir))))


def eval_questions(named: Path | None, settings: Settings) -> tuple[tuple[str, ...], Path]:
    """The questions of a file, by default all eval suites beside the corpus, and where they were looked for.

    Raises:
        InputError: A file that was named cannot be read.
    """
    from advisor.errors import InputError

    path = named or settings.corpus_dir.parent / "evals" / "suites"
    files = [named] if named else sorted(path.glob("*.jsonl"))
    try:
        lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
        return tuple(str(json_module.loads(line)["question"]) for line in lines if line.strip()), path
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError) as exc:
        raise InputError(
            f"the questions in {str(path)!r} cannot be read: {exc}", hint="Name a JSON Lines file with a field `question`."
        ) from exc


def texts_in(folder: Path | None) -> dict[str, str]:
    """The .txt files of a folder by name.

    Raises:
        InputError: The folder holds none, or one cannot be read.
    """
    from advisor.errors import InputError

    if folder is None:
        return {}
    try:
        found = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.txt"))}
    except (OSError, UnicodeDecodeError) as exc:
        raise InputError(f"the texts in {str(folder)!r} cannot be read: {exc}", hint="Name a folder of .txt files in UTF-8.") from exc
    if not found:
        raise InputError(f"there are no .txt files in {str(folder)!r}", hint="Name the folder that holds the source texts.")
    return found
