"""The pictures of the report: one function each, every one an <svg> to stand inside an HTML page, or "" where there is nothing to draw.

Colors are variables of the page (with the value for a light page behind them), so that one picture serves light and dark; texts stay
texts and take the page's font. The same input gives the same bytes. Each picture says in words what it shows, for those who do not see it.
Lengths are CSS pixels of a phone's column, so that text of 11 can be read there too; y runs downward on a sheet.
"""

from __future__ import annotations

import html
import io
import math
import re
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

# Each color of a picture, and the variable of the page that takes its place.
INK, SOFT, LINE = "#1f2328", "#59626d", "#d9d5cc"
TUNE, REPORT, BAD = "#1b5e7d", "#8f5200", "#a1241c"
VARIABLES: Final = {INK: "ink", SOFT: "soft", LINE: "grid", TUNE: "tune", REPORT: "report", BAD: "bad"}
HALVES: Final = {"tune": ("tuning half", TUNE, "o"), "report": ("reporting half", REPORT, "D")}

WIDTH: Final = 360
TEXT, SMALL = 12.5, 11.5
FAINT: Final = 0.3  # opacity of an area over which an interval must stand out
FIRM: Final = 0.7  # opacity of an area with nothing over it
BINS: Final = 5
THRESHOLDS: Final = 201
ROUND_MS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)

Figures = Mapping[str, Mapping[str, Any]]


def is_share(name: str, halves: Mapping[str, Figures]) -> bool:
    """Whether a figure and its interval lie between 0 and 1 in every half; others (words, milliseconds) have no common axis."""
    found = [figures[name] for figures in halves.values() if name in figures]
    bounds = [b for f in found for b in (f["value"], f.get("low"), f.get("high")) if b is not None]
    return bool(bounds) and all(-1e-9 <= b <= 1 + 1e-9 for b in bounds)


def number(value: float | None) -> str:
    """A value with as many digits as can be read: three decimals up to 1, fewer above; a dash for none."""
    if value is None or not math.isfinite(value):
        return "–"
    if abs(value) <= 1:
        return f"{value:.3f}".replace("-", "−")
    return (f"{value:.1f}" if abs(value) < 100 else f"{value:,.0f}").replace("-", "−")


def interval(figure: Mapping[str, Any]) -> str:
    """The 95 % interval in words, or a dash."""
    low, high = figure.get("low"), figure.get("high")
    return "–" if low is None or high is None else f"{number(low)} to {number(high)}"


# ---------------------------------------------------------------------------------------------------- the pictures


def suite_bars(suite: str, halves: Mapping[str, Figures]) -> str:
    """A bar for each figure that is a share, in both halves, with its 95 % interval as a line and both in numbers."""
    names = [n for n in dict.fromkeys(n for figures in halves.values() for n in figures) if is_share(n, halves)]
    shown = [half for half in HALVES if halves.get(half)]
    if not names or not shown:
        return ""
    left, wide, top = 6, 178, 34
    step = 28 + 16 * len(shown)
    sheet = _sheet(top + step * len(names) + 20)
    for share in (0, 0.25, 0.5, 0.75, 1):
        sheet.plot([left + wide * share] * 2, [top, top + step * len(names)], color=LINE, linewidth=1, zorder=0)
        _say(sheet, left + wide * share, top + step * len(names) + 10, f"{share:g}", color=SOFT, where="center")
    for place, half in enumerate(shown):
        label, color, mark = HALVES[half]
        sheet.plot(left + 5 + 120 * place, 12, mark, color=color, markersize=6)
        _say(sheet, left + 15 + 120 * place, 12, label, color=SOFT)
    for row, name in enumerate(names):
        y = top + step * row + 11
        _say(sheet, left, y, name, size=TEXT, weight=700)
        for place, half in enumerate(shown):
            figure = halves[half].get(name)
            if figure and figure["value"] is not None:
                _bar(sheet, y + 16 + 16 * place, figure, half, left=left, wide=wide)
    alt = f"{suite}: bars of {len(names)} figures with their 95 % intervals; the table beside the picture holds the same numbers."
    return _svg(sheet.figure, f"bars-{suite}", alt)


