"""Remedies against slow and obvious ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xlutils.metrics.geometry import unit_rows
from xlutils.metrics.ranking import gold_ranks
from xlutils.metrics.remedies import REMEDIES, Fit, interleaved, standardised
from xlutils.metrics.repair import centre

SCORES = arrays(np.float32, (4, 9), elements=st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]))
LANGUAGE_OF = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1])


def spaces(seed, counts=(6, 6), dim=5):
    draws = np.random.default_rng(seed)
    return {
        code: unit_rows(draws.normal(size=(count, dim)).astype(np.float32) + shift)
        for code, count, shift in zip(("en", "zh"), counts, (2, -2), strict=True)
    }


def moved(name, queries, passages):
    return REMEDIES[name].move(queries, passages, Fit(queries, passages))


@given(st.permutations(range(9)), st.integers(0, 1))
def test_interleaving_takes_documents_of_the_languages_in_turn(values, own):
    scores = np.array([values], np.float32)
    order = np.argsort(-interleaved(scores, LANGUAGE_OF, own)[0])
    lists = [np.flatnonzero(number == LANGUAGE_OF).tolist() for number in (own, 1 - own)]
    for documents in lists:
        documents.sort(key=lambda document: -values[document])
    merged = []
    while any(lists):
        merged += [documents.pop(0) for documents in lists if documents]
    assert order.tolist() == merged


@given(SCORES)
def test_interleaving_leaves_ties_within_a_language_tied(scores):
    places = interleaved(scores, LANGUAGE_OF, 0)
    for row, place in zip(scores, places, strict=True):
        for part, spot in ((row[:4], place[:4]), (row[4:], place[4:])):
            assert ((part[:, None] == part) == (spot[:, None] == spot)).all()
            assert ((part[:, None] > part) == (spot[:, None] > spot)).all()


@pytest.mark.parametrize("own", [0, 1])
def test_the_language_of_the_question_has_the_first_turn(own):
    scores = np.array([[0.1, 0.9, 0.5, 0.3, 0.2, 0.95, 0.6, 0.4, 0.0]], np.float32)
    order = np.argsort(-interleaved(scores, LANGUAGE_OF, own)[0])
    english, chinese = [1, 2, 3, 0], [5, 6, 7, 4]
    first, second = (english, chinese) if own == 0 else (chinese, english)
    assert order.tolist() == [one for pair in zip(first, second, strict=True) for one in pair] + [8]


def test_golds_of_interleaved_lists_of_a_thousand_reach_their_own_scores():
    scores = interleaved(np.random.default_rng(0).random((3, 1000), np.float32), np.repeat([0, 1], 500), 1)
    ranks = gold_ranks(scores, np.eye(1000, dtype=np.float32), np.array([[0, 500]] * 3))
    assert (ranks.level == 1).all()
    np.testing.assert_array_equal(ranks.above[0], [(scores[0] > scores[0, gold]).sum() for gold in (0, 500)])


@given(SCORES)
def test_standardised_scores_have_mean_zero_and_deviation_one(scores):
    for number in (0, 1):
        part, before = (array[:, number == LANGUAGE_OF] for array in (standardised(scores, LANGUAGE_OF, 0), scores))
        np.testing.assert_allclose(part.mean(axis=1), 0, atol=1e-5)
        varied = before.std(axis=1) > 0
        np.testing.assert_allclose(part.std(axis=1)[varied], 1, atol=1e-4)
        assert (np.argsort(part, axis=1, kind="stable") == np.argsort(before, axis=1, kind="stable")).all()


def test_each_side_moves_alone_or_with_the_other():
    queries, passages = spaces(1), spaces(2)
    both = moved("both sides", queries, passages)
    asked, documents = moved("query side", queries, passages), moved("documents only", queries, passages)
    for code in queries:
        np.testing.assert_array_equal(both[0][code], centre(queries, queries)[code])
        np.testing.assert_array_equal(asked[0][code], both[0][code])
        np.testing.assert_array_equal(asked[1][code], passages[code])
        np.testing.assert_array_equal(documents[0][code], queries[code])
        np.testing.assert_array_equal(documents[1][code], both[1][code])


def test_one_global_mean_leaves_the_languages_apart_and_shift_joins_them():
    queries, passages = spaces(1), spaces(2)
    everything = np.concatenate(list(passages.values()))
    pooled = moved("one global mean", queries, passages)[1]
    np.testing.assert_allclose(pooled["zh"], unit_rows(passages["zh"] - everything.mean(axis=0)), atol=1e-6)
    onto = moved("documents onto English", queries, passages)[1]
    np.testing.assert_allclose(onto["en"], passages["en"], atol=1e-6)
    expected = passages["zh"] - passages["zh"].mean(axis=0) + passages["en"].mean(axis=0)
    np.testing.assert_allclose(onto["zh"], unit_rows(expected), atol=1e-6)


def test_wrong_labels_do_more_harm_the_more_there_are():
    queries, passages = spaces(1, (400, 400)), spaces(2, (400, 400))
    right = moved("both sides", queries, passages)[1]["zh"]
    agreement = [
        (moved(f"both sides, {rate}% wrong labels", queries, passages)[1]["zh"] * right).sum(axis=1).mean()
        for rate in (5, 20, 50)
    ]
    assert 1 > agreement[0] > agreement[1] > agreement[2]


@pytest.mark.parametrize("name", [name for name, remedy in REMEDIES.items() if not remedy.rescore])
def test_every_move_returns_unit_vectors_of_all_languages(name):
    queries, passages = moved(name, spaces(1), spaces(2, (6, 6)))
    for side in (queries, passages):
        assert list(side) == ["en", "zh"]
        if name != "CSLS":  # it adds a dimension
            for vectors in side.values():
                np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
