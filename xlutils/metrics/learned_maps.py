"""Maps that find their own pairs: from a small seed, from none at all, or for many languages around a common core."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xlutils.metrics.geometry import unit_rows
from xlutils.metrics.maps import LinearMap, rotation
from xlutils.metrics.neighbours import crowding

_ROUNDS = 10
_NEAREST = 10  # of the margin by which partners are found
_PROFILE = 200  # numbers that describe how near a text is to the others of its space
_LEAST_GAIN = 1e-6
Floats = NDArray[np.float64]
Pairs = NDArray[np.int64]


def self_learned_pairs(source: np.ndarray, target: np.ndarray, seed_pairs: ArrayLike, strength: float = 0.0) -> Pairs:
    """Map by a few pairs, take the texts that are now each other's nearest for pairs, and map again.

    It stops when the texts come no nearer to their best partners.

    :param source: Unit vectors, float [n, dim].
    :param target: Unit vectors, float [m, new dim], in any order.
    :param seed_pairs: Rows of source and target, int [p, 2]. They are kept only as long as they are found again.
    :return: The pairs that were found last, int [pairs, 2].
    """
    one, other = (unit_rows(space - space.mean(axis=0)) for space in (source, target))
    pairs, best = np.asarray(seed_pairs, np.int64).reshape(-1, 2), -np.inf
    for _ in range(_ROUNDS):
        mapped = unit_rows(one @ rotation(one[pairs[:, 0]], other[pairs[:, 1]], strength))
        found, score = mutual_pairs(mapped, other)
        if score < best + _LEAST_GAIN or not len(found):
            break
        pairs, best = found, score
    return pairs


def suggested_pairs(source: np.ndarray, target: np.ndarray) -> Pairs:
    """Pair texts of two spaces that nobody has paired: those whose neighbourhoods look alike.

    The sorted cosines of a text with all others are the same however a space is turned (Artetxe et al., 2018). They are
    a weak hint, from which `self_learned_pairs` may find more.

    :param source: Unit vectors, float [n, dim].
    :param target: Unit vectors, float [m, new dim], in any order.
    :return: Rows of source and target, int [pairs, 2].
    """
    return mutual_pairs(*(_profiles(space) for space in (source, target)))[0]


def _profiles(space: np.ndarray) -> NDArray[np.float32]:
    """Return the sorted similarities of each text with all others, smoothed, float32 [n, numbers], of unit length."""
    centred = unit_rows(space - space.mean(axis=0)).astype(np.float64)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    similar = (left * values) @ left.T  # the square root of the matrix of cosines
    places = np.linspace(0, 1, _PROFILE)
    profiles = np.quantile(similar, places, axis=1).T
    return unit_rows(profiles - profiles.mean(axis=0))


def mutual_pairs(one: np.ndarray, other: np.ndarray) -> tuple[Pairs, float]:
    """Return the rows that are each other's nearest by CSLS, int [pairs, 2], and the mean cosine of the best partners.

    :param one: Unit vectors, float [n, dim]; `other` likewise, [m, dim].
    """
    cosines, scores = _csls(one, other)
    forward, backward = scores.argmax(axis=1), scores.argmax(axis=0)
    rows = np.flatnonzero(backward[forward] == np.arange(len(one)))
    return np.stack([rows, forward[rows]], axis=1), float(cosines.max(axis=1).mean())


def proposed_pairs(one: np.ndarray, other: np.ndarray) -> tuple[NDArray[np.int64], Floats]:
    """Return the nearest partner of each text by CSLS, int [n], and how far it is ahead of the second, float64 [n].

    :param one: Unit vectors, float [n, dim]; `other` likewise, [m, dim], at least two.
    """
    scores = _csls(one, other)[1].astype(np.float64)
    second, first = np.partition(scores, -2, axis=1)[:, -2:].T
    return scores.argmax(axis=1), first - second


def _csls(one: np.ndarray, other: np.ndarray) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return all cosines, and all scores: twice the cosine, minus the mean cosine of both with their nearest."""
    one, other = np.asarray(one, np.float32), np.asarray(other, np.float32)
    crowd_one, crowd_other = crowding(one, other, min(_NEAREST, len(one), len(other)))
    cosines = one @ other.T
    return cosines, (2 * cosines - crowd_one[:, None] - crowd_other).astype(np.float32)


def core_maps(spaces: Mapping[str, np.ndarray], strength: float = 0.0, rounds: int = 10) -> dict[str, LinearMap]:
    """Turn each language onto the mean of all, again and again (generalised Procrustes): no language is the pivot.

    The first round turns onto the language with most texts, so that spaces which have nothing in common meet, too.

    :param spaces: Unit vectors by language, float [n, dim]; row i is the same text in all, NaN where it is missing.
    :param strength: As in `maps.rotation`.
    :return: For each language the map into the common core, in which all means are at the origin.
    """
    present = {code: np.isfinite(space[:, 0]) for code, space in spaces.items()}
    means = {code: space[present[code]].mean(axis=0, dtype=np.float64) for code, space in spaces.items()}
    centred = {code: np.where(present[code][:, None], space - means[code], 0) for code, space in spaces.items()}
    texts = np.maximum(np.sum([*present.values()], axis=0), 1)[:, None]
    core = centred[max(present, key=lambda code: present[code].sum())]
    turns: dict[str, Floats] = {}
    for _ in range(rounds):
        turns = {code: rotation(space[present[code]], core[present[code]], strength) for code, space in centred.items()}
        core = np.sum([space @ turns[code] for code, space in centred.items()], axis=0) / texts
    return {
        code: LinearMap(
            turn.astype(np.float32),
            (-means[code] @ turn).astype(np.float32),
            "core",
            strength,
            int(present[code].sum()),
        )
        for code, turn in turns.items()
    }
