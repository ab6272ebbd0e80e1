"""The child process of a build: `python -m advisor.index.verify FOLDER RUNS` says whether every entry of a generation is found.

It prints what is wrong. Exit codes: 0 sound, 1 not sound, 2 it could not look because of the disk.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from advisor.errors import AdvisorError, StorageError
from advisor.index.generation import lost_entries

SOUND, UNSOUND, DISK = 0, 1, 2
# A wrecked store has been seen to write terabytes when it is opened; no sound one comes near this.
LARGEST_FILE_BYTES = 2 * 1024**3


def main(folder: str, runs: str) -> int:
    """Print what is wrong and return the exit code."""
    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    largest = LARGEST_FILE_BYTES if limit == resource.RLIM_INFINITY else min(limit, LARGEST_FILE_BYTES)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
    try:
        lost = lost_entries(Path(folder), Path(runs))
    except StorageError as exc:
        sys.stdout.write(str(exc))
        return DISK
    except AdvisorError as exc:
        sys.stdout.write(str(exc))
        return UNSOUND
    if lost:
        sys.stdout.write(f"{len(lost)} entries are not found by their own vector, for instance {lost[0]!r}")
        return UNSOUND
    return SOUND


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
