"""The database: vectors by text hash and encoder, the jobs that made them, and what visitors said of answers. SQLite by default.

Vectors are the expensive part of an index, so they outlive every generation of it: only texts without a vector are encoded.
Feedback cannot be made again from anything.
"""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import URL, Engine, Integer, LargeBinary, Select, String, Text, UniqueConstraint, create_engine, delete, event, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, IntegrityError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from advisor.errors import StorageError
from advisor.settings import Settings

# 1: vectors and jobs. 2: feedback and salts.
SCHEMA_VERSION = 2
BATCH = 500
SALT_BYTES = 16
JobState = Literal["running", "done", "failed", "interrupted"]
Vectors = NDArray[np.float32]


class Base(DeclarativeBase):
    pass


class VectorRow(Base):
    """One text's vector, packed with its checksum."""

    __tablename__ = "vectors"
    text_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    encoder: Mapped[str] = mapped_column(String(80), primary_key=True)
    values: Mapped[bytes] = mapped_column(LargeBinary)


class JobRow(Base):
    """One run of the index build and what it did."""

    __tablename__ = "jobs"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    state: Mapped[str] = mapped_column(String(12))
    started: Mapped[str] = mapped_column(String(32))
    finished: Mapped[str] = mapped_column(String(32), default="")
    texts: Mapped[int] = mapped_column(default=0)
    encoded: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(default="")


class FeedbackRow(Base):
    """What one visitor last said of one answer. `visitor` is a salted hash, `history` a JSON list, `answer` the whole answer as JSON."""

    __tablename__ = "feedback"
    __table_args__ = (UniqueConstraint("answer_id", "visitor"),)
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    time: Mapped[str] = mapped_column(String(32), index=True)
    answer_id: Mapped[str] = mapped_column(String(40))
    visitor: Mapped[str] = mapped_column(String(64))
    rating: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(Text)
    question: Mapped[str] = mapped_column(Text)
    history: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text)
    fingerprint: Mapped[str] = mapped_column(String(64))


class SaltRow(Base):
    """Random bytes that were drawn once for this database."""

    __tablename__ = "salts"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[bytes] = mapped_column(LargeBinary)


