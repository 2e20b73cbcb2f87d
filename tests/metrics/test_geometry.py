import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from xlutils.metrics import geometry
from xlutils.metrics.geometry import (
    effective_rank,
    first_equal,
    language_probe,
    random_cosine,
    silhouettes,
    translation_gap,
    unit_rows,
)


def space(language_weight, concepts=30, languages=4, dim=16):
    """Words made of a concept's direction, a language's direction, and some noise."""
    rng = np.random.default_rng(0)
    meaning, tongue = rng.standard_normal((concepts, 1, dim)), rng.standard_normal((1, languages, dim))
    vectors = meaning + language_weight * tongue + 0.3 * rng.standard_normal((concepts, languages, dim))
    vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
    ids = [f"c{concept}" for concept in range(concepts) for _ in range(languages)]
    return vectors.reshape(-1, dim), ids, [f"l{language}" for _ in range(concepts) for language in range(languages)]


def test_the_probe_reads_a_language_that_is_there_and_none_that_is_not():
    there, absent = language_probe(*space(3.0)), language_probe(*space(0.0))
    assert there.chance == absent.chance == 0.25
    assert there.accuracy.mean() > 0.95
    assert absent.accuracy.mean() < 0.45
    assert len(there.accuracy) == 30


def test_no_concept_is_in_training_and_test_at_once():
    """With one vector a concept, memory alone would name every language of a leaked concept."""
    rng = np.random.default_rng(0)
    vectors = np.repeat(rng.standard_normal((40, 60)), 2, axis=0)
    ids = [f"c{number // 2}" for number in range(80)]
    languages = [f"l{(number // 2) % 2}" for number in range(80)]  # a concept speaks one language
    assert language_probe(vectors, ids, languages).accuracy.mean() < 0.75


def test_too_few_concepts():
    with pytest.raises(ValueError, match="needs two concepts"):
        language_probe(*space(1.0, concepts=1))
    assert len(language_probe(*space(1.0, concepts=2)).accuracy) == 2


def plain_silhouette(vectors, labels):
    distance = 1 - vectors @ vectors.T
    values = []
    for i, label in enumerate(labels):
        groups = {name: [j for j, other in enumerate(labels) if other == name and j != i] for name in set(labels)}
        means = {name: distance[i, members].mean() for name, members in groups.items()}
        own, other = means.pop(label), min(means.values())
        values.append((other - own) / max(other, own))
    return values


@pytest.mark.parametrize("weight", [0.0, 3.0])
def test_silhouettes_are_the_definition(weight):
    vectors, concepts, languages = space(weight, concepts=8, languages=3)
    by_concept, by_language = silhouettes(vectors, concepts, languages)
    assert by_concept == pytest.approx(plain_silhouette(vectors, concepts))
    assert by_language == pytest.approx(plain_silhouette(vectors, languages))
    assert (by_concept.mean() > by_language.mean()) == (weight == 0.0)


def test_a_large_set_is_sampled_by_concept(monkeypatch):
    example = space(0.5, concepts=200)
    whole = silhouettes(*example)
    monkeypatch.setattr(geometry, "_LARGE", 400)
    sampled = silhouettes(*example)
    for part, full, again in zip(sampled, whole, silhouettes(*example), strict=True):
        assert np.isfinite(part).sum() == 400
        assert np.nanmean(part) == pytest.approx(full.mean(), abs=0.1)
        assert np.array_equal(part, again, equal_nan=True)


@given(st.lists(st.sampled_from([(0.0, 1.0), (1.0, 0.0), (0.6, 0.8), (0.8, 0.6)]), min_size=1, max_size=20))
def test_the_first_equal_vector_is_that_of_the_plain_loop(rows):
    noisy = np.array(rows) + np.random.default_rng(0).uniform(-1e-7, 1e-7, (len(rows), 2))
    assert first_equal(noisy).tolist() == [rows.index(row) for row in rows]


def test_thousands_of_equal_vectors():
    first = first_equal(np.ones((50_000, 8), np.float32))
    assert (first == 0).all()


@given(st.integers(0, 2**16), st.integers(2, 12))
def test_random_cosine_against_pairs(seed, count):
    vectors = np.random.default_rng(seed).normal(size=(count, 5)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    pairs = [float(a @ b) for i, a in enumerate(vectors) for j, b in enumerate(vectors) if i != j]
    assert random_cosine(vectors) == pytest.approx(np.mean(pairs), abs=1e-6)


def test_effective_rank_by_hand():
    """A square's corners use two directions evenly; a line uses one; one point counts as one."""
    square = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]], np.float32)
    assert effective_rank(square) == pytest.approx(2)
    assert effective_rank(square * [1, 0]) == pytest.approx(1)
    assert effective_rank(np.ones((3, 4), np.float32)) == 1
    assert 1 < effective_rank(square * [1, 0.1]) < 2


@given(hnp.arrays(np.float64, (2, 6, 4), elements=st.integers(-2, 2)), st.integers(2, 6))
def test_the_gap_is_the_cosine_of_translations_beyond_that_of_others(drawn, count):
    one, other = (unit_rows(np.where(rows.any(axis=1, keepdims=True), rows, 1)) for rows in drawn[:, :count])
    expected = []
    for i in range(count):
        wrong = [float(one[i] @ other[j] + one[j] @ other[i]) / 2 for j in range(count) if j != i]
        expected.append(float(one[i] @ other[i]) - np.mean(wrong))
    assert np.allclose(translation_gap(one, other), expected, atol=1e-6)
