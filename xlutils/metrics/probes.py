"""Attacks that name a property of a text, such as its language or topic, when they see nothing but its vector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xlutils.metrics.neighbours import nearest

STRENGTHS = (1e-5, 1e-4, 1e-3, 0.01, 0.1, 1.0)  # of a ridge, in units of the strongest direction
_TINY = 1e-12
Labels = NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class Probe:
    """A linear classifier: each label has a score, and the highest one is guessed.

    :param labels: All labels, str [c].
    :param matrix: float64 [dim, c].
    :param offset: float64 [c].
    :param strength: Of the ridge, in units of the strongest direction.
    """

    labels: Labels
    matrix: NDArray[np.float64]
    offset: NDArray[np.float64]
    strength: float

    def guess(self, vectors: np.ndarray) -> Labels:
        """Return the label that each vector, float [n, dim], most looks like: str [n]."""
        return np.asarray(self.labels[(vectors @ self.matrix + self.offset).argmax(axis=1)])


def fit_probe(vectors: np.ndarray, labels: ArrayLike, strengths: Sequence[float] = STRENGTHS) -> Probe:
    """Fit a ridge regression that predicts 1 for the label of a vector and 0 for all others.

    Its strength is the one with which each vector is best predicted from all others, by the squared error.

    :param vectors: float [n, dim].
    :param labels: n labels.
    :raises ValueError: If there are not two labels.
    """
    names, numbers = np.unique(np.asarray(labels, np.str_), return_inverse=True)
    if len(names) < 2:
        raise ValueError("a probe tells labels apart: give at least two")
    wanted = np.eye(len(names))[numbers]
    middle, shares = vectors.mean(axis=0, dtype=np.float64), wanted.mean(axis=0)
    centred = vectors - middle
    sizes, directions = np.linalg.eigh(centred.T @ centred)
    sizes = np.maximum(sizes, _TINY)
    turned = centred @ directions
    along = turned.T @ (wanted - shares)
    errors = []
    for strength in strengths:
        damped = sizes + strength * sizes[-1]
        leverage = (turned**2 / damped).sum(axis=1) + 1 / len(turned)  # how much a vector predicts itself
        missed = wanted - shares - turned @ (along / damped[:, None])
        errors.append(((missed / (1 - leverage)[:, None]) ** 2).mean())
    best = strengths[int(np.argmin(errors))]
    matrix = directions @ (along / (sizes + best * sizes[-1])[:, None])
    return Probe(names, matrix, shares - middle @ matrix, best)


def guess_by_neighbours(vectors: np.ndarray, known: np.ndarray, labels: ArrayLike, k: int = 10) -> Labels:
    """Return the label that has most of the k nearest known vectors, weighed by their cosines: str [n].

    :param vectors: Unit vectors, float [n, dim].
    :param known: Unit vectors whose labels are known, float [m, dim].
    """
    names, numbers = np.unique(np.asarray(labels, np.str_), return_inverse=True)
    scores, places = nearest(vectors, known, min(k, len(known)))
    votes = np.zeros((len(vectors), len(names)))
    np.add.at(votes, (np.arange(len(vectors))[:, None], numbers[places]), scores)
    return np.asarray(names[votes.argmax(axis=1)])
