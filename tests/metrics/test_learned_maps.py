"""Pairs against plain double loops, with duplicates; planted rotations; and a common core of languages."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import random_turn, unit_vectors
from scipy.linalg import orthogonal_procrustes

from xlutils.metrics.geometry import unit_rows
from xlutils.metrics.learned_maps import core_maps, mutual_pairs, proposed_pairs, self_learned_pairs, suggested_pairs
from xlutils.metrics.maps import fit_map

seeds = st.integers(0, 10**6)
ROUNDING = 1e-5


def slow_csls(one, other):
    """Twice the cosine of each two texts, minus the mean cosines of both with their ten nearest."""
    width = min(10, len(one), len(other))
    table = np.zeros((len(one), len(other)))
    for i, j in itertools.product(range(len(one)), range(len(other))):
        crowds = [
            sorted(float(text @ near) for near in texts)[-width:] for text, texts in ((one[i], other), (other[j], one))
        ]
        table[i, j] = 2 * float(one[i] @ other[j]) - sum(crowds[0]) / width - sum(crowds[1]) / width
    return table


def assert_mutual(pairs, scores):
    """Check that all pairs are each other's nearest, that each text is in one at most, and that no clear one lacks."""
    assert len(set(pairs[:, 0])) == len(set(pairs[:, 1])) == len(pairs)
    for i, j in pairs:
        assert scores[i, j] >= max(scores[i].max(), scores[:, j].max()) - ROUNDING
    for i, j in itertools.product(*map(range, scores.shape)):
        rivals = [*np.delete(scores[i], j), *np.delete(scores[:, j], i)]
        if all(scores[i, j] > rival + ROUNDING for rival in rivals):
            assert [i, j] in pairs.tolist()


sides = st.tuples(seeds, st.integers(2, 14), st.integers(2, 14), st.sampled_from([None, 3]))


@given(sides)
def test_mutual_pairs_are_the_plain_loop(example):
    seed, count, other_count, kinds = example
    one, other = unit_vectors(seed, count, 3, kinds), unit_vectors(seed + 1, other_count, 3, kinds)
    pairs, score = mutual_pairs(one, other)
    assert_mutual(pairs, slow_csls(one, other))
    assert score == pytest.approx(np.mean([max(text @ near for near in other) for text in one]), abs=ROUNDING)


@given(sides)
def test_proposed_pairs_are_the_plain_loop(example):
    seed, count, other_count, kinds = example
    one, other = unit_vectors(seed, count, 3, kinds), unit_vectors(seed + 1, other_count, 3, kinds)
    places, margins = proposed_pairs(one, other)
    for scores, place, margin in zip(slow_csls(one, other), places, margins, strict=True):
        second, first = sorted(scores)[-2:]
        assert scores[place] == pytest.approx(first, abs=ROUNDING)
        assert margin == pytest.approx(first - second, abs=ROUNDING)


def test_two_copies_of_a_text_are_proposed_without_a_margin_and_paired_once():
    texts = np.eye(3)[[0, 1, 1]]
    margin = (2 - 2 / 3) - (0 - 1 / 3 - 2 / 3)  # a third of the texts is near to the first one, two thirds to a copy
    assert proposed_pairs(texts, texts)[1] == pytest.approx([margin, 0, 0], abs=ROUNDING)
    assert mutual_pairs(texts, texts)[0].tolist() == [[0, 0], [1, 1]]


def clustered(seed, count=300, dim=50):
    """Vectors in clusters of very different sizes, stretched along some axes.

    Few or many texts are near to a text, as its cluster is small or large, so that its neighbourhood is told from
    others in spite of noise. Of vectors that are spread evenly, all texts see nearly the same.
    """
    rng = np.random.default_rng(seed)
    centres, sizes = rng.standard_normal((20, dim)), 1 / np.arange(1, 21)
    cluster_of = rng.choice(20, count, p=sizes / sizes.sum())
    stretch = np.exp(-0.1 * np.arange(dim))
    return unit_rows((centres[cluster_of] + 0.5 * rng.standard_normal((count, dim))) * stretch)


def turned_and_shuffled(source, seed, noise):
    """The same texts in another space, in another order, and where each of them is now."""
    target = source @ random_turn(seed, source.shape[1]) + noise * unit_vectors(seed + 1, *source.shape)
    order = np.random.default_rng(seed).permutation(len(source))
    return unit_rows(target[order]), np.argsort(order)


