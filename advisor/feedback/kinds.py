"""What can be said of an answer, and what can be expected of one."""

from __future__ import annotations

from typing import Final, Literal, get_args

Rating = Literal["helpful", "not-helpful"]
# Empty with "helpful".
Reason = Literal["", "wrong", "not my question", "not enough", "too long", "outdated", "other"]
# What an eval case may expect: an answer, a refusal for one of the three reasons, or a greeting returned.
Expect = Literal["answered", "off_topic", "not_in_sources", "unclear", "smalltalk"]

REASONS: Final[tuple[str, ...]] = tuple(reason for reason in get_args(Reason) if reason)
TEXT_MAX: Final = 1_000
