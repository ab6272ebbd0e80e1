"""What a visitor says of an answer, checked on the way in, and as it is kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final, Self, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from advisor.errors import InputError
from advisor.feedback.kinds import TEXT_MAX, Rating, Reason
from advisor.models import Answer
from advisor.settings import Settings
from advisor.store import FeedbackRow, Store
from advisor.text import clean

# Names the random bytes that visitors are hashed with; those of one database are never another's.
SALT: Final = "visitor"


class Said(BaseModel):
    """What the page sends: which answer, and what the visitor says of it. `reason` is empty with "helpful"."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    conversation: str
    answer: str
    rating: Rating
    reason: Reason = ""
    text: str = ""

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read a request's JSON.

        Raises:
            InputError: It is not of this shape, the text is too long, or the reason and the rating do not fit together.
        """
        try:
            said = cls.model_validate_json(body)
        except ValidationError as exc:
            raise InputError("That rating could not be read", hint="Reload the page and rate the answer again.") from exc
        if len(said.text) > TEXT_MAX:
            raise InputError(
                f"Your text has {len(said.text):,} characters, and {TEXT_MAX:,} is the most that is kept", hint="Shorten it and send again."
            )
        if said.rating == "not-helpful" and not said.reason:
            raise InputError("A reason is missing", hint="Choose the one that fits best.")
        if said.rating == "helpful" and (said.reason or said.text):
            raise InputError("Only an answer that was not helpful is given a reason", hint="Send the rating alone.")
        return said


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """One row: what a visitor last said of an answer, and the answer.

    Attributes:
        time: When it was last changed, ISO, in UTC.
        visitor: A salted hash, the same for all that one visitor says.
        history: The questions asked before in the same conversation, oldest first.
        answer: The whole answer as JSON, in the shape that it had then.
        fingerprint: Of the corpus, the encoder, the engine and the settings that gave the answer.
    """

    id: int
    time: str
    visitor: str
    rating: Rating
    reason: str
    text: str
    question: str
    history: tuple[str, ...]
    answer: str
    fingerprint: str

    @classmethod
    def of_row(cls, row: FeedbackRow) -> Self:
        return cls(
            id=row.id,
            time=row.time,
            visitor=row.visitor,
            rating=cast("Rating", row.rating),
            reason=row.reason,
            text=row.text,
            question=row.question,
            history=tuple(json.loads(row.history)),
            answer=row.answer,
            fingerprint=row.fingerprint,
        )

    @property
    def parsed(self) -> Answer | None:
        """The answer, or None if it was stored in a shape that this version does not know."""
        try:
            return Answer.model_validate_json(self.answer)
        except ValidationError:
            return None


def keep(settings: Settings, said: Said, answer: Answer, *, visitor: str, history: Sequence[str] = ()) -> int:
    """Store what a visitor says of an answer, in place of what they said of it before. Returns the row's id.

    The database is opened for each: ratings are rare, and one that is held open would keep a damaged or moved file in use.

    Raises:
        StorageError: The database cannot be used.
    """
    with closing(Store.open(settings)) as store:
        row = FeedbackRow(
            answer_id=answer.id,
            visitor=_hashed(visitor, store.salt(SALT)),
            rating=said.rating,
            reason=said.reason,
            text="\n".join(clean(line) for line in said.text.strip().splitlines()),
            question=answer.question,
            history=json.dumps(list(history)),
            answer=answer.model_dump_json(),
            fingerprint=answer.fingerprint,
        )
        return store.put_feedback(row)


def said_so_far(settings: Settings, *, rating: str = "", since: str = "", limit: int | None = None) -> tuple[Feedback, ...]:
    """What visitors said, newest first; the arguments are those of `Store.feedback`.

    Raises:
        StorageError: The database cannot be used.
    """
    with closing(Store.open(settings)) as store:
        return tuple(Feedback.of_row(row) for row in store.feedback(rating=rating, since=since, limit=limit))


def one(settings: Settings, ident: int) -> Feedback:
    """The row of that id.

    Raises:
        InputError: There is none.
        StorageError: The database cannot be used.
    """
    with closing(Store.open(settings)) as store:
        row = store.feedback_of(ident)
    if row is None:
        raise InputError(f"there is no feedback {ident}", hint="See which there is with `seo-advisor feedback list`.")
    return Feedback.of_row(row)


def _hashed(visitor: str, salt: bytes) -> str:
    """128 bits of BLAKE2b over the visitor's key, itself 128 random bits: nobody finds the key again, nor the same visitor elsewhere."""
    return hashlib.blake2b(visitor.encode(), key=salt, digest_size=16).hexdigest()
