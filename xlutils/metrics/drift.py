"""Tests of a change: whether a score fell by more than a margin, and whether vectors moved."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xlutils.metrics.blocks import blocks

_LOWEST = -700.0  # log of the least number that is not 0
_EQUAL = 1e-9
_BLOCK = 1 << 22  # numbers drawn at a time
Floats = NDArray[np.float64]


def loss_p_value(changes: ArrayLike, margin: float) -> float:
    """Test whether the mean of changes is below -margin; a small p-value says that it is.

    One more item is imagined, which gains all that can be gained, and all items get random weights (those of the
    Bayesian bootstrap: uniform among weights that add up to 1). The p-value is the chance that their weighted mean is
    -margin or above, and 1 if the plain mean is. Random signs would assume that changes are symmetric, and Student's
    test that means are nearly normal. This test keeps its level with zeros, ties, skewed changes and few items, as far
    as is known: Gaffke (2005) and Learned-Miller and Thomas (2019, arXiv:1905.06208) conjecture that no distribution
    between -1 and 1 breaks it. The price is power where many changes are small.

    :param changes: n changes of independent items between -1 and 1, such as after minus before.
    :param margin: Fall of the mean that does not matter, from 0 and below 1.
    """
    from scipy.integrate import quad
    from scipy.optimize import brentq

    beyond = np.append(np.asarray(changes, np.float64), 1.0) + margin
    if beyond.sum() >= 0:
        return 1.0
    # Uniform weights are exponential variables divided by their sum: the sign of the mean is that of a sum of
    # exponentials with the factors `beyond`. Its upper tail is an integral over its moment generating function, along
    # the line through the saddle point, where the integrand falls off fastest.
    saddle = brentq(lambda s: (beyond / (1 - s * beyond)).sum(), 0, (1 - 1e-12) / beyond.max())
    width = 1 / np.linalg.norm(beyond / (1 - saddle * beyond))
    height = -np.log1p(-saddle * beyond).sum()
    if height < _LOWEST:
        return 0.0

    def integrand(t: float) -> float:
        point = saddle + 1j * width * t
        return float((np.exp(-np.log(1 - point * beyond).sum() - height) / point).real)

    return float(np.exp(height) * quad(integrand, 0, np.inf, limit=200)[0] * width / np.pi)


def mean_loss_p_value(changes: ArrayLike, margin: float) -> float:
    """Test whether the mean of changes is below -margin, as `loss_p_value`, where each change is a mean itself.

    Student's test: means over many languages are nearly normal, and it notices a small loss that is everywhere.

    :param changes: n changes, such as those of a text in the mean over languages.
    :param margin: As in `loss_p_value`.
    """
    from scipy.stats import ttest_1samp

    values = np.asarray(changes, np.float64)
    if np.ptp(values) < _EQUAL:
        return float(values.mean() >= -margin)
    return float(ttest_1samp(values, -margin, alternative="less").pvalue)


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
