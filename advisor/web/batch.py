"""The frame of the Batch view. batch.js fills it with what the server says of a file; nothing of a file stands in it before."""

from __future__ import annotations

from typing import Final

from advisor.batch.tables import FORMATS as READ
from advisor.web.sanitize import safe, text

# What the answers can be written as, by the ending of the file.
FORMATS: Final = {
    "xlsx": "Excel workbook (.xlsx)",
    "csv": "CSV table (.csv)",
    "jsonl": "JSON Lines (.jsonl), to compare later runs with",
    "md": "Markdown (.md)",
    "html": "Web page (.html)",
}


def batch_markup(max_rows: int) -> str:
    """The whole view with all its parts; those whose time has not come are hidden."""
    intro = (
        "A table of questions in, the same table with cited answers out. The file is removed from the server an hour after you last "
        "looked at it, or at once when you cancel."
    )
    return safe(
        f'<section class="batch" id="batch-view" aria-labelledby="batch-title"><h2 id="batch-title">Batch</h2><p class="intro">{intro}</p>'
        f"{_drop_zone(max_rows)}"
        '<p class="batch-line" id="batch-line" role="alert"></p>'
        f"{_file_card()}{_progress()}{_result()}</section>",
        controls=True,
    )


def _drop_zone(max_rows: int) -> str:
    listed = ", ".join(f".{ending}" for ending in READ[:-1]) + f" or .{READ[-1]}"
    return (
        '<div class="drop" id="batch-drop"><p class="drop-call">Drop a file of questions here, or</p>'
        '<button type="button" class="primary" data-batch="choose">Choose a file</button>'
        f'<p class="drop-note">{listed}, up to 2 MB and {max_rows:,} rows, one question in each row. Other columns are kept.</p>'
        '<input type="file" id="batch-file" class="unseen" tabindex="-1" aria-hidden="true"></div>'
    )


def _file_card() -> str:
    formats = "".join(f'<option value="{ending}">{text(words)}</option>' for ending, words in FORMATS.items())
    return (
        '<div class="batch-card" id="batch-card" tabindex="-1" hidden><div class="batch-head"><div><h3 id="batch-name"></h3>'
        '<p class="soft" id="batch-facts"></p></div><button type="button" class="quiet" data-batch="other">Another file</button></div>'
        '<form id="batch-form" class="batch-form"><label for="batch-column"><span>Column with the questions</span>'
        '<select id="batch-column"></select></label>'
        f'<label for="batch-format"><span>Write the answers as</span><select id="batch-format">{formats}</select></label>'
        '<div class="wide"><p class="label" id="batch-first-label">The first questions</p>'
        '<ol class="batch-first" id="batch-first"></ol><p class="soft" id="batch-unusable"></p></div>'
        '<div class="wide batch-earlier"><p><span class="label">Compare with an earlier run</span> '
        '<span class="soft" id="batch-earlier-name">optional, its .jsonl file</span></p>'
        '<p class="batch-buttons"><button type="button" class="quiet" data-batch="earlier">Choose a .jsonl file</button>'
        '<button type="button" class="quiet" data-batch="no-earlier" hidden>Leave it out</button></p>'
        '<input type="file" id="batch-earlier-file" class="unseen" tabindex="-1" aria-hidden="true">'
        '<p class="batch-line" id="batch-earlier-line" role="alert"></p></div>'
        '<p class="wide"><button type="submit" class="primary" id="batch-start">Answer the questions</button></p></form></div>'
    )


def _progress() -> str:
    return (
        '<div class="batch-card" id="batch-progress" tabindex="-1" hidden><div class="batch-head"><div><h3 id="batch-doing"></h3>'
        '<p class="soft" id="batch-speed"></p></div><button type="button" class="quiet" data-batch="cancel">Cancel</button></div>'
        '<div class="bar" id="batch-bar" role="progressbar" aria-label="Questions answered" aria-valuemin="0" aria-valuenow="0">'
        '<div class="bar-done" id="batch-bar-done"></div></div></div>'
    )


def _result() -> str:
    return (
        '<div class="batch-card" id="batch-result" tabindex="-1" hidden><div class="batch-head"><div><h3 id="batch-done"></h3>'
        '<p class="soft" id="batch-took"></p></div><button type="button" class="quiet" data-batch="other">Another file</button></div>'
        '<ul class="counts" id="batch-counts"></ul><div class="batch-more" id="batch-more"></div>'
        '<p class="batch-buttons"><a class="primary" id="batch-download">Download the answers</a></p></div>'
    )
