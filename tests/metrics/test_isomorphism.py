"""Shapes of spaces against plain loops, a minimum spanning tree, and all matchings there are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import random_turn, unit_vectors
from scipy.sparse.csgraph import minimum_spanning_tree

from xlutils.metrics.isomorphism import bottleneck, eigenvector_similarity, graph_eigenvalues, merge_distances

seeds = st.integers(0, 10**6)
some_copies = st.sampled_from([None, 3])


def slow_eigenvalues(space, k):
    """Join each text to its k nearest, share the last places among those that are level, and take the Laplacian."""
    count = len(space)
    weights, cosines = np.zeros((count, count)), space @ space.T
    for row in range(count):
        others = [other for other in range(count) if other != row]
        last = sorted(cosines[row, others])[-k]
        above = [other for other in others if cosines[row, other] > last + 5e-6]
        level = [other for other in others if abs(cosines[row, other] - last) <= 5e-6]
        weights[row, above] = 1
        weights[row, level] = (k - len(above)) / len(level)
    laplacian = np.zeros((count, count))
    for row in range(count):
        for other in range(count):
            edge = max(weights[row, other], weights[other, row])
            laplacian[row, other] -= edge
            laplacian[row, row] += edge
    return sorted(np.linalg.eigvals(laplacian).real, reverse=True)


@given(seeds, st.integers(2, 10), st.integers(1, 5), some_copies)
def test_eigenvalues_are_those_of_the_graph_of_neighbours(seed, count, k, kinds):
    space = unit_vectors(seed, count, 4, kinds)
    k = min(k, count - 1)
    assert graph_eigenvalues(space, k) == pytest.approx(slow_eigenvalues(space, k), abs=1e-6)


def test_eigenvalues_by_hand():
    """Two pairs of words are two edges, each with the eigenvalues 2 and 0; all joined to all have n, and one 0."""
    pairs = np.eye(2)[[0, 0, 1, 1]]
    assert graph_eigenvalues(pairs, 1) == pytest.approx([2, 2, 0, 0], abs=1e-9)
    assert graph_eigenvalues(pairs, 3) == pytest.approx([4, 4, 4, 0], abs=1e-9)


@st.composite
def spectra(draw):
    """Two spectra of whole numbers, so that nine tenths may be reached exactly."""
    count = draw(st.integers(1, 8))
    rows = st.lists(st.integers(0, 9), min_size=count, max_size=count).filter(any)
    return [np.array(sorted(draw(rows), reverse=True), float) for _ in range(2)]


@given(spectra())
def test_eigenvector_similarity_compares_the_largest_that_make_nine_tenths(pair):
    counts = []
    for values in pair:
        count = 1
        while 10 * sum(values[:count]) < 9 * sum(values):
            count += 1
        counts.append(count)
    expected = sum((pair[0][place] - pair[1][place]) ** 2 for place in range(min(counts)))
    assert eigenvector_similarity(*pair) == pytest.approx(expected)
    assert eigenvector_similarity(*pair[::-1]) == pytest.approx(expected)
    assert eigenvector_similarity(pair[0], pair[0]) == 0


def test_eigenvector_similarity_by_hand():
    """Nine of ten are nine tenths already, so that one eigenvalue is compared; of five and five it would be both."""
    assert eigenvector_similarity(np.array([9.0, 1.0]), np.array([5.0, 5.0])) == 16
    assert eigenvector_similarity(np.array([8.0, 2.0]), np.array([5.0, 5.0])) == 18


@given(seeds, st.integers(2, 14), some_copies)
def test_texts_merge_along_the_minimum_spanning_tree(seed, count, kinds):
    space = unit_vectors(seed, count, 3, kinds)
    distances = np.array([[np.linalg.norm(one - other) for other in space] for one in space])
    tree = minimum_spanning_tree(distances + 1)  # of zero it would think that there is no edge
    expected = sorted(tree.data - 1, reverse=True)
    assert merge_distances(space) == pytest.approx(expected, abs=1e-6)


def test_merge_distances_by_hand():
    """Two copies merge at once, then the text at 60 degrees joins them, and finally the one opposite of it."""
    space = np.array([[1, 0], [1, 0], [0.5, np.sqrt(0.75)], [-0.5, -np.sqrt(0.75)]])
    assert merge_distances(space) == pytest.approx([np.sqrt(3), 1, 0])


def all_costs(a, b):
    """Yield the largest step of each matching of two diagrams; what is left over goes half way, to the diagonal."""
    if not a:
        yield max([value / 2 for value in b], default=0)
        return
    first, rest = a[0], a[1:]
    for cost in all_costs(rest, b):
        yield max(first / 2, cost)
    for place, partner in enumerate(b):
        for cost in all_costs(rest, b[:place] + b[place + 1 :]):
            yield max(abs(first - partner), cost)


@st.composite
def diagrams(draw):
    """Two diagrams in falling order, with equal values."""
    count = draw(st.integers(0, 5))
    values = st.one_of(st.sampled_from([0.0, 0.5, 1.0, 2.0]), st.floats(0, 2))
    rows = st.lists(values, min_size=count, max_size=count)
    return [np.array(sorted(draw(rows), reverse=True)) for _ in range(2)]


@given(diagrams())
def test_the_bottleneck_is_the_best_of_all_matchings(pair):
    expected = min(all_costs(*(values.tolist() for values in pair)))
    assert bottleneck(*pair) == pytest.approx(expected, abs=1e-12)
    assert bottleneck(*pair[::-1]) == pytest.approx(expected, abs=1e-12)


def test_a_bottleneck_by_hand():
    """One step of 0.9 costs more than to leave both components alone, half of 1."""
    assert bottleneck(np.array([1.5, 1.0]), np.array([1.4, 0.1])) == 0.5
    assert bottleneck(np.array([1.5, 1.0]), np.array([1.4, 0.7])) == pytest.approx(0.3)


def distances_between(one, other):
    return {
        "eigenvectors": eigenvector_similarity(graph_eigenvalues(one), graph_eigenvalues(other)),
        "bottleneck": bottleneck(merge_distances(one), merge_distances(other)),
    }


@given(seeds, some_copies)
def test_a_turned_and_shuffled_space_has_the_same_shape(seed, kinds):
    space = unit_vectors(seed, 20, 6, kinds)
    turned = (space @ random_turn(seed, 6))[np.random.default_rng(seed).permutation(20)]
    assert distances_between(space, turned) == pytest.approx({"eigenvectors": 0, "bottleneck": 0}, abs=1e-6)
    wider = np.pad(turned, ((0, 0), (0, 3)))
    assert distances_between(space, wider) == pytest.approx({"eigenvectors": 0, "bottleneck": 0}, abs=1e-6)


def test_a_cone_is_unlike_vectors_on_all_sides_and_two_samples_of_these_are_alike():
    space, sample = unit_vectors(0, 100, 8), unit_vectors(1, 100, 8)
    cone = unit_vectors(2, 100, 8) + 2 * np.eye(8)[0]
    cone /= np.linalg.norm(cone, axis=1, keepdims=True)
    alike, unlike = distances_between(space, sample), distances_between(space, cone)
    assert unlike["eigenvectors"] > 5 * alike["eigenvectors"] > 0
    assert unlike["bottleneck"] > 3 * alike["bottleneck"] > 0
