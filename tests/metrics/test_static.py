"""Static vectors: rarity weights and principal components."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlutils.metrics.static import principal_components, rarity_weights


@given(st.lists(st.integers(0, 9), min_size=1, max_size=12).filter(any), st.floats(1e-6, 1))
def test_weights_are_the_formula_token_by_token(counts, smoothing):
    expected = [smoothing / (smoothing + count / sum(counts)) for count in counts]
    assert rarity_weights(counts, smoothing).tolist() == pytest.approx(expected)


def test_rarer_tokens_weigh_more_and_unseen_ones_all():
    weights = rarity_weights([100, 10, 10, 0])
    assert weights[0] < weights[1] == weights[2] < weights[3] == 1


@pytest.mark.parametrize("counts", [[], [0, 0], [1, -1], [1, np.nan]])
def test_counts_that_are_none_are_refused(counts):
    with pytest.raises(ValueError, match="counts"):
        rarity_weights(counts)


@given(st.integers(0, 2**16), st.integers(1, 5), st.booleans())
def test_components_are_those_of_a_singular_value_decomposition(seed, dim, is_doubled):
    vectors = np.random.default_rng(seed).normal(size=(9, 5)) * [5, 4, 3, 2, 1] + 7
    vectors = np.concatenate([vectors, vectors]) if is_doubled else vectors
    centred = vectors - vectors.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    found, expected = principal_components(vectors, dim), (left * sizes)[:, :dim]
    assert found @ found.T == pytest.approx(expected @ expected.T, abs=1e-3)  # directions may be turned around


def test_all_components_keep_all_distances_and_more_are_refused():
    vectors = np.random.default_rng(0).normal(size=(6, 4))
    kept = principal_components(vectors, 4)
    distances = [np.linalg.norm(side[:, None] - side, axis=2) for side in (vectors, kept)]
    assert distances[1] == pytest.approx(distances[0], abs=1e-5)
    with pytest.raises(ValueError, match="^vectors of 4 dimensions cannot be reduced to 5$"):
        principal_components(vectors, 5)


def test_whitened_components_all_vary_as_much_unless_they_do_not_vary_at_all():
    vectors = np.random.default_rng(0).normal(size=(50, 4)) * [9, 3, 1, 0] + 2
    found = principal_components(vectors, 4, whitened=True)
    assert np.cov(found[:, :3].T, ddof=0) == pytest.approx(np.eye(3), abs=1e-4)
    plain = principal_components(vectors, 4)
    assert found[:, :3] == pytest.approx(plain[:, :3] / plain[:, :3].std(axis=0), abs=1e-4)
    assert np.abs(found[:, 3]).max() < 1e-2