def score_histograms(suite: str, scores: Mapping[str, Sequence[float]]) -> str:
    """How the scores of single questions are spread: a small histogram for each score, two in a row, counts over the bars."""
    drawn = {name: values for name, values in scores.items() if values}
    if not drawn:
        return ""
    tall, columns = 136, min(2, len(drawn))
    sheet = _sheet(tall * math.ceil(len(drawn) / columns))
    for place, (name, values) in enumerate(drawn.items()):
        x, y = 6 + 180 * (place % columns), tall * (place // columns)
        _say(sheet, x, y + 10, name, weight=700)
        _say(sheet, x, y + 26, f"mean {number(statistics.fmean(values))} of {len(values)}", color=SOFT)
        _histogram(_panel(sheet, x + 6, y + 34, 336 - 182 * (columns - 1), 76), values)
    words = "; ".join(f"{name}: mean {number(statistics.fmean(v))} of {len(v)}" for name, v in drawn.items())
    return _svg(sheet.figure, f"scores-{suite}", f"{suite}: how the scores of single questions are spread. {words}.")


def refusal_counts(answerable: tuple[int, int], to_refuse: tuple[int, int]) -> str:
    """The four counts, each pair (answered, refused): of the questions to be answered, and of those to be refused."""
    if not sum(answerable) + sum(to_refuse):
        return ""
    sheet = _sheet(132)
    left, wide = 6, 348
    said = []
    for row, (kind, counts, right) in enumerate((("to be answered", answerable, 0), ("to be refused", to_refuse, 1))):
        total, y = sum(counts), 14 + 66 * row
        _say(sheet, left, y, f"{total} {kind}", size=TEXT, weight=700)
        start = float(left)
        for got, count in enumerate(counts):
            length = wide * count / total if total else 0.0
            color = TUNE if got == right else BAD
            label = f"{count} {('answered', 'refused')[got]}"
            sheet.barh(y + 21, length, left=start, height=16, color=color, alpha=FAINT if got == right else 1, linewidth=0)
            _say(sheet, (left, left + wide)[got], y + 40, label, color=INK if got == right else BAD, where=("left", "right")[got])
            said.append(f"{label} of {total} {kind}")
            start += length
    return _svg(sheet.figure, "refusal-counts", "; ".join(said) + ".")


def refusal_curve(answerable: Sequence[float], to_refuse: Sequence[float]) -> str:
    """The share that would be refused if every question below a threshold were, for both kinds of question.

    Args:
        answerable: For each question to be answered, how surely it lies in the field; higher is surer.
        to_refuse: The same for each question to be refused.
    """
    if not answerable or not to_refuse:
        return ""
    both = np.array([*answerable, *to_refuse])
    thresholds = np.linspace(both.min(), both.max(), THRESHOLDS)
    rightly = np.searchsorted(np.sort(np.array(to_refuse)), thresholds, side="left") / len(to_refuse)
    wrongly = np.searchsorted(np.sort(np.array(answerable)), thresholds, side="left") / len(answerable)
    best = int(np.argmax(rightly - wrongly))
    sheet = _sheet(270)
    dashed = (0, (4, 2))
    _key(sheet, 6, f"{len(to_refuse)} to be refused", TUNE, "-")
    _key(sheet, 186, f"{len(answerable)} to be answered", BAD, dashed)
    axes = _panel(sheet, 40, 32, 308, 178)
    axes.set(ylim=(0, 1.02), xlim=(float(both.min()), max(float(both.max()), float(both.min()) + 1e-3)))
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    axes.grid(axis="y", color=LINE, linewidth=1)
    axes.axvline(float(thresholds[best]), color=SOFT, linewidth=1)
    axes.plot(thresholds, rightly, color=TUNE, linewidth=2, drawstyle="steps-post")
    axes.plot(thresholds, wrongly, color=BAD, linewidth=2, linestyle=dashed, drawstyle="steps-post")
    _say(sheet, 6, 241, "share refused, by threshold of the scope score", color=SOFT)
    _say(sheet, 6, 260, f"furthest apart at {number(float(thresholds[best]))}: {rightly[best]:.1%} and {wrongly[best]:.1%}")
    alt = (
        f"The share refused by threshold of the scope score. The two kinds are furthest apart at {number(float(thresholds[best]))}: "
        f"{rightly[best]:.1%} of those to be refused and {wrongly[best]:.1%} of those to be answered would be refused."
    )
    return _svg(sheet.figure, "refusal-curve", alt)


def latency_histogram(elapsed_ms: Sequence[float]) -> str:
    """How long answers took, in milliseconds on a logarithmic axis, with the median and the 95th percentile marked."""
    times = sorted(t for t in elapsed_ms if t > 0)
    if not times:
        return ""
    median, p95 = float(np.percentile(times, 50)), float(np.percentile(times, 95))
    first, last = times[0] / 1.05, times[-1] * 1.05
    sheet = _sheet(212)
    _say(sheet, 6, 12, f"median {number(median)} ms · 95 % within {number(p95)} ms", size=TEXT, weight=700)
    axes = _panel(sheet, 40, 30, 308, 130)
    axes.set_xscale("log")
    axes.hist(times, bins=list(np.geomspace(first, last, 19)), color=TUNE, alpha=FAINT, edgecolor=TUNE, linewidth=0.6)
    for at, style in ((median, "-"), (p95, (0, (4, 2)))):
        axes.axvline(at, color=INK, linewidth=1.5, linestyle=style)
    ticks = [t for t in ROUND_MS if first <= t <= last] or [max(1, round(median))]
    axes.set_xticks(ticks, [f"{t:,}" for t in ticks])
    axes.set_xticks([], minor=True)
    axes.set_xlim(first, last)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.grid(axis="y", color=LINE, linewidth=1)
    _say(sheet, 6, 200, "answers, by milliseconds", color=SOFT)
    slowest = f"the slowest within {number(times[-1])} ms"
    alt = f"How long {len(times)} answers took: half within {number(median)} ms, 95 % within {number(p95)} ms, {slowest}."
    return _svg(sheet.figure, "latency", alt)


# ---------------------------------------------------------------------------------------------------- parts of a picture


def _sheet(height: float) -> Axes:
    """A drawing of WIDTH by `height` pixels without frame, y downward."""
    axes = Figure(figsize=(WIDTH / 72, height / 72)).add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(height, 0))
    axes.set_axis_off()
    return axes


