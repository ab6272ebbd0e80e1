"""The allow-list that all HTML of the page passes, and the escaping of text on its way into HTML."""

from __future__ import annotations

import html
import re
from collections.abc import Set as AbstractSet
from urllib.parse import urlsplit

import nh3

_BLOCKS = {"article", "aside", "blockquote", "details", "div", "footer", "header", "li", "nav", "ol", "p", "section", "summary", "ul"}
_INLINE = {"a", "b", "br", "button", "em", "h1", "h2", "h3", "h4", "mark", "span", "strong", "time"}
_TABLES = {"caption", "figcaption", "figure", "table", "tbody", "td", "th", "thead", "tr"}
TAGS = _BLOCKS | _INLINE | _TABLES
# Only in the frame of the Library, which the page itself writes: its form and its chart. An answer never holds one.
CONTROLS = {"form", "img", "input", "label", "option", "select"}
ATTRIBUTES = {
    "*": {"class", "hidden", "id", "role", "tabindex"},
    "a": {"href"},
    "button": {"type"},
    "details": {"open"},
    "img": {"alt", "height", "src", "width"},
    "input": {"name", "placeholder", "type", "value"},
    "label": {"for"},
    "option": {"selected", "value"},
    "select": {"name"},
    "td": {"colspan"},
    "th": {"colspan", "scope"},
    "time": {"datetime"},
}
# A place on this page: a view, a source, a dispute, a search of the library.
PLACE = re.compile(r"#/[a-z]+(?:[/?][A-Za-z0-9/_.~%&=+-]*)?")
PICTURES = "/library/"


def text(value: str) -> str:
    """Any string as HTML text or attribute value; line breaks become spaces."""
    return html.escape(" ".join(value.split()), quote=True)


def exact(value: str) -> str:
    """Any string without line breaks as an attribute value, kept to the letter."""
    return html.escape(value, quote=True)


def lines(value: str) -> str:
    """Any string as HTML text whose line breaks are kept."""
    return "<br>".join(text(line) for line in value.strip().splitlines())


def safe(markup: str, *, hosts: AbstractSet[str] = frozenset(), controls: bool = False) -> str:
    """The markup with everything removed that is not on the list: no scripts, pictures, styles or handlers.

    Args:
        markup: HTML whose texts are already escaped; this is the second fence, not the first.
        hosts: The hosts that a link may lead to. Any other link loses its address, unless it is a place on this page.
        controls: Keep the controls of a form, and our own charts.

    Returns:
        One line. The component that shows it reads Markdown, in which a blank line would end the HTML block.
    """

    def keep(tag: str, attribute: str, value: str) -> str | None:
        if tag == "a" and attribute == "href" and not PLACE.fullmatch(value):
            return value if is_link(value) and urlsplit(value).netloc in hosts else None
        if tag == "img" and attribute == "src":
            return value if value.startswith(PICTURES) and ".." not in value else None
        return value

    cleaned = nh3.clean(
        markup,
        tags=TAGS | CONTROLS if controls else TAGS,
        clean_content_tags={"script", "style"},
        attributes=ATTRIBUTES,
        attribute_filter=keep,
        generic_attribute_prefixes={"data-", "aria-"},
        set_tag_attribute_values={"a": {"target": "_blank"}},
        link_rel="noopener noreferrer nofollow",
        url_schemes={"http", "https"},
    )
    return " ".join(cleaned.split("\n"))


def is_link(address: str) -> bool:
    """Whether an address may be linked: http or https, with a host and nothing that hides another one."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None


def host_of(address: str) -> str:
    """The host of an address that may be linked, with its port; empty otherwise."""
    return urlsplit(address).netloc if is_link(address) else ""
