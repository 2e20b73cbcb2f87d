import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from xlutils.metrics.transfer import backward_changes, forward_changes, mean_of_means, transfer_matrix


def sample(seed, languages, items=6):
    """Scores with ties; some languages lack items, the same ones after each step."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 3, (languages + 1, items, languages)) / 2
    missing = rng.random((items, languages)) < 0.3
    missing[0] = False
    return np.where(missing, np.nan, values)


@given(st.integers(0, 999), st.integers(2, 4))
def test_transfer_against_the_definition(seed, languages):
    values = sample(seed, languages)
    matrix = np.array([[np.nanmean(values[i, :, j]) for j in range(languages)] for i in range(languages + 1)])
    assert transfer_matrix(values) == pytest.approx(matrix)
    backward = np.mean([matrix[languages][j] - matrix[j + 1][j] for j in range(languages - 1)])
    forward = np.mean([matrix[j][j] - matrix[0][j] for j in range(1, languages)])
    clusters = np.arange(6)
    assert mean_of_means(backward_changes(values), clusters)[0] == pytest.approx(backward)
    assert mean_of_means(forward_changes(values), clusters)[0] == pytest.approx(forward)


def test_a_model_that_never_changes_neither_forgets_nor_gains():
    values = np.repeat(sample(0, 3)[:1], 4, axis=0)
    assert mean_of_means(backward_changes(values), np.arange(6)) == (0, 0, 0)
    assert mean_of_means(forward_changes(values), np.arange(6)) == (0, 0, 0)


def test_clusters_are_drawn_whole():
    """Ten copies of an item say no more than the item."""
    values = np.array([[0.0], [1.0], [0.0], [1.0], [1.0]])
    once, copied = values, np.repeat(values, 10, axis=0)
    assert mean_of_means(copied, np.repeat(np.arange(5), 10)) == pytest.approx(mean_of_means(once, np.arange(5)))


def test_steps_and_languages_must_fit():
    with pytest.raises(ValueError, match=r"shape \[languages \+ 1, items, languages\], not \(3, 6, 3\)"):
        backward_changes(np.zeros((3, 6, 3)))
