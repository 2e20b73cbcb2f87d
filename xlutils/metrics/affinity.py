"""Semantic Affinity: how far translations lie apart, measured against how far words lie apart at all.

Cosine distances are 1 minus dot products of unit vectors, so their means follow from sums of vectors: one
pass over the data is enough, and no array of all pairs is ever built.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from xlutils.metrics.concepts import mean_without_nan
from xlutils.metrics.uncertainty import bootstrap_ci

COLLAPSED = 1e-6  # a mean distance below this: all words are one point
_BLOCK = 128  # concepts at a time: a few megabytes, which stay in the processor's cache
_RANGE = 2048  # concepts a thread takes at a time; fixed, so that sums do not depend on the number of threads


class Words(Protocol):
    """What is needed of a lexicon."""

    @property
    def concepts(self) -> tuple[str, ...]:
        """The c ids."""

    @property
    def cells(self) -> dict[str, tuple[tuple[str, ...], ...]]:
        """For each language c tuples of alternatives; an empty one is a missing word."""


@dataclass(frozen=True)
class Affinity:
    """What Semantic Affinity is made of; c concepts, L languages.

    :param concepts: c ids.
    :param languages: L codes.
    :param distances: float64 [c, L, L]: mean cosine distance between the words of a concept in two
        languages, over all pairs of alternatives; NaN on the diagonal and where a word is missing.
    :param intra: float64 [L]: mean cosine distance between the distinct words of a language.
    :param words: int [L]: number of distinct words.
    :param pairs: Number of pairs of translations.
    """

    concepts: tuple[str, ...]
    languages: tuple[str, ...]
    distances: np.ndarray
    intra: np.ndarray
    words: np.ndarray
    pairs: int

    @property
    def inter(self) -> np.ndarray:
        """Mean distance of a concept over its language pairs, NaN where it has none: float64 [c]."""
        return mean_without_nan(self.distances, (1, 2))

    @property
    def inter_spread(self) -> float:
        """Mean of `inter` over the concepts."""
        return float(np.nanmean(self.inter))

    @property
    def intra_spread(self) -> float:
        """Mean of `intra` over the languages."""
        return float(self.intra.mean())

    @property
    def status(self) -> str:
        """COLLAPSED when all words of the languages are one point, else OK."""
        return "COLLAPSED" if self.intra_spread < COLLAPSED else "OK"

    @property
    def sr(self) -> float:
        """The ratio of the two spreads; infinite for a collapsed space."""
        return self.inter_spread / self.intra_spread if self.status == "OK" else float("inf")

    @property
    def sa(self) -> float:
        """Semantic Affinity, in (0, 1]; 0 for a collapsed space."""
        return 1 / (1 + self.sr)

    @property
    def sa_sem(self) -> float:
        """Standard error, propagated from those of the spreads over concepts and over languages."""
        if self.status != "OK":
            return 0.0
        inter = self.inter[np.isfinite(self.inter)]
        relative = [_standard_error(part) / part.mean() for part in (inter, self.intra) if part.mean() > 0]
        return float(self.sr * np.linalg.norm(relative) / (1 + self.sr) ** 2)

    @property
    def sa_by_concept(self) -> np.ndarray:
        """Affinity of each concept: float64 [c]."""
        return self._affinity(self.inter, np.asarray(self.intra_spread))

    @property
    def sa_by_pair(self) -> np.ndarray:
        """Affinity of each pair of languages, against the mean spread of the two: float64 [L, L]."""
        return self._affinity(mean_without_nan(self.distances, 0), (self.intra[:, None] + self.intra) / 2)

    @property
    def sa_by_language(self) -> np.ndarray:
        """Affinity of each language to all the others, against its own spread: float64 [L]."""
        by_concept = mean_without_nan(self.distances, 2)
        return self._affinity(mean_without_nan(by_concept, 0), self.intra)

    @property
    def sa_euclidean(self) -> float:
        """The variant with Euclidean distances (root mean square) instead of cosine ones.

        Between unit vectors the squared distance is twice the cosine distance.
        """
        if self.status != "OK":
            return 0.0
        ratio = np.nanmean(np.sqrt(np.maximum(self.inter, 0))) / np.sqrt(self.intra).mean()
        return float(1 / (1 + ratio))

    def interval(self, seed: int = 42) -> tuple[float, float]:
        """95% interval of `sa`, over draws of concepts."""
        if self.status != "OK":
            return 0.0, 0.0
        low, high = bootstrap_ci(self.inter[np.isfinite(self.inter)], seed=seed)
        return 1 / (1 + high / self.intra_spread), 1 / (1 + low / self.intra_spread)

    def _affinity(self, inter: np.ndarray, intra: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            affinity: np.ndarray = np.where(intra < COLLAPSED, 0.0, 1 / (1 + inter / intra))
        return np.where(np.isnan(inter), np.nan, affinity)


def semantic_affinity(spaces: Mapping[str, np.ndarray], lexicon: Words) -> Affinity:
    """Measure how well a model puts translations together.

    :param spaces: For each language one vector a distinct word, in order of first appearance (as
        `Lexicon.words` lists them), float [words, dim]; their length does not matter.
    :param lexicon: The concepts and their words.
    :return: The spreads, by concept and by language.
    :raises ValueError: If there are fewer than two languages, a language has fewer than two words, or a
        vector is zero or not finite.
    """
    languages = tuple(lexicon.cells)
    if len(languages) < 2:
        raise ValueError(f"Semantic Affinity needs two languages, got {', '.join(languages) or 'none'}")
    columns = [_Column(spaces[language], lexicon.cells[language], language) for language in languages]
    count = len(lexicon.concepts)
    cosines = np.empty((count, len(languages), len(languages)))
    ranges = [(start, min(start + _RANGE, count)) for start in range(0, count, _RANGE)]
    with ThreadPoolExecutor() as pool:  # NumPy works outside Python's lock
        parts = list(pool.map(lambda ends: _add_range(columns, cosines, *ends), ranges))
    totals = np.sum(parts, axis=0)
    present = np.stack([column.sizes for column in columns], axis=1).astype(float)
    combinations = present[:, :, None] * present[:, None, :]
    own = np.arange(len(languages))
    combinations[:, own, own] = 0
    distances = np.where(combinations > 0, 1 - cosines, np.nan)
    intra = np.array([column.spread(total) for column, total in zip(columns, totals, strict=True)])
    words = np.array([len(column.vectors) for column in columns])
    return Affinity(tuple(lexicon.concepts), languages, distances, intra, words, int(combinations.sum() / 2))


def _add_range(columns: Sequence[_Column], cosines: np.ndarray, first: int, last: int) -> np.ndarray:
    """Fill in the mean cosines of a range of concepts: `cosines[first:last]`.

    :return: For each language the sum of the unit vectors of the words that are new in this range, [L, dim].
    """
    totals = np.zeros((len(columns), columns[0].vectors.shape[1]))
    buffer = np.empty((_BLOCK, *totals.shape))
    for start in range(first, last, _BLOCK):
        stop = min(start + _BLOCK, last)
        block = buffer[: stop - start]
        for number, column in enumerate(columns):
            totals[number] += column.fill(block[:, number], start, stop)
        products = cosines[start:stop]
        with np.errstate(invalid="ignore"):  # infinite vectors are refused below, in words
            np.matmul(block, block.transpose(0, 2, 1), out=products)
        for number, column in enumerate(columns):
            if column.one_word_each:  # the block holds its vectors as they came: their lengths are in the products
                lengths = column.checked(np.sqrt(products[:, number, number]))
                totals[number] += (1 / lengths) @ block[:, number]
                products[:, number] /= lengths[:, None]
                products[:, :, number] /= lengths[:, None]
    return totals


class _Column:
    """One language: its vectors, and which of them each concept uses."""

    def __init__(self, vectors: np.ndarray, cells: Sequence[tuple[str, ...]], language: str) -> None:
        used = list(itertools.chain.from_iterable(cells))
        numbers = {word: number for number, word in enumerate(dict.fromkeys(used))}
        if len(numbers) < 2:
            raise ValueError(f"language {language} has {len(numbers)} words; it needs two to have a spread")
        if len(vectors) != len(numbers):
            raise ValueError(f"language {language} has {len(numbers)} distinct words, but {len(vectors)} vectors")
        self.vectors = np.asarray(vectors)
        self.language = language
        self.sizes = np.fromiter(map(len, cells), int, len(cells))
        self.one_word_each = len(used) == len(cells) == len(numbers) and bool((self.sizes == 1).all())
        self.uses = np.zeros(0, int) if self.one_word_each else np.array([numbers[word] for word in used])
        self.ends = np.cumsum(self.sizes)
        highest = np.maximum.accumulate(np.concatenate([[-1], self.uses]))
        self.is_new = self.uses > highest[:-1]  # words are numbered in order of appearance

    def fill(self, block: np.ndarray, start: int, stop: int) -> np.ndarray | float:
        """Write what stands for each concept in this language into a block.

        :param block: float64 [stop - start, dim]; it gets the mean unit vector of a concept's alternatives,
            zero where it has none, or, where each concept has its one word, the vectors as they are.
        :return: Sum of the unit vectors of words that are new, [dim]; 0 in the last case.
        """
        if self.one_word_each:
            block[:] = self.vectors[start:stop]
            return 0.0
        sizes = self.sizes[start:stop]
        part = slice(self.ends[start] - sizes[0], self.ends[stop - 1])
        unit = self.vectors[self.uses[part]].astype(np.float64)
        unit /= self.checked(np.sqrt(np.einsum("nd,nd->n", unit, unit)))[:, None]
        block[:] = 0
        np.add.at(block, np.repeat(np.arange(len(sizes)), sizes), unit)
        block /= np.maximum(sizes, 1)[:, None]
        new: np.ndarray = self.is_new[part] @ unit
        return new

    def checked(self, lengths: np.ndarray) -> np.ndarray:
        """Refuse vectors of length zero and what is no number."""
        if not (np.isfinite(lengths).all() and (lengths > 0).all()):
            raise ValueError(f"a vector of language {self.language} is zero or not finite")
        return lengths

    def spread(self, total: np.ndarray) -> float:
        """Mean cosine distance over all pairs of distinct words, from the sum of their unit vectors."""
        count = len(self.vectors)
        return float(1 - (total @ total - count) / (count * (count - 1)))


def _standard_error(values: np.ndarray) -> float:
    return float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
