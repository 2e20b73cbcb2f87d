"""Relations against plain loops, with ties; planted structures; and what the chapter says of each measure."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from xlutils.metrics.geometry import unit_rows
from xlutils.metrics.relations import (
    analogies,
    antonym_margin,
    category_scores,
    comparisons,
    found_first,
    jaccard,
    kernel_matrix,
    linear_cka,
    neighbour_weights,
    neighbourhood_overlap,
    opposites_told_apart,
    rank_matrix,
    relational_affinity,
    rsa,
    structure_test,
    told_apart,
)

seeds = st.integers(0, 10**6)


def vectors(seed, *shape, kinds=None):
    """Return unit vectors; with `kinds`, only so many different ones, so that there are ties."""
    draws = np.random.default_rng(seed)
    table = draws.normal(size=(kinds or int(np.prod(shape[:-1])), shape[-1]))
    rows = draws.integers(len(table), size=int(np.prod(shape[:-1]))) if kinds else slice(None)
    return unit_rows(table[rows]).reshape(shape)


def expected_first(scores, is_right):
    best = [place for place, score in enumerate(scores) if score >= max(scores) - 5e-6]
    return sum(is_right[place] for place in best) / len(best)


@given(seeds, st.integers(1, 9), st.sampled_from([None, 2]))
def test_opposites_are_told_apart_from_either_word_in_either_language(seed, count, kinds):
    own, others = vectors(seed, 2, 2, count, 5, kinds=kinds)
    for row, found in enumerate(opposites_told_apart(own, others)):
        wins = []
        for here, there in ((own, others), (others, own)):
            for side in (0, 1):
                gap = float(here[side][row] @ there[side][row] - here[side][row] @ there[1 - side][row])
                wins.append(0.5 if abs(gap) <= 5e-6 else float(gap > 0))
        assert found == pytest.approx(np.mean(wins))


@given(seeds, st.integers(1, 9), st.sampled_from([None, 2]))
def test_margins_and_who_is_told_apart(seed, count, kinds):
    word, right, wrong = vectors(seed, 3, count, 5, kinds=kinds)
    margins = antonym_margin(word, right, wrong)
    for row, margin in enumerate(margins):
        near, far = float(word[row] @ right[row]), float(word[row] @ wrong[row])
        assert margin == pytest.approx(near - far, abs=1e-6)
        expected = 0.5 if abs(near - far) <= 5e-6 else float(near > far)
        assert told_apart(margins)[row] == expected
    assert np.isnan(told_apart([np.nan, 1.0])[0])
    table = comparisons(margins, margins[::-1])
    loop = [[(a > b + 5e-6) + 0.5 * (abs(a - b) <= 5e-6) for b in margins[::-1]] for a in margins]
    assert np.allclose(table, loop)


@given(seeds, st.sampled_from([None, 3]))
def test_categories_are_compared_without_the_word_itself(seed, kinds):
    category_of = np.random.default_rng(seed).permutation([0, 0, 1, 1, 1, 2, 2])
    words, members = vectors(seed, 2, 7, 6, kinds=kinds)
    scores = category_scores(words, members, category_of)
    hits = found_first(scores, category_of)
    for row in range(7):
        means = []
        for category in range(3):
            others = [other for other in range(7) if category_of[other] == category and other != row]
            means.append(np.mean([words[row].astype(float) @ members[other] for other in others]))
        assert np.allclose(scores[row], means, atol=1e-6)
        assert hits[row] == expected_first(scores[row], np.arange(3) == category_of[row])
    mask = np.eye(7, dtype=bool) | (np.arange(7) == 0)
    table = words @ members.T
    assert np.allclose(found_first(table, mask), [expected_first(*pair) for pair in zip(table, mask, strict=True)])


def test_a_category_of_one_word_is_refused():
    with pytest.raises(ValueError, match="a category needs two words"):
        category_scores(np.eye(3), np.eye(3), np.array([0, 0, 1]))


@given(seeds, st.integers(2, 6), st.integers(2, 4))
def test_steps_are_compared_in_all_pairs_of_languages(seed, count, languages):
    first, second = vectors(seed, 2, count, languages, 5)
    second[0, 0] = first[0, 0]  # no step
    found = relational_affinity(first, second)
    steps = (second - first).astype(float)
    lengths = np.linalg.norm(steps, axis=2, keepdims=True)
    steps = np.where(lengths > 5e-6, steps / np.maximum(lengths, 1e-9), 0)
    for pair in range(count):
        codes = list(itertools.permutations(range(languages), 2))
        same = [steps[pair, a] @ steps[pair, b] for a, b in codes]
        other = [steps[pair, a] @ steps[more, b] for a, b in codes for more in range(count) if more != pair]
        assert found.same[pair] == pytest.approx(np.mean(same), abs=1e-6)
        assert found.other[pair] == pytest.approx(np.mean(other), abs=1e-6)


def test_one_direction_for_all_pairs_is_found_in_other_pairs_too():
    first = vectors(0, 8, 2, 40)
    step = vectors(1, 1, 40)
    found = relational_affinity(first, first + step)
    assert np.allclose(found.other, 1)
    assert relational_affinity(first, vectors(2, 8, 2, 40)).other.mean() < 0.2


@given(seeds, st.integers(2, 5), st.sampled_from([None, 4]))
def test_analogies_ask_through_every_other_pair(seed, count, kinds):
    first, second, in_first, in_second = vectors(seed, 4, count, 6, kinds=kinds).astype(float)
    hits = analogies(first, second, in_first, in_second)
    candidates = np.concatenate([in_first, in_second])
    for pair in range(count):
        expected = {"offset": [], "excluding": [], "alone": []}
        for other in (other for other in range(count) if other != pair):
            target = in_first[pair] + second[other] - first[other]
            left = [place for place in range(2 * count) if place not in (pair, other, count + other)]
            for method, point, places in (
                ("offset", target, range(2 * count)),
                ("excluding", target, left),
                ("alone", in_first[pair], left),
            ):
                scores = [candidates[place] @ point for place in places]
                expected[method].append(expected_first(scores, [place == count + pair for place in places]))
        for method, values in expected.items():
            assert hits[method][pair] == pytest.approx(np.mean(values))


@given(seeds, st.integers(1, 4), st.sampled_from([None, 3]))
def test_neighbours_share_the_last_places_fairly(seed, k, kinds):
    space = vectors(seed, 6, 5, kinds=kinds)
    weights = neighbour_weights(space, k)
    cosines = space.astype(float) @ space.T
    for row in range(6):
        others = [other for other in range(6) if other != row]
        last = sorted((cosines[row, other] for other in others), reverse=True)[k - 1]
        above = [other for other in others if cosines[row, other] > last + 5e-6]
        level = [other for other in others if abs(cosines[row, other] - last) <= 5e-6]
        for other in range(6):
            chance = 1.0 if other in above else (k - len(above)) / len(level) if other in level else 0.0
            assert weights[row, other] == pytest.approx(chance)
    assert np.allclose(weights.sum(axis=1), k)


def test_neighbours_of_vectors_that_are_all_the_same_overlap_by_chance_alone():
    same, space = np.ones((21, 1)), vectors(0, 21, 8)
    assert np.allclose(neighbourhood_overlap(space, space, 5), 1)
    chance = (25 / 20) / (10 - 25 / 20)
    assert np.allclose(neighbourhood_overlap(same, same, 5), chance)
    assert np.allclose(jaccard(neighbour_weights(same, 5), neighbour_weights(space, 5)), chance)
    for k in (0, 21):
        with pytest.raises(ValueError, match="must be between 1 and 20"):
            neighbour_weights(space, k)


@given(seeds, st.integers(3, 9), st.sampled_from([None, 3]))
def test_rsa_is_spearmans_correlation_of_the_cosines(seed, count, kinds):
    a, b = vectors(seed, 2, count, 4, kinds=kinds)
    pairs = list(itertools.combinations(range(count), 2))
    cosines = [[round(float(space[i].astype(float) @ space[j]), 6) for i, j in pairs] for space in (a, b)]
    expected = spearmanr(*cosines).statistic if all(len(set(column)) > 1 for column in cosines) else 0
    assert rsa(a, b) == pytest.approx(expected, abs=1e-9)


@given(seeds, st.integers(3, 9))
def test_linear_cka_is_that_of_the_definition(seed, count):
    draws = np.random.default_rng(seed)
    a, b = draws.normal(size=(count, 4)), draws.normal(size=(count, 7))
    a0, b0 = a - a.mean(axis=0), b - b.mean(axis=0)
    cross = np.linalg.norm(b0.T @ a0) ** 2
    expected = cross / (np.linalg.norm(a0.T @ a0) * np.linalg.norm(b0.T @ b0))
    assert linear_cka(a, b) == pytest.approx(expected)
    turn = np.linalg.qr(draws.normal(size=(4, 4)))[0]
    assert linear_cka(a, 3 * a @ turn + 5) == pytest.approx(1)
    assert linear_cka(np.ones((count, 2)), b) == 0


def test_shuffled_words_show_what_a_measure_gives_for_nothing():
    a = vectors(0, 60, 30)
    close, unrelated = unit_rows(a + 0.1 * vectors(1, 60, 30)), vectors(2, 60, 30)
    for matrix in (rank_matrix, kernel_matrix, lambda space: neighbour_weights(space, 5)):
        null, p_value = structure_test(matrix(a), matrix(close))
        assert p_value == 1 / 200
        assert null < np.vdot(matrix(a), matrix(close))
        assert structure_test(matrix(a), matrix(unrelated))[1] > 0.01
    assert structure_test(kernel_matrix(a), kernel_matrix(unrelated))[0] > 0.2  # few words in many dimensions
    loop = [rsa(a, close[np.random.default_rng(7).permutation(60)])]
    assert structure_test(rank_matrix(a), rank_matrix(close), times=1, seed=7)[0] == pytest.approx(loop[0])
