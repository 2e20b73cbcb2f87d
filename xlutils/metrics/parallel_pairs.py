"""Two plain measures of alignment between paired vectors, to set beside Semantic Affinity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xlutils.metrics.neighbours import TIE

_BLOCK_BYTES = 1 << 26


@dataclass(frozen=True)
class PairScores:
    """How well n pairs of translations find each other.

    :param forward: For each pair the chance that the first word finds the second first, over all orders of
        ties, float64 [n].
    :param backward: The same from the second to the first.
    :param strictly_best: Whether a pair is nearer than any other pairing of either word, bool [n].
    """

    forward: np.ndarray
    backward: np.ndarray
    strictly_best: np.ndarray

    @property
    def retrieval(self) -> float:
        """Mean accuracy of retrieval in both directions."""
        return float((self.forward.mean() + self.backward.mean()) / 2)

    @property
    def mexa(self) -> float:
        """Share of the pairs that are strictly best, as the MEXA score takes it (Kargaran et al., 2024)."""
        return float(self.strictly_best.mean())


def pair_scores(one: np.ndarray, other: np.ndarray) -> PairScores:
    """Let every vector search for its partner among all partners.

    :param one: Unit vectors, float [n, dim].
    :param other: Their partners, float [n, dim].
    :return: The scores, pair by pair. No n x n array is built.
    """
    one, other = np.asarray(one, np.float32), np.asarray(other, np.float32)
    count = len(one)
    own = np.einsum("nd,nd->n", one, other)
    above, level = np.zeros((2, 2, count), int)  # by direction
    step = max(_BLOCK_BYTES // (4 * count), 1)
    for start in range(0, count, step):
        rows = slice(start, min(start + step, count))
        scores = one[rows] @ other.T
        for direction, threshold, axis, part in ((0, own[rows, None], 1, rows), (1, own, 0, slice(None))):
            above[direction, part] += (scores > threshold + TIE).sum(axis=axis)
            level[direction, part] += (np.abs(scores - threshold) <= TIE).sum(axis=axis)
    chances = np.where(above == 0, 1 / np.maximum(level, 1), 0.0)
    return PairScores(chances[0], chances[1], (above == 0).all(axis=0) & (level <= 1).all(axis=0))
