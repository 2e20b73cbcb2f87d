"""How sure a number is: bootstrap intervals, paired differences, permutation tests."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_BLOCK = 1 << 22  # draws held in memory at a time
_TAILS = (0.025, 0.975)
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Difference:
    """Mean of a difference, its 95% interval, and how often chance alone would reach it."""

    mean: float
    low: float
    high: float
    p_value: float


def bootstrap(
    statistic: Callable[[Floats], Floats], count: int, resamples: int = 2000, seed: int = 42
) -> tuple[Floats, Floats]:
    """Return the 95% percentile interval of any statistic, by drawing its items again with replacement.

    :param statistic: Takes how often each item was drawn, float64 [draws, count], and returns a value or an
        array for each draw, float64 [draws, ...]. Draws for which it returns NaN are left out.
    :param count: Number of items, such as concepts.
    :param resamples: Number of draws.
    :param seed: Seed of the draws.
    :return: Lower and upper bounds, [...]; NaN where no draw had a value.
    """
    rng = np.random.default_rng(seed)
    rows = max(_BLOCK // count, 1)
    values = []
    for start in range(0, resamples, rows):
        drawn = rng.integers(count, size=(min(rows, resamples - start), count))
        drawn += np.arange(len(drawn))[:, None] * count  # so that one call counts all rows
        times = np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape)
        values.append(statistic(times.astype(np.float64)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # nanquantile warns if there is no value at all
        low, high = np.nanquantile(np.concatenate(values), _TAILS, axis=0)
    return low, high


def bootstrap_ci(
    values: ArrayLike, resamples: int = 2000, seed: int = 42, clusters: np.ndarray | None = None
) -> tuple[float, float]:
    """Return the 95% percentile interval of a mean.

    :param values: n values.
    :param resamples: Number of draws.
    :param seed: Seed of the draws.
    :param clusters: Number of the cluster of each value, int [n], if values of a cluster depend on each
        other, as the words of a concept do: clusters are drawn whole. By default every value is its own cluster.
    :return: Lower and upper bound.
    :raises ValueError: If there is no value, or one that is not finite.
    """
    data = _finite(values)
    low, high = bootstrap_ratio(data, np.ones_like(data), clusters, resamples, seed)
    return float(low), float(high)


def bootstrap_ratio(
    parts: ArrayLike,
    wholes: ArrayLike,
    clusters: np.ndarray | None = None,
    resamples: int = 2000,
    seed: int = 42,
) -> tuple[Floats, Floats]:
    """Return the 95% percentile interval of the sum of some parts over the sum of their wholes.

    :param parts: float [n, ...], such as the English documents above each gold.
    :param wholes: float [n, ...], such as all documents above it.
    :param clusters: As in `bootstrap_ci`.
    :return: Lower and upper bounds, [...]; NaN where the wholes are all 0.
    """
    above, below = _finite(parts), _finite(wholes)
    shape = above.shape[1:]
    above, below = above.reshape(len(above), -1), below.reshape(len(below), -1)
    if clusters is not None:
        numbers = np.unique(clusters, return_inverse=True)[1]
        above, below = _sums(above, numbers), _sums(below, numbers)

    def ratio(times: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray((times @ above) / (times @ below))

    low, high = bootstrap(ratio, len(above), resamples, seed)
    return low.reshape(shape), high.reshape(shape)


def bootstrap_means(values: np.ndarray, seed: int = 42, clusters: np.ndarray | None = None) -> tuple[Floats, Floats]:
    """Return the 95% intervals of many means over the same items, such as one for each pair of languages.

    :param values: float [items, ...]; NaN where an item has no value.
    :param seed: Seed of the draws.
    :param clusters: As in `bootstrap_ci`.
    :return: Lower and upper bounds, [...]; NaN where no item has a value.
    """
    return bootstrap_ratio(np.nan_to_num(values), np.isfinite(values).astype(float), clusters, seed=seed)


def paired_difference(a: ArrayLike, b: ArrayLike, resamples: int = 2000, seed: int = 42) -> Difference:
    """Compare two measurements of the same items.

    :param a: n values of one model.
    :param b: n values of the other, in the same order.
    :param resamples: Number of bootstrap draws, and of random sign changes.
    :param seed: Seed of both.
    :return: Mean of a - b, its interval, and the two-sided p-value under random sign changes.
    """
    difference = _finite(a) - _finite(b)
    low, high = bootstrap_ci(difference, resamples, seed)
    rng = np.random.default_rng(seed)
    observed = abs(difference.mean())
    as_large = 0
    rows = max(_BLOCK // difference.size, 1)
    for start in range(0, resamples, rows):
        signs = rng.choice([-1.0, 1.0], size=(min(rows, resamples - start), difference.size))
        as_large += int((np.abs(signs @ difference) / difference.size >= observed * (1 - 1e-12)).sum())
    return Difference(float(difference.mean()), low, high, (as_large + 1) / (resamples + 1))


def permutation_test_groups(a: ArrayLike, b: ArrayLike, resamples: int = 9999, seed: int = 42) -> float:
    """Test whether group a scores lower than group b, by dealing the values out at random.

    :param a: Values of one group, such as the concepts of a category.
    :param b: Values of the other.
    :param resamples: Number of random deals; all possible deals are taken if they are fewer.
    :param seed: Seed of the deals.
    :return: One-sided p-value.
    """
    from scipy.stats import permutation_test

    def mean_difference(a: Floats, b: Floats, axis: int) -> Floats:
        return np.asarray(a.mean(axis=axis) - b.mean(axis=axis))

    test = permutation_test(
        (_finite(a), _finite(b)),
        mean_difference,
        vectorized=True,
        n_resamples=resamples,
        alternative="less",
        rng=np.random.default_rng(seed),
    )
    return float(test.pvalue)


def outlier_test(values: np.ndarray, resamples: int = 9999, seed: int = 42) -> tuple[Floats, Floats]:
    """Test each column for being lower than the others, corrected for the number of columns.

    Under chance the columns of a row are exchangeable, so each row is shuffled by itself. Each column is compared
    with the *lowest* column of every shuffle, which corrects the p-values (Westfall and Young, 1993).

    :param values: float [rows, columns], such as concepts by languages; NaN where there is no value.
    :param resamples: Number of shuffles.
    :param seed: Seed of the shuffles.
    :return: For each column the mean deviation of its values from the means of their rows, and its corrected
        p-value; NaN for a column that never has a value beside another one.
    """
    rows = np.asarray(values, np.float64)
    rows = rows[np.isfinite(rows).sum(axis=1) > 1]  # a value alone in its row says nothing
    present = np.isfinite(rows)
    counts = present.sum(axis=0)
    known = np.where(present, rows, 0)
    centred = np.where(present, known - known.sum(axis=1, keepdims=True) / present.sum(axis=1, keepdims=True), 0)
    rng = np.random.default_rng(seed)
    step = max(_BLOCK // max(rows.size, 1), 1)
    with np.errstate(invalid="ignore"):
        observed = centred.sum(axis=0) / counts
        as_low = np.zeros(rows.shape[1], int)
        for start in range(0, resamples, step):
            sums = _shuffled(centred, present, min(step, resamples - start), rng).sum(axis=1)
            lowest = np.nanmin(np.where(counts > 0, sums / counts, np.inf), axis=1)
            as_low += (lowest[:, None] <= observed + 1e-12).sum(axis=0)
    return observed, np.where(counts > 0, (as_low + 1) / (resamples + 1), np.nan)


def _shuffled(values: Floats, present: NDArray[np.bool_], times: int, rng: np.random.Generator) -> Floats:
    """Shuffle each row among the columns where it has a value: float64 [times, rows, columns]."""
    places = np.argsort(~present, axis=1, kind="stable")  # those with a value first
    order = np.argsort(np.where(present, rng.random((times, *values.shape)), 2), axis=2)
    shuffled = np.zeros(order.shape)
    np.put_along_axis(shuffled, places[None], np.take_along_axis(values[None], order, axis=2), axis=2)
    return shuffled


def holm(p_values: ArrayLike) -> Floats:
    """Correct p-values for their number by Holm's method: float64 [n]."""
    values = np.asarray(p_values, np.float64)
    order = np.argsort(values)
    corrected = np.empty(len(values))
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    corrected[order] = np.minimum(stepped, 1)
    return corrected


def _sums(values: Floats, numbers: NDArray[np.int64]) -> Floats:
    """Add up the rows of each cluster, float64 [clusters, columns]."""
    sums = np.zeros((numbers.max() + 1, values.shape[1]))
    np.add.at(sums, numbers, values)
    return sums


def _finite(values: ArrayLike) -> Floats:
    data = np.asarray(values, np.float64)
    if data.size == 0 or not np.isfinite(data).all():
        raise ValueError("needs at least one value, and finite ones")
    return data