class Store:
    """The open database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, settings: Settings) -> Store:
        """Open the database and create its tables if there are none.

        Raises:
            StorageError: It cannot be created, is damaged, or belongs to a newer version of the product.
        """
        address = _address(settings)
        with _translated(address):
            if address.get_backend_name() == "sqlite":
                try:
                    settings.data_dir.mkdir(parents=True, exist_ok=True)
                except OSError as exc:
                    raise StorageError.from_os(exc, settings.data_dir, doing="create the data folder") from exc
            engine = create_engine(address)
            if engine.dialect.name == "sqlite":
                event.listen(engine, "connect", _sqlite_pragmas)
            try:
                _migrate(engine)
            except BaseException:
                engine.dispose()
                raise
        return cls(engine)

    def close(self) -> None:
        self._engine.dispose()

    def vectors(self, hashes: Sequence[str], encoder: str) -> dict[str, Vectors]:
        """The stored vectors, (dim,) each, of those hashes that have a sound one."""
        found: dict[str, Vectors] = {}
        with _translated(self._engine.url), Session(self._engine) as session:
            for part in _batches(hashes):
                rows = session.execute(
                    select(VectorRow.text_hash, VectorRow.values).where(VectorRow.encoder == encoder, VectorRow.text_hash.in_(part))
                )
                found.update((key, vector) for key, values in rows if (vector := _unpacked(values, key)) is not None)
        return found

    def add_vectors(self, vectors: Mapping[str, Vectors], encoder: str) -> None:
        """Store vectors by text hash in one transaction, in place of those that are there."""
        rows = [VectorRow(text_hash=k, encoder=encoder, values=_packed(v, k)) for k, v in vectors.items()]
        with _translated(self._engine.url), Session(self._engine) as session, session.begin():
            for part in _batches(list(vectors)):
                session.execute(delete(VectorRow).where(VectorRow.encoder == encoder, VectorRow.text_hash.in_(part)))
            session.add_all(rows)

    def start_job(self) -> int:
        """Note that a build has begun; earlier ones that never ended are marked as interrupted. Returns the job's id."""
        with _translated(self._engine.url), Session(self._engine) as session, session.begin():
            for row in session.scalars(select(JobRow).where(JobRow.state == "running")):
                row.state, row.finished = "interrupted", _now()
            job = JobRow(state="running", started=_now())
            session.add(job)
            session.flush()
            return job.id

    def end_job(self, job: int, state: JobState, *, texts: int = 0, encoded: int = 0, error: str = "") -> None:
        """Note how a build ended."""
        with _translated(self._engine.url), Session(self._engine) as session, session.begin():
            row = session.get(JobRow, job) or JobRow(id=job, started=_now())
            session.add(row)
            row.state, row.finished, row.texts, row.encoded, row.error = state, _now(), texts, encoded, error

    def jobs(self) -> tuple[JobRow, ...]:
        """All builds, newest first."""
        with _translated(self._engine.url), Session(self._engine) as session:
            rows = tuple(session.scalars(select(JobRow).order_by(JobRow.id.desc())))
            session.expunge_all()
            return rows

    def put_feedback(self, row: FeedbackRow) -> int:
        """Store what a visitor said of an answer, in place of what they said before, with the time of now. Returns the row's id."""
        row.time = _now()
        with _translated(self._engine.url):
            try:
                return self._merged(row)
            except IntegrityError:
                # The same visitor has rated the same answer at the same moment; that row is there now and is replaced.
                return self._merged(row)

    def _merged(self, row: FeedbackRow) -> int:
        same = (FeedbackRow.answer_id == row.answer_id, FeedbackRow.visitor == row.visitor)
        with Session(self._engine) as session, session.begin():
            found = session.scalar(select(FeedbackRow.id).where(*same))
            if found is not None:
                row.id = found
            merged = session.merge(row)
            session.flush()
            return merged.id

    def feedback(self, *, rating: str = "", since: str = "", limit: int | None = None) -> tuple[FeedbackRow, ...]:
        """What was said of answers, newest first.

        Args:
            rating: Only this one, if given.
            since: Only what was said from this ISO date or time on, in UTC, if given.
            limit: Most rows to give; all if None.
        """
        wanted = select(FeedbackRow).order_by(FeedbackRow.time.desc(), FeedbackRow.id.desc()).limit(limit)
        if rating:
            wanted = wanted.where(FeedbackRow.rating == rating)
        if since:
            wanted = wanted.where(FeedbackRow.time >= since)
        return self._feedback(wanted)

    def feedback_of(self, ident: int) -> FeedbackRow | None:
        """The row of that id, or None."""
        return next(iter(self._feedback(select(FeedbackRow).where(FeedbackRow.id == ident))), None)

    def _feedback(self, wanted: Select[FeedbackRow]) -> tuple[FeedbackRow, ...]:
        with _translated(self._engine.url), Session(self._engine) as session:
            rows = tuple(session.scalars(wanted))
            session.expunge_all()
            return rows

    def salt(self, name: str) -> bytes:
        """The random bytes of that name, always the same in this database; drawn when first asked for."""
        with _translated(self._engine.url):
            try:
                return self._salt(name)
            except IntegrityError:
                # Another process has drawn them at the same moment.
                return self._salt(name)

    def _salt(self, name: str) -> bytes:
        with Session(self._engine) as session, session.begin():
            row = session.get(SaltRow, name)
            if row is None:
                row = SaltRow(name=name, value=secrets.token_bytes(SALT_BYTES))
                session.add(row)
                session.flush()
            return row.value


def _address(settings: Settings) -> URL:
    if not settings.database_url:
        # Not by way of text, in which a "?" or a "%" in the folder's name would be read as part of an address.
        return URL.create("sqlite", database=str(settings.data_dir / "advisor.sqlite3"))
    try:
        return make_url(settings.database_url)
    except ArgumentError as exc:
        # The value may hold a password, so it is not shown.
        raise StorageError("ADVISOR_DATABASE_URL is not a database address", hint=_ADDRESS) from exc


def _packed(vector: Vectors, key: str) -> bytes:
    """float32 values, little-endian, then a CRC-32 of them and their key: SQLite does not notice a flipped bit in either."""
    values = vector.astype("<f4").tobytes()
    return values + _check(values, key)


