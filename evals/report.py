"""The report on the results of one commit: a single HTML page that asks nothing of a network and runs no script.

Rows of the tuning halves are read for pictures and shown as examples. Of the reporting halves only the figures are shown, so that nobody
tunes on them by reading the report.
"""

from __future__ import annotations

import glob
import html
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from advisor.errors import InputError
from advisor.models import Passage
from evals import plots
from evals.cases import SUITES
from evals.metrics import TIMES

if TYPE_CHECKING:
    from evals.compare import Change, QuestionChange

Result = Mapping[str, Any]
Row = Mapping[str, Any]
FindPassage = Callable[[str], Passage | None]

WORST: Final = 15
CHANGES: Final = 60  # most changed questions that are listed
SCOPE: Final = "scope"  # the score that says how surely a question lies in the field: nothing about its answer
AMOUNTS: Final = TIMES | {"words"}  # scores that are no share of anything good
TO_REFUSE: Final = ("off_topic", "not_in_sources", "unclear")
HALVES: Final = {"tune": "Tuning half", "report": "Reporting half"}
HEAD: Final = {"commit": "Commit", "corpus": "Corpus", "fingerprint": "Fingerprint", "scorer": "Support scorer"}


def write_report(folder: Path, commit: str, passage: FindPassage) -> Path:
    """Write report-<commit12>.html beside the result files of a commit, and return its path.

    Args:
        folder: Where the result files are, named <suite>-<commit12>.json.
        commit: At least the first 12 digits of the commit.
        passage: Finds a passage of the corpus by its id.

    Raises:
        InputError: There is no result file of that commit, one is not a result file, or the report cannot be written.
    """
    short = commit[:12]
    paths = sorted(folder.glob(f"*-{glob.escape(short)}.json"))
    if not short or not paths:
        raise InputError(f"there are no eval results of commit {short!r} in {str(folder)!r}", hint="Run `seo-advisor eval` first.")
    page = report_html([_read(path) for path in paths], passage=passage)
    target = folder / f"report-{short}.html"
    try:
        target.write_text(page, encoding="utf-8")
    except OSError as exc:
        raise InputError(f"could not write {str(target)!r}: {exc.strerror}", hint="Choose a folder that can be written.") from exc
    return target


def report_html(results: Sequence[dict[str, Any]], compared: dict[str, Any] | None = None, *, passage: FindPassage | None = None) -> str:
    """The report as one HTML page.

    Args:
        results: The result files of one commit, one for each suite, in any order.
        compared: What has changed since an earlier commit: "commit" (its name), "figures" (`evals.compare.Change`s) and "questions"
            (`evals.compare.QuestionChange`s).
        passage: Finds a passage of the corpus by its id, for citations that are stored without their text.
    """
    suites = sorted(results, key=_suite_order)
    tune = [(result["suite"], row) for result in suites for row in map(_flat, result["rows"]) if row.get("half") == "tune"]
    sections = {
        "figures": ("Figures", "".join(_suite(result) for result in suites)),
        "scores": ("Scores of single questions", _scores(suites, tune)),
        "refusals": ("Refusals and time", _grid(_refusals([row for _, row in tune]) + _latency([row for _, row in tune]))),
        "changes": ("What has changed", _changes(compared, {row["id"] for _, row in tune}) if compared else ""),
        "worst": (f"The {WORST} weakest answers", _worst(tune, passage or (lambda _: None))),
    }
    shown = {place: part for place, part in sections.items() if part[1]}
    body = "".join(f'<section id="{place}"><h2>{title}</h2>{markup}</section>' for place, (title, markup) in shown.items())
    commit = _text(", ".join(_values(suites, "commit")))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        # Should a text ever get out of its escaping, it still could load and run nothing.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f'<meta name="color-scheme" content="light dark"><title>Eval report of {commit}</title><style>{STYLE}</style></head>'
        f'<body><a class="skip" href="#main">Skip to the figures</a>{_head(suites)}{_contents(shown, suites)}'
        f'<main id="main">{body}</main></body></html>\n'
    )


