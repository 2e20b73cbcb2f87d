"""Semantic Affinity: how far translations lie apart, measured against how far words lie apart at all.

Cosine distances are 1 minus dot products of unit vectors, so their means follow from sums of vectors: one
pass over the data is enough, and no array of all pairs is ever built.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from xlutils.metrics.affinity_sums import Column, add_range
from xlutils.metrics.alignment import mean_without_nan
from xlutils.metrics.counting import blas
from xlutils.metrics.uncertainty import bootstrap_ci

COLLAPSED = 1e-6  # a mean distance below this: all words are one point
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
    :param spread: float64 [c, L]: what each concept adds to `intra`, to first order: the mean over the concepts
        is `intra`, and the mean over another draw of concepts is nearly the `intra` of that draw.
    :param words: int [L]: number of distinct words.
    :param pairs: Number of pairs of translations.
    """

    concepts: tuple[str, ...]
    languages: tuple[str, ...]
    distances: np.ndarray
    intra: np.ndarray
    spread: np.ndarray
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
    def sa_values(self) -> np.ndarray:
        """Values by concept whose mean is `sa`, float64 [c]: `sa` plus the influence of each concept on it.

        What is known of means (intervals, paired tests) applies to them and so to SA: to first order the mean
        over another draw of concepts is the SA of that draw, both spreads measured anew.
        """
        return self._values(self.inter, self.spread.mean(axis=1))

    @property
    def sa_values_by_pair(self) -> np.ndarray:
        """The same for each pair of languages: float64 [c, L, L]; NaN on the diagonal and for pairs without words."""
        values = np.full_like(self.distances, np.nan)
        for a, b in itertools.combinations(range(len(self.languages)), 2):
            values[:, a, b] = self._values(self.distances[:, a, b], self.spread[:, [a, b]].mean(axis=1))
            values[:, b, a] = values[:, a, b]
        return values

    @property
    def sa_values_by_language(self) -> np.ndarray:
        """The same for each language against all the others: float64 [c, L]."""
        by_concept = mean_without_nan(self.distances, 2)
        columns = [self._values(by_concept[:, a], self.spread[:, a]) for a in range(len(self.languages))]
        return np.stack(columns, axis=1)

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
        low, high = bootstrap_ci(self.sa_values, seed=seed)
        return max(low, 0.0), min(high, 1.0)

    def _values(self, inter: np.ndarray, spread: np.ndarray) -> np.ndarray:
        """Affinity plus the influence of each concept on it: float64 [c]; NaN if no concept has a distance."""
        there = np.isfinite(inter)
        if not there.any():
            return np.full_like(inter, np.nan)
        between, within = inter[there].mean(), spread.mean()
        if within < COLLAPSED:
            return np.zeros_like(inter)
        ratio = between / within
        moved = np.where(there, inter - between, 0) / there.mean() - ratio * (spread - within)
        values: np.ndarray = 1 / (1 + ratio) - moved / (within * (1 + ratio) ** 2)
        return values

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
    columns = [Column(spaces[language], lexicon.cells[language], language) for language in languages]
    count = len(lexicon.concepts)
    cosines = np.empty((count, len(languages), len(languages)))
    ranges = [(start, min(start + _RANGE, count)) for start in range(0, count, _RANGE)]
    with blas().limit(limits=1), ThreadPoolExecutor() as pool:  # BLAS's own threads would fight them
        parts = list(pool.map(lambda ends: add_range(columns, cosines, *ends), ranges))
        totals = np.sum(parts, axis=0)
        spread = np.stack(list(pool.map(Column.spread, columns, totals)), axis=1)
    present = np.stack([column.sizes for column in columns], axis=1).astype(float)
    combinations = present[:, :, None] * present[:, None, :]
    own = np.arange(len(languages))
    combinations[:, own, own] = 0
    distances = np.where(combinations > 0, 1 - cosines, np.nan)
    intra = np.array([column.mean_distance(total) for column, total in zip(columns, totals, strict=True)])
    words = np.array([len(column.vectors) for column in columns])
    return Affinity(tuple(lexicon.concepts), languages, distances, intra, spread, words, int(combinations.sum() / 2))


def _standard_error(values: np.ndarray) -> float:
    return float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