def share_right(pairs, place_of):
    return np.mean(place_of[pairs[:, 0]] == pairs[:, 1])


def test_a_small_seed_finds_a_planted_rotation_and_nearly_all_pairs():
    """Fifteen pairs in ten dimensions, with noise of a quarter of a vector's length."""
    source = unit_vectors(0, 300, 10)
    target, place_of = turned_and_shuffled(source, 1, noise=0.25)
    few = np.stack([np.arange(15), place_of[:15]], axis=1)
    pairs = self_learned_pairs(source, target, few)
    assert len(pairs) > 280
    assert share_right(pairs, place_of) > 0.98
    few_turn, learned_turn = (
        fit_map(source[rows], target[places], "procrustes").matrix for rows, places in (few.T, pairs.T)
    )
    errors = [np.linalg.norm(turn - random_turn(1, 10)) for turn in (few_turn, learned_turn)]
    assert errors[1] < 0.3 * errors[0]


def test_a_wrong_pair_of_the_seed_is_not_kept():
    source = unit_vectors(0, 300, 10)
    target, place_of = turned_and_shuffled(source, 1, noise=0.1)
    few = np.stack([np.arange(20), place_of[:20]], axis=1)
    few[0, 1] = place_of[200]
    pairs = self_learned_pairs(source, target, few)
    assert share_right(pairs, place_of) == 1
    assert [0, place_of[0]] in pairs.tolist()


def test_a_seed_may_lead_into_other_dimensions():
    source, planted = unit_vectors(0, 100, 6), random_turn(1, 9)[:6]
    order = np.random.default_rng(2).permutation(100)
    pairs = self_learned_pairs(source, (source @ planted)[order], np.stack([order[:12], np.arange(12)], axis=1))
    assert pairs.tolist() == [[row, place] for row, place in enumerate(np.argsort(order))]


@pytest.mark.parametrize("seed", range(3))
def test_without_any_pair_clusters_of_different_sizes_find_a_planted_rotation(seed):
    source = clustered(seed)
    target, place_of = turned_and_shuffled(source, seed + 10, noise=0.1)
    pairs = self_learned_pairs(source, target, suggested_pairs(source, target))
    assert len(pairs) > 290
    assert share_right(pairs, place_of) > 0.99
    made = fit_map(source[pairs[:, 0]], target[pairs[:, 1]], "procrustes")
    assert np.sum(made.apply(source) * (source @ random_turn(seed + 10, 50)), axis=1).min() > 0.99


def test_without_any_pair_vectors_that_are_spread_evenly_find_nothing():
    """With so much noise a third of the first pairs is right among clusters, and hardly any without them."""
    shares = []
    for source in (clustered(0), unit_vectors(0, 300, 50)):
        target, place_of = turned_and_shuffled(source, 10, noise=0.4)
        pairs = self_learned_pairs(source, target, suggested_pairs(source, target))
        shares.append(share_right(pairs, place_of))
    assert shares[0] > 0.98
    assert shares[1] < 0.1


def test_the_same_spaces_give_the_same_pairs():
    source = clustered(0)
    target, _ = turned_and_shuffled(source, 1, noise=0.1)
    first, second = (suggested_pairs(source, target) for _ in range(2))
    assert np.array_equal(first, second)
    assert np.array_equal(self_learned_pairs(source, target, first), self_learned_pairs(source, target, first))


def slow_profiles(space):
    """For each text the sorted entries of its row in the square root of the cosines, less what all texts share."""
    centred = unit_rows(space - space.mean(axis=0)).astype(float)
    values, vectors = np.linalg.eigh(np.array([[one @ other for other in centred] for one in centred]))
    root = vectors @ np.diag(np.sqrt(np.maximum(values, 0))) @ vectors.T
    rows = [np.interp(np.linspace(0, len(row) - 1, 200), np.arange(len(row)), np.sort(row)) for row in root]
    return unit_rows(np.array(rows) - np.mean(rows, axis=0))


@given(seeds, st.integers(4, 14), st.integers(4, 14))
def test_suggested_pairs_have_like_neighbourhoods(seed, count, other_count):
    one, other = unit_vectors(seed, count, 4), unit_vectors(seed + 1, other_count, 5)
    assert_mutual(suggested_pairs(one, other), slow_csls(slow_profiles(one), slow_profiles(other)))