def _panel(sheet: Axes, x: float, y: float, wide: float, tall: float) -> Axes:
    """Axes of their own on a sheet; `x` and `y` are those of the upper left corner."""
    height = sheet.get_ylim()[0]
    axes: Axes = sheet.figure.add_axes((x / WIDTH, 1 - (y + tall) / height, wide / WIDTH, tall / height))
    axes.patch.set_visible(False)
    axes.set_axisbelow(True)
    axes.spines[["top", "left", "right"]].set_visible(False)
    axes.spines["bottom"].set_color(SOFT)
    axes.tick_params(color=SOFT, labelcolor=SOFT, labelsize=SMALL, length=0, pad=5, which="both")
    return axes


def _key(sheet: Axes, x: float, words: str, color: str, style: Any) -> None:
    """What a line stands for, above the picture."""
    sheet.plot([x, x + 22], [12, 12], color=color, linewidth=2, linestyle=style)
    _say(sheet, x + 28, 12, words, color=SOFT)


def _bar(sheet: Axes, y: float, figure: Mapping[str, Any], half: str, *, left: float, wide: float) -> None:
    _, color, mark = HALVES[half]
    value, low, high = figure["value"], figure.get("low"), figure.get("high")
    sheet.barh(y, wide * value, left=left, height=11, color=color, alpha=FAINT, linewidth=0)
    words = number(value)
    if low is not None and high is not None:
        sheet.plot([left + wide * low, left + wide * high], [y, y], color=color, linewidth=2, solid_capstyle="butt")
        words += f"  ({interval(figure)})"
    sheet.plot(left + wide * value, y, mark, color=color, markersize=5 if mark == "D" else 6)
    _say(sheet, left + wide + 10, y, words)


