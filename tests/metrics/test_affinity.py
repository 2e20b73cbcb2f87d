import itertools
from dataclasses import dataclass
from unittest import mock

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from xlutils.metrics import affinity as module
from xlutils.metrics.affinity import semantic_affinity


@dataclass(frozen=True)
class Table:
    concepts: tuple
    cells: dict

    def words(self, language):
        return list(dict.fromkeys(word for cell in self.cells[language] for word in cell))


def distance(x, y):
    return 1 - x @ y / (np.linalg.norm(x) * np.linalg.norm(y))


def oracle(spaces, table):
    """The definition, pair by pair: inter by concept, intra by language, number of pairs."""
    vector = {
        (language, word): spaces[language][row].astype(float)
        for language in table.cells
        for row, word in enumerate(table.words(language))
    }
    intra = [
        np.mean([distance(vector[language, x], vector[language, y]) for x, y in itertools.combinations(words, 2)])
        for language, words in ((language, table.words(language)) for language in table.cells)
    ]
    inter, pairs = [], 0
    for row in range(len(table.concepts)):
        there = {language: column[row] for language, column in table.cells.items() if column[row]}
        if len(there) < 2:
            inter.append(np.nan)
            continue
        spreads = []
        for choice in itertools.product(*there.values()):  # alternatives expanded to their cross product
            chosen = [vector[language, word] for language, word in zip(there, choice, strict=True)]
            spreads.append(np.mean([distance(x, y) for x, y in itertools.combinations(chosen, 2)]))
        inter.append(np.mean(spreads))
        pairs += sum(len(there[a]) * len(there[b]) for a, b in itertools.combinations(there, 2))
    return np.array(inter), np.array(intra), pairs


@st.composite
def tables(draw):
    """Lexicons with alternatives, gaps, and words shared by concepts; vectors of any length."""
    count = draw(st.integers(2, 7))
    languages = draw(st.sampled_from([("en", "zh"), ("en", "zh", "ar"), ("en", "zh", "ar", "de")]))
    cell = st.lists(st.sampled_from("abcdefgh"), max_size=3, unique=True).map(tuple)
    cells = {language: tuple(draw(st.lists(cell, min_size=count, max_size=count))) for language in languages}
    table = Table(tuple(f"c{row}" for row in range(count)), cells)
    assume(all(len(table.words(language)) > 1 for language in languages))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    spaces = {}
    for language in languages:
        shape = (len(table.words(language)), 5)
        spaces[language] = (rng.standard_normal(shape) * rng.uniform(0.1, 9) + 0.2).astype(np.float32)
    return spaces, table


@settings(max_examples=200)
@given(tables(), st.integers(1, 5))
def test_it_is_the_pairwise_definition(example, block):
    spaces, table = example
    with mock.patch.object(module, "_BLOCK", block):
        result = semantic_affinity(spaces, table)
    inter, intra, pairs = oracle(spaces, table)
    np.testing.assert_allclose(result.inter, inter, atol=1e-9)
    np.testing.assert_allclose(result.intra, intra, atol=1e-9)
    assert result.pairs == pairs
    if pairs:
        ratio = np.nanmean(inter) / np.mean(intra)
        assert result.sr == pytest.approx(ratio, abs=1e-9)
        assert result.sa == pytest.approx(1 / (1 + ratio), abs=1e-9)


@settings(max_examples=50)
@given(tables())
def test_a_language_is_compared_with_its_own_spread_and_a_pair_with_the_mean_of_both(example):
    spaces, table = example
    result = semantic_affinity(spaces, table)
    assume(result.intra.min() > 0.01)
    distances, codes = {}, list(table.cells)
    for one, other in itertools.combinations(codes, 2):
        inter, intra, pairs = oracle(*only(spaces, table, (one, other)))
        distances[one, other] = distances[other, one] = inter
        if pairs:
            expected = 1 / (1 + np.nanmean(inter) / np.mean(intra))
            assert result.sa_by_pair[codes.index(one), codes.index(other)] == pytest.approx(expected, abs=1e-9)
    for number, code in enumerate(codes):
        columns = np.array([distances[code, other] for other in codes if other != code])
        rows = [np.mean(row[np.isfinite(row)]) for row in columns.T if np.isfinite(row).any()]
        if rows:
            expected = 1 / (1 + np.mean(rows) / oracle(spaces, table)[1][number])
            assert result.sa_values_by_language[:, number].mean() == pytest.approx(expected, abs=1e-9)


def affinity_by_pairs(spaces, table, weights):
    """Every pair of alternatives of a concept in two languages counts once, times the weight of the concept."""
    total = heavy = 0.0
    for row, (one, other) in itertools.product(range(len(table.concepts)), itertools.combinations(table.cells, 2)):
        for x, y in itertools.product(table.cells[one][row], table.cells[other][row]):
            vectors = (spaces[c][table.words(c).index(word)].astype(float) for c, word in ((one, x), (other, y)))
            total += weights[row] * distance(*vectors)
            heavy += weights[row]
    return 1 / (1 + total / heavy / np.mean(weighted_spreads(spaces, table, weights)))


