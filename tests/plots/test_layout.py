import importlib.util

import numpy as np
import pytest

from xlutils.plots.layout import map_2d, map_method, map_words


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


def rows_of(count):
    return [(f"c{number // 2}", "en" if number % 2 == 0 else "de", f"w{number}") for number in range(count)]


def test_words_that_have_one_vector_are_one_point():
    vectors = clusters()
    vectors[[3, 17, 30]] = vectors[3]
    result = map_words(rows_of(40), vectors, seed=1)
    assert result.left_out == 0
    assert len(np.unique(result.points, axis=0)) == 38
    assert np.array_equal(result.points[3], result.points[17])
    assert result.words[:3] == ("w0", "w1", "w2")
    assert result.note.startswith("laid out by PHATE") == bool(importlib.util.find_spec("phate"))


def test_lines_join_the_words_of_a_concept():
    rows = [("a", "en", "x"), ("a", "de", "y"), ("b", "en", "z"), ("a", "fr", "u")]
    result = map_words(rows, clusters(4), seed=1)
    lines = result.lines()
    assert len(lines) == 6
    assert np.array_equal(lines[[0, 1]], result.points[[0, 1]])
    assert np.array_equal(lines[[3, 4]], result.points[[0, 3]])
    assert np.isnan(lines[[2, 5]]).all()


def test_too_many_words_are_a_sample_of_whole_concepts():
    result = map_words(rows_of(40), clusters(), seed=1, largest=24)
    assert len(result.words) == 24
    assert result.left_out == 16
    assert all(result.concepts.count(concept) == 2 for concept in result.concepts)
    assert "16 words of other concepts are left out" in result.note
    assert result.words == map_words(rows_of(40), clusters(), seed=1, largest=24).words


def test_without_phate_the_note_says_how_to_get_it(monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "phate" else find_spec(name))
    note = map_words(rows_of(40), clusters(), seed=1).note
    assert note == "laid out by PCA (PHATE needs eleven words and `pip install 'xlutils[maps]'`)"
