from __future__ import annotations

import contextlib
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from advisor.errors import StorageError
from advisor.index.generation import text_hash
from advisor.settings import Settings
from advisor.store import SCHEMA_VERSION, Store
from tests.builder import batch, store_until_killed

ENCODER = "words@1"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


def _rows(count: int, seed: int = 7) -> dict[str, NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    return {text_hash(f"text {n}"): rng.standard_normal(64).astype(np.float32) for n in range(count)}


def _file(settings: Settings) -> Path:
    return settings.data_dir / "advisor.sqlite3"


def _stored(settings: Settings, count: int) -> dict[str, NDArray[np.float32]]:
    """Fill the database and close it."""
    rows = _rows(count)
    with contextlib.closing(Store.open(settings)) as store:
        store.add_vectors(rows, ENCODER)
    return rows


def test_vectors_come_back_as_they_were_stored_and_only_those_that_are_there(settings: Settings) -> None:
    rows = _stored(settings, 1_200)
    with contextlib.closing(Store.open(settings)) as store:
        found = store.vectors([*rows, text_hash("never stored")], ENCODER)
    assert found.keys() == rows.keys()
    assert all(np.array_equal(found[key], rows[key]) for key in rows)


def test_vectors_of_one_encoder_are_never_given_for_another(settings: Settings) -> None:
    rows = _stored(settings, 3)
    with contextlib.closing(Store.open(settings)) as store:
        assert store.vectors(list(rows), "another@1") == {}


def test_a_vector_stored_again_replaces_the_first(settings: Settings) -> None:
    rows = _stored(settings, 3)
    newer = {key: -row for key, row in rows.items()}
    with contextlib.closing(Store.open(settings)) as store:
        store.add_vectors(newer, ENCODER)
        found = store.vectors(list(rows), ENCODER)
    assert all(np.array_equal(found[key], newer[key]) for key in rows)


def test_a_data_folder_may_have_any_name(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "50% of what?#x")
    _stored(settings, 1)
    assert _file(settings).is_file()


def test_jobs_are_listed_newest_first_and_one_that_never_ended_counts_as_interrupted(settings: Settings) -> None:
    with contextlib.closing(Store.open(settings)) as store:
        store.start_job()
        second = store.start_job()
        store.end_job(second, "done", texts=5, encoded=2)
        assert [(job.state, job.texts, job.encoded) for job in store.jobs()] == [("done", 5, 2), ("interrupted", 0, 0)]


def test_a_database_of_a_newer_version_is_refused_and_left_alone(settings: Settings) -> None:
    _stored(settings, 3)
    with contextlib.closing(sqlite3.connect(_file(settings))) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    before = _file(settings).read_bytes()
    with pytest.raises(StorageError) as caught:
        Store.open(settings)
    assert caught.value.line == (
        f"the database '{_file(settings)}' was made by a newer version (schema {SCHEMA_VERSION + 1}, this one knows {SCHEMA_VERSION})."
        " Install that version again or choose another folder with ADVISOR_DATA_DIR."
    )
    assert _file(settings).read_bytes() == before


def _zeroed(content: bytes) -> bytes:
    return bytes(len(content))


def _garbage(content: bytes) -> bytes:
    return random.Random(3).randbytes(len(content))


def _halved(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _without_header(content: bytes) -> bytes:
    return bytes(100) + content[100:]


@pytest.mark.parametrize("damage", [_zeroed, _garbage, _halved, _without_header])
def test_a_damaged_database_is_refused_in_one_sentence_that_names_the_file_and_the_way_out(
    settings: Settings, damage: Callable[[bytes], bytes]
) -> None:
    rows = _stored(settings, 500)
    _file(settings).write_bytes(damage(_file(settings).read_bytes()))
    with pytest.raises(StorageError) as caught:
        Store.open(settings)
    assert f"the database '{_file(settings)}' is damaged" in caught.value.line
    assert "Move that file away and run `seo-advisor index`" in caught.value.line
    assert "\n" not in caught.value.line
    # The way out that the sentence names is one.
    _file(settings).rename(_file(settings).with_suffix(".damaged"))
    with contextlib.closing(Store.open(settings)) as store:
        assert store.vectors(list(rows), ENCODER) == {}


@pytest.mark.parametrize("seed", range(10))
def test_flipped_bytes_never_bring_a_wrong_vector(settings: Settings, seed: int) -> None:
    rows = _stored(settings, 500)
    content = bytearray(_file(settings).read_bytes())
    rng = random.Random(seed)
    for _ in range(200):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    _file(settings).write_bytes(content)
    found: dict[str, NDArray[np.float32]] = {}
    line = f"the database '{_file(settings)}' was read"
    try:
        with contextlib.closing(Store.open(settings)) as store:
            found = store.vectors(list(rows), ENCODER)
    except StorageError as refused:
        line = refused.line
    assert line.startswith(f"the database '{_file(settings)}' ")
    assert line.isprintable()
    assert all(np.array_equal(row, rows[key]) for key, row in found.items())


def test_flipped_bits_in_values_alone_cost_only_those_vectors(settings: Settings) -> None:
    rows = _stored(settings, 20)
    flipped = sorted(rows)[:5]
    with contextlib.closing(sqlite3.connect(_file(settings))) as connection, connection:
        for key in flipped:
            (stored,) = connection.execute("SELECT [values] FROM vectors WHERE text_hash = ?", (key,)).fetchone()
            # The sign of the third value: the row keeps its length and its norm.
            connection.execute(
                "UPDATE vectors SET [values] = ? WHERE text_hash = ?", (stored[:11] + bytes([stored[11] ^ 0x80]) + stored[12:], key)
            )
    with contextlib.closing(Store.open(settings)) as store:
        assert sorted(store.vectors(list(rows), ENCODER)) == sorted(rows)[5:]


def test_a_log_that_a_killed_process_left_is_not_played_into_a_new_database(settings: Settings, tmp_path: Path) -> None:
    log = _file(settings).with_name("advisor.sqlite3-wal")
    with contextlib.closing(Store.open(settings)) as store:
        rows = _rows(100)
        store.add_vectors(rows, ENCODER)
        left = log.read_bytes()
    assert left
    _file(settings).unlink()
    log.write_bytes(left)
    with contextlib.closing(Store.open(settings)) as store:
        assert store.vectors(list(rows), ENCODER) == {}
        store.add_vectors(rows, ENCODER)
        assert len(store.vectors(list(rows), ENCODER)) == 100


def test_a_file_in_place_of_the_data_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(StorageError) as caught:
        Store.open(Settings(data_dir=tmp_path / "data"))
    assert caught.value.line.startswith(f"could not create the data folder in '{tmp_path / 'data'}': File exists. ")


@pytest.mark.parametrize("address", ["not an address", "nosuchdatabase://localhost/x", "postgresql+nosuchdriver://me:secret@localhost/x"])
def test_a_database_address_that_cannot_be_used_is_explained_without_its_password(tmp_path: Path, address: str) -> None:
    with pytest.raises(StorageError) as caught:
        Store.open(Settings(data_dir=tmp_path, database_url=address))
    assert "Set ADVISOR_DATABASE_URL to" in caught.value.line
    assert "secret" not in caught.value.line
    assert "\n" not in caught.value.line


@pytest.mark.parametrize("seed", range(4))
def test_a_kill_while_writing_loses_no_acknowledged_vector(settings: Settings, seed: int) -> None:
    pause_s = random.Random(seed).uniform(0, 0.03)
    acknowledged = store_until_killed(settings, ENCODER, after=3 + seed, pause_s=pause_s)
    wanted = {key: row for number in range(1, acknowledged + 1) for key, row in batch(number).items()}
    with contextlib.closing(sqlite3.connect(_file(settings))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with contextlib.closing(Store.open(settings)) as store:
        found = store.vectors(list(wanted), ENCODER)
    assert len(found) == len(wanted) >= 100 * (3 + seed)
    assert all(np.array_equal(found[key], wanted[key]) for key in wanted)
