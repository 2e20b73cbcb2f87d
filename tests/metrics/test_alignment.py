import itertools
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import cell, synthetic_words, words

from xlutils.metrics import neighbours
from xlutils.metrics.alignment import (
    concept_alignment,
    csls_retrieval,
    quality,
)


def share_of_top(scores, good, k):
    """Expected share of good ones among the k best of a list of scores, over all orders of ties."""
    share, left = 0.0, k
    for score in sorted(set(scores), reverse=True):
        group = [is_good for other, is_good in zip(scores, good, strict=True) if other == score]
        taken = min(left, len(group))
        share += sum(group) * taken / len(group)
        left -= taken
    return share


def mean_or_nan(values):
    values = [value for value in values if not np.isnan(value)]
    return np.mean(values) if values else np.nan


def oracle(vectors, concepts, languages, k):
    """The definitions, word by word."""
    n, ids, codes = len(vectors), list(dict.fromkeys(concepts)), list(dict.fromkeys(languages))
    scores = vectors @ vectors.T
    intra, different, nearest, retrieval = [], [], [], []
    matrix = {pair: [] for pair in itertools.permutations(codes, 2)}
    for concept in ids:
        means, hits = [], []
        for a, b in itertools.permutations(codes, 2):
            one, other = (cell(vectors, concepts, languages, concept, code) for code in (a, b))
            if one and other:
                means.append(np.mean([scores[i, j] for i in one for j in other]))
                pool = [i for i in range(n) if languages[i] == b]
                hit = np.mean([share_of_top([scores[i, j] for j in pool], [j in other for j in pool], 1) for i in one])
                hits.append(hit)
                matrix[a, b].append(hit)
        intra.append(mean_or_nan(means))
        retrieval.append(mean_or_nan(hits))
        mine = [i for i in range(n) if concepts[i] == concept]
        pairs = [(i, j) for i in mine for j in range(n) if concepts[j] != concept and languages[j] != languages[i]]
        different.append(mean_or_nan([scores[pair] for pair in pairs]))
        shares = []
        for i in mine:
            others = [j for j in range(n) if j != i]
            shares.append(share_of_top([scores[i, j] for j in others], [concepts[j] == concept for j in others], k) / k)
        nearest.append(np.mean(shares))
    return intra, different, nearest, retrieval, {pair: mean_or_nan(values) for pair, values in matrix.items()}


@given(words(), st.integers(1, 3), st.integers(1, 20), st.integers(1, 5))
def test_it_is_the_definition(example, k, width, block):
    vectors, concepts, languages = example
    # short lists, so that many ties go on beyond them, and several blocks
    with mock.patch.multiple(neighbours, _WIDTH=width, _BLOCK=block):
        result = concept_alignment(vectors, concepts, languages, k)
    *by_concept, matrix = oracle(vectors, concepts, languages, k)
    assert result.concepts == tuple(dict.fromkeys(concepts))
    for values, expected in zip(
        (result.intra, result.different, result.nearest, result.retrieval), by_concept, strict=True
    ):
        np.testing.assert_allclose(values, expected, atol=1e-6)
    for (a, b), value in matrix.items():
        place = result.languages.index(a), result.languages.index(b)
        np.testing.assert_allclose(result.retrieval_matrix[place], value, atol=1e-6)


@given(words())
def test_csls_is_its_formula(example):
    """CSLS = 2 cos(x, y) - mean of x to its nearest in y's language - mean of y to its nearest in x's."""
    vectors, concepts, languages = example
    alignment = concept_alignment(vectors, concepts, languages, 1)
    found = csls_retrieval(alignment)
    scores, codes = vectors @ vectors.T, list(alignment.languages)
    of = {code: [i for i in range(len(vectors)) if languages[i] == code] for code in codes}

    def crowd(i, code):
        near = sorted((scores[i, j] for j in of[code] if j != i), reverse=True)[:10]
        return np.mean(near) if near else 0

    for (a, source), (b, target) in itertools.permutations(enumerate(codes), 2):
        for row, concept in enumerate(alignment.concepts):
            one, other = (cell(vectors, concepts, languages, concept, code) for code in (source, target))
            if not one or not other:
                assert np.isnan(found[row, a, b])
                continue
            shares = []
            for i in one:
                csls = [round(2 * scores[i, j] - crowd(i, target) - crowd(j, source), 5) for j in of[target]]
                shares.append(share_of_top(csls, [j in other for j in of[target]], 1))
            assert found[row, a, b] == pytest.approx(np.mean(shares), abs=1e-6)


