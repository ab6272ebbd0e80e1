"""The published click curves as a picture: an SVG for light and one for dark surroundings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from advisor.models import CtrCurve
from advisor.web.sanitize import text

Theme = Literal["light", "dark"]

WIDTH, HEIGHT = 720, 380
LEFT, RIGHT, TOP, BOTTOM = 48, 190, 16, 44
HIGHEST = 40
POSITIONS = 10
# Text and line, then the curves in their order: the two typical ones stand out, the others are lighter.
INKS: dict[Theme, tuple[str, str, tuple[str, ...]]] = {
    "light": ("#59626d", "#e2dfd7", ("#1b5e7d", "#0b5f56", "#a1241c", "#5b3a8c", "#7a4a00", "#4a5462")),
    "dark": ("#a6aeb8", "#2d333b", ("#84c5e2", "#8fd6cb", "#f5aaa3", "#cdb4f0", "#ecc27c", "#c3cad3")),
}
LABEL_GAP = 17


def curves_svg(curves: Sequence[CtrCurve], theme: Theme) -> str:
    """A line for each curve over all layouts, with its name at the end; single rates are dots."""
    soft, rule, inks = INKS[theme]
    drawn = [c for c in curves if c.use != "split"]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'font-family="system-ui, sans-serif" font-size="13">{"".join(_grid(soft, rule))}{"".join(_lines(drawn, inks))}</svg>'
    )


def _x(position: float) -> float:
    return round(LEFT + (position - 1) / (POSITIONS - 1) * (WIDTH - LEFT - RIGHT), 1)


def _y(rate: float) -> float:
    return round(TOP + (1 - rate / HIGHEST) * (HEIGHT - TOP - BOTTOM), 1)


def _grid(soft: str, rule: str) -> Iterator[str]:
    for rate in range(0, HIGHEST + 1, 10):
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{_y(rate)}" y2="{_y(rate)}" stroke="{rule}"/>'
        yield f'<text x="{LEFT - 8}" y="{_y(rate) + 4}" text-anchor="end" fill="{soft}">{rate}%</text>'
    for position in range(1, POSITIONS + 1):
        yield f'<text x="{_x(position)}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle" fill="{soft}">{position}</text>'
    middle = (LEFT + WIDTH - RIGHT) / 2
    yield f'<text x="{middle}" y="{HEIGHT - 6}" text-anchor="middle" fill="{soft}">Position in the organic results</text>'


def _lines(curves: Sequence[CtrCurve], inks: Sequence[str]) -> Iterator[str]:
    heights = _spread([_y(curve.points[0][1]) for curve in curves])
    for n, (curve, height) in enumerate(zip(curves, heights, strict=True)):
        ink = inks[n % len(inks)]
        points = " ".join(f"{_x(position)},{_y(rate)}" for position, rate in curve.points)
        width = 3 if curve.use == "typical" else 1.5
        yield f'<polyline points="{points}" fill="none" stroke="{ink}" stroke-width="{width}" stroke-linejoin="round"/>'
        yield from (f'<circle cx="{_x(p)}" cy="{_y(rate)}" r="{width}" fill="{ink}"/>' for p, rate in curve.points)
        start = WIDTH - RIGHT + 10
        yield f'<line x1="{start}" x2="{start + 16}" y1="{height - 4}" y2="{height - 4}" stroke="{ink}" stroke-width="3"/>'
        yield f'<text x="{start + 21}" y="{height}" fill="{ink}">{text(_short(curve.name))}</text>'


def _short(name: str) -> str:
    return (
        name.replace("Strzelecki and Miklosik", "Strzelecki").replace("Advanced Web Ranking", "Advanced Web Rank.").replace(", desktop", "")
    )


def _spread(heights: Sequence[float]) -> list[float]:
    """Label heights in the order of the curves, pushed down where two would touch."""
    placed = [0.0] * len(heights)
    last = 0.0
    for n in sorted(range(len(heights)), key=lambda n: heights[n]):
        last = max(heights[n] + 4, last + LABEL_GAP)
        placed[n] = last
    return placed
