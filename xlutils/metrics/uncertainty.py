"""How sure a number is: bootstrap intervals, paired differences, permutation tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

_BLOCK = 1 << 22  # draws held in memory at a time


@dataclass(frozen=True)
class Difference:
    """Mean of a difference, its 95% interval, and how often chance alone would do as much."""

    mean: float
    low: float
    high: float
    p_value: float


def bootstrap_ci(values: ArrayLike, resamples: int = 2000, level: float = 0.95, seed: int = 42) -> tuple[float, float]:
    """Percentile interval of a mean, by drawing its values again with replacement.

    :param values: n independent values, such as one a concept.
    :param resamples: Number of times n values are drawn.
    :param level: Share of the drawn means that the interval holds.
    :param seed: Seed of the draws.
    :return: Lower and upper bound.
    :raises ValueError: If there is no value, or one that is not finite.
    """
    data = _finite(values)
    rng = np.random.default_rng(seed)
    rows = max(_BLOCK // data.size, 1)
    means = [
        data[rng.integers(data.size, size=(min(rows, resamples - start), data.size))].mean(axis=1)
        for start in range(0, resamples, rows)
    ]
    tail = (1 - level) / 2
    low, high = np.quantile(np.concatenate(means), [tail, 1 - tail])
    return float(low), float(high)


def paired_difference(a: ArrayLike, b: ArrayLike, resamples: int = 2000, seed: int = 42) -> Difference:
    """Compare two measurements of the same items.

    :param a: n values of one model.
    :param b: n values of the other, in the same order.
    :param resamples: Number of bootstrap draws, and of random sign changes.
    :param seed: Seed of both.
    :return: Mean of a - b, its interval, and the two-sided p-value under random sign changes.
    """
    difference = _finite(a) - _finite(b)
    low, high = bootstrap_ci(difference, resamples, seed=seed)
    rng = np.random.default_rng(seed)
    observed = abs(difference.mean())
    as_large = 0
    rows = max(_BLOCK // difference.size, 1)
    for start in range(0, resamples, rows):
        signs = rng.choice([-1.0, 1.0], size=(min(rows, resamples - start), difference.size))
        as_large += int((np.abs(signs @ difference) / difference.size >= observed * (1 - 1e-12)).sum())
    return Difference(float(difference.mean()), low, high, (as_large + 1) / (resamples + 1))


def permutation_test_groups(a: ArrayLike, b: ArrayLike, resamples: int = 9999, seed: int = 42) -> float:
    """Ask whether group a scores lower than group b, by dealing the values out anew.

    :param a: Values of one group, such as the concepts of a category.
    :param b: Values of the other.
    :param resamples: Number of random deals; where there are fewer possible ones, all are taken.
    :param seed: Seed of the deals.
    :return: One-sided p-value.
    """
    from scipy.stats import permutation_test

    test = permutation_test(
        (_finite(a), _finite(b)), _mean_difference, vectorized=True, n_resamples=resamples, alternative="less",
        rng=np.random.default_rng(seed),
    )  # fmt: skip
    return float(test.pvalue)


def outlier_test(values: np.ndarray, resamples: int = 9999, seed: int = 42) -> tuple[np.ndarray, np.ndarray]:
    """Ask of each column whether it is lower than the others, allowing for the number of columns.

    Under chance the columns of a row are exchangeable, so each row is shuffled by itself. The p-values are
    corrected by comparing each column with the *lowest* column of every shuffle (Westfall and Young, 1993).

    :param values: float [rows, columns], such as concepts by languages; rows with NaN are left out.
    :param resamples: Number of shuffles.
    :param seed: Seed of the shuffles.
    :return: For each column how far its mean lies from the mean of all, and its corrected p-value.
    :raises ValueError: If no row is complete.
    """
    rows = np.asarray(values, np.float64)
    rows = rows[np.isfinite(rows).all(axis=1)]
    if not len(rows):
        raise ValueError("outlier_test needs at least one complete row")
    centred = rows - rows.mean(axis=1, keepdims=True)
    observed = centred.mean(axis=0)
    rng = np.random.default_rng(seed)
    lowest = np.array([rng.permuted(centred, axis=1).mean(axis=0).min() for _ in range(resamples)])
    as_low = (lowest[:, None] <= observed + 1e-12).sum(axis=0)
    return observed, (as_low + 1) / (resamples + 1)


def _mean_difference(a: np.ndarray, b: np.ndarray, axis: int) -> np.ndarray:
    difference: np.ndarray = a.mean(axis=axis) - b.mean(axis=axis)
    return difference


def _finite(values: ArrayLike) -> np.ndarray:
    data = np.asarray(values, np.float64)
    if data.size == 0 or not np.isfinite(data).all():
        raise ValueError("needs at least one value, and finite ones")
    return data
