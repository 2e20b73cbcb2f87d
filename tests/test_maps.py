import importlib.util

import numpy as np
import pytest

from xlutils.maps import map_2d, map_method


def clusters(count=40):
    rng = np.random.default_rng(0)
    centres = np.array([[5.0, 0, 0, 0], [0, 5.0, 0, 0]])
    vectors = np.repeat(centres, count // 2, axis=0) + rng.standard_normal((count, 4)) * 0.3
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("installed", [True, False])
def test_clusters_stay_apart(monkeypatch, installed):
    if installed and importlib.util.find_spec("phate") is None:
        pytest.skip("PHATE is an extra and not installed")
    find_spec = importlib.util.find_spec
    if not installed:
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "phate" else find_spec(name))
    vectors = clusters()
    assert map_method(len(vectors)) == ("PHATE" if installed else "PCA")
    points = map_2d(vectors, seed=1)
    assert points.shape == (40, 2)
    assert np.abs(points).max() == pytest.approx(1)
    assert points.mean(axis=0) == pytest.approx([0, 0], abs=1e-9)
    one, other = points[:20], points[20:]
    within = max(np.linalg.norm(part - part.mean(axis=0), axis=1).mean() for part in (one, other))
    assert np.linalg.norm(one.mean(axis=0) - other.mean(axis=0)) > 3 * within
    assert np.array_equal(points, map_2d(vectors, seed=1))


def test_few_points_are_laid_out_by_pca():
    assert map_method(10) == "PCA"
    assert map_2d(clusters(10)).shape == (10, 2)