# ---------------------------------------------------------------------------------------------------- head and figures


def _head(suites: Sequence[Result]) -> str:
    facts = "".join(f"<div><dt>{label}</dt><dd>{_text(', '.join(_values(suites, key)))}</dd></div>" for key, label in HEAD.items())
    mixed = [label.lower() for key, label in HEAD.items() if len(_values(suites, key)) > 1]
    note = f'<p class="note">These results do not belong together: they differ in {_text(" and ".join(mixed))}.</p>' if mixed else ""
    questions = sum(len(result["rows"]) for result in suites)
    return (
        f'<header><h1>Eval report</h1><p class="lead">{questions:,} questions in {_count(len(suites), "suite")}. Rows of the tuning halves '
        f"are shown below; of the reporting halves only the figures.</p><dl>{facts}</dl>{note}</header>"
    )


def _contents(shown: Mapping[str, tuple[str, str]], suites: Sequence[Result]) -> str:
    def link(place: str, title: str) -> str:
        return f'<a href="#{place}">{title}</a>'

    inner = "".join(f"<li>{link(_place(r), _text(_title(r['suite'])))}</li>" for r in suites)
    items = "".join(
        f"<li>{link(place, title)}{f'<ul>{inner}</ul>' if place == 'figures' else ''}</li>" for place, (title, _) in shown.items()
    )
    return f'<nav aria-label="On this page"><ul>{items}</ul></nav>'


def _suite(result: Result) -> str:
    """Picture and table of one suite."""
    name, halves = _title(result["suite"]), result["halves"]
    counts = {half: sum(_flat(row).get("half") == half for row in result["rows"]) for half in HALVES}
    picture = _figure(plots.suite_bars(name, halves), "Figures from 0 to 1. The line over a bar is the 95 % interval.")
    figures = dict.fromkeys(figure for half in HALVES for figure in halves.get(half, {}))
    rows = "".join(
        f'<tr><th scope="row">{_text(figure)}</th>{"".join(_cell(halves.get(half, {}).get(figure)) for half in HALVES)}</tr>'
        for figure in figures
    )
    columns = "".join(f'<th scope="col">{label}</th>' for label in HALVES.values())
    return (
        f'<section class="suite" id="{_place(result)}"><h3>{_text(name)}</h3>'
        f"<p>{_count(counts['tune'], 'question')} for tuning, {counts['report']:,} for reporting.</p>"
        f'<div class="pair">{picture}<div class="wide" role="region" aria-label="{_text(name)}: table" tabindex="0"><table>'
        f"<caption>{_text(name)}: value, 95 % interval, and number of questions (n)</caption>"
        f'<thead><tr><th scope="col">Figure</th>{columns}</tr></thead><tbody>{rows}</tbody></table></div></div></section>'
    )


def _cell(figure: Mapping[str, Any] | None) -> str:
    if figure is None:
        return "<td>–</td>"
    return f"<td><b>{plots.number(figure['value'])}</b> <span>{plots.interval(figure)}</span> <small>n {figure.get('n', '–')}</small></td>"


# ---------------------------------------------------------------------------------------------------- pictures of the rows


def _scores(suites: Sequence[Result], tune: Sequence[tuple[str, Row]]) -> str:
    """For each suite the mean score of a question, and each score that is more than 0 or 1: of those two the mean says all."""
    pictures = []
    for result in suites:
        rows = [row for suite, row in tune if suite == result["suite"]]
        spread: defaultdict[str, list[float]] = defaultdict(list)
        for row in rows:
            for name, score in _numbers(row).items():
                spread[name].append(score)
        graded = {name: values for name, values in spread.items() if not set(values) <= {0.0, 1.0}}
        means = [mean for row in rows if (mean := _mean(row)) is not None]
        title = _title(result["suite"])
        picture = plots.score_histograms(title, {"mean of all scores": means, **graded})
        pictures.append(f"<figure><figcaption><h3>{_text(title)}</h3></figcaption>{picture}</figure>" if picture else "")
    intro = "<p>How many questions of the tuning halves have which score. Scores of only 0 or 1 are shown as part of the mean.</p>"
    return f'{intro}<div class="flow">{"".join(pictures)}</div>' if any(pictures) else ""


