"""Tests of a change: whether a score fell by more than a margin, and whether vectors moved."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xlutils.metrics.blocks import blocks

_STAKES = np.array([0.125, 0.25, 0.5, 0.75, 1.0])  # shares of the capital that are bet on each item
_BLOCK = 1 << 22  # numbers drawn at a time
Floats = NDArray[np.float64]


def loss_p_value(changes: ArrayLike, margin: float) -> float:
    """Test whether the mean of changes is below -margin; a small p-value says that it is.

    The test bets on losses (Waudby-Smith and Ramdas, 2024). The stake on an item grows with its loss beyond the margin
    and shrinks with a gain. If the true mean is -margin or above, no stake is expected to grow. So the mean capital of
    several stakes exceeds 1 / p with a probability of at most p (Markov's inequality), whatever the distribution: the
    changes need not be symmetric, as random signs would require, may be zero or tied, and may be few. The price is
    power: about three more losses than a sign test needs.

    :param changes: n changes of independent items between -1 and 1, such as after minus before.
    :param margin: Fall of the mean that does not matter, from 0 and below 1.
    """
    beyond = (np.asarray(changes, np.float64) + margin) / (1 + margin)
    with np.errstate(divide="ignore"):  # a gain of 1 loses all of the largest stake
        capital = np.log1p(-np.outer(_STAKES, np.minimum(beyond, 1))).sum(axis=1)
    return float(np.exp(-max(np.logaddexp.reduce(capital) - np.log(len(_STAKES)), 0)))


def least_loss(count: int, margin: float, level: float) -> int | None:
    """Return how many items must fall from 1 to 0, while none gains, for a p-value of `level`; None if all do not do.

    :param count: Number of items.
    :param margin: As in `loss_p_value`.
    """
    losses = range(1, count + 1)
    return next((lost for lost in losses if loss_p_value(-1.0 * (np.arange(count) < lost), margin) <= level), None)


def mmd(one: np.ndarray, other: np.ndarray, times: int = 9999, seed: int = 42) -> tuple[float, float]:
    """Compare two samples by their maximum mean discrepancy (Gretton et al., 2012).

    The kernel is exp(-d² / m), where d is the distance of two vectors and m the median of d² over all pairs.

    :param one: Vectors, float [n, dim]; `other` likewise, [m, dim].
    :param times: Number of random deals of all vectors into two samples.
    :return: Squared discrepancy, 0 for equal samples, and the share of deals that reach it (p-value).
    """
    points = np.concatenate([one, other]).astype(np.float64)
    squares = _squared_distances(points)
    kernel = np.exp(-squares / (np.median(squares[np.triu_indices(len(points), 1)]) or 1))
    weights = np.repeat([1 / len(one), -1 / len(other)], [len(one), len(other)])
    measured = float(weights @ kernel @ weights)
    rng, reached = np.random.default_rng(seed), 0
    for block in blocks(times, max(_BLOCK // len(points), 1)):
        deals = rng.permuted(np.tile(weights, (block.stop - block.start, 1)), axis=1)
        reached += int(((deals @ kernel * deals).sum(axis=1) >= measured - 1e-12).sum())
    return max(measured, 0.0), (reached + 1) / (times + 1)


def _squared_distances(points: Floats) -> Floats:
    lengths = (points**2).sum(axis=1)
    return np.asarray(np.maximum(lengths[:, None] + lengths - 2 * points @ points.T, 0))
