"""Static vectors: one per token, of which a text has the mean.

The mean is weighted against frequent tokens (smooth inverse frequency, Arora et al., 2017).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

_LEAST = 1e-6  # variance of a direction that counts, in units of the strongest one


def rarity_weights(counts: ArrayLike, smoothing: float = 1e-4) -> NDArray[np.float64]:
    """Return the weight of each token: smoothing / (smoothing + its share of all tokens), float64 [n].

    :param counts: How often each token occurs, or a guess such as one divided by its rank (Zipf's law). A token that
        never occurs has the weight 1.
    :raises ValueError: If a count is negative, or all are 0.
    """
    numbers = np.asarray(counts, np.float64)
    if not np.isfinite(numbers).all() or (numbers < 0).any() or not numbers.any():
        raise ValueError("counts must be 0 or more, and one of them above 0")
    return np.asarray(smoothing / (smoothing + numbers / numbers.sum()))


def principal_components(vectors: np.ndarray, dim: int, *, whitened: bool = False) -> NDArray[np.float32]:
    """Subtract the mean of all vectors and keep the directions in which they vary most: float32 [n, dim].

    :param vectors: float [n, width].
    :param dim: Number of directions, the strongest first.
    :param whitened: Whether all of them are scaled to the same variance, unless they have none.
    :raises ValueError: If there are not so many directions.
    """
    if not 1 <= dim <= vectors.shape[1]:
        raise ValueError(f"vectors of {vectors.shape[1]} dimensions cannot be reduced to {dim}")
    centred = vectors - vectors.mean(axis=0, dtype=np.float64).astype(vectors.dtype)
    strengths, directions = (side[..., ::-1][..., :dim] for side in np.linalg.eigh(centred.T @ centred))  # they rise
    sizes = np.sqrt(np.maximum(strengths, strengths[0] * _LEAST) / len(vectors)) if whitened else 1
    return np.asarray(centred @ directions / sizes, np.float32)