def slow_core(spaces, rounds):
    """Turn each language onto the mean of those that have a text, text by text: the mapped vectors."""
    present = {code: [row for row, text in enumerate(space) if not np.isnan(text[0])] for code, space in spaces.items()}
    moved = {code: space - np.mean([space[row] for row in present[code]], axis=0) for code, space in spaces.items()}
    core = moved[max(present, key=lambda code: len(present[code]))]
    for _ in range(rounds):
        turned = {}
        for code, rows in present.items():
            shared = [row for row in rows if not np.isnan(core[row][0])]
            turned[code] = moved[code] @ orthogonal_procrustes(moved[code][shared], core[shared])[0]
        core = np.full_like(core, np.nan)
        for row in range(len(core)):
            texts = [space[row] for space in turned.values() if not np.isnan(space[row][0])]
            if texts:
                core[row] = np.mean(texts, axis=0)
    return {code: unit_rows(space[present[code]]) for code, space in turned.items()}


@given(seeds, st.integers(1, 4))
def test_the_core_is_the_mean_text_by_text(seed, rounds):
    rng = np.random.default_rng(seed)
    spaces = {code: unit_vectors(seed + number, 10, 3) for number, code in enumerate(("de", "fr", "ru"))}
    for space in spaces.values():
        space[rng.choice(10, rng.integers(4), replace=False)] = np.nan
    maps, expected = core_maps(spaces, rounds=rounds), slow_core(spaces, rounds)
    for code, space in spaces.items():
        texts = space[np.isfinite(space[:, 0])]
        assert maps[code].apply(texts) == pytest.approx(expected[code], abs=1e-4)
        assert (maps[code].method, maps[code].pairs) == ("core", len(texts))


def turned_copies(noise, missing=15):
    """One space in four languages, turned at random, each with other texts missing."""
    meaning = unit_rows(np.random.default_rng(0).standard_normal((300, 10)) + 0.5)
    spaces = {}
    for seed, code in enumerate(("de", "fr", "ru", "zh"), 1):
        spaces[code] = unit_rows(meaning @ random_turn(seed, 10) + noise * unit_vectors(seed, 300, 10))
        spaces[code][np.random.default_rng(seed).choice(300, missing, replace=False)] = np.nan
    return spaces


def cosines_of_translations(spaces, **options):
    """Cosines of the texts in each two languages after the maps into the core, NaN where one is missing."""
    maps = core_maps(spaces, **options)
    moved = {code: maps[code].apply(space) for code, space in spaces.items()}
    return {pair: np.sum(moved[pair[0]] * moved[pair[1]], axis=1) for pair in itertools.combinations(sorted(spaces), 2)}


def test_turned_copies_of_a_space_meet_in_the_core():
    before = turned_copies(noise=0)
    for (one, other), cosines in cosines_of_translations(before).items():
        assert np.nanmin(cosines) > 0.99
        assert np.nanmean(np.sum(before[one] * before[other], axis=1)) < 0.5
        assert np.isnan(cosines).sum() >= 15


@pytest.mark.parametrize("missing", [[15, 15, 15, 15], [5, 60, 20, 40]])
def test_no_language_is_the_pivot_of_the_core(missing):
    """In any order the translations come as near to each other, with noise too."""
    spaces = turned_copies(noise=0.3, missing=0)
    for seed, (space, count) in enumerate(zip(spaces.values(), missing, strict=True)):
        space[np.random.default_rng(seed).choice(300, count, replace=False)] = np.nan
    expected = cosines_of_translations(spaces)
    for codes in itertools.permutations(spaces):
        for pair, cosines in cosines_of_translations({code: spaces[code] for code in codes}).items():
            assert cosines == pytest.approx(expected[pair], abs=1e-4, nan_ok=True)


def test_languages_without_a_common_text_meet_through_a_third():
    spaces = turned_copies(noise=0, missing=0)
    spaces["de"][:150] = spaces["fr"][150:] = np.nan  # the others have both halves
    maps = core_maps(spaces)
    whole = turned_copies(noise=0, missing=0)
    cosines = np.sum(maps["de"].apply(whole["de"]) * maps["fr"].apply(whole["fr"]), axis=1)
    assert cosines.mean() > 0.95


def test_a_strong_lean_of_the_core_turns_nothing():
    for made in core_maps(turned_copies(noise=0.3), strength=1000.0).values():
        assert made.matrix == pytest.approx(np.eye(10), abs=0.01)
        assert made.strength == 1000
