import itertools
from unittest import mock

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from threadpoolctl import threadpool_limits

from xlutils.metrics import ranking
from xlutils.metrics.ranking import (
    TOLERANCE,
    complete_at,
    count_scores,
    gold_ranks,
    max_at_r,
    max_at_r_norm,
    mrr,
    ndcg_at_1,
    norm_by_query,
)

ROUND = st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0])  # dot products are exact, so ties are ties


@st.composite
def pools(draw):
    """Queries, documents with duplicates and weights, and one to three golds a query."""
    documents = draw(arrays(np.float32, (draw(st.integers(1, 7)), 2), elements=ROUND))
    queries = draw(arrays(np.float32, (draw(st.integers(1, 3)), 2), elements=ROUND))
    count = draw(st.integers(1, min(3, len(documents))))
    gold = np.array([draw(st.permutations(range(len(documents))))[:count] for _ in queries])
    weights = np.array(draw(st.lists(st.integers(1, 3), min_size=len(documents), max_size=len(documents))))
    return queries, documents, gold, weights


def orders_of_golds(query, documents, gold, weights):
    """All equally likely sets of places of the golds, after a full sort of a pool with every copy in it."""
    scores, start, choices = documents @ query, 1, []
    for score in sorted(set(scores.tolist()), reverse=True):
        size, golds = weights[scores == score].sum(), (scores[gold] == score).sum()
        choices.append(itertools.combinations(range(start, start + size), golds))
        start += size
    return [sorted(itertools.chain(*choice)) for choice in itertools.product(*choices)]


def same(one, other):
    return np.array_equal(one.above, other.above) and np.array_equal(one.level, other.level)


def whole_numbers(*shape):
    return np.random.default_rng(0).integers(-4, 5, shape).astype(np.float32)


@settings(max_examples=200)
@given(pools(), st.integers(1, 6), st.sampled_from([(1, 1), (2, 3), (1024, 2048)]))
def test_every_measure_is_its_mean_over_all_orders_of_ties(pool, k, blocks):
    queries, documents, gold, weights = pool
    with mock.patch.multiple(ranking, _QUERIES=blocks[0], _DOCUMENTS=blocks[1]):
        ranks = gold_ranks(queries, documents, gold, weights)
    orders = [orders_of_golds(query, documents, own, weights) for query, own in zip(queries, gold, strict=True)]

    def mean(value):
        return pytest.approx([np.mean([value(places) for places in own]) for own in orders])

    assert ranks.expected().mean(axis=1) == mean(np.mean)
    assert max_at_r(ranks) == mean(max)
    assert complete_at(k, ranks) == mean(lambda places: places[-1] <= k)
    assert ndcg_at_1(ranks) == mean(lambda places: places[0] == 1)
    assert mrr(ranks) == mean(lambda places: 1 / places[0])
    size, relevant = int(weights.sum()), gold.shape[1]
    if size > relevant:
        scale = 100 / np.log2(size / relevant)
        by_query = norm_by_query(ranks, size, relevant)
        assert by_query == mean(lambda places: scale * np.log2(size / places[-1]))
        assert max_at_r_norm(ranks, size, relevant) == pytest.approx(by_query.mean())
        of_mean = scale * np.log2(size / np.mean(max_at_r(ranks)))
        assert max_at_r_norm(ranks, size, relevant, "mean-rank") == pytest.approx(of_mean)


@given(pools(), st.integers(0, 7))
def test_counts_add_up_over_shards(pool, cut):
    queries, documents, gold, weights = pool
    thresholds = np.einsum("qd,qgd->qg", queries, documents[gold])
    parts = [slice(0, cut), slice(cut, None)]
    counts = [count_scores(queries, documents[part], thresholds, weights[part]) for part in parts]
    assert np.array_equal(count_scores(queries, documents, thresholds, weights), np.sum(counts, axis=0))


def test_by_hand():
    """A pool of five. The query scores them 0.9, 0.8, 0.8, 0.8 and 0.1; golds are the first and the third."""
    documents = np.array([[0.9], [0.8], [0.8], [0.8], [0.1]], np.float32)
    ranks = gold_ranks(np.ones((1, 1), np.float32), documents, [[0, 2]])
    assert ranks.above.tolist() == [[0, 1]]
    assert ranks.level.tolist() == [[1, 3]]
    assert max_at_r(ranks).tolist() == [3]  # places 2, 3 and 4 are equally likely
    assert complete_at(2, ranks) == pytest.approx([1 / 3])
    assert complete_at(9, ranks).tolist() == [1]
    assert ndcg_at_1(ranks).tolist() == [1]
    assert mrr(ranks).tolist() == [1]
    mean_log = np.log2([2, 3, 4]).mean()
    assert max_at_r_norm(ranks, 5, 2) == pytest.approx(100 * (np.log2(5) - mean_log) / np.log2(2.5))
    assert max_at_r_norm(ranks, 5, 2, "mean-rank") == pytest.approx(100 * np.log2(5 / 3) / np.log2(2.5))


def test_a_constant_scorer_gets_what_chance_gets():
    """Not a perfect score, as a sort that keeps the golds first would give."""
    ranks = gold_ranks(np.ones((1, 2), np.float32), np.ones((99, 2), np.float32), [0])
    assert max_at_r(ranks).tolist() == [50]
    assert ndcg_at_1(ranks) == pytest.approx([1 / 99])


def test_real_vectors_against_a_sort():
    rng = np.random.default_rng(0)
    documents, queries = (rng.standard_normal((count, 32)).astype(np.float32) for count in (5000, 40))
    documents /= np.linalg.norm(documents, axis=1, keepdims=True)
    gold = rng.integers(5000, size=(40, 1))
    order = np.argsort(-(queries.astype(float) @ documents.astype(float).T), axis=1)
    expected = np.argmax(order == gold, axis=1) + 1
    assert max_at_r(gold_ranks(queries, documents, gold)) == pytest.approx(expected, abs=0.51)