def by_hand():
    """Two concepts, two languages, in the plane.

    sun = (1, 0), sol = (0.6, 0.8): cosine 0.6. sea = (0, 1), mar = (0, 1): cosine 1.
    sun-mar = 0, sol-sea = 0.8.
    """
    vectors = np.array([[1, 0], [0.6, 0.8], [0, 1], [0, 1]])
    return concept_alignment(vectors, ["sun", "sun", "sea", "sea"], ["en", "es", "en", "es"], k=1)


def test_by_hand():
    result = by_hand()
    assert result.intra == pytest.approx([0.6, 1.0])
    assert result.different == pytest.approx([0.4, 0.4])  # mean of 0 and 0.8
    assert result.gap == pytest.approx([0.2, 0.6])
    # sun's nearest is sol: right. sol's nearest are sea and mar (0.8 > 0.6): wrong. sea and mar: right.
    assert result.nearest == pytest.approx([0.5, 1.0])
    # sun finds sol among (sol, mar): right. sol finds sea among (sun, sea): wrong.
    assert result.retrieval_matrix == pytest.approx(np.array([[np.nan, 1.0], [0.5, np.nan]]), nan_ok=True)
    assert result.overall == pytest.approx([0.3 * 0.6 + 0.3 * 0.5 + 0.4 * 0.5, 1.0])
    # English mean (0.5, 0.5), Spanish mean (0.3, 0.9): cosine 0.6 / (0.7071 * 0.9487)
    assert result.centroid_distance[0, 1] == pytest.approx(1 - 0.6 / np.sqrt(0.5 * 0.9))
    assert result.misaligned(0.7) == [("sun", "en", "es", pytest.approx(0.6))]
    assert result.misaligned(0.5) == []


def test_a_word_shared_by_two_concepts_counts_half():
    """Russian has one word for hand and arm: neither can be told from the other."""
    vectors = np.array([[1.0, 0], [0, 1.0], [0.8, 0.6], [0.8, 0.6]])
    result = concept_alignment(vectors, ["hand", "arm", "hand", "arm"], ["en", "en", "ru", "ru"], k=1)
    assert result.retrieval_matrix[0, 1] == 0.5


def test_a_missing_word_is_counted_and_left_out():
    result = concept_alignment(np.eye(5), list("aabbb"), ["en", "es", "en", "es", "de"])
    assert result.missing == {"en": 0, "es": 0, "de": 1}
    assert np.isnan(result.similarity[0, 0, 2])
    assert not np.isnan(result.intra).any()


def test_the_order_of_the_words_does_not_matter():
    rng = np.random.default_rng(0)
    vectors, concepts, languages = synthetic_words(10)
    one = concept_alignment(vectors, concepts, languages)
    order = rng.permutation(20)
    other = concept_alignment(vectors[order], [concepts[i] for i in order], [languages[i] for i in order])
    back = [other.concepts.index(concept) for concept in one.concepts]
    np.testing.assert_allclose(one.overall, other.overall[back], atol=1e-6)


@pytest.mark.parametrize(
    ("concepts", "languages", "k", "message"),
    [
        ("aaaa", ["en", "es"] * 2, 1, "two concepts and two languages"),
        ("abab", ["en"] * 4, 1, "two concepts and two languages"),
        ("aabb", ["en", "es"] * 2, 4, "k is 4, but a word has 3 others"),
        ("aabb", ["en", "es"] * 2, 0, "k is 0"),
    ],
)
def test_what_cannot_be_measured(concepts, languages, k, message):
    with pytest.raises(ValueError, match=message):
        concept_alignment(np.eye(4), list(concepts), languages, k)


@pytest.mark.parametrize(
    ("score", "word"), [(0.938, "Excellent"), (0.9, "Good"), (0.8, "Moderate"), (0.51, "Moderate"), (0.5, "Poor")]
)
def test_the_words_for_scores(score, word):
    assert quality(score) == word
