import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xlutils.metrics.neighbours import (
    hubness,
    margin_accuracy,
    margin_scores,
    nearest,
    pair_scores,
    share_of_nearest,
    skewness,
    skewness_interval,
)

ROUND = st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0])  # dot products are exact, so ties are ties


TABLES = st.integers(2, 15).flatmap(lambda count: arrays(np.float32, (count, 3), elements=ROUND))


@given(TABLES, TABLES, st.integers(1, 12), st.booleans())
def test_nearest_is_a_full_sort(queries, documents, k, is_own):
    """With and without a place of its own that a query must not find."""
    queries = documents if is_own else queries
    scores, places = nearest(queries, documents, k, own=np.arange(len(queries)) if is_own else None)
    for i, query in enumerate(queries):
        others = [j for j in range(len(documents)) if not (is_own and i == j)]
        assert scores[i].tolist() == sorted((documents[others] @ query).tolist(), reverse=True)[:k]
        assert (documents[places[i]] @ query).tolist() == scores[i].tolist()
        assert len(set(places[i])) == min(k, len(others))
        assert set(places[i]) <= set(others)


def test_hubness_by_hand():
    """Three spokes and a hub: everybody's nearest is the hub, and the hub's nearest is a spoke."""
    vectors = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.6, 0.6, 0.53]])
    counts = hubness(vectors, 1)
    assert counts[3] == 3
    assert counts.sum() == 4
    deviations = counts - counts.mean()
    assert skewness(counts) == pytest.approx((deviations**3).mean() / (deviations**2).mean() ** 1.5)
    assert skewness(counts) > 0.5


@given(st.lists(st.integers(0, 2), min_size=5, max_size=5), st.integers(1, 4))
def test_hubness_is_the_mean_over_all_orders_of_ties(angles, k):
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    scores, counts = np.round(vectors @ vectors.T, 4), np.zeros(5)
    orders = list(itertools.permutations(range(5)))
    for order in orders:
        for query in range(5):
            others = [place for place in order if place != query]
            for place in sorted(others, key=lambda place: -scores[query, place])[:k]:
                counts[place] += 1
    np.testing.assert_allclose(hubness(vectors, k), counts / len(orders), atol=1e-9)


def test_there_are_no_hubs_on_a_circle():
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    counts = hubness(np.stack([np.cos(angles), np.sin(angles)], axis=1), 2)
    assert counts.tolist() == [2] * 12
    assert skewness(counts) == 0


def test_a_tie_of_thousands_is_counted_to_its_end():
    vectors, groups = np.ones((2000, 2), np.float32), np.arange(2000) // 5
    share = share_of_nearest(vectors[:50], vectors, groups[:50], groups, 3, own=np.arange(50))
    assert share == pytest.approx(4 / 1999)


@pytest.mark.slow
@settings(max_examples=20)
@given(st.lists(st.integers(0, 6), min_size=2, max_size=20), st.integers(0, 99))
def test_the_skewness_is_that_of_the_drawn_words(counts, seed):
    counts = np.array(counts)
    concept_of = np.arange(len(counts)) // 2
    concepts = concept_of.max() + 1
    rng = np.random.default_rng(seed)
    draws = [rng.integers(concepts, size=concepts) for _ in range(2000)]
    skews = [skewness(np.concatenate([counts[concept_of == c] for c in drawn])) for drawn in draws]
    expected = np.quantile(skews, [0.025, 0.975])
    assert skewness_interval(counts, concept_of, seed) == pytest.approx(expected, abs=1e-9)


@st.composite
def pairs(draw):
    shape = (draw(st.integers(1, 9)), 3)
    return draw(arrays(np.float64, shape, elements=ROUND)), draw(arrays(np.float64, shape, elements=ROUND))


@given(pairs())
def test_pair_scores_are_the_plain_loop(example):
    one, other = example
    scores, found = one @ other.T, pair_scores(one, other)
    for i in range(len(one)):
        rivals = [[scores[i, j] for j in range(len(one)) if j != i], [scores[j, i] for j in range(len(one)) if j != i]]
        for chances, those in zip((found.forward, found.backward), rivals, strict=True):
            level = 1 + sum(score == scores[i, i] for score in those)
            assert chances[i] == pytest.approx(0 if any(score > scores[i, i] for score in those) else 1 / level)
        assert found.strictly_best[i] == all(score < scores[i, i] for score in rivals[0] + rivals[1])


def test_pair_scores_by_hand():
    """Sun and sol meet; sea lies nearer to sol than to mar, which is still nearer to sea than to sun."""
    found = pair_scores(np.array([[1, 0], [0.8, 0.6]]), np.array([[1, 0], [0, 1]]))
    assert found.forward.tolist() == [1, 0]  # sea: 0.8 to sol, 0.6 to mar
    assert found.backward.tolist() == [1, 1]
    assert found.strictly_best.tolist() == [True, False]


def slow_margins(one, other, k):
    """The ratio margin of every pair, in a plain double loop."""

    def crowd(text, texts):
        return np.sort([float(text @ each) for each in texts])[::-1][:k].mean()

    return [
        [x @ y / max((crowd(x, other) + crowd(y, one)) / 2, 0.01) for y in other.astype(float)]
        for x in one.astype(float)
    ]


@given(pairs(), st.integers(1, 10))
def test_margin_scores_are_the_plain_loop(example, k):
    one, other = example
    margins, scores = np.array(slow_margins(one, other, k)), margin_scores(one, other, k)
    for i in range(len(one)):
        for found, rivals in zip(scores, (margins[i], margins[:, i]), strict=True):  # of a text, of its translation
            is_best = np.isclose(rivals, rivals.max(), rtol=1e-5, atol=1e-5)
            assert found[i] == pytest.approx(is_best[i] / is_best.sum())
    assert margin_accuracy(one, other, k) == pytest.approx((scores[0] + scores[1]) / 2)


def test_margin_scores_by_hand():
    """Two equal texts both find the first translation, and both translations find either text."""
    texts, translations = np.eye(3)[[0, 0, 2]], np.array([[1, 0, 0], [0.8, 0.6, 0], [0, 0, 1]])
    forward, backward = margin_scores(texts, translations, k=1)
    assert forward.tolist() == [1, 0, 1]
    assert backward.tolist() == [0.5, 0.5, 1]


def test_a_hub_wins_by_cosine_and_loses_by_margin():
    """Every text is nearest to the third translation, which is near to all of them."""
    translations = np.array([[0.75, 0.1, 0.1], [0.1, 0.75, 0.1], [0.78, 0.78, 0.8]])
    assert pair_scores(np.eye(3), translations).forward.tolist() == [0, 0, 1]
    assert margin_accuracy(np.eye(3), translations, k=3).tolist() == [1, 1, 1]


def test_duplicates_share_the_place():
    """Two equal texts with two equal translations: each of the four finds its own in every second order."""
    texts = np.eye(2, dtype=np.float32)[[0, 0, 1]]
    assert margin_accuracy(texts, texts, k=1).tolist() == [0.5, 0.5, 1]
    many = np.ones((1500, 2), np.float32) / np.sqrt(2)  # more than a block
    assert margin_accuracy(many, many) == pytest.approx(1 / 1500)


@pytest.mark.parametrize(("rows", "k"), [(2, 4), (3, 0)])
def test_tables_of_texts_that_do_not_fit_are_refused(rows, k):
    with pytest.raises(ValueError, match="one shape"):
        margin_accuracy(np.eye(3), np.eye(3)[:rows], k)
