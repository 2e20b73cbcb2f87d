import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xlutils.metrics.concepts import discriminability


def oracle(vectors, concepts, languages):
    """Every pair of words in two languages, one by one."""
    same, different = {c: [] for c in concepts}, {c: [] for c in concepts}
    for i, j in itertools.permutations(range(len(vectors)), 2):
        if languages[i] != languages[j]:
            (same if concepts[i] == concepts[j] else different)[concepts[i]].append(vectors[i] @ vectors[j])
    mean = [{c: np.mean(v) if v else np.nan for c, v in group.items()} for group in (same, different)]
    return mean


@given(st.data())
def test_it_is_the_mean_over_pairs(data):
    n = data.draw(st.integers(2, 12))
    concepts = data.draw(st.lists(st.sampled_from("abcd"), min_size=n, max_size=n))
    languages = data.draw(st.lists(st.sampled_from(["en", "zh", "ar"]), min_size=n, max_size=n))
    vectors = data.draw(arrays(np.float64, (n, 3), elements=st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0])))
    result = discriminability(vectors, concepts, languages)
    same, different = oracle(vectors, concepts, languages)
    assert result.concepts == tuple(dict.fromkeys(concepts))
    for row, concept in enumerate(result.concepts):
        assert result.same[row] == pytest.approx(same[concept], abs=1e-12, nan_ok=True)
        assert result.different[row] == pytest.approx(different[concept], abs=1e-12, nan_ok=True)


def test_by_hand():
    """Two concepts, two languages, in the plane.

    sun = (1, 0), sol = (0.6, 0.8): cosine 0.6. sea = (0, 1), mar = (0, 1): cosine 1.
    sun-mar = 0, sol-sea = 0.8: mean 0.4, for both concepts.
    """
    vectors = np.array([[1, 0], [0.6, 0.8], [0, 1], [0, 1]])
    result = discriminability(vectors, ["sun", "sun", "sea", "sea"], ["en", "es", "en", "es"])
    assert result.same == pytest.approx([0.6, 1.0])
    assert result.different == pytest.approx([0.4, 0.4])
    assert result.gap == pytest.approx([0.2, 0.6])


def test_a_concept_in_one_language_has_no_value():
    result = discriminability(np.eye(3), ["a", "a", "b"], ["en", "es", "en"])
    assert np.isnan(result.same[1])
    assert not np.isnan(result.different[1])
