"""Pools of two languages, and ranks in them, against plain loops."""

from itertools import combinations, pairwise, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlutils.metrics.pools import first_in_pool, small_pools, uneven_pools, untranslated_pools
from xlutils.metrics.ranking import complete_at, max_at_r, ndcg_at_1, ranks_of_scores

LEVELS = st.sampled_from([0.0, 0.25, 0.5])


def by_orders(scores, golds, k):
    """Return Complete@K, NDCG@1 and Max@R of one question: means over every order of documents that is sorted."""
    values = []
    for order in permutations(range(len(scores))):
        if all(scores[one] >= scores[other] for one, other in pairwise(order)):
            ranks = [1 + order.index(gold) for gold in golds]
            values.append((max(ranks) <= k, min(ranks) == 1, max(ranks)))
    return np.mean(values, axis=0)


@given(st.lists(LEVELS, min_size=5, max_size=5), st.integers(1, 2), st.integers(1, 5))
def test_ranks_from_all_scores_are_means_over_all_orders_of_ties(scores, count, k):
    ranks = ranks_of_scores(np.array([scores], np.float32), np.array([[1, 3][:count]]))
    measured = [complete_at(k, ranks)[0], ndcg_at_1(ranks)[0], max_at_r(ranks)[0]]
    np.testing.assert_allclose(measured, by_orders(scores, [1, 3][:count], k), atol=1e-9)


def documents(pool):
    """Return the documents of a pool as pairs of language and passage."""
    return [(language, passage) for language, held in enumerate(pool.held) for passage in held.tolist()]


def check(pools, gold, languages):
    """Every question is asked equally often, and its golds are in these languages; return how often."""
    times = np.zeros(len(gold), int)
    for pool in pools:
        there = documents(pool)
        assert len(set(there)) == len(there)
        for question, places in zip(pool.asked, pool.gold, strict=True):
            times[question] += 1
            right = [place for place, (_, passage) in enumerate(there) if passage == gold[question]]
            assert right == sorted(places.tolist())
            assert tuple(there[place][0] for place in right) in languages
    assert len(set(times)) == 1
    return times[0]


@given(st.integers(4, 45), st.integers(0, 9))
def test_gold_passages_are_in_every_pool_and_nothing_else_changes(count, seed):
    draws = np.random.default_rng(seed)
    order, gold = draws.permutation(count), draws.integers(count, size=30)
    size = draws.integers(1, count + 1)
    assert check(small_pools(order, gold, size), gold, [(0, 1)]) == 1
    assert {len(documents(pool)) for pool in small_pools(order, gold, size, 3)} == {2 * (size + 3)}

    assert check(untranslated_pools(order, gold), gold, [(0,), (1,)]) == 2
    for pool in untranslated_pools(order, gold):
        assert sorted(passage for _, passage in documents(pool)) == list(range(count))

    for rare in (0, 1):
        both = uneven_pools(order, gold, 10, rare, is_translated=True)
        alone = uneven_pools(order, gold, 10, rare, is_translated=False)
        assert check(both, gold, [(0, 1)]) == check(alone, gold, [(1 - rare,)]) == 1
        for pool in both + alone:
            assert len(pool.held[rare]) == -(-count // 10)
            assert sorted(pool.held[1 - rare]) == list(range(count))


def test_further_passages_are_in_both_languages():
    (pool,) = small_pools(np.array([1, 0]), np.array([0, 1, 1]), 2, more=2)
    assert [held.tolist() for held in pool.held] == [[1, 0, 2, 3]] * 2


@pytest.mark.parametrize("rare", [0, 1])
def test_few_passages_of_a_language_are_others_in_every_pool(rare):
    pools = uneven_pools(np.arange(40), np.arange(40), 10, rare, is_translated=True)
    assert sorted(np.concatenate([pool.held[rare] for pool in pools])) == list(range(40))


@given(st.lists(st.integers(0, 3), min_size=2, max_size=7), st.data())
def test_the_share_of_pools_in_which_a_gold_is_first_is_that_of_all_pools(scores, data):
    total, gold = len(scores), data.draw(st.integers(0, len(scores) - 1))
    size = data.draw(st.integers(1, total))
    shares = []
    for others in combinations([place for place in range(total) if place != gold], size - 1):
        there = [scores[place] for place in (gold, *others)]
        shares.append((scores[gold] == max(there)) / there.count(scores[gold]))
    ranks = ranks_of_scores(np.array([scores], float), np.array([[gold]]))
    assert first_in_pool(ranks, total, size) == pytest.approx(np.mean(shares))


def test_a_pool_of_all_documents_is_no_draw_and_a_larger_one_is_refused():
    scores = np.random.default_rng(0).random((50, 40)).round(1)
    ranks = ranks_of_scores(scores, np.arange(50)[:, None] % 40)
    assert first_in_pool(ranks, 40, 40) == pytest.approx(ndcg_at_1(ranks))
    assert first_in_pool(ranks, 40, 1) == pytest.approx(np.ones(50))
    with pytest.raises(ValueError, match="^one gold for each query, and pools of 1 to 40 documents, not of 41$"):
        first_in_pool(ranks, 40, 41)
