"""Maps against scikit-learn, scipy and plain loops; planted maps; and files that are the same each time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import random_turn, unit_vectors
from scipy.linalg import orthogonal_procrustes
from sklearn.linear_model import Ridge

from xlutils.metrics.geometry import unit_rows
from xlutils.metrics.maps import METHODS, LinearMap, fit_map, identity, load_map, ridge, rotation

STRENGTHS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0, 100.0)  # that a ridge chooses from
LEANS = (0.01, 0.03, 0.1, 0.3, 1.0, 10.0)  # that a rotation chooses from
seeds = st.integers(0, 10**6)


def centred(vectors):
    return vectors - vectors.mean(axis=0)


def noisy(vectors, seed, size):
    """The same vectors with noise of so many times their length."""
    return unit_rows(vectors + size * unit_vectors(seed, *vectors.shape))


@given(seeds, st.integers(2, 6))
def test_a_rotation_is_that_of_scipy(seed, dim):
    one, other = centred(unit_vectors(seed, dim + 3, dim)), centred(unit_vectors(seed + 1, dim + 3, dim))
    assert rotation(one, other) == pytest.approx(orthogonal_procrustes(one, other)[0], abs=1e-6)


def leaning_rotation(one, other, strength):
    """The same, with the axes as more pairs, each of which stays where it is."""
    largest = np.linalg.svd(one.T @ other)[1][0]
    axes = np.sqrt(strength * largest) * np.eye(one.shape[1])
    return orthogonal_procrustes(np.concatenate([one, axes]), np.concatenate([other, axes]))[0]


@given(seeds, st.integers(2, 6), st.sampled_from([0.01, 0.3, 10.0]))
def test_a_rotation_leans_as_if_the_axes_were_pairs_that_stay(seed, count, strength):
    one, other = unit_vectors(seed, count, 4), unit_vectors(seed + 1, count, 4)
    assert rotation(one, other, strength) == pytest.approx(leaning_rotation(one, other, strength), abs=1e-6)


def test_a_rotation_into_more_or_fewer_dimensions_is_orthonormal_and_found():
    small = centred(unit_vectors(0, 60, 5))
    planted = random_turn(1, 8)[:5]
    for one, other, turn in ((small, small @ planted, planted), (small @ planted, small, planted.T)):
        matrix = rotation(one, other)
        assert matrix == pytest.approx(turn, abs=1e-9)
        product = matrix @ matrix.T if matrix.shape == (5, 8) else matrix.T @ matrix
        assert product == pytest.approx(np.eye(5), abs=1e-9)
        assert fit_map(one, other, "procrustes").matrix == pytest.approx(turn, abs=1e-6)


@given(seeds, st.integers(2, 8))
def test_a_planted_rotation_is_found_from_little_more_than_as_many_pairs_as_dimensions(seed, dim):
    source, turn, step = unit_vectors(seed, dim + 2, dim), random_turn(seed, dim), unit_vectors(seed, 1, dim)
    made = fit_map(source, source @ turn + step, "procrustes")
    assert made.matrix == pytest.approx(turn, abs=1e-6)
    assert made.offset == pytest.approx(step[0], abs=1e-6)


@given(seeds, st.integers(2, 9), st.integers(2, 7), st.sampled_from([None, 2]))
def test_a_ridge_is_that_of_scikit_learn(seed, count, new_dim, kinds):
    source, target = unit_vectors(seed, count, 5, kinds), unit_vectors(seed + 1, count, new_dim)
    made = fit_map(source, target, "ridge")
    largest = np.linalg.norm(centred(source), 2)
    expected = Ridge(alpha=max(made.strength * largest**2, 1e-12), solver="svd").fit(source, target)
    assert made.matrix == pytest.approx(expected.coef_.T, abs=1e-5)
    assert made.offset == pytest.approx(expected.intercept_, abs=1e-5)
    assert made.apply(source) == pytest.approx(unit_rows(expected.predict(source)), abs=1e-4)


@given(seeds, st.integers(2, 9))
def test_a_shrunk_ridge_is_the_identity_plus_a_ridge_on_the_steps(seed, count):
    source, target = unit_vectors(seed, count, 5), unit_vectors(seed + 1, count, 5)
    made = fit_map(source, target, "ridge-shrunk")
    alpha = made.strength * np.linalg.norm(centred(source), 2) ** 2
    expected = Ridge(alpha=alpha, solver="svd").fit(source, target - source)
    assert made.matrix == pytest.approx(np.eye(5) + expected.coef_.T, abs=1e-5)
    assert made.offset == pytest.approx(expected.intercept_, abs=1e-5)


def error_of_a_ridge_without_each_pair(source, target, penalty):
    """Fit as often as there are pairs, each time without one of them, means included, and predict that one."""
    total = 0.0
    for row in range(len(source)):
        one, other = np.delete(source, row, axis=0), np.delete(target, row, axis=0)
        here, there = one.mean(axis=0), other.mean(axis=0)
        square = (one - here).T @ (one - here) + penalty * np.eye(one.shape[1])
        matrix = np.linalg.pinv(square) @ (one - here).T @ (other - there)
        total += ((target[row] - there - (source[row] - here) @ matrix) ** 2).sum()
    return total


@given(seeds, st.integers(2, 12), st.sampled_from([None, 3, 1]), st.sampled_from([0.01, 0.3, 3.0]))
@settings(max_examples=60)
def test_the_strength_of_a_ridge_is_best_when_each_pair_is_left_out(seed, count, kinds, noise):
    source = unit_vectors(seed, count, 4, kinds)
    target = noisy(source @ random_turn(seed, 4), seed + 1, noise).astype(float)
    strength = ridge(centred(source), centred(target))[1]
    penalties = [each * np.linalg.norm(centred(source), 2) ** 2 for each in STRENGTHS]
    errors = [error_of_a_ridge_without_each_pair(source, target, penalty) for penalty in penalties]
    assert errors[STRENGTHS.index(strength)] <= min(errors) * (1 + 1e-6)
    assert fit_map(source, target, "ridge").strength == strength


def error_of_rotations_of_halves(source, target, strength, seed):
    """Rotate each half of the pairs, by a seed, as the other half says."""
    half_of = np.random.default_rng(seed).permutation(len(source)) % 2
    total = 0.0
    for half in (0, 1):
        one, other = source[half_of != half], target[half_of != half]
        here, there = one.mean(axis=0), other.mean(axis=0)
        matrix = leaning_rotation(one - here, other - there, strength)
        total += ((target[half_of == half] - there - (source[half_of == half] - here) @ matrix) ** 2).sum()
    return total


@given(seeds, st.integers(4, 12), st.sampled_from([0.01, 0.3, 3.0]))
@settings(max_examples=60)
def test_the_strength_of_a_rotation_is_best_for_pairs_that_it_has_not_seen(seed, count, noise):
    source = unit_vectors(seed, count, 4)
    target = noisy(source @ random_turn(seed, 4), seed + 1, noise).astype(float)
    made = fit_map(source, target, "procrustes-shrunk", seed=7)
    errors = [error_of_rotations_of_halves(source, target, strength, seed=7) for strength in LEANS]
    assert errors[LEANS.index(made.strength)] <= min(errors) * (1 + 1e-6)
    assert made.matrix == pytest.approx(rotation(centred(source), centred(target), made.strength), abs=1e-6)


@pytest.mark.parametrize("method", ["procrustes-shrunk", "ridge-shrunk", "low-rank"])
def test_two_pairs_or_copies_of_one_say_nothing_about_the_best_strength(method):
    """Without one of two pairs there is no direction left: all strengths are as good, and the strongest is safe."""
    source, target = unit_vectors(0, 2, 6), unit_vectors(1, 2, 6)
    assert fit_map(source, target, method).strength == (100 if method == "ridge-shrunk" else 10)
    copies = np.repeat(source[:1], 5, axis=0)
    made = fit_map(copies, np.repeat(target[:1], 5, axis=0), method)
    assert made.matrix == pytest.approx(np.eye(6), abs=1e-6)
    assert made.apply(copies[:1]) == pytest.approx(target[:1], abs=1e-6)


def kept_directions(method, seed):
    """Mean cosine of new vectors before and after the matrix of ten pairs in 64 dimensions, nearly all of it noise."""
    source, new = unit_vectors(seed, 10, 64), unit_vectors(seed + 1, 200, 64)
    matrix = fit_map(source, noisy(source, seed + 2, 3.0), method).matrix
    return np.mean(np.sum(unit_rows(new @ matrix) * new, axis=1))


def test_few_noisy_pairs_hardly_turn_a_space_if_the_map_is_shrunk():
    kept = {method: np.mean([kept_directions(method, seed) for seed in range(5)]) for method in METHODS}
    assert kept["ridge-shrunk"] > 0.97
    assert kept["procrustes-shrunk"] > 0.95
    assert kept["procrustes"] < 0.2
    assert kept["ridge"] < 0.2


@pytest.mark.parametrize("method", ["procrustes", "procrustes-shrunk", "ridge", "ridge-shrunk", "low-rank"])
def test_many_pairs_turn_a_space_whether_the_map_is_shrunk_or_not(method):
    source, turn = unit_vectors(0, 600, 8), random_turn(1, 8)
    made = fit_map(source, noisy(source @ turn, 2, 0.05), method)
    assert np.linalg.norm(made.matrix - turn, 2) < 0.03
    new = unit_vectors(3, 50, 8)
    assert np.sum(made.apply(new) * (new @ turn), axis=1).min() > 0.999


def test_a_shift_moves_mean_onto_mean():
    source, target = unit_vectors(0, 30, 6), unit_vectors(1, 30, 6) + 0.3
    made = fit_map(source, target, "shift")
    assert np.array_equal(made.matrix, np.eye(6))
    assert (source + made.offset).mean(axis=0) == pytest.approx(target.mean(axis=0), abs=1e-6)
    assert fit_map(source[:1], target[:1], "shift").apply(source[:1]) == pytest.approx(unit_rows(target[:1]), abs=1e-6)


def test_a_low_rank_helps_where_two_directions_are_more_than_turned():
    turn, more = random_turn(0, 24), 0.2 * unit_vectors(1, 2, 24).T @ unit_vectors(2, 2, 24) * 24
    source, new = unit_vectors(3, 300, 24), unit_vectors(4, 100, 24)
    target = noisy(source @ (turn + more), 5, 0.05)
    quality, made = {}, {}
    for method in ("procrustes-shrunk", "low-rank"):
        made[method] = fit_map(source, target, method)
        quality[method] = np.sum(made[method].apply(new) * unit_rows(new @ (turn + more)), axis=1).mean()
    assert quality["low-rank"] > 0.93 > 0.8 > quality["procrustes-shrunk"]
    values = np.linalg.svd(made["low-rank"].matrix - made["procrustes-shrunk"].matrix)[1]
    assert values[:2].min() > 100 * values[16:].max()  # a map of at most sixteen dimensions is added


def test_a_low_rank_adds_the_nearest_map_of_sixteen_dimensions_to_a_ridge():
    source, target = unit_vectors(0, 60, 24), unit_vectors(1, 60, 24)
    one, other = centred(source), centred(target)
    made = fit_map(source, target, "low-rank")
    turn = rotation(one, other, made.strength)
    predicted = one @ ridge(one, other - one @ turn)[0]
    left, values, right = np.linalg.svd(predicted, full_matrices=False)
    nearest = (left[:, :16] * values[:16]) @ right[:16]
    assert one @ made.matrix == pytest.approx(one @ turn + nearest, abs=1e-5)


def test_a_part_of_a_map_lies_between_no_map_and_the_whole():
    source, target = unit_vectors(0, 20, 5), unit_vectors(1, 20, 5)
    made = fit_map(source, target, "ridge")
    assert made.partly(0).apply(source) == pytest.approx(source, abs=1e-6)
    assert np.array_equal(made.partly(1).apply(source), made.apply(source))
    raw = source @ made.matrix + made.offset
    assert made.partly(0.5).apply(source) == pytest.approx(unit_rows((source + raw) / 2), abs=1e-6)
    assert made.partly(0.5).matrix.dtype == made.partly(0.5).offset.dtype == np.float32


def test_no_map_into_other_dimensions_cuts_or_fills_up():
    vectors = np.array([[0.6, 0.8, 0.0]])
    assert identity(3).apply(vectors) == pytest.approx(vectors)
    assert identity(3, 2).apply(vectors) == pytest.approx(vectors[:, :2])
    assert identity(3, 4).apply(vectors) == pytest.approx(np.array([[0.6, 0.8, 0.0, 0.0]]))
    wider = fit_map(unit_vectors(0, 9, 3), unit_vectors(1, 9, 4), "ridge")
    assert wider.partly(0).apply(vectors) == pytest.approx(identity(3, 4).apply(vectors))


@pytest.mark.parametrize("method", METHODS)
def test_the_same_pairs_and_seed_give_the_same_bytes_and_they_are_read_back(method, tmp_path):
    source, target = unit_vectors(0, 20, 6), unit_vectors(1, 20, 6)
    paths = [fit_map(source, target, method, seed=3).save(tmp_path / str(number)) for number in range(5)]
    assert len({path.read_bytes() for path in paths}) == 1
    made, read = fit_map(source, target, method, seed=3), load_map(tmp_path / "4")
    assert np.array_equal(read.matrix, made.matrix)
    assert np.array_equal(read.offset, made.offset)
    assert (read.method, read.strength, read.pairs) == (method, made.strength, 20)


def test_a_file_says_how_a_map_was_fitted_and_replaces_what_was_there(tmp_path):
    turn = random_turn(0, 3)[:, ::-1].astype(np.float32)  # not contiguous
    LinearMap(turn, np.arange(3, dtype=np.float32), "ridge", 0.3, 12).save(tmp_path / "maps/de")
    read = load_map(tmp_path / "maps/de")
    assert np.array_equal(read.matrix, turn)
    assert (read.method, read.strength, read.pairs) == ("ridge", 0.3, 12)
    identity(2).save(tmp_path / "maps/de")
    assert load_map(tmp_path / "maps/de").method == "identity"


def test_vectors_of_other_dimensions_are_refused():
    with pytest.raises(ValueError, match="the map takes vectors of 3 dimensions, not 2"):
        identity(3).apply(np.eye(2))


@pytest.mark.parametrize(
    ("counts", "dims", "method", "message"),
    [
        ((0, 0), (4, 4), "shift", "shift needs pairs, at least 1: got 0 and 0"),
        ((0, 0), (4, 4), "ridge", "ridge needs pairs, at least 2: got 0 and 0"),
        ((1, 1), (4, 4), "procrustes", "procrustes needs pairs, at least 2: got 1 and 1"),
        ((1, 1), (4, 4), "ridge-shrunk", "ridge-shrunk needs pairs, at least 2: got 1 and 1"),
        ((5, 4), (4, 4), "procrustes", "procrustes needs pairs, at least 2: got 5 and 4"),
        ((5, 5), (4, 4), "hope", "a map is fitted by one of shift, procrustes, .*, not hope"),
        ((5, 5), (4, 3), "ridge-shrunk", "ridge-shrunk needs equal dimensions, not 4 and 3: use ridge or procrustes"),
        ((5, 5), (4, 3), "procrustes-shrunk", "procrustes-shrunk needs equal dimensions, not 4 and 3"),
        ((5, 5), (4, 3), "low-rank", "low-rank needs equal dimensions, not 4 and 3"),
        ((5, 5), (4, 3), "shift", "shift needs equal dimensions, not 4 and 3"),
    ],
)
def test_pairs_that_make_no_map_are_refused(counts, dims, method, message):
    with pytest.raises(ValueError, match=f"^{message}") as caught:
        fit_map(unit_vectors(0, counts[0], dims[0]), unit_vectors(1, counts[1], dims[1]), method)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("method", ["ridge", "procrustes"])
def test_a_map_may_lead_into_other_dimensions(method):
    source, planted = unit_vectors(0, 200, 6), random_turn(1, 9)[:6]
    made = fit_map(source, source @ planted, method)
    assert made.matrix.shape == (6, 9)
    assert made.offset.shape == (9,)
    assert np.sum(made.apply(source) * (source @ planted), axis=1).min() > 0.999
