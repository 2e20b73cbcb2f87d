"""How sure a number is: bootstrap intervals, paired differences, permutation tests.

Draws are repeated `resamples` times and depend on nothing but the `seed`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xlutils.metrics.blocks import blocks

_BLOCK = 1 << 22  # numbers drawn at a time
Floats = NDArray[np.float64]
Clusters = NDArray[np.int64] | None


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
    """Return the 95% percentile interval of any statistic: lower and upper bounds; see `bootstrap_quantiles`."""
    low, high = bootstrap_quantiles(statistic, count, (0.025, 0.975), resamples, seed)
    return low, high


def bootstrap_quantiles(
    statistic: Callable[[Floats], Floats],
    count: int,
    quantiles: Sequence[float],
    resamples: int = 2000,
    seed: int = 42,
) -> Floats:
    """Return quantiles of any statistic over draws of its items with replacement.

    :param statistic: Takes how often each item was drawn, float64 [draws, count], and returns a value or an
        array for each draw, float64 [draws, ...]. Draws for which it returns NaN are left out.
    :param count: Number of items, such as concepts.
    :param quantiles: Such as (0.025, 0.5, 0.975).
    :return: float64 [quantiles, ...]; NaN where no draw had a value.
    """
    rng = np.random.default_rng(seed)
    values = []
    for block in blocks(resamples, max(_BLOCK // count, 1)):
        drawn = rng.integers(count, size=(block.stop - block.start, count))
        drawn += np.arange(len(drawn))[:, None] * count  # so that one call counts all rows
        times = np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape)
        values.append(statistic(times.astype(np.float64)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # nanquantile warns if there is no value at all
        return np.asarray(np.nanquantile(np.concatenate(values), quantiles, axis=0))


def bootstrap_ci(
    values: ArrayLike, resamples: int = 2000, seed: int = 42, clusters: Clusters = None
) -> tuple[float, float]:
    """Return the 95% percentile interval of a mean.

    :param values: n values.
    :param clusters: Number of the cluster of each value, int [n], if values of a cluster depend on each
        other, as the words of a concept do: clusters are drawn whole. By default every value is its own cluster.
    :raises ValueError: If there is no value, or one that is not finite.
    """
    low, high = bootstrap_ratio(values, np.ones_like(values, np.float64), clusters, resamples, seed)
    return float(low), float(high)


def bootstrap_ratio(
    parts: ArrayLike, wholes: ArrayLike, clusters: Clusters = None, resamples: int = 2000, seed: int = 42
) -> tuple[Floats, Floats]:
    """Return the 95% percentile interval of the sum of some parts over the sum of their wholes.

    :param parts: float [n, ...], such as the English documents above each gold.
    :param wholes: float [n, ...], such as all documents above it.
    :param clusters: As in `bootstrap_ci`.
    :return: Lower and upper bounds, [...]; NaN where the wholes are all 0.
    """
    above, below = (_sum_clusters(_finite(side), clusters) for side in (parts, wholes))

    def ratio(times: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.tensordot(times, above, 1) / np.tensordot(times, below, 1))

    return bootstrap(ratio, len(above), resamples, seed)


def bootstrap_means(values: np.ndarray, seed: int = 42, clusters: Clusters = None) -> tuple[Floats, Floats]:
    """Return the 95% intervals of many means over the same items, such as one for each pair of languages.

    :param values: float [items, ...]; NaN where an item has no value.
    :param clusters: As in `bootstrap_ci`.
    :return: Lower and upper bounds, [...]; NaN where no item has a value.
    """
    return bootstrap_ratio(np.nan_to_num(values), np.isfinite(values), clusters, seed=seed)


def bootstrap_medians(values: np.ndarray, seed: int = 42) -> tuple[Floats, Floats, Floats]:
    """Return the median of each column of a table, with its 95% interval: value, low and high, float64 [columns] each.

    Of an even number of values, the median is the lower one of the two in the middle.

    :param values: float [items, columns]; NaN where an item has no value, and in the result of a column without any.
    """
    order = np.argsort(values, axis=0)  # NaN comes last
    ordered, present = np.take_along_axis(values, order, axis=0), np.isfinite(values)

    def medians(times: Floats) -> Floats:
        columns = []
        for column, (rows, is_present) in enumerate(zip(order.T, present.T, strict=True)):
            reached = np.cumsum((times * is_present)[:, rows], axis=1)
            middle = np.argmax(2 * reached >= reached[:, -1:], axis=1)
            columns.append(np.where(reached[:, -1] > 0, ordered[middle, column], np.nan))
        return np.stack(columns, axis=1)

    return medians(np.ones((1, len(values))))[0], *bootstrap(medians, len(values), seed=seed)


def paired_difference(a: ArrayLike, b: ArrayLike, resamples: int = 2000, seed: int = 42) -> Difference:
    """Compare two measurements of the same n items, a - b, with a two-sided p-value under random sign changes."""
    difference = _finite(a) - _finite(b)
    rng = np.random.default_rng(seed)
    edge = abs(difference.mean()) * (1 - 1e-12)
    as_large = 0
    for block in blocks(resamples, max(_BLOCK // difference.size, 1)):
        signs = rng.choice([-1.0, 1.0], size=(block.stop - block.start, difference.size))
        as_large += int((np.abs(signs @ difference) / difference.size >= edge).sum())
    interval = bootstrap_ci(difference, resamples, seed)
    return Difference(float(difference.mean()), *interval, (as_large + 1) / (resamples + 1))


def permutation_test_groups(a: ArrayLike, b: ArrayLike, resamples: int = 9999, seed: int = 42) -> float:
    """Test whether group a scores lower than group b, by dealing the values out at random.

    All possible deals are taken if they are fewer than `resamples`.

    :return: One-sided p-value.
    """
    from scipy.stats import permutation_test

    def mean_difference(a: Floats, b: Floats, axis: int) -> Floats:
        return np.asarray(a.mean(axis=axis) - b.mean(axis=axis))

    options = {"n_resamples": resamples, "alternative": "less", "rng": np.random.default_rng(seed)}
    return float(permutation_test((_finite(a), _finite(b)), mean_difference, **options).pvalue)


def outlier_test(values: np.ndarray, resamples: int = 9999, seed: int = 42) -> tuple[Floats, Floats]:
    """Test each column for being lower than the others, corrected for the number of columns.

    Under chance the columns of a row are exchangeable, so each row is shuffled by itself. Each column is compared
    with the *lowest* column of every shuffle, which corrects the p-values (Westfall and Young, 1993).

    :param values: float [rows, columns], such as concepts by languages; NaN where there is no value.
    :return: For each column the mean deviation of its values from the means of their rows, and its corrected
        p-value; NaN for a column that never has a value beside another one.
    """
    rows = np.asarray(values, np.float64)
    rows = rows[np.isfinite(rows).sum(axis=1) > 1]  # a value alone in its row says nothing
    centred = rows - np.nanmean(rows, axis=1, keepdims=True)
    counts = np.isfinite(rows).sum(axis=0)
    rng = np.random.default_rng(seed)
    as_low = np.zeros(len(counts), int)
    with np.errstate(invalid="ignore"):
        observed = np.nansum(centred, axis=0) / counts
        for block in blocks(resamples, max(_BLOCK // max(rows.size, 1), 1)):
            means = np.nansum(_shuffle_rows(centred, block.stop - block.start, rng), axis=1) / counts
            lowest = np.fmin.reduce(means, axis=1, keepdims=True)
            as_low += (lowest <= observed + 1e-12).sum(axis=0)
    return observed, np.where(counts > 0, (as_low + 1) / (resamples + 1), np.nan)


def _shuffle_rows(values: Floats, times: int, rng: np.random.Generator) -> Floats:
    """Shuffle each row among the columns where it is not NaN: float64 [times, rows, columns]."""
    missing = np.isnan(values)
    places = np.argsort(missing, axis=1, kind="stable")[None]  # those with a value first
    order = np.argsort(np.where(missing, 2, rng.random((times, *values.shape))), axis=2)
    shuffled = np.empty(order.shape)
    np.put_along_axis(shuffled, places, np.take_along_axis(values[None], order, axis=2), axis=2)
    return shuffled


def spearman(a: ArrayLike, b: ArrayLike, seed: int = 42) -> tuple[float, float, float]:
    """Return the rank correlation of n pairs of values with its 95% interval: value, low and high.

    :return: 0 where all values of one side are equal.
    """
    from scipy.stats import rankdata

    ranks = [rankdata(_finite(values)) for values in (a, b)]

    def correlation(times: Floats) -> Floats:
        total = times.sum(axis=1, keepdims=True)
        one, other = (rank - times @ rank[:, None] / total for rank in ranks)
        spread = np.sqrt((times * one**2).sum(axis=1) * (times * other**2).sum(axis=1))
        products: Floats = (times * one * other).sum(axis=1)
        return np.asarray(np.divide(products, spread, out=np.zeros(len(times)), where=spread > 0))

    low, high = bootstrap(correlation, len(ranks[0]), seed=seed)
    return float(correlation(np.ones((1, len(ranks[0]))))[0]), float(low), float(high)


def holm(p_values: ArrayLike) -> Floats:
    """Correct p-values for their number by Holm's method: float64 [n]."""
    values = np.asarray(p_values, np.float64)
    order = np.argsort(values)
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    return np.minimum(stepped, 1)[np.argsort(order)]


def _sum_clusters(values: Floats, clusters: Clusters) -> Floats:
    """Add up the values of each cluster: float64 [clusters, ...]."""
    if clusters is None:
        return values
    numbers = np.unique(clusters, return_inverse=True)[1]
    sums = np.zeros((numbers.max() + 1, *values.shape[1:]))
    np.add.at(sums, numbers, values)
    return sums


def _finite(values: ArrayLike) -> Floats:
    data = np.asarray(values, np.float64)
    if data.size == 0 or not np.isfinite(data).all():
        raise ValueError("needs at least one value, and finite ones")
    return data