@settings(max_examples=100)
@given(tables())
def test_the_published_weighting_counts_each_pair_of_alternatives_once(example):
    spaces, table = example
    result = semantic_affinity(spaces, table)
    assume(result.pairs and result.intra.min() > 0.01)
    count, step = len(table.concepts), 1e-5
    assert result.sa_pairs == pytest.approx(affinity_by_pairs(spaces, table, np.ones(count)), abs=1e-6)
    for row in range(count):  # the influence of a concept is the derivative
        up, down = (affinity_by_pairs(spaces, table, 1 + sign * step * np.eye(count)[row]) for sign in (1, -1))
        assert result.sa_pairs_values[row] - result.sa_pairs == pytest.approx(count * (up - down) / 2 / step, abs=1e-4)
    single = Table(table.concepts, {code: tuple(cell[:1] for cell in column) for code, column in table.cells.items()})
    if all(len(single.words(code)) > 1 for code in single.cells):
        plain = semantic_affinity({code: spaces[code][: len(single.words(code))] for code in spaces}, single)
        if len(single.cells) == 2 and plain.pairs and plain.status == "OK":
            assert plain.sa_pairs == pytest.approx(plain.sa, abs=1e-12)  # without alternatives


def weighted_affinity(spaces, table, weights):
    """The affinity of concepts that weigh unequally."""
    inter = oracle(spaces, table)[0]
    there = np.isfinite(inter)
    spread = np.mean(weighted_spreads(spaces, table, weights))
    return 1 / (1 + (weights[there] @ inter[there]) / weights[there].sum() / spread)


def weighted_spreads(spaces, table, weights):
    """The mean distance of the words of each language; a word weighs as much as the concept where it appears first."""
    spreads = []
    for language, column in table.cells.items():
        words = table.words(language)
        first = [next(row for row, cell in enumerate(column) if word in cell) for word in words]
        total = heavy = 0.0
        for i, j in itertools.combinations(range(len(words)), 2):
            weight = weights[first[i]] * weights[first[j]]
            total += weight * distance(*spaces[language][[i, j]].astype(float))
            heavy += weight
        spreads.append(total / heavy)
    return spreads


@settings(max_examples=50)
@given(tables())
def test_the_influence_of_a_concept_is_the_derivative(example):
    spaces, table = example
    result = semantic_affinity(spaces, table)
    assume(result.pairs and result.intra.min() > 0.01)
    assert result.sa_values.mean() == pytest.approx(result.sa, abs=1e-9)
    assert result.spread.mean(axis=0) == pytest.approx(result.intra, abs=1e-9)
    count, step = len(table.concepts), 1e-5
    for row in range(count):
        up, down = (weighted_affinity(spaces, table, 1 + sign * step * np.eye(count)[row]) for sign in (1, -1))
        assert result.sa_values[row] - result.sa == pytest.approx(count * (up - down) / (2 * step), abs=1e-4)


def by_hand():
    """Three concepts in two languages, in the plane, one word with two alternatives.

    sun = (1, 0) and sol = (1, 0): distance 0. sea = (0, 1) and mar = (0, 2): distance 0.
    car = (1, 1): coche = (1, 0) has distance 1 - 0.7071, auto = (0, 1) the same: mean 0.2929.
    But coche is the vector of sol and auto that of mar, as words of their own.
    """
    cells = {"en": (("sun",), ("sea",), ("car",)), "es": (("sol",), ("mar",), ("coche", "auto"))}
    spaces = {
        "en": np.array([[1, 0], [0, 1], [1, 1]], np.float32),
        "es": np.array([[1, 0], [0, 2], [1, 0], [0, 1]], np.float32),
    }
    return spaces, Table(("sun", "sea", "car"), cells)


def test_by_hand():
    result = semantic_affinity(*by_hand())
    near = 1 - np.sqrt(0.5)
    assert result.inter == pytest.approx([0, 0, near])
    # English: sun-sea 1, sun-car and sea-car 0.2929. Spanish: two equal pairs 0, four at right angles 1.
    assert result.intra == pytest.approx([(1 + 2 * near) / 3, 4 / 6])
    assert result.inter_spread == pytest.approx(near / 3)
    ratio = (near / 3) / (((1 + 2 * near) / 3 + 4 / 6) / 2)
    assert result.sr == pytest.approx(ratio)
    assert result.sa == pytest.approx(1 / (1 + ratio))
    assert result.pairs == 4
    assert result.status == "OK"
    relative = [np.std(part, ddof=1) / np.sqrt(len(part)) / np.mean(part) for part in (result.inter, result.intra)]
    assert result.sa_sem == pytest.approx(ratio * np.linalg.norm(relative) / (1 + ratio) ** 2)