def _refusals(rows: Sequence[Row]) -> str:
    """Counts of all tuning halves together, and the curve over the scope score where rows carry it. Smalltalk is neither."""
    counts = {kind: [0, 0] for kind in ("answerable", "to_refuse")}
    scope: dict[str, list[float]] = {kind: [] for kind in counts}
    for row in rows:
        if row["expect"] == "answered" or row["expect"] in TO_REFUSE:
            kind = "answerable" if row["expect"] == "answered" else "to_refuse"
            counts[kind][_got(row) not in ("answered", "smalltalk")] += 1
            if (sure := row["scores"].get(SCOPE)) is not None:
                scope[kind].append(float(sure))
    answerable, to_refuse = ((c[0], c[1]) for c in counts.values())
    return _figure(
        plots.refusal_counts(answerable, to_refuse),
        "Questions of all tuning halves. Solid red: an answerable question refused, or one answered that should have been refused.",
    ) + _figure(
        plots.refusal_curve(scope["answerable"], scope["to_refuse"]),
        "What a threshold on the scope score alone would refuse. The upright line is where the two kinds are furthest apart.",
    )


def _latency(rows: Sequence[Row]) -> str:
    times = [float(t) for row in rows if (t := (row["answer"].get("elapsed_ms") or {}).get("total")) is not None]
    return _figure(
        plots.latency_histogram(times), "Time to the checked answer, all tuning halves. Solid line: median; dashed: 95th percentile."
    )


# ---------------------------------------------------------------------------------------------------- what has changed


