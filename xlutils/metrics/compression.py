"""Smaller vectors: fewer bits for each number, fewer numbers, and what a search with them scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from xlutils.metrics.geometry import unit_rows

RESCORED = 4  # times as many documents are scored again as are wanted
_BITS = {"": 0, "float32": 32, "float16": 16, "int8": 8, "codes": 8, "binary": 1}
Floats = NDArray[np.float32]
Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Way:
    """A way of making vectors smaller. Whatever it needs to know comes from calibration vectors.

    :param store: What a number of a document becomes. Queries stay float32, except that "codes" multiplies the whole
        numbers of int8 on both sides without decoding them, and "binary" compares signs on both sides (Hamming).
    :param centred: Whose mean is subtracted first.
    :param dims: Dimensions that are kept; 0 for all of them.
    :param by_pca: Whether these are the strongest directions around the mean, or the first dimensions as they come.
    :param ranges: Whose ranges int8 divides into 255 steps, for each dimension.
    :param again: With what the best documents are scored again; "" if they are not.
    """

    store: Literal["float32", "float16", "int8", "codes", "binary"] = "float32"
    centred: Literal["nobody", "all", "language"] = "nobody"
    dims: int = 0
    by_pca: bool = True
    ranges: Literal["all", "language"] = "all"
    again: Literal["", "float32", "int8"] = ""

    def bytes(self, dim: int) -> float:
        """Return the size of a document whose vector has so many dimensions."""
        return ((self.dims or dim) * _BITS[self.store] + dim * _BITS[self.again]) / 8


WAYS = {
    "": Way(),
    "float16": Way("float16"),
    "int8": Way("int8"),
    "int8 by language": Way("int8", ranges="language"),
    "int8 codes": Way("codes"),
    "int8 codes by language": Way("codes", ranges="language"),
    "binary": Way("binary"),
    "binary, rescored with int8": Way("binary", again="int8"),
    "binary, rescored with float32": Way("binary", again="float32"),
    "first 256": Way(dims=256, by_pca=False),
    "first 128": Way(dims=128, by_pca=False),
    "first 64": Way(dims=64, by_pca=False),
    "centred": Way(centred="all"),
    "binary, centred": Way("binary", "all"),
    "binary, centred, rescored with int8": Way("binary", "all", again="int8"),
    "PCA 256": Way(centred="all", dims=256),
    "PCA 128": Way(centred="all", dims=128),
    "PCA 64": Way(centred="all", dims=64),
    "PCA 128, int8": Way("int8", "all", 128),
    "PCA 256, binary": Way("binary", "all", 256),
    "centred by language": Way(centred="language"),
    "binary, centred by language": Way("binary", "language"),
}


def full_size(state: str) -> str:
    """Return what a way of `WAYS` is compared with: float32 in all dimensions, with the same centring.

    A state that is not one of them, such as lighter weights, is compared with vectors as they came.
    """
    centred = WAYS[state].centred if state in WAYS else "nobody"
    return {"nobody": "", "all": "centred", "language": "centred by language"}[centred]


class Shrinker:
    """Scores small documents in a way that was calibrated on other texts.

    :param way: How vectors are made small.
    :param calibration: Unit vectors by language, float32 [n, dim], of every language that is used later.
    """

    def __init__(self, way: Way, calibration: Mapping[str, np.ndarray]) -> None:
        self.way = way
        every = np.concatenate(list(calibration.values()))
        mean = every.mean(axis=0) if way.centred == "all" else np.zeros(every.shape[1], np.float32)
        self._means = {c: own.mean(axis=0) if way.centred == "language" else mean for c, own in calibration.items()}
        self._axes = np.eye(every.shape[1], way.dims, dtype=np.float32) if way.dims else None
        if way.dims and way.by_pca:
            strongest = np.linalg.eigh(np.cov(every, rowvar=False))[1][:, ::-1]
            self._axes = strongest[:, : way.dims].astype(np.float32)
        moved = {code: self._move(own, code) for code, own in calibration.items()}
        together = np.concatenate(list(moved.values()))
        parts = {code: own if way.ranges == "language" else together for code, own in moved.items()}
        self._ranges = {code: np.stack([part.min(axis=0), part.max(axis=0)]) for code, part in parts.items()}
        self._again = Shrinker(Way(way.again, way.centred), calibration) if way.again else None

    def scores(self, queries: np.ndarray, asked_in: str, pool: Mapping[str, np.ndarray], wanted: int) -> Scores:
        """Return the score of each document, float64 [q, documents], one language of the pool after the other.

        :param queries: Unit vectors, float32 [q, dim], in the language `asked_in`.
        :param pool: Unit vectors by language.
        :param wanted: How many documents are wanted, for `RESCORED`.
        """
        asked = self.documents if self.way.store in ("codes", "binary") else self._move
        documents = np.concatenate([self.documents(vectors, code) for code, vectors in pool.items()])
        scores = np.asarray(asked(queries, asked_in) @ documents.T, np.float64)  # whole numbers may be large
        if self._again is None:
            return scores
        return rescored(scores, self._again.scores(queries, asked_in, pool, wanted), RESCORED * wanted)

    def documents(self, vectors: np.ndarray, code: str) -> Floats:
        """Return what is left of vectors of a language, read back as numbers to multiply with, float32 [n, dims]."""
        moved = self._move(vectors, code)
        if self.way.store == "float16":
            return moved.astype(np.float16).astype(np.float32)
        if self.way.store == "binary":
            return np.where(moved > 0, 1, -1).astype(np.float32)  # the product is dims - 2 times the Hamming distance
        if self.way.store == "float32":
            return moved
        from sentence_transformers.util.quantization import quantize_embeddings

        low, high = self._ranges[code]
        codes = np.asarray(quantize_embeddings(moved, "int8", ranges=self._ranges[code]), np.float32)
        return codes if self.way.store == "codes" else (codes + 128.5) * (high - low) / 255 + low

    def _move(self, vectors: np.ndarray, code: str) -> Floats:
        moved = vectors - self._means[code]
        return unit_rows(moved if self._axes is None else moved @ self._axes)


def rescored(first: np.ndarray, second: np.ndarray, count: int) -> Scores:
    """Return scores that put the best documents of a first search in the order of a second one: float64 [q, n].

    :param first: Scores, [q, n], of which differences matter; `second` likewise, between -1 and 1.
    :param count: How many are scored again, with all that are level with the last of them.
    """
    place = first.shape[1] - min(count, first.shape[1])
    edge = np.partition(first, place, axis=1)[:, place, None]
    return np.asarray(np.where(first >= edge, second, first - first.max() - 2), np.float64)
