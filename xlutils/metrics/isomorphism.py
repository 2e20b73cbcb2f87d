"""Whether two spaces have the same shape, which is what a linear map between them needs; no map is fitted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from xlutils.metrics.relations import neighbour_weights

_ENERGY = 0.9  # share of the eigenvalues that counts
Floats = NDArray[np.float64]


def graph_eigenvalues(vectors: np.ndarray, k: int = 5) -> Floats:
    """Return the eigenvalues of the Laplacian of the graph of k nearest neighbours, in falling order, float64 [n].

    :param vectors: Unit vectors, float [n, dim].
    """
    weights = neighbour_weights(vectors, k)
    edges = np.maximum(weights, weights.T)
    laplacian = np.diag(edges.sum(axis=1)) - edges
    return np.linalg.eigvalsh(laplacian)[::-1]


def eigenvector_similarity(a: Floats, b: Floats) -> float:
    """Return how far the spectra of two graphs of neighbours are apart (Søgaard et al., 2018); 0 for the same graph.

    The largest eigenvalues are compared, as many as make nine tenths of the sum in the space that needs fewer.

    :param a: As from `graph_eigenvalues`; `b` likewise.
    """
    needed = [int(np.searchsorted(np.cumsum(values) / values.sum(), _ENERGY)) + 1 for values in (a, b)]
    count = min(needed)
    return float(((a[:count] - b[:count]) ** 2).sum())


def merge_distances(vectors: np.ndarray) -> Floats:
    """Return the distances at which the texts of a space join into one cluster, in falling order, float64 [n - 1].

    They are the deaths of the connected components in the space's persistence diagram.

    :param vectors: Unit vectors, float [n, dim].
    """
    from scipy.cluster.hierarchy import linkage

    return np.asarray(linkage(np.asarray(vectors, np.float64), "single")[::-1, 2])


def bottleneck(a: Floats, b: Floats) -> float:
    """Return the bottleneck distance of two diagrams of `merge_distances` (Patra et al., 2019), of equal length.

    It bounds the Gromov-Hausdorff distance of the spaces from below. All components are born at 0, so the best
    matching keeps the order; a component may also be matched with nothing, at half of its distance.
    """
    return float(np.minimum(np.abs(a - b), np.maximum(a, b) / 2).max(initial=0))
