"""95% intervals of what chapter 1 measures and what is not a plain mean over concepts.

In all of them whole concepts are drawn again, never single words: the words of a concept depend on each
other. The neighbours are those found among all words; a draw changes whose results count, not the search.
"""

from __future__ import annotations

import numpy as np

from xlutils.metrics.alignment import ConceptAlignment
from xlutils.metrics.uncertainty import bootstrap, bootstrap_ci


def nearest_interval(alignment: ConceptAlignment, seed: int = 42) -> tuple[np.ndarray, np.ndarray]:
    """Bound `ConceptAlignment.nearest_by_language`.

    :return: Lower and upper bounds, float64 [L] each.
    """
    bounds = []
    for language in range(len(alignment.languages)):
        own = alignment.neighbours.language_of == language
        bounds.append(bootstrap_ci(alignment.word_nearest[own], seed=seed, clusters=alignment.concept_of[own]))
    low, high = np.array(bounds).T
    return low, high


def centroid_interval(alignment: ConceptAlignment, seed: int = 42) -> tuple[np.ndarray, np.ndarray]:
    """Bound `ConceptAlignment.centroid_distance`.

    Two means of few vectors lie farther apart than those of many would, since chance moves each its own way.
    The draws show by how much (their distances exceed the measured one as that exceeds the true one), so the
    interval is theirs, mirrored at the measured distance. It may lie below it.

    :return: Lower and upper bounds, float64 [L, L] each.
    """
    vectors, language_of = alignment.neighbours.vectors, alignment.neighbours.language_of
    members = [np.flatnonzero(language_of == language) for language in range(len(alignment.languages))]

    def distances(times: np.ndarray) -> np.ndarray:
        means = np.stack([times[:, alignment.concept_of[own]] @ vectors[own] for own in members], axis=1)
        with np.errstate(invalid="ignore"):  # a draw may hold no word of a language
            means /= np.linalg.norm(means, axis=2, keepdims=True)
        distance: np.ndarray = 1 - means @ means.transpose(0, 2, 1)
        return distance

    low, high = bootstrap(distances, len(alignment.concepts), seed=seed)
    measured = alignment.centroid_distance
    return np.maximum(2 * measured - high, 0), np.maximum(2 * measured - low, 0)


def skewness_interval(counts: np.ndarray, concept_of: np.ndarray, seed: int = 42) -> tuple[float, float]:
    """Bound the skewness of the counts of `hubness`.

    :param counts: How often each word is a neighbour, int [n].
    :param concept_of: Number of each word's concept, int [n].
    """
    centred = counts - counts.mean()
    powers = np.stack([np.bincount(concept_of, centred**power) for power in range(4)], axis=1)  # [concepts, 4]

    def skewness(times: np.ndarray) -> np.ndarray:
        number, first, second, third = (times @ powers).T
        mean, square, cube = first / number, second / number, third / number
        variance = square - mean**2
        with np.errstate(divide="ignore", invalid="ignore"):
            skew: np.ndarray = (cube - 3 * mean * square + 2 * mean**3) / variance**1.5
        return np.where(variance > 1e-12, skew, 0.0)

    low, high = bootstrap(skewness, len(powers), seed=seed)
    return float(low), float(high)