def _histogram(axes: Axes, values: Sequence[float]) -> None:
    """Five bins, 0 to 1 for shares and round borders for others; a value on a border counts in the bin above, the last in the last."""
    shares = all(0 <= v <= 1 for v in values)
    edges = np.linspace(0, 1, BINS + 1) if shares else MaxNLocator(BINS).tick_values(min(values), max(max(values), min(values) + 1))
    counts, edges = np.histogram(np.round(values, 9), np.round(edges, 9))
    middles, width = (edges[:-1] + edges[1:]) / 2, edges[1] - edges[0]
    axes.bar(middles, counts, width=width * 0.9, color=TUNE, alpha=FIRM, linewidth=0)
    for middle, count in zip(middles, counts, strict=True):
        if count:
            axes.annotate(str(count), (middle, count), (0, 3), textcoords="offset points", ha="center", fontsize=SMALL, color=INK)
    axes.set(ylim=(0, max(counts) * 1.25), xlim=(edges[0], edges[-1]), yticks=[])
    shown = edges if len(edges) <= BINS + 1 and edges[-1] < 1_000 else edges[::2]
    axes.set_xticks(shown, [f"{edge:,.6g}" for edge in shown])


def _say(
    sheet: Axes, x: float, y: float, words: str, *, size: float = SMALL, color: str = INK, weight: int = 400, where: str = "left"
) -> None:
    sheet.text(x, y, words, fontsize=size, color=color, fontweight=weight, ha=where, va="center_baseline", parse_math=False)


# ---------------------------------------------------------------------------------------------------- from a drawing to the page

FOREIGN: Final = re.compile(r"<metadata>.*?</metadata>|<style.*?</style>|<defs>\s*</defs>|<!--.*?-->", re.DOTALL)
GROUP_ID: Final = re.compile(r'(<g) id="[^"]*"')
REFERENCE: Final = re.compile(r'((?<=\s)id="|url\(#|xlink:href="#)')
FONT: Final = re.compile(r"font-family: [^;\"]*;? ?")
HEAD: Final = re.compile(r"^.*?<svg[^>]*>", re.DOTALL)
SPACE: Final = re.compile(r"\s*\n\s*")


def _svg(figure: Any, name: str, alt: str) -> str:
    """The drawing as one <svg> element; `name` keeps its ids apart from those of other pictures on the page."""
    written = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "evals", "path.simplify": False}):
        figure.savefig(written, format="svg", metadata={"Date": None}, transparent=True)
    wide, tall = (round(inches * 72) for inches in figure.get_size_inches())
    mark = re.sub(r"[^a-z0-9-]+", "-", name.lower())
    drawing = HEAD.sub("", written.getvalue(), count=1)
    drawing = GROUP_ID.sub(r"\1", FOREIGN.sub("", drawing))
    drawing = REFERENCE.sub(rf"\g<1>{mark}-", drawing).replace("xlink:href", "href")
    drawing = SPACE.sub(" ", FONT.sub("", drawing)).strip()
    for color, variable in VARIABLES.items():
        drawing = drawing.replace(color, f"var(--{variable}, {color})")
    return f'<svg role="img" aria-label="{html.escape(alt)}" viewBox="0 0 {wide} {tall}" width="{wide}" height="{tall}">{drawing}'
