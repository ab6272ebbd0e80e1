"""SEO Advisor: checked, cited answers about balancing links and user signals.

    from advisor import Advisor

    answer = Advisor.open().ask("Should I keep buying guest posts or fix my click-through rate?")
    print(answer.markdown)

The heavy libraries are imported when they are first used, so that importing this package stays cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor import environment

environment.prepare()

if TYPE_CHECKING:
    from advisor.engine import Advisor
    from advisor.errors import AdvisorError
    from advisor.models import Answer

__all__ = ["Advisor", "AdvisorError", "Answer"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name == "Advisor":
        from advisor.engine import Advisor

        return Advisor
    if name == "Answer":
        from advisor.models import Answer

        return Answer
    if name == "AdvisorError":
        from advisor.errors import AdvisorError

        return AdvisorError
    raise AttributeError(f"module 'advisor' has no attribute {name!r}")
