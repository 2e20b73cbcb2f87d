"""Two-dimensional maps of vectors."""

from __future__ import annotations

import importlib.util
import warnings

import numpy as np

_FEWEST = 11  # points that PHATE needs to find neighbourhoods


def map_method(count: int) -> str:
    """Say how `map_2d` lays out so many points here: by PHATE where it is installed, else by PCA."""
    return "PHATE" if count >= _FEWEST and importlib.util.find_spec("phate") else "PCA"


def map_2d(vectors: np.ndarray, seed: int = 42) -> np.ndarray:
    """Lay vectors out on a plane.

    PHATE keeps neighbourhoods and the way between them. It is under the GPL and so an extra; without it the
    two main directions (PCA) are taken.

    :param vectors: Unit vectors, float [n, dim].
    :param seed: Seed of PHATE.
    :return: float64 [n, 2], centred, within [-1, 1].
    """
    data = np.asarray(vectors, np.float64)
    if map_method(len(data)) == "PHATE":
        import phate

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its dependencies warn of their own future
            operator = phate.PHATE(knn_dist="cosine", mds_solver="smacof", random_state=seed, n_jobs=1, verbose=0)
            points = operator.fit_transform(data)
    else:
        centred = data - data.mean(axis=0)
        left, scale, _ = np.linalg.svd(centred, full_matrices=False)
        points = left[:, :2] * scale[:2]
        points *= np.sign(points[np.abs(points).argmax(axis=0), [0, 1]])  # a direction has no sign of its own
    points = points - points.mean(axis=0)
    scaled: np.ndarray = points / np.abs(points).max()
    return scaled