def test_a_pool_mapped_from_a_file_and_more_threads_give_the_same_ranks(tmp_path):
    documents = whole_numbers(3000, 8)
    np.save(tmp_path / "pool.npy", documents)
    mapped = np.load(tmp_path / "pool.npy", mmap_mode="r")
    rng = np.random.default_rng(0)
    queries, gold, weights = documents[:61], rng.integers(3000, size=61), rng.integers(1, 4, 3000)
    plain = gold_ranks(queries, documents, gold, weights)
    assert same(plain, gold_ranks(queries, mapped, gold, weights))
    for threads in (1, 2, 3):
        with threadpool_limits(threads, "blas"):
            assert same(plain, gold_ranks(queries, documents, gold, weights))


@pytest.mark.parametrize("real", [pytest.param(True, marks=pytest.mark.gpu), False])
def test_a_gpu_counts_the_same(real, monkeypatch):
    """On a real GPU where there is one, and with torch on the processor everywhere."""
    torch = pytest.importorskip("torch")
    if real and not torch.cuda.is_available():
        pytest.skip("no GPU here")
    if not real:
        monkeypatch.setattr(torch.Tensor, "to", lambda tensor, device: tensor)
    documents, rng = whole_numbers(5000, 8), np.random.default_rng(0)
    gold, weights = rng.integers(5000, size=60), rng.integers(1, 4, 5000)
    assert same(*(gold_ranks(documents[:60], documents, gold, weights, device=device) for device in ("cpu", "cuda")))


DOCUMENTS = np.eye(3, dtype=np.float32)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gold": [0]}, "a row for each of 2 queries"),
        ({"gold": [[], []]}, "gold must hold positions"),
        ({"gold": [0, 3]}, "a query has no gold among the 3 documents"),
        ({"gold": [0, -1]}, "a query has no gold"),
        ({"gold": [[0, 0], [1, 2]]}, "the same gold twice"),
        ({"weights": [1, 1]}, "weights must be 3 whole numbers"),
        ({"weights": [1, 0, 1]}, "weights must be 3 whole numbers"),
        ({"weights": [1.5, 1, 1]}, "weights must be 3 whole numbers"),
        ({"documents": np.eye(4, dtype=np.float32)}, "queries have 3 dimensions, documents 4"),
    ],
)
def test_what_cannot_be_ranked(changes, message):
    given = {"queries": np.eye(2, 3, dtype=np.float32), "documents": DOCUMENTS, "gold": [0, 1], **changes}
    with pytest.raises(ValueError, match=message):
        gold_ranks(**given)


def test_a_pool_that_holds_only_golds():
    ranks = gold_ranks(DOCUMENTS, DOCUMENTS[:1], [0, 0, 0])
    with pytest.raises(ValueError, match="a pool of 1 with 1 golds leaves nothing to rank"):
        max_at_r_norm(ranks, 1, 1)
    with pytest.raises(ValueError, match="k is 0"):
        complete_at(0, ranks)


@given(pools())
def test_an_excluded_document_is_as_if_it_were_not_there(pool):
    queries, documents, gold, weights = pool
    others = np.setdiff1d(np.arange(len(documents)), gold)
    assume(len(others))
    out = others[0]
    without = gold_ranks(queries, documents, gold, weights, exclude=np.full(len(queries), out))
    keep = np.delete(np.arange(len(documents)), out)
    moved = gold - (gold > out)
    plain = gold_ranks(queries, documents[keep], moved, weights[keep])
    assert same(without, plain)


@pytest.mark.parametrize("dim", [384, 1024])
def test_in_a_narrow_cone_every_gold_reaches_its_own_score(dim):
    """Products of nearly parallel vectors err most; all scores in float64 say what is right."""
    rng = np.random.default_rng(0)
    centre = np.abs(rng.standard_normal(dim))
    vectors = (centre + 0.3 * rng.standard_normal((2500, dim))).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    queries, documents, gold = vectors[:500], vectors[500:], np.arange(500)
    ranks = gold_ranks(queries, documents, gold)
    scores = queries.astype(float) @ documents.T.astype(float)
    own = scores[gold, gold][:, None]
    assert (ranks.level[:, 0] >= 1).all()
    assert ((scores > own + 1e-5).sum(axis=1) <= ranks.above[:, 0]).all()
    assert (ranks.above[:, 0] <= (scores > own).sum(axis=1)).all()


def test_vectors_that_are_far_too_long_are_refused():
    rng = np.random.default_rng(0)
    vectors = (1e4 * rng.standard_normal((200, 64))).astype(np.float32)
    with pytest.raises(ValueError, match="unit length"):
        gold_ranks(vectors, vectors, np.arange(200))


def test_taking_out_a_document_at_the_edge_of_a_tie_leaves_no_impossible_count():
    """The kernel and the check of one document round differently, so they may put it on different sides."""
    rng = np.random.default_rng(0)
    queries = rng.standard_normal((500, 384)).astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    steps = rng.uniform(TOLERANCE - 2e-7, TOLERANCE + 2e-7, len(queries)).astype(np.float32)
    for query, step in zip(queries, steps, strict=True):
        pool = np.stack([query * np.float32(0.9), query * (np.float32(0.9) + step)])
        ranks = gold_ranks(query[None], pool, np.array([0]), exclude=np.array([1]))
        above, level = ranks.above[0, 0], ranks.level[0, 0]
        assert above >= 0
        assert level >= 1
        assert above + level <= 2
