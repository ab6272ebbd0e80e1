"""The commands for what visitors said of answers: `seo-advisor feedback list`, `export` and `case`."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from advisor.cli import err, errors, out
from advisor.feedback.kinds import Expect, Rating
from advisor.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from advisor.feedback.record import Feedback

feedback_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode="markdown", help="Read what visitors said of answers, and make eval cases of it."
)

OnlyRating = Annotated[Rating | None, typer.Option("--rating", help="Only this rating.")]
Since = Annotated[datetime | None, typer.Option("--since", formats=["%Y-%m-%d"], metavar="DATE", help="Only from this day on (UTC).")]
STYLES: dict[Rating, str] = {"helpful": "green", "not-helpful": "red"}


@feedback_app.command(
    "list",
    epilog="""**Examples**

    seo-advisor feedback list

    seo-advisor feedback list --rating not-helpful --since 2026-01-31""",
)
def list_(
    rating: OnlyRating = None,
    since: Since = None,
    limit: Annotated[int, typer.Option(min=1, help="Most rows to show.")] = 50,
) -> None:
    """Show what visitors said, newest first."""
    with errors():
        from advisor.feedback.record import said_so_far

        rows = said_so_far(Settings(), rating=rating or "", since=_day(since), limit=limit + 1)
        if rows:
            out.print(_table(rows[:limit]))
        else:
            out.print("There is no feedback of that kind yet." if rating or since else "There is no feedback yet.")
        if len(rows) > limit:
            out.print(Text(f"Older ones are left out; --limit {2 * limit} shows more.", style="dim"))


@feedback_app.command(
    epilog="""**Examples**

    seo-advisor feedback export feedback.csv

    seo-advisor feedback export feedback.jsonl --rating not-helpful      (with the whole answers)

The file holds what visitors typed, with nothing removed: treat it as personal data."""
)
def export(
    file: Annotated[Path, typer.Argument(help="A .csv or .jsonl file; one that exists is replaced.")],
    rating: OnlyRating = None,
    since: Since = None,
) -> None:
    """Write all feedback to a file, newest first."""
    with errors():
        from advisor.batch.cells import safe_cell
        from advisor.feedback.export import export as write
        from advisor.feedback.record import said_so_far

        rows = said_so_far(Settings(), rating=rating or "", since=_day(since))
        write(rows, file, safe_cell=safe_cell)
        out.print(Text(f"{len(rows)} {'row' if len(rows) == 1 else 'rows'} in {file}."), soft_wrap=True)


@feedback_app.command(
    epilog="""**Examples**

    seo-advisor feedback case 17 --suite answers

    seo-advisor feedback case 17 --suite answers --gold google-spam-policies/link-spam-paid --gold google-qualify-links/paid-sponsored

    seo-advisor feedback case 18 --suite refusals --expect off_topic

E-mail addresses, telephone numbers, links, domains, IP addresses, long numbers and introduced names are replaced. Names of people,
firms and places elsewhere in the text are not found: read the case before you commit it."""
)
def case(
    ident: Annotated[int, typer.Argument(metavar="ID", help="The row's id, from `feedback list`.")],
    suite: Annotated[str, typer.Option(help="Suite to append to.")],
    expect: Annotated[Expect | None, typer.Option(help="What is right; by default what was helpful, else answered.")] = None,
    gold: Annotated[list[str] | None, typer.Option(help="Id of a passage that decides the question; may be repeated.")] = None,
) -> None:
    """Make an eval case of one row, without personal data, append it to a suite of the checkout and print it."""
    with errors():
        from advisor.feedback.cases import make_case
        from advisor.feedback.record import one

        settings = Settings()
        made = make_case(one(settings, ident), suite, settings, expect=expect, gold=gold or ())
        sys.stdout.write(f"{made.line}\n")
        replaced = ", ".join(made.removed) or "nothing"
        err.print(Text(f"Appended to {made.path}. Replaced: {replaced}. Read it before you commit it.", style="dim"), soft_wrap=True)


def _day(since: datetime | None) -> str:
    return since.date().isoformat() if since else ""


def _table(rows: Sequence[Feedback]) -> Table:
    """Id, time, rating with its reason, question, and what was written; without what could steer a terminal."""
    from advisor.text import clean

    table = Table(header_style="bold", pad_edge=False)
    for column in ("id", "time", "rating"):
        table.add_column(column, no_wrap=True, justify="right" if column == "id" else "left")
    for column in ("reason", "question", "text"):
        table.add_column(column, overflow="fold")
    for row in rows:
        time = row.time[: len("2026-01-31T12:00")].replace("T", " ")
        cells = (row.reason, row.question, row.text)
        table.add_row(str(row.id), time, Text(row.rating, style=STYLES[row.rating]), *(Text(clean(cell)) for cell in cells))
    return table
