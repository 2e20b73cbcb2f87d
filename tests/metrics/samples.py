"""Words that several tests of metrics measure."""

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

ROUND = st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0])  # dot products are exact, so ties are ties


@st.composite
def words(draw, most=14):
    """Random words: missing translations, several words in a cell, equal vectors."""
    count = draw(st.integers(4, most))
    concepts = draw(st.lists(st.sampled_from("abcd"), min_size=count, max_size=count))
    languages = draw(st.lists(st.sampled_from(["en", "zh", "ar"]), min_size=count, max_size=count))
    assume(len(set(concepts)) > 1 and len(set(languages)) > 1)
    vectors = draw(arrays(np.float64, (count, 3), elements=ROUND)) + np.array([0, 0, 1.5])  # no mean is zero
    return vectors, concepts, languages


def cell(vectors, concepts, languages, concept, language):
    return [i for i in range(len(vectors)) if (concepts[i], languages[i]) == (concept, language)]


def synthetic_words(concepts, seed=0, dim=24, shift=0.5, second=0.0):
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


def unit_vectors(seed, count, dim, kinds=None):
    """Random unit vectors, float64; with `kinds`, only so many different ones, so that there are duplicates."""
    rng = np.random.default_rng(seed)
    table = rng.standard_normal((kinds or count, dim))
    table /= np.linalg.norm(table, axis=1, keepdims=True)
    return table[rng.integers(kinds, size=count)] if kinds else table


def random_turn(seed, dim):
    """A random orthogonal matrix."""
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((dim, dim)))[0]
