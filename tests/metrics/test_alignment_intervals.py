import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlutils.metrics.alignment import concept_alignment
from xlutils.metrics.alignment_intervals import centroid_interval, nearest_interval, skewness_interval
from xlutils.metrics.neighbours import skewness


def draws(count, seed, resamples=2000):
    rng = np.random.default_rng(seed)
    return [rng.integers(count, size=count) for _ in range(resamples)]


def words(concepts, seed=0, dim=24, shift=0.5, second=0.0):
    """Words of two languages in a cone, some with a second word; the languages lie a shift apart."""
    rng = np.random.default_rng(seed)
    vectors, ids, languages = [], [], []
    for concept in range(concepts):
        meaning = rng.standard_normal(dim) + 2 * np.eye(dim)[0]
        for language, offset in (("en", 0.0), ("zh", shift * np.eye(dim)[1])):
            for _ in range(1 + (rng.random() < second)):
                vectors.append(meaning + offset + 0.5 * rng.standard_normal(dim))
                ids.append(f"c{concept}")
                languages.append(language)
    return np.array(vectors) / np.linalg.norm(vectors, axis=1, keepdims=True), ids, languages


def test_the_neighbours_by_language_draw_concepts_with_all_their_words():
    vectors, ids, languages = words(12, second=0.5)
    result = concept_alignment(vectors, ids, languages)
    low, high = nearest_interval(result, seed=4)
    own = {
        number: [i for i in range(len(ids)) if ids[i] == f"c{number}" and languages[i] == "zh"] for number in range(12)
    }
    means = [np.mean(np.concatenate([result.word_nearest[own[c]] for c in drawn])) for drawn in draws(12, 4)]
    assert (low[1], high[1]) == pytest.approx(np.quantile(means, [0.025, 0.975]))
    assert (low <= result.nearest_by_language).all()
    assert (result.nearest_by_language <= high).all()


def test_centroid_distances_draw_concepts_with_all_their_words():
    vectors, ids, languages = words(12, second=0.5)
    result = concept_alignment(vectors, ids, languages)
    members = {
        (number, code): [i for i in range(len(ids)) if ids[i] == f"c{number}" and languages[i] == code]
        for number in range(12)
        for code in ("en", "zh")
    }
    distances = []
    for drawn in draws(12, 4):
        means = [sum(vectors[i] for c in drawn for i in members[c, code]) for code in ("en", "zh")]
        distances.append(1 - means[0] @ means[1] / np.linalg.norm(means[0]) / np.linalg.norm(means[1]))
    low, high = np.quantile(distances, [0.025, 0.975])
    measured = result.centroid_distance[0, 1]
    bounds = [bound[0, 1] for bound in centroid_interval(result, seed=4)]
    assert bounds == pytest.approx([max(2 * measured - high, 0), max(2 * measured - low, 0)])


@pytest.mark.slow
def test_the_centroid_interval_covers_the_truth_although_the_distance_is_biased():
    """With forty concepts the distance itself is too large in most samples."""
    truth = concept_alignment(*words(20_000, seed=1)).centroid_distance[0, 1]
    covered = above = 0
    for seed in range(100):
        result = concept_alignment(*words(40, seed=100 + seed))
        low, high = (bound[0, 1] for bound in centroid_interval(result, seed=seed))
        covered += low <= truth <= high
        above += result.centroid_distance[0, 1] > truth
    assert above > 55
    assert covered >= 85


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 6), min_size=2, max_size=20), st.integers(0, 99))
def test_the_skewness_is_that_of_the_drawn_words(counts, seed):
    counts = np.array(counts)
    concept_of = np.arange(len(counts)) // 2
    concepts = concept_of.max() + 1
    skews = [skewness(np.concatenate([counts[concept_of == c] for c in drawn])) for drawn in draws(concepts, seed)]
    expected = np.quantile(skews, [0.025, 0.975])
    assert skewness_interval(counts, concept_of, seed) == pytest.approx(expected, abs=1e-9)
