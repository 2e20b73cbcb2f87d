"""Semantic Affinity: how far apart translations are, relative to how far apart the words of one language are.

The cosine distance of two unit vectors is 1 minus their dot product, so mean distances follow from sums of vectors,
and no array of all pairs is ever built.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlutils.metrics.alignment import mean_without_nan
from xlutils.metrics.blocks import blocks, in_threads
from xlutils.metrics.spread import Column
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
    :param pairs_by_concept: Number of pairs of translations, over all alternatives: float64 [c].
    :param inter_by_pairs: float64 [c]: mean distance of each concept over these pairs; NaN where it has none.
    """

    concepts: tuple[str, ...]
    languages: tuple[str, ...]
    distances: Floats
    intra: Floats
    spread: Floats
    pairs_by_concept: Floats
    inter_by_pairs: Floats

    @property
    def pairs(self) -> int:
        """Number of pairs of translations."""
        return int(self.pairs_by_concept.sum())

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
    def sa_pairs(self) -> float:
        """Semantic Affinity as published: each pair of alternatives counts once, and not each concept."""
        return float(self.sa_pairs_values.mean())

    @property
    def sa_pairs_values(self) -> Floats:
        """Values whose mean over the concepts is `sa_pairs`, as for `sa_values`: float64 [c]."""
        return _values(self.inter_by_pairs, self.spread.mean(axis=1), self.pairs_by_concept)

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
    columns = [Column(spaces[language], lexicon.cells[language], language) for language in languages]

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
    pairs, by_pairs = _by_pairs(distances, sizes)
    word_lengths = map(np.concatenate, zip(*lengths, strict=True))
    intra, spread = zip(*map(Column.influence, columns, np.sum(totals, axis=0), word_lengths), strict=True)
    spreads = np.array(intra), np.stack(spread, axis=1)
    return Affinity(tuple(lexicon.concepts), languages, distances, *spreads, pairs, by_pairs)


def _by_pairs(distances: Floats, sizes: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Return for each concept the number of pairs of its alternatives in two languages, and their mean distance.

    :param distances: As in `Affinity`, [c, L, L].
    :param sizes: Number of alternatives, [c, L].
    """
    pairs = (sizes.sum(axis=1) ** 2 - (sizes**2).sum(axis=1)) / 2
    sums = np.einsum("cab,ca,cb->c", np.nan_to_num(distances), sizes, sizes) / 2
    with np.errstate(invalid="ignore"):
        return pairs, sums / pairs


def _values(inter: Floats, spread: Floats, weights: Floats | None = None) -> Floats:
    """Return affinity plus each concept's influence on it: float64 [c, ...]; NaN if no concept has a distance.

    :param inter: Distance of each concept, NaN where it has none, [c, ...].
    :param spread: Contribution of each concept to the mean distance of all words, [c, ...].
    :param weights: Weight of each concept's distance, [c]; 1 by default.
    """
    weight = np.isfinite(inter) * (1.0 if weights is None else weights)
    within = spread.mean(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        between = (weight * np.nan_to_num(inter)).sum(axis=0) / weight.sum(axis=0)
        ratio = between / within
        change = weight * (np.nan_to_num(inter) - between) / weight.mean(axis=0) - ratio * (spread - within)
        values = 1 / (1 + ratio) - change / (within * (1 + ratio) ** 2)
    return np.where(np.isnan(between), np.nan, np.where(within < COLLAPSED, 0.0, values))
