import itertools
from unittest import mock

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xlutils.metrics import bias as module
from xlutils.metrics.bias import OUTCOMES, language_bias

ROUND = st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0])  # dot products are exact, so ties are ties


@st.composite
def pools(draw):
    """A parallel pool in two or three languages; the golds of a query are one passage in all of them."""
    languages, passages = draw(st.integers(2, 3)), draw(st.integers(2, 3))
    documents = draw(arrays(np.float32, (languages * passages, 2), elements=ROUND))
    queries = draw(arrays(np.float32, (draw(st.integers(1, 3)), 2), elements=ROUND))
    answers = [draw(st.integers(0, passages - 1)) for _ in queries]
    gold = np.array([[language * passages + answer for language in range(languages)] for answer in answers])
    own = draw(st.sampled_from([None, *range(languages)]))
    return queries, documents, np.repeat(np.arange(languages), passages), gold, own


def every_order(scores):
    """All equally likely orders of the documents."""
    groups = [[d for d in range(len(scores)) if scores[d] == score] for score in sorted(set(scores), reverse=True)]
    for choice in itertools.product(*(itertools.permutations(group) for group in groups)):
        yield list(itertools.chain(*choice))


@settings(max_examples=60)
@given(pools(), st.sampled_from([1, 1 << 24]))
def test_it_is_the_mean_over_all_orders(pool, block):
    queries, documents, language_of, gold, own = pool
    with mock.patch.object(module, "_SCORES", block):
        found = language_bias(queries, documents, language_of, gold, own)
    for row, query in enumerate(queries):
        intruders, first, own_first = np.zeros(gold.shape[1]), np.zeros(4), 0.0
        orders = list(itertools.islice(every_order((documents @ query).tolist()), 2000))
        count = len(orders)
        if count == 2000:
            continue  # too many ties to go through them all
        for order in orders:
            last = max(order.index(document) for document in gold[row])
            for document in order[:last]:
                intruders[language_of[document]] += document not in gold[row]
            own_first += own is not None and min(gold[row], key=order.index) == gold[row][max(own or 0, 0)]
            kind = (0 if order[0] in gold[row] else 2) + (0 if language_of[order[0]] == own else 1)
            first[kind] += 1
        assert found.intruders[row] == pytest.approx(intruders / count)
        assert found.first[row] == pytest.approx(first / count)
        expected = np.nan if own is None else own_first / count
        assert found.own_first[row] == pytest.approx(expected, nan_ok=True)


@given(pools(), st.data())
def test_copies_count_as_if_they_were_written_out_and_only_one_of_a_gold_is_gold(pool, data):
    queries, documents, language_of, gold, own = pool
    weights = data.draw(st.lists(st.integers(1, 3), min_size=len(documents), max_size=len(documents)))
    found = language_bias(queries, documents, language_of, gold, own, weights)
    starts = np.cumsum([0, *weights[:-1]])  # where the copies of a document begin
    repeated = np.repeat(documents, weights, axis=0), np.repeat(language_of, weights)
    expected = language_bias(queries, *repeated, starts[gold], own)
    for name in ("intruders", "first", "own_first"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-12)
    assert np.isnan(found.fairness).all() == (max(weights) > 1)  # copies are no independent draws


@given(pools())
def test_fairness_is_scipys_test_on_the_wrong_documents(pool):
    queries, documents, language_of, gold, own = pool
    found = language_bias(queries, documents, language_of, gold, own).fairness
    for row, query in enumerate(queries):
        wrong = np.delete((documents @ query).astype(float), gold[row])
        groups = [wrong[np.delete(language_of, gold[row]) == number] for number in range(gold.shape[1])]
        expected = scipy.stats.kruskal(*groups).pvalue if np.ptp(wrong) else 1  # nothing tells them apart
        assert found[row] == pytest.approx(expected)


def test_a_pool_that_favours_english_and_one_that_does_not():
    rng = np.random.default_rng(0)
    documents = rng.standard_normal((200, 8)).astype(np.float32)
    language_of, gold = np.repeat([0, 1], 100), np.stack([np.arange(100), np.arange(100) + 100], axis=1)
    queries = rng.standard_normal((100, 8)).astype(np.float32)
    fair = language_bias(queries, documents, language_of, gold, 1)
    assert fair.fairness.mean() == pytest.approx(0.5, abs=0.15)  # p-values of what is alike are even
    queries, documents = (np.hstack([part, np.ones((len(part), 1), np.float32)]) for part in (queries, documents))
    documents[:100, 8] = 9
    biased = language_bias(queries, documents, language_of, gold, 1)
    assert biased.fairness.max() < 1e-6
    share = biased.intruders.sum(axis=0)
    assert share[0] / share.sum() > 0.65
    assert biased.own_first.mean() < 0.05
    assert biased.first[:, OUTCOMES.index("wrong-other")].mean() > 0.8


def test_by_hand():
    """Two passages in English and German. A German query finds a wrong English one, both golds, a German one."""
    documents = np.array([[0.5], [0.9], [0.5], [0.1]], np.float32)  # en: gold, wrong; de: gold, wrong
    found = language_bias(np.ones((1, 1), np.float32), documents, np.array([0, 0, 1, 1]), np.array([[0, 2]]), 1)
    assert found.intruders.tolist() == [[1, 0]]
    assert found.first.tolist() == [[0, 0, 0, 1]]
    assert found.own_first.tolist() == [0.5]  # the two golds tie