def _unpacked(stored: bytes, key: str) -> Vectors | None:
    """The vector, or None if a damaged page has made it something else, or that of another text."""
    values = stored[:-4]
    return np.frombuffer(values, dtype="<f4") if stored[-4:] == _check(values, key) else None


def _check(values: bytes, key: str) -> bytes:
    return zlib.crc32(key.encode(), zlib.crc32(values)).to_bytes(4, "little")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _batches(hashes: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(hashes), BATCH):
        yield hashes[start : start + BATCH]


def _sqlite_pragmas(connection: object, _record: object) -> None:
    """Write-ahead log, full durability: measured to lose no acknowledged row on kill or full disk."""
    cursor = connection.cursor()  # type: ignore[attr-defined]
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _migrate(engine: Engine) -> None:
    """Create the tables of an empty database; refuse a damaged one and one of a newer version."""
    if engine.dialect.name != "sqlite":
        Base.metadata.create_all(engine)
        return
    with engine.begin() as connection:
        report = _column(connection.execute(text("PRAGMA quick_check(1)")))
        if report != ["ok"]:
            raise StorageError(f"the database {engine.url.database!r} is damaged", hint=_MEND)
        version = int(str(connection.execute(text("PRAGMA user_version")).scalar_one()))
        if version > SCHEMA_VERSION:
            raise StorageError(
                f"the database {engine.url.database!r} was made by a newer version (schema {version}, this one knows {SCHEMA_VERSION})",
                hint="Install that version again or choose another folder with ADVISOR_DATA_DIR.",
            )
        if version != SCHEMA_VERSION:
            # Of two processes that find an older database at once, the second waits here and then finds its tables made.
            connection.execute(text("BEGIN IMMEDIATE"))
        Base.metadata.create_all(connection)
        if version != SCHEMA_VERSION:
            connection.execute(text(f"PRAGMA user_version = {SCHEMA_VERSION}"))


def _column(rows: Iterable[Sequence[object]]) -> list[str]:
    return [str(row[0]) for row in rows]


_MEND = (
    "Move that file away and run `seo-advisor index`: its vectors are made again from the corpus; "
    "feedback that it held comes back only from a backup of it."
)
_ADDRESS = "Set ADVISOR_DATABASE_URL to an SQLAlchemy address whose driver is installed, or leave it empty for a SQLite file."


# https://www.sqlite.org/rescode.html: no permission, busy, locked, out of memory, read-only, I/O, full, cannot open.
_CIRCUMSTANCE = frozenset({3, 5, 6, 7, 8, 10, 13, 14})


@contextmanager
def _translated(address: URL) -> Iterator[None]:
    """Turn the database's own errors into one sentence: either it cannot be used as things are, or it is damaged."""
    is_file = address.get_backend_name() == "sqlite"
    shown = address.database if is_file else address.render_as_string(hide_password=True)
    try:
        yield
    except (DatabaseError, UnicodeDecodeError) as exc:
        # Python's driver cannot even read SQLite's message when that quotes a damaged schema.
        reason = "its text is unreadable" if isinstance(exc, UnicodeDecodeError) else _first_line(exc.orig)
        if is_file and not _is_circumstance(exc):
            raise StorageError(f"the database {shown!r} is damaged: {reason}", hint=_MEND) from exc
        raise StorageError(f"the database {shown!r} cannot be used: {reason}") from exc
    except (ArgumentError, ImportError) as exc:
        raise StorageError(f"the database {shown!r} cannot be used: {_first_line(exc)}", hint=_ADDRESS) from exc


def _is_circumstance(exc: DatabaseError | UnicodeDecodeError) -> bool:
    code = getattr(exc.orig, "sqlite_errorcode", 0) if isinstance(exc, OperationalError) else 0
    return code & 0xFF in _CIRCUMSTANCE


def _first_line(exc: BaseException | None) -> str:
    """Without what a damaged file could bring into a terminal."""
    lines = str(exc).splitlines()
    return "".join(ch for ch in lines[0] if ch.isprintable()) if lines else type(exc).__name__
