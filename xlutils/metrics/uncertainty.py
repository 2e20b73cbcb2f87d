"""How sure a number is: bootstrap intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_BLOCK = 1 << 22  # draws held in memory at a time


def bootstrap_ci(
    values: Sequence[float] | np.ndarray, resamples: int = 2000, level: float = 0.95, seed: int = 42
) -> tuple[float, float]:
    """Percentile interval of a mean, by drawing its values again with replacement.

    :param values: n independent values, such as one a concept.
    :param resamples: Number of times n values are drawn.
    :param level: Share of the drawn means that the interval holds.
    :param seed: Seed of the draws.
    :return: Lower and upper bound.
    :raises ValueError: If there is no value, or one that is not finite.
    """
    data = np.asarray(values, np.float64)
    if data.size == 0 or not np.isfinite(data).all():
        raise ValueError("bootstrap_ci needs at least one value, and finite ones")
    rng = np.random.default_rng(seed)
    rows = max(_BLOCK // data.size, 1)
    means = [
        data[rng.integers(data.size, size=(min(rows, resamples - start), data.size))].mean(axis=1)
        for start in range(0, resamples, rows)
    ]
    tail = (1 - level) / 2
    low, high = np.quantile(np.concatenate(means), [tail, 1 - tail])
    return float(low), float(high)
