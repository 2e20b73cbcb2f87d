"""Semantic Affinity: how far apart translations are, relative to how far apart the words of one language are.

The cosine distance of two unit vectors is 1 minus their dot product, so mean distances follow from sums of vectors,
and no array of all pairs is ever built.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from xlutils.metrics.alignment import mean_without_nan, number_names
from xlutils.metrics.blocks import blocks, in_threads
from xlutils.metrics.uncertainty import bootstrap_ci

COLLAPSED = 1e-6  # mean distance below which all words are one point
_BLOCK = 128  # concepts at a time
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Affinity:
    """The spreads that Semantic Affinity is made of, for c concepts in L languages.

    :param concepts: c ids.
    :param languages: L codes.
    :param distances: float64 [c, L, L]: mean cosine distance between the words of a concept in two
        languages, over all pairs of alternatives; NaN on the diagonal and where a word is missing.
    :param intra: float64 [L]: mean cosine distance between the distinct words of a language.
    :param spread: float64 [c, L]: contribution of each concept to `intra`, to first order. The mean over all
        concepts is `intra`; the mean over a bootstrap draw is close to the `intra` of that draw.
    :param pairs: Number of pairs of translations.
    """

    concepts: tuple[str, ...]
    languages: tuple[str, ...]
    distances: Floats
    intra: Floats
    spread: Floats
    pairs: int

    @property
    def inter(self) -> Floats:
        """Mean distance of each concept over its language pairs: float64 [c], NaN where it has none."""
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
        """COLLAPSED if all words of the languages are one point, otherwise OK."""
        return "COLLAPSED" if self.intra_spread < COLLAPSED else "OK"

    @property
    def sr(self) -> float:
        """Ratio of the two spreads; infinite for a collapsed space."""
        return self.inter_spread / self.intra_spread if self.status == "OK" else float("inf")

    @property
    def sa(self) -> float:
        """Semantic Affinity, in (0, 1]; 0 for a collapsed space."""
        return 1 / (1 + self.sr)

    @property
    def sa_sem(self) -> float:
        """Standard error of `sa`, propagated from those of the spreads over concepts and over languages."""
        from scipy.stats import sem

        if self.status != "OK":
            return 0.0
        parts = self.inter[np.isfinite(self.inter)], self.intra
        relative = [sem(part) / part.mean() for part in parts if len(part) > 1 and part.mean() > 0]
        return float(self.sr * np.linalg.norm(relative) / (1 + self.sr) ** 2)

    @property
    def sa_euclidean(self) -> float:
        """Variant with Euclidean distances (root mean square); their squares are twice the cosine distances."""
        if self.status != "OK":
            return 0.0
        ratio = np.nanmean(np.sqrt(np.maximum(self.inter, 0))) / np.sqrt(self.intra).mean()
        return float(1 / (1 + ratio))

    @property
    def sa_by_concept(self) -> Floats:
        """Affinity of each concept: float64 [c]."""
        return 1 / (1 + self.inter / self.intra_spread) if self.status == "OK" else 0 * self.inter

    @property
    def sa_values(self) -> Floats:
        """Values whose mean over the concepts is `sa`: `sa` plus the influence of each concept on it, float64 [c].

        Intervals and paired tests of means therefore apply to SA: to first order, the mean of these values over a
        bootstrap draw of concepts is the SA of that draw, with both spreads measured again.
        """
        return _values(self.inter, self.spread.mean(axis=1))

    @property
    def sa_values_by_pair(self) -> Floats:
        """The same for each pair of languages: float64 [c, L, L]; NaN on the diagonal and for pairs without words."""
        columns = range(len(self.languages))
        values = [_values(self.distances[:, a], (self.spread[:, [a]] + self.spread) / 2) for a in columns]
        return np.stack(values, axis=1)

    @property
    def sa_values_by_language(self) -> Floats:
        """The same for each language against all the others: float64 [c, L]."""
        return _values(mean_without_nan(self.distances, 2), self.spread)

    @property
    def sa_by_pair(self) -> Floats:
        """Affinity of each pair of languages, relative to the mean spread of the two: float64 [L, L]."""
        return np.asarray(self.sa_values_by_pair.mean(axis=0))

    def interval(self, seed: int = 42) -> tuple[float, float]:
        """Return the 95% interval of `sa` over bootstrap draws of concepts."""
        low, high = bootstrap_ci(self.sa_values, seed=seed)
        return max(low, 0.0), min(high, 1.0)


def semantic_affinity(spaces: Mapping[str, np.ndarray], lexicon: Any) -> Affinity:
    """Measure how close together a model puts translations.

    :param spaces: For each language, one vector per distinct word in order of first appearance (the order of
        `Lexicon.words`), float [words, dim]; their length does not matter.
    :param lexicon: Has `concepts`, c ids, and `cells`: for each language a tuple of alternatives per concept, which is
        empty where the word is missing.
    :raises ValueError: If there are fewer than two languages, a language has fewer than two words, or a
        vector is zero or not finite.
    """
    languages = tuple(lexicon.cells)
    if len(languages) < 2:
        raise ValueError(f"Semantic Affinity needs two languages, got {', '.join(languages) or 'none'}")
    columns = [_Column(spaces[language], lexicon.cells[language], language) for language in languages]

    def measure(rows: slice) -> tuple[Floats, Floats, list[Floats]]:
        means, totals, lengths = zip(*(column.sums(rows) for column in columns), strict=True)
        cosines = np.full((rows.stop - rows.start, len(columns), len(columns)), np.nan)
        for a, b in itertools.combinations(range(len(columns)), 2):  # faster than one product of stacked means
            cosines[:, a, b] = cosines[:, b, a] = np.vecdot(means[a], means[b])
        return cosines, np.stack(totals), list(lengths)

    cosines, totals, lengths = zip(*in_threads(measure, blocks(len(lexicon.concepts), _BLOCK)), strict=True)
    distances = np.concatenate(cosines)
    np.subtract(1, distances, out=distances)
    sizes = np.stack([column.sizes for column in columns], axis=1)
    distances[(sizes == 0)[:, :, None] | (sizes == 0)[:, None, :]] = np.nan
    pairs = int((sizes.sum(axis=1) ** 2 - (sizes**2).sum(axis=1)).sum() / 2)
    word_lengths = map(np.concatenate, zip(*lengths, strict=True))
    intra, spread = zip(*map(_Column.influence, columns, np.sum(totals, axis=0), word_lengths), strict=True)
    return Affinity(tuple(lexicon.concepts), languages, distances, np.array(intra), np.stack(spread, axis=1), pairs)


class _Column:
    """One language: its vectors, and which of them each concept uses."""

    def __init__(self, vectors: np.ndarray, cells: Sequence[tuple[str, ...]], language: str) -> None:
        words, self.word_of = number_names(list(itertools.chain.from_iterable(cells)))
        if len(words) < 2:
            raise ValueError(f"language {language} has {len(words)} words; it needs two to have a spread")
        if len(vectors) != len(words):
            raise ValueError(f"language {language} has {len(words)} distinct words, but {len(vectors)} vectors")
        self.vectors, self.language = np.asarray(vectors), language
        self.sizes = np.array([len(cell) for cell in cells])
        self.ends = np.concatenate([[0], np.cumsum(self.sizes)])
        self.is_new = np.diff(np.maximum.accumulate(self.word_of), prepend=-1) > 0  # words are numbered as they appear

    def sums(self, rows: slice) -> tuple[Floats, Floats, Floats]:
        """Read the vectors of a block of b concepts.

        :return: Mean unit vector of each concept's words [b, dim], zero where it has none; sum of the unit vectors of
            the words that appear here first [dim]; and the lengths of those words' vectors.
        """
        ends = self.ends[rows.start : rows.stop + 1]
        used = slice(ends[0], ends[-1])
        words = self.word_of[used]
        in_order = len(words) > 0 and bool((np.diff(words) == 1).all())  # then a slice saves a copy
        unit = self.vectors[slice(words[0], words[-1] + 1) if in_order else words].astype(np.float64)
        lengths = np.sqrt(np.vecdot(unit, unit))
        if not (np.isfinite(lengths).all() and (lengths > 0).all()):
            raise ValueError(f"a vector of language {self.language} is zero or not finite")
        unit /= lengths[:, None]
        sizes, is_new = self.sizes[rows], self.is_new[used]
        total, new_lengths = is_new @ unit, lengths[is_new]
        if (sizes == 1).all():
            return unit, total, new_lengths
        weights = 1 / np.repeat(sizes, sizes), np.arange(len(unit)), ends - ends[0]
        return csr_array(weights, shape=(len(sizes), len(unit))) @ unit, total, new_lengths

    def influence(self, total: Floats, lengths: Floats) -> tuple[float, Floats]:
        """Return the mean distance between the distinct words, and each concept's contribution to it [c].

        A word contributes the mean, plus twice the amount by which its own mean distance exceeds it.

        :param total: Sum of the unit vectors of all words, [dim].
        :param lengths: Lengths of all vectors, [words].
        """
        count, concepts = len(lengths), len(self.sizes)
        intra = float(1 - (total @ total - count) / (count * (count - 1)))
        cosines = (self.vectors @ total.astype(self.vectors.dtype)) / lengths
        distances = 1 - (cosines - 1) / (count - 1)
        concept_of = np.repeat(np.arange(concepts), self.sizes)[self.is_new]
        excess = np.bincount(concept_of, distances - distances.mean(), minlength=concepts)
        return intra, intra + 2 * excess * concepts / count


def _values(inter: Floats, spread: Floats) -> Floats:
    """Return affinity plus each concept's influence on it: float64 [c, ...]; NaN if no concept has a distance.

    :param inter: Distance of each concept, NaN where it has none, [c, ...].
    :param spread: Contribution of each concept to the mean distance of all words, [c, ...].
    """
    present = np.isfinite(inter)
    between, within = mean_without_nan(inter, 0), spread.mean(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = between / within
        change = np.where(present, inter - between, 0) / present.mean(axis=0) - ratio * (spread - within)
        values = 1 / (1 + ratio) - change / (within * (1 + ratio) ** 2)
    return np.where(np.isnan(between), np.nan, np.where(within < COLLAPSED, 0.0, values))
