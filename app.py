"""Starts the page: python app.py. A Hugging Face Space runs this file too."""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Serve until stopped; an error is one line and exit code 1."""
    # A Space is reached through its own proxy, which cannot see the loopback address.
    if "SPACE_ID" in os.environ:
        os.environ.setdefault("ADVISOR_HOST", "0.0.0.0")
    from pydantic import ValidationError

    from advisor.errors import AdvisorError
    from advisor.settings import Settings
    from advisor.web.serve import serve

    try:
        serve(Settings())
    except ValidationError as exc:
        first = exc.errors()[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        print(f"seo-advisor: ADVISOR_{name} is not valid: {first['msg']}.", file=sys.stderr)  # noqa: T201
        return 1
    except AdvisorError as exc:
        print(f"seo-advisor: {exc.line}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
