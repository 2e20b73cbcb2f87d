"""What a model that learns languages one after the other forgets of the earlier ones, and what the later ones gain.

After Lopez-Paz and Ranzato, *Gradient Episodic Memory for Continual Learning* (2017).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from xlutils.metrics.alignment import mean_without_nan
from xlutils.metrics.uncertainty import bootstrap

Floats = NDArray[np.float64]
Interval = tuple[float, float, float]  # value, low, high


def transfer_matrix(values: Floats) -> Floats:
    """Return the matrix R: the score in each language after each step, float64 [steps + 1, languages].

    Row 0 is the model before any step; step j teaches language j - 1.

    :param values: Scores of items, float [steps + 1, items, languages]; NaN where a language lacks an item.
    """
    return np.stack([mean_without_nan(table, 0) for table in np.asarray(values, np.float64)])


def backward_changes(values: Floats) -> Floats:
    """Return how each language but the last changed from the step that taught it to the last step.

    :param values: As for `transfer_matrix`, with as many steps as languages.
    :return: float64 [items, languages - 1]; the mean of their means is the backward transfer, negative if the model
        forgot.
    """
    last = _checked(values)[-1]
    return np.stack([last[:, code] - values[code + 1, :, code] for code in range(last.shape[1] - 1)], axis=1)


def forward_changes(values: Floats) -> Floats:
    """Return how each language but the first had changed before the step that taught it; see `backward_changes`."""
    first = _checked(values)[0]
    return np.stack([values[code, :, code] - first[:, code] for code in range(1, first.shape[1])], axis=1)


def mean_of_means(values: Floats, clusters: NDArray[np.int64], seed: int = 42) -> Interval:
    """Return the mean over languages of the mean over their items, with its 95% interval over items.

    :param values: float [items, languages]; NaN where a language lacks an item.
    :param clusters: Number of the cluster of each item, int [items]: clusters are drawn whole.
    """
    which = np.unique(clusters, return_inverse=True)[1]
    sums, counts = np.zeros((2, which.max() + 1, values.shape[1]))
    np.add.at(sums, which, np.nan_to_num(values))
    np.add.at(counts, which, np.isfinite(values))

    def mean(times: Floats) -> Floats:
        with np.errstate(invalid="ignore"):
            return np.asarray((times @ sums / (times @ counts)).mean(axis=1))

    low, high = bootstrap(mean, len(sums), seed=seed)
    return float(mean(np.ones((1, len(sums))))[0]), float(low), float(high)


def _checked(values: Floats) -> Floats:
    if values.ndim != 3 or values.shape[0] != values.shape[2] + 1 or values.shape[2] < 2:
        raise ValueError(f"needs scores of shape [languages + 1, items, languages], not {values.shape}")
    return values
