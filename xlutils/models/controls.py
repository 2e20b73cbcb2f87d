"""Two encoders that know no meaning: the floor under every score."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np


class NgramHashBackend:
    """Counts of one to three characters, hashed: sees spelling and nothing else."""

    dim = 512
    revision = "characters 1-3, 512 buckets"

    def __init__(self) -> None:
        from sklearn.feature_extraction.text import HashingVectorizer

        self.vectorizer = HashingVectorizer(
            analyzer="char_wb", ngram_range=(1, 3), n_features=self.dim, alternate_sign=False
        )

    def embed(self, texts: Sequence[str], prompt: str, task: str | None) -> Iterator[tuple[list[int], np.ndarray]]:
        """Yield one array [n, 512]."""
        if texts:
            yield list(range(len(texts))), self.vectorizer.transform(texts).toarray()


class RandomBackend:
    """A random direction for each text, always the same one for the same text."""

    dim = 384
    revision = "normal, seeded by the text"

    def embed(self, texts: Sequence[str], prompt: str, task: str | None) -> Iterator[tuple[list[int], np.ndarray]]:
        """Yield one vector [1, 384] at a time."""
        for position, text in enumerate(texts):
            seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest())
            yield [position], np.random.default_rng(seed).standard_normal((1, self.dim))
