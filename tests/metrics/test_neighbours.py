import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xlutils.metrics import neighbours as module
from xlutils.metrics.neighbours import find_neighbours, hubness, skewness

ROUND = st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0])


@settings(deadline=None)
@given(st.data(), st.integers(1, 12), st.integers(1, 5))
def test_lists_hold_the_best_of_each_language(data, width, block):
    count = data.draw(st.integers(2, 15))
    vectors = data.draw(arrays(np.float32, (count, 3), elements=ROUND))
    drawn = data.draw(st.lists(st.integers(0, 2), min_size=count, max_size=count))
    language_of = np.unique(drawn, return_inverse=True)[1]  # numbers without gaps
    module._BLOCK, before = block, module._BLOCK
    try:
        found = find_neighbours(vectors, language_of, width)
    finally:
        module._BLOCK = before
    scores = vectors @ vectors.T
    for language in range(language_of.max() + 1):
        for i in range(count):
            others = [j for j in range(count) if j != i and language_of[j] == language]
            expected = sorted((scores[i, j] for j in others), reverse=True)[:width]
            ids = found.ids[language][i]
            assert found.scores[language][i, : len(expected)].tolist() == expected
            assert (found.scores[language][i, len(expected) :] == -np.inf).all()
            assert len(set(ids[ids >= 0])) == len(expected)
            assert set(ids[ids >= 0]) <= set(others)
    for i in range(count):
        expected = sorted((scores[i, j] for j in range(count) if j != i), reverse=True)[:width]
        assert found.overall()[0][i, : len(expected)].tolist() == expected


def test_hubness_by_hand():
    """Three spokes and a hub: everybody's nearest is the hub, and the hub's nearest is a spoke."""
    vectors = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.6, 0.6, 0.53]])
    counts = hubness(find_neighbours(vectors, np.zeros(4, int), 3), 1)
    assert counts[3] == 3
    assert counts.sum() == 4
    deviations = counts - counts.mean()
    assert skewness(counts) == pytest.approx((deviations**3).mean() / (deviations**2).mean() ** 1.5)
    assert skewness(counts) > 0.5


def test_no_hubs_on_a_circle():
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    counts = hubness(find_neighbours(vectors, np.zeros(12, int), 4), 2)
    assert counts.tolist() == [2] * 12
    assert skewness(counts) == 0


def test_ten_thousand_equal_vectors_tie_exactly():
    vectors = np.ones((10_000, 2), np.float32)
    found = find_neighbours(vectors, np.zeros(10_000, int), 16)
    chance = found.chance_in_top(3, np.arange(50), np.arange(50) + 1, None)
    assert chance == pytest.approx(3 / 9_999)
