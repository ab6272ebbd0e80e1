"""The child process of a build: `python -m advisor.index.verify FOLDER RUNS` exits 0 if every entry of a generation is found."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from advisor.errors import AdvisorError
from advisor.index.generation import lost_entries

# A wrecked store has been seen to write terabytes when it is opened; no sound one comes near this.
LARGEST_FILE_BYTES = 2 * 1024**3


def main(folder: str, runs: str) -> int:
    """Print what is wrong and return 1, or return 0."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE_BYTES, LARGEST_FILE_BYTES))
    try:
        lost = lost_entries(Path(folder), Path(runs))
    except AdvisorError as exc:
        sys.stdout.write(exc.line)
        return 1
    if lost:
        sys.stdout.write(f"{len(lost)} entries are not found by their own vector, for instance {lost[0]!r}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
