"""What every test gets: no settings from outside, a data folder of its own, no network beyond this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_socket import socket_allow_hosts

from advisor.engine import Advisor
from advisor.index.build import build_index, ensure_index
from advisor.index.encoder import SentenceEncoder
from advisor.settings import Settings
from tests.corpora import TINY
from tests.fakes import WordEncoder


def pytest_runtest_setup() -> None:
    socket_allow_hosts(["127.0.0.1", "::1"], allow_unix_socket=True)


@pytest.fixture(scope="session", autouse=True)
def _isolated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No ADVISOR_* from outside; whatever is not given a data folder writes into a temporary one."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.upper().startswith("ADVISOR_")]:
            patch.delenv(name)
        patch.setenv("ADVISOR_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture
def encoder() -> WordEncoder:
    return WordEncoder()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An empty data folder, and a copy of the tiny corpus that the test may change."""
    corpus = tmp_path / "corpus"
    shutil.copytree(TINY, corpus)
    return Settings(data_dir=tmp_path / "data", corpus_dir=corpus)


@pytest.fixture(scope="session")
def built_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the index of the tiny corpus. Shared: copy it, never change it."""
    data = tmp_path_factory.mktemp("built") / "data"
    build_index(Settings(data_dir=data, corpus_dir=TINY), WordEncoder())
    return data


@pytest.fixture
def indexed(settings: Settings, built_data: Path) -> Settings:
    """As `settings`, with the index built."""
    shutil.copytree(built_data, settings.data_dir)
    return settings


@pytest.fixture(scope="session")
def advisor(tmp_path_factory: pytest.TempPathFactory, built_data: Path) -> Iterator[Advisor]:
    """An advisor over the tiny corpus, with the word encoder. Shared: tests that change files make their own from `indexed`."""
    data = tmp_path_factory.mktemp("advisor") / "data"
    shutil.copytree(built_data, data)
    shared = Settings(data_dir=data, corpus_dir=TINY)
    encoder = WordEncoder()
    advisor = Advisor(shared, encoder, ensure_index(shared, encoder))
    yield advisor
    advisor.close()


@pytest.fixture(scope="session")
def real_data(request: pytest.FixtureRequest) -> Path:
    """A data folder with the index of the shipped corpus, made once for all tests that need the real encoder.

    Kept between runs: encoding the corpus takes the better part of a minute, and a later run encodes only what has changed.
    """
    data = request.config.cache.mkdir("real-data")
    settings = Settings(data_dir=data)
    build_index(settings, SentenceEncoder.from_setting(settings.encoder))
    return data


@pytest.fixture(scope="session")
def real_advisor(real_data: Path) -> Iterator[Advisor]:
    """The advisor as users meet it."""
    advisor = Advisor.open(Settings(data_dir=real_data))
    yield advisor
    advisor.close()
