import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from xlutils.metrics.geometry import unit_rows
from xlutils.metrics.probes import fit_probe, guess_by_neighbours


def planted(seed, count=24, dim=5, labels=3):
    """Vectors around one point per label, some of them twice, and their labels."""
    rng = np.random.default_rng(seed)
    numbers = np.arange(count) % labels
    vectors = unit_rows(rng.normal(size=(labels, dim))[numbers] + rng.normal(size=(count, dim)))
    vectors[count // 2 :: 4] = vectors[count // 2 - 1]
    return vectors, np.array([f"label {number}" for number in numbers])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_a_probe_is_a_ridge_whose_strength_predicts_each_vector_best_from_all_others(seed):
    vectors, labels = planted(seed)
    strengths = (0.003, 0.1, 1.0)
    names = np.unique(labels)
    wanted = (labels[:, None] == names).astype(float)
    errors = {}
    for strength in strengths:
        penalty = strength * np.linalg.svd(vectors - vectors.mean(axis=0))[1][0] ** 2
        missed = []
        for row in range(len(vectors)):
            others = np.arange(len(vectors)) != row
            # The penalty and the middle are those of all vectors, as in the closed form.
            model = Ridge(penalty).fit(vectors[others], wanted[others])
            missed.append(((model.predict(vectors[row : row + 1]) - wanted[row]) ** 2).mean())
        errors[strength] = np.mean(missed), Ridge(penalty).fit(vectors, wanted)
    probe = fit_probe(vectors, labels, strengths)
    best = min(errors, key=lambda strength: errors[strength][0])
    assert probe.strength == best
    scores = errors[best][1].predict(vectors)
    np.testing.assert_allclose(vectors @ probe.matrix + probe.offset, scores, atol=1e-6)
    assert (probe.guess(vectors) == names[scores.argmax(axis=1)]).mean() > 0.9  # others are ties


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6))
def test_neighbours_vote_by_their_cosines(seed, k):
    known, labels = planted(seed)
    known += np.random.default_rng(seed).normal(scale=1e-3, size=known.shape).astype(np.float32)  # no ties
    vectors = planted(seed + 1)[0]
    for vector, guess in zip(vectors, guess_by_neighbours(vectors, known, labels, k), strict=True):
        cosines = known @ vector
        votes = dict.fromkeys(np.unique(labels), 0.0)
        for place in np.argsort(-cosines)[:k]:
            votes[labels[place]] += cosines[place]
        assert votes[guess] == pytest.approx(max(votes.values()), abs=1e-5)


def test_more_neighbours_than_vectors_are_all_of_them():
    vectors, labels = planted(3)
    assert set(guess_by_neighbours(vectors, vectors[:4], labels[:4], 10)) <= set(labels)


def test_equal_vectors_tell_no_label():
    probe = fit_probe(np.ones((9, 3)), [*"aaaabbbcc"])
    assert set(probe.guess(np.ones((2, 3)))) == {"a"}  # the most frequent


def test_one_label_is_nothing_to_tell():
    with pytest.raises(ValueError, match="give at least two"):
        fit_probe(np.eye(3), [*"aaa"])