def _changes(compared: Mapping[str, Any], tune: Set[str]) -> str:
    """The figures that surely differ, and the questions of the tuning halves that got another answer."""
    figures: Sequence[Change] = [change for change in compared["figures"] if change.is_real]
    questions: Sequence[QuestionChange] = [change for change in compared["questions"] if change.id in tune]
    rows = "".join(
        f'<tr><th scope="row">{_text(c.name)} <small>{_text(_title(c.suite))}, {_text(HALVES.get(c.half, c.half).lower())}</small></th>'
        f"<td>{plots.number(c.before)}</td><td>{plots.number(c.after)}</td>"
        f"<td><b>{'worse' if c.is_loss else 'better'}</b> <span>{plots.number(c.low)} to {plots.number(c.high)}</span></td></tr>"
        for c in figures
    )
    columns = "".join(f'<th scope="col">{label}</th>' for label in ("Figure", "Before", "Now", "Change, 95 % interval"))
    table = (
        f'<div class="wide" role="region" aria-label="Changed figures" tabindex="0"><table>'
        f"<caption>Figures whose change has a 95 % interval without zero</caption>"
        f"<thead><tr>{columns}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
    listed = "".join(map(_changed_question, questions[:CHANGES]))
    more = f"<p>And {len(questions) - CHANGES:,} more.</p>" if len(questions) > CHANGES else ""
    details = f"<details><summary>{_count(len(questions), 'question')} answered otherwise</summary><ul>{listed}</ul>{more}</details>"
    return (
        f"<p>Compared with commit <code>{_text(compared['commit'])}</code>. Questions are those of the tuning halves.</p>"
        f"{table if figures else '<p>No figure has surely changed.</p>'}{details if questions else ''}"
    )


def _changed_question(change: QuestionChange) -> str:
    scores = "; ".join(f"{_text(n)} {plots.number(was)} → {plots.number(now)}" for n, (was, now) in change.scores.items())
    answers = (
        f"<p><b>Before:</b> {_text(change.before)}</p><p><b>Now:</b> {_text(change.after)}</p>" if change.before != change.after else ""
    )
    return f'<li><b>{_text(change.question)}</b> <span class="soft">{_text(change.id)}</span><p class="soft">{scores}</p>{answers}</li>'


# ---------------------------------------------------------------------------------------------------- the weakest answers


def _worst(tune: Sequence[tuple[str, Row]], passage: FindPassage) -> str:
    """The questions with the lowest mean of their scores; on a tie the one asked first."""
    ranked = [(mean, place) for place, (_, row) in enumerate(tune) if (mean := _mean(row)) is not None]
    chosen = sorted(ranked)[:WORST]
    articles = (_article(number, mean, *tune[place], passage) for number, (mean, place) in enumerate(chosen, start=1))
    intro = "<p>Questions of the tuning halves with the lowest mean of their scores. The evidence is what the answer cites.</p>"
    return f"{intro}{''.join(articles)}" if chosen else ""


def _article(number: int, mean: float, suite: str, row: Row, passage: FindPassage) -> str:
    answer, place = row["answer"], f"w{number}"
    history = "".join(f"<li>{_text(earlier)}</li>" for earlier in row.get("history") or ())
    before = f'<p class="soft">Asked before in the same conversation:</p><ul class="soft">{history}</ul>' if history else ""
    got, expect = _got(row), row["expect"]
    right = got == expect
    tags = " · ".join(map(_text, (_title(suite), row["id"], *row.get("tags", ()))))
    listed = "".join(f"<li>{_text(name)} <b>{plots.number(score)}</b></li>" for name, score in _numbers(row).items())
    return (
        f'<article id="{place}"><p class="soft">{number}. {tags}</p><h3>{_text(row["question"])}</h3>{before}'
        f"<p><b>Mean score {plots.number(mean)}.</b> Expected {_outcome(expect)}"
        f"{', and got it' if right else f'; <strong>got {_outcome(got)}</strong>'}.</p>"
        f'<ul class="scores" aria-label="Scores">{listed}</ul>{_said(answer, place)}{_evidence(answer, place, passage)}</article>'
    )


def _said(answer: Mapping[str, Any], place: str) -> str:
    """The answer sentence by sentence, with its marks, and the verdict of the check where that was not "supported"."""
    numbers = {citation["number"] for citation in answer.get("citations") or ()}
    sections = answer.get("sections") or ()
    parts = []
    if refusal := answer.get("refusal"):
        parts.append(f"<p>{_text(refusal.get('message', ''))}</p>")
    for section in sections:
        sentences = "".join(_sentence(sentence, place, numbers) for sentence in section["sentences"])
        parts.append(f"<h4>{_text(section['title'] or _words(section['role']))}</h4><ul>{sentences}</ul>")
    title = f"Answer, {_count(sum(len(s['sentences']) for s in sections), 'sentence')}" if sections else "Refusal"
    return f"<details><summary>{title}</summary>{''.join(parts)}</details>" if parts else "<p>No answer is stored.</p>"


def _sentence(sentence: Mapping[str, Any], place: str, numbers: set[int]) -> str:
    marks = "".join(
        f'<a class="mark" href="#{place}-{n}" aria-label="Source {n}">{n}</a>' if n in numbers else f'<span class="mark">{_text(n)}?</span>'
        for n in sentence.get("citations") or ()
    )
    support = sentence.get("support") or {}
    verdict = support.get("verdict", "supported")
    note = f" <strong>{_text(verdict)}, {plots.number(support.get('score'))}</strong>" if verdict != "supported" else ""
    return f"<li>{_text(sentence['text'])}{marks}{note}</li>"


def _evidence(answer: Mapping[str, Any], place: str, passage: FindPassage) -> str:
    citations = answer.get("citations") or ()
    items = "".join(_quoted(citation, place, passage(citation["passage_id"])) for citation in citations)
    return (
        f'<details><summary>Evidence, {_count(len(citations), "passage")}</summary><ol class="evidence">{items}</ol></details>'
        if items
        else ""
    )


def _quoted(citation: Mapping[str, Any], place: str, found: Passage | None) -> str:
    """A cited passage: as stored with the answer, or as the corpus has it."""
    quote = citation.get("quote") or (found.text if found else "")
    publisher = citation.get("publisher") or (found.source.publisher if found else "")
    title = citation.get("title") or (found.source.title if found else "")
    said = f"<blockquote>{_text(quote)}</blockquote>" if quote else "<p><strong>There is no such passage in the corpus.</strong></p>"
    return (
        f'<li id="{place}-{_text(citation["number"])}" value="{_text(citation["number"])}"><b>{_text(publisher or "Unknown publisher")}</b>'
        f"{f', <cite>{_text(title)}</cite>' if title else ''}{said}<code>{_text(citation['passage_id'])}</code></li>"
    )


# ---------------------------------------------------------------------------------------------------- reading and words


def _read(path: Path) -> dict[str, Any]:
    hint = "Run `seo-advisor eval` again, or remove the file."
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise InputError(f"{str(path)!r} cannot be read as an eval result", hint=hint) from exc
    if not isinstance(result, dict) or result.get("schema_version") != 1 or not {"suite", "halves", "rows"} <= result.keys():
        raise InputError(f"{str(path)!r} is not an eval result of this version", hint=hint)
    return result


def _flat(row: Row) -> Row:
    """A row with the fields of its case beside its own, whether it was stored so or with the case as a part."""
    return {"scores": {}, "answer": {}, **row.get("case", {}), **row}


def _numbers(row: Row) -> dict[str, float]:
    """The scores of a row that say something of its answer."""
    return {name: float(score) for name, score in row["scores"].items() if score is not None and name != SCOPE}


def _mean(row: Row) -> float | None:
    """The mean of the scores of a row, which are all better when higher; amounts such as words have no part in it."""
    shares = [score for name, score in _numbers(row).items() if name not in AMOUNTS]
    return sum(shares) / len(shares) if shares else None


def _got(row: Row) -> str:
    """What came of the question: "answered", "smalltalk", the reason of a refusal, or "failed"."""
    answer = row["answer"]
    if refusal := answer.get("refusal"):
        return str(refusal["reason"])
    return str(row.get("got") or ("smalltalk" if answer.get("intent") == "smalltalk" else answer.get("status", "failed")))


def _values(results: Sequence[Result], key: str) -> list[str]:
    return list(dict.fromkeys(str(result.get(key) or "–") for result in results))


def _suite_order(result: Result) -> tuple[int, str]:
    name = result["suite"]
    return (SUITES.index(name) if name in SUITES else len(SUITES), name)


def _place(result: Result) -> str:
    return "suite-" + "".join(c if c.isascii() and c.isalnum() else "-" for c in result["suite"])


def _title(suite: str) -> str:
    return suite[:1].upper() + suite[1:]


def _words(name: str) -> str:
    return _text(str(name).replace("_", " "))


def _outcome(name: str) -> str:
    known = {"answered": "an answer", "smalltalk": "small talk", "failed": "no answer, since something failed"}
    return known.get(name) or f"a refusal ({_words(name)})"


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def _grid(pictures: str) -> str:
    return f'<div class="grid">{pictures}</div>' if pictures else ""


def _figure(picture: str, caption: str) -> str:
    return f"<figure>{picture}<figcaption>{caption}</figcaption></figure>" if picture else ""


def _text(value: object) -> str:
    """Any value as HTML text or attribute value."""
    return html.escape(" ".join(str(value).split()), quote=True)


# ---------------------------------------------------------------------------------------------------- looks

STYLE: Final = """
:root { color-scheme: light dark; --page: #faf9f6; --card: #fff; --ink: #1f2328; --soft: #59626d; --grid: #d9d5cc; --line: #e2dfd7;
  --tune: #1b5e7d; --report: #8f5200; --bad: #a1241c; --tint: #f1efe9; }
@media (prefers-color-scheme: dark) { :root { --page: #14171b; --card: #1b1f25; --ink: #e9e7e2; --soft: #a6aeb8; --grid: #39414b;
  --line: #2d333b; --tune: #84c5e2; --report: #ecc27c; --bad: #f5aaa3; --tint: #22272e; } }
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 76rem; background: var(--page); color: var(--ink);
  font: 400 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; overflow-wrap: break-word; }
h1, h2, h3, h4 { line-height: 1.25; margin: 0; text-wrap: balance; }
h1 { font-size: 2rem; letter-spacing: -.01em; }
h2 { font-size: 1.5rem; margin: 3rem 0 1rem; }
h3 { font-size: 1.15rem; }
h4 { font-size: 1rem; margin: 1rem 0 .25rem; }
p { margin: .4rem 0; max-width: 72ch; }
a { color: var(--tune); text-underline-offset: .15em; }
:focus-visible { outline: 2px solid var(--tune); outline-offset: 2px; }
code { font: .875em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
small, .soft, figcaption, caption, td span { color: var(--soft); font-size: .875rem; }
.skip { position: absolute; left: -99rem; padding: .5rem 1rem; background: var(--card); }
.skip:focus { left: 1rem; top: 1rem; }
.lead { color: var(--soft); }
.note { border-left: 4px solid var(--bad); padding: .5rem .75rem; background: var(--card); }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr)); gap: .75rem 1.5rem; margin: 1.25rem 0; }
dt { color: var(--soft); font-size: .875rem; }
dd { margin: 0; font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .9rem; overflow-wrap: anywhere; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: 0; padding: 0; list-style: none; }
nav > ul { border-block: 1px solid var(--line); padding: .75rem 0; }
nav > ul > li:has(ul) { flex-basis: 100%; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; }
nav a { display: inline-block; padding: .25rem 0; }
.suite, article, .grid > figure, .flow > figure {
  background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.25rem; }
.suite, article { margin: 0 0 1.25rem; }
.pair { display: flex; flex-wrap: wrap; gap: 1.5rem 2rem; align-items: flex-start; margin-top: .75rem; }
.pair > figure { flex: 1 1 20rem; max-width: 27rem; }
.wide { flex: 2 1 24rem; min-width: 0; overflow-x: auto; }
figure { margin: 0; min-width: 0; }
figcaption { margin-top: .5rem; }
figcaption h3 { color: var(--ink); margin-bottom: .75rem; }
svg { display: block; width: 100%; max-width: 27rem; height: auto; font-family: inherit; font-variant-numeric: tabular-nums; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr)); gap: 1.25rem; align-items: start; }
.flow { columns: 21rem; column-gap: 1.25rem; margin-bottom: -1.25rem; }
.flow > figure { break-inside: avoid; margin-bottom: 1.25rem; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .5rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-size: .875rem; font-weight: 600; }
tbody th { font-weight: 500; }
td span, td small { white-space: nowrap; display: inline-block; margin-left: .35rem; }
details { border-top: 1px solid var(--line); margin-top: .75rem; padding-top: .5rem; }
summary { cursor: pointer; font-weight: 600; padding: .35rem 0; width: fit-content; }
details li { margin: .35rem 0; max-width: 76ch; }
details ul, details ol { padding-left: 1.4rem; margin: .25rem 0; }
strong { color: var(--bad); font-weight: 600; }
.scores { display: flex; flex-wrap: wrap; gap: .35rem .5rem; list-style: none; padding: 0; margin: .6rem 0; font-size: .875rem; }
.scores li { background: var(--tint); border-radius: .4rem; padding: .1rem .55rem; }
.mark { display: inline-block; min-width: 1.5rem; margin-left: .3rem; padding: 0 .3rem; border-radius: .4rem; background: var(--tint);
  font-size: .8rem; line-height: 1.5rem; text-align: center; text-decoration: none; }
.evidence li:target { background: var(--tint); }
blockquote { margin: .25rem 0; padding-left: .75rem; border-left: 3px solid var(--line); }
@media (max-width: 40rem) { body { padding: 1.25rem .75rem 3rem; } .suite, article, .grid > figure, .flow > figure { padding: 1rem .85rem; }
  td span, td small { display: block; margin-left: 0; } h1 { font-size: 1.6rem; } th, td { padding-right: .5rem; } }
@media print { body { max-width: none; } .suite, article, figure { break-inside: avoid; } nav, .skip { display: none; } }
"""