def random_space(seed=0, concepts=200, languages=("en", "zh", "ar"), noise=0.5):
    rng = np.random.default_rng(seed)
    meaning = rng.standard_normal((concepts, 16))
    cells = {code: tuple((f"{code}{row}",) for row in range(concepts)) for code in languages}
    spaces = {code: meaning + noise * rng.standard_normal((concepts, 16)) for code in languages}
    return spaces, Table(tuple(f"c{row}" for row in range(concepts)), cells)


def only(spaces, table, codes):
    return {code: spaces[code] for code in codes}, Table(table.concepts, {code: table.cells[code] for code in codes})


def test_extremes():
    spaces, table = random_space(noise=0.0)
    assert semantic_affinity(spaces, table).sa == pytest.approx(1)
    rng = np.random.default_rng(0)
    unrelated = {code: rng.standard_normal((200, 16)) for code in spaces}
    assert semantic_affinity(unrelated, table).sa == pytest.approx(0.5, abs=0.01)


def test_the_interval_holds_the_value_and_shrinks_with_the_data():
    small, large = (semantic_affinity(*random_space(concepts=count)) for count in (30, 1000))
    for result in (small, large):
        low, high = result.interval()
        assert low < result.sa < high
    assert np.diff(large.interval()) < np.diff(small.interval()) / 3


def test_the_interval_is_that_of_whole_draws():
    """Every spread measured anew in each draw, the slow way."""
    spaces, table = random_space(concepts=40)
    rng = np.random.default_rng(3)
    drawn = []
    unit = {code: space / np.linalg.norm(space, axis=1, keepdims=True) for code, space in spaces.items()}
    inter = semantic_affinity(spaces, table).inter
    for _ in range(2000):
        times = np.bincount(rng.integers(40, size=40), minlength=40)
        apart = times[:, None] * times * (1 - np.eye(40))  # a word is not its own neighbour
        intra = np.mean([(apart * (1 - vectors @ vectors.T)).sum() / apart.sum() for vectors in unit.values()])
        drawn.append(1 / (1 + times @ inter / 40 / intra))
    assert semantic_affinity(spaces, table).interval() == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.004)


def test_the_values_of_a_pair_are_those_of_its_two_languages():
    spaces, table = random_space(concepts=30)
    table.cells["zh"] = ((), *table.cells["zh"][1:])
    spaces["zh"] = spaces["zh"][1:]
    values = semantic_affinity(spaces, table).sa_values_by_pair
    for (a, one), (b, other) in itertools.permutations(enumerate(table.cells), 2):
        two = semantic_affinity(*only(spaces, table, (one, other)))
        assert values[:, a, b] == pytest.approx(two.sa_values)
    assert np.isnan(np.diagonal(values, axis1=1, axis2=2)).all()


def test_euclidean_by_the_definition():
    spaces, table = random_space(concepts=12)
    unit = {code: space / np.linalg.norm(space, axis=1, keepdims=True) for code, space in spaces.items()}

    def rms(points):
        return np.sqrt(np.mean([np.sum((x - y) ** 2) for x, y in itertools.combinations(points, 2)]))

    inter = np.mean([rms([unit[code][row] for code in unit]) for row in range(12)])
    intra = np.mean([rms(unit[code]) for code in unit])
    assert semantic_affinity(spaces, table).sa_euclidean == pytest.approx(1 / (1 + inter / intra))


def test_the_number_of_threads_changes_no_digit():
    spaces, table = random_space(concepts=500)
    whole = semantic_affinity(spaces, table)
    with threadpool_limits(1, "blas"):
        alone = semantic_affinity(spaces, table)
    assert whole.sa == alone.sa
    assert np.array_equal(whole.intra, alone.intra)


def test_a_collapsed_space():
    _, table = random_space(concepts=5)
    result = semantic_affinity({code: np.ones((5, 4)) for code in table.cells}, table)
    assert (result.status, result.sa, result.sa_sem, result.interval()) == ("COLLAPSED", 0, 0, (0, 0))
    assert result.sa_euclidean == 0
    assert (result.sa_by_concept == 0).all()


def test_what_cannot_be_measured():
    spaces, table = random_space(concepts=5)
    for bad in (0.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="language zh is zero or not finite"):
            semantic_affinity({**spaces, "zh": np.vstack([spaces["zh"][:4], np.full(16, bad)])}, table)
    with pytest.raises(ValueError, match="needs two languages, got en"):
        semantic_affinity(spaces, Table(table.concepts, {"en": table.cells["en"]}))
    with pytest.raises(ValueError, match="language zh has 1 words"):
        semantic_affinity(spaces, Table(table.concepts, {**table.cells, "zh": (("x",),) * 5}))
    with pytest.raises(ValueError, match="5 distinct words, but 4 vectors"):
        semantic_affinity({**spaces, "ar": spaces["ar"][:4]}, table)
