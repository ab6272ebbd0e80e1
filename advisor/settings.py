"""Settings, read once from ADVISOR_* environment variables."""

from __future__ import annotations

import hashlib
from pathlib import Path

import platformdirs
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

HERE = Path(__file__).resolve().parent


def _corpus_dir() -> Path:
    """The corpus beside the package in a checkout, or the one packed into an installed wheel."""
    checkout = HERE.parent / "corpus"
    return checkout if (checkout / "sources").is_dir() else HERE / "corpus"


class Settings(BaseSettings):
    """All that can be set. Each field is the environment variable ADVISOR_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="ADVISOR_", frozen=True, extra="ignore")

    data_dir: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("seo-advisor", appauthor=False),
        description="Folder for the index and the database. Nothing is written elsewhere; deleting it resets the product.",
    )
    corpus_dir: Path = Field(default_factory=_corpus_dir, description="Folder with sources/, guidance/ and disputes.yaml.")
    database_url: str = Field(default="", description="SQLAlchemy address of the database; empty means a SQLite file in the data folder.")
    encoder: str = Field(
        default="all-MiniLM-L6-v2",
        description="The built-in encoder, or the path of a folder with another sentence-transformers model.",
    )
    host: str = Field(default="127.0.0.1", description="Address that the page listens on.")
    port: int = Field(default=7860, ge=1, le=65535, description="Port that the page listens on.")
    max_question_chars: int = Field(default=2_000, ge=100, description="Longest question that is answered.")

    @property
    def index_dir(self) -> Path:
        return self.data_dir / "index"

    @property
    def database(self) -> str:
        """The SQLAlchemy address in use."""
        return self.database_url or f"sqlite:///{self.data_dir / 'advisor.sqlite3'}"

    def fingerprint(self, corpus_fingerprint: str, encoder_id: str, engine: str) -> str:
        """A hash of all that can change an answer: corpus, encoder, engine and settings."""
        from advisor import __version__

        parts = (__version__, corpus_fingerprint, encoder_id, engine, str(self.max_question_chars))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
