"""Everything that can go wrong and that a user can do something about.

    AdvisorError
    ├── CorpusError            a card is wrong: file, line and what to change
    ├── ModelError             the encoder's files are missing or are not the expected ones
    ├── IndexUnavailableError  there is no usable index generation
    ├── IndexBusyError         another process is building the index
    ├── StorageError           the data folder or the database cannot be read or written
    ├── NotFoundError          there is no source or passage of that name
    ├── InputError             a value or a file that the user named cannot be used
    └── ServerError            the page cannot be served (a taken port, for instance)

Front ends show `str(error)` and `error.hint` as one line, never a traceback. An empty search result is not an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class AdvisorError(Exception):
    """Root of all errors that a user sees.

    Attributes:
        hint: What the user can do about it, as one sentence.
        retryable: Whether the same call may succeed a moment later without any change.
    """

    hint: str = ""
    retryable: bool = False

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        if hint is not None:
            self.hint = hint

    @property
    def line(self) -> str:
        """What happened and what to do, on one line."""
        return f"{str(self).rstrip('.')}. {self.hint}".strip()


class CorpusError(AdvisorError):
    """One or more cards are wrong. `problems` holds a line for each: "file:line: what"."""

    hint = "Correct the lines named and run the command again."

    def __init__(self, problems: Sequence[str]) -> None:
        shown = "\n  ".join(problems[:20])
        more = f"\n  and {len(problems) - 20} more" if len(problems) > 20 else ""
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__(f"the corpus has {count}:\n  {shown}{more}\n")
        self.problems = tuple(problems)

    @property
    def line(self) -> str:
        return f"{self}{self.hint}"


class ModelError(AdvisorError):
    """The encoder's model folder is missing, incomplete or not the one that was asked for."""

    hint = "Reinstall the pinned packages (`make install`), or point ADVISOR_ENCODER at a model folder of your own."


class IndexUnavailableError(AdvisorError):
    """No generation of the index can be opened."""

    hint = "Run `seo-advisor index`."


class IndexBusyError(AdvisorError):
    """Another process holds the build lock."""

    hint = "Wait until it has finished, or stop it; the index in use stays as it is."
    retryable = True

    def __init__(self, holder: str) -> None:
        super().__init__(f"the index is being built by {holder}")


class StorageError(AdvisorError):
    """The data folder or the database cannot be used."""

    hint = "Free some space or choose another folder with ADVISOR_DATA_DIR; nothing that was stored is lost."

    @classmethod
    def from_os(cls, exc: OSError, path: Path, *, doing: str) -> StorageError:
        """Say in one sentence which folder could not be used for what, and why."""
        reason = exc.strerror or str(exc)
        return cls(f"could not {doing} in {str(path)!r}: {reason}")


class InputError(AdvisorError):
    """A value or a file that the user named cannot be used."""


class NotFoundError(AdvisorError):
    """A name that the user gave does not exist."""

    hint = "List what there is with `seo-advisor sources`."


class ServerError(AdvisorError):
    """The web page cannot be served."""
