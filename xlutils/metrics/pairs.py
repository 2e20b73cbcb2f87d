"""How sure values of languages and of their pairs are, and whether pairs that share a label are nearer."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from xlutils.metrics.alignment import ConceptAlignment, Floats, centroid_distances, words_by_language
from xlutils.metrics.uncertainty import bootstrap_ci, bootstrap_quantiles


def nearest_interval(alignment: ConceptAlignment, seed: int = 42) -> tuple[Floats, Floats]:
    """Return the 95% interval of `ConceptAlignment.nearest_by_language`: low and high, float64 [L] each.

    Here and below whole concepts are drawn, since their words depend on each other; the neighbours stay as found.
    """
    members = words_by_language(alignment.language_of)
    bounds = [bootstrap_ci(alignment.word_nearest[rows], 2000, seed, alignment.concept_of[rows]) for rows in members]
    low, high = np.array(bounds).T
    return low, high


def centroid_estimate(
    alignment: ConceptAlignment, seed: int = 42, of: Callable[[Floats], Floats] | None = None
) -> tuple[Floats, Floats, Floats]:
    """Return `ConceptAlignment.centroid_distance` corrected for chance: value, low and high, float64 [L, L] each.

    Chance moves each mean in its own direction, so measured distances are too large. Those of bootstrap draws exceed
    the measured one as it exceeds the true one, so the draws are mirrored at it: their median is the value, which
    therefore lies inside their 95% interval. Negative distances count as 0.

    :param of: A linear function of the distances, float64 [..., L, L]; it is estimated instead, and may be negative.
    """
    members = words_by_language(alignment.language_of)

    def distances(times: Floats) -> Floats:
        sums = [times[:, alignment.concept_of[rows]] @ alignment.vectors[rows] for rows in members]
        found = centroid_distances(np.stack(sums, axis=1))
        return found if of is None else of(found)

    drawn = bootstrap_quantiles(distances, len(alignment.concepts), (0.5, 0.975, 0.025), seed=seed)
    if of is None:
        value, low, high = np.maximum(2 * alignment.centroid_distance - drawn, 0)
    else:
        value, low, high = 2 * of(alignment.centroid_distance) - drawn
    return value, low, high


def retrieval_estimate(
    alignment: ConceptAlignment, of: Callable[[Floats], Floats], seed: int = 42
) -> tuple[Floats, Floats, Floats]:
    """Return a function of `ConceptAlignment.retrieval_matrix`, float64 [..., L, L], with its 95% interval."""
    hits, present = np.nan_to_num(alignment.hits), np.isfinite(alignment.hits).astype(float)

    def shares(times: Floats) -> Floats:
        with np.errstate(invalid="ignore"):
            return of(np.tensordot(times, hits, 1) / np.tensordot(times, present, 1))

    low, high = bootstrap_quantiles(shares, len(hits), (0.025, 0.975), seed=seed)
    return of(alignment.retrieval_matrix), low, high


def label_gap(values: Floats, labels: Sequence[str] | NDArray[np.str_]) -> Floats:
    """Return how much higher the mean of pairs that share a label is than that of the other pairs: float64 [...].

    :param values: One value for each ordered pair of L languages, float64 [..., L, L]; NaN, and the diagonal, are left
        out.
    :param labels: A label for each language, such as its script, or for each draw and language, [..., L].
    :raises ValueError: If no pair shares a label, or all do.
    """
    names = np.asarray(labels)
    same, apart = names[..., :, None] == names[..., None, :], ~np.eye(names.shape[-1], dtype=bool)
    if not (same & apart).any() or same.all():
        raise ValueError("needs pairs of languages that share a label, and pairs that do not")
    return _mean(values, same & apart) - _mean(values, ~same)


def label_test(values: Floats, labels: Sequence[str], resamples: int = 9999, seed: int = 42) -> float:
    """Return how often labels dealt out to the languages at random have as large a `label_gap`: a two-sided p-value.

    Pairs with a language in common depend on each other, so languages are shuffled, not pairs (Mantel, 1967). All
    orders are taken if they are fewer than `resamples`, and those do not count in which no pair that is left shares a
    label, or all do.
    """
    names = np.asarray(labels)
    if exact := math.factorial(len(names)) <= resamples:
        dealt = names[np.array(list(itertools.permutations(range(len(names)))))]
    else:
        dealt = np.random.default_rng(seed).permuted(np.tile(names, (resamples, 1)), axis=1)
    gaps = label_gap(values, dealt)
    as_large = int((np.abs(gaps) >= abs(label_gap(values, names)) - 1e-12).sum())
    counted = int(np.isfinite(gaps).sum())
    if exact:
        return as_large / counted if counted else math.nan
    return (as_large + 1) / (counted + 1)


def _mean(values: Floats, chosen: NDArray[np.bool_]) -> Floats:
    """Return the mean of the chosen pairs that are not NaN: float64 [...]."""
    counted = chosen & np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(counted, values, 0).sum(axis=(-2, -1)) / counted.sum(axis=(-2, -1)))
