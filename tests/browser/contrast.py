"""Contrast as WCAG 2.2 defines it, measured on what the browser painted."""

from __future__ import annotations

import re

from playwright.sync_api import Locator

# Walks up to the first ancestor with an opaque background.
COLORS = """element => {
  let back = element, fill = "rgba(0, 0, 0, 0)";
  while (back && /rgba\\(.*, 0\\)/.test(fill)) { fill = getComputedStyle(back).backgroundColor; back = back.parentElement; }
  return [getComputedStyle(element).color, fill];
}"""


def contrast(element: Locator) -> float:
    """The ratio of an element's text to what lies behind it, 1 to 21.

    Source: WCAG 2.2, definitions of contrast ratio and relative luminance.
    """
    text, fill = element.first.evaluate(COLORS)
    light, dark = sorted((luminance(text), luminance(fill)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(color: str) -> float:
    """Relative luminance of "rgb(r, g, b)", 0 to 1."""
    red, green, blue = (_linear(int(value) / 255) for value in re.findall(r"\d+", color)[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(share: float) -> float:
    return float(share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4)
