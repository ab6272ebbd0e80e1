"""The document that Gradio serves, made ours: own metadata and files, nothing of another site's."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import lru_cache
from pathlib import Path

from advisor.web.sanitize import text
from advisor.web.welcome import DESCRIPTION, NAME

HERE = Path(__file__).resolve().parent
STATIC = HERE / "static"

# Gradio's own previews, its title, and a base address that a page at the root does not need and the policy forbids.
FOREIGN = re.compile(r'<base\b[^>]*>|<meta\b[^>]*\b(?:property="og:|name="twitter:)[^>]*>', re.IGNORECASE)
INLINE_SCRIPT = re.compile(rb"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)


def our_document(document: str) -> str:
    """The document with our metadata, style sheet and script."""
    return FOREIGN.sub("", document).replace("</head>", f"{_head()}</head>", 1)


def script_hashes(document: bytes) -> tuple[str, ...]:
    """The hash of each inline script, as a content security policy names it."""
    digests = (hashlib.sha256(script).digest() for script in INLINE_SCRIPT.findall(document))
    return tuple(f"sha256-{base64.b64encode(digest).decode()}" for digest in digests)


@lru_cache(maxsize=1)
def static_folder() -> str:
    """Where our files are served: the path names their content, so that a browser never mixes two versions."""
    mark = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(STATIC.iterdir())))
    return f"/web/{mark.hexdigest()[:12]}"


@lru_cache(maxsize=1)
def _head() -> str:
    folder = static_folder().removeprefix("/")
    return (
        f'<title>{NAME}</title><meta name="description" content="{text(DESCRIPTION)}">'
        f'<meta property="og:title" content="{NAME}"><meta property="og:description" content="{text(DESCRIPTION)}">'
        '<meta name="color-scheme" content="light dark">'
        f'<link rel="icon" type="image/svg+xml" href="{folder}/favicon.svg"><link rel="stylesheet" href="{folder}/style.css">'
        f'<script src="{folder}/theme.js"></script><script type="module" src="{folder}/page.js"></script>'
        f"<noscript><p>{NAME} needs JavaScript; `seo-advisor ask` answers in a terminal without it.</p></noscript>"
    )
