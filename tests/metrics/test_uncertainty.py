import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import spearmanr as scipy_spearmanr

from xlutils.metrics import uncertainty
from xlutils.metrics.uncertainty import (
    bootstrap,
    bootstrap_ci,
    bootstrap_means,
    bootstrap_medians,
    bootstrap_ratio,
    holm,
    outlier_test,
    paired_difference,
    permutation_test_groups,
)


def slow_bootstrap(statistic, count, resamples, seed):
    """The interval of a function of the positions drawn, draw by draw."""
    rng = np.random.default_rng(seed)
    drawn = [statistic(rng.integers(count, size=count)) for _ in range(resamples)]
    return np.quantile(drawn, [0.025, 0.975], axis=0)


@settings(max_examples=20)
@given(st.lists(st.sampled_from([0.0, 0.2, 0.4, 1.0]), min_size=1, max_size=30), st.integers(0, 99))
def test_bootstrap_is_the_plain_loop(values, seed):
    expected = slow_bootstrap(lambda drawn: np.array(values)[drawn].mean(), len(values), 200, seed)
    assert bootstrap_ci(values, resamples=200, seed=seed) == pytest.approx(expected)


def test_blocks_do_not_matter(monkeypatch):
    values = np.random.default_rng(0).random(40)
    whole = bootstrap_ci(values), paired_difference(values, values[::-1])
    monkeypatch.setattr(uncertainty, "_BLOCK", 100)
    assert bootstrap_ci(values) == pytest.approx(whole[0])
    assert vars(paired_difference(values, values[::-1])) == pytest.approx(vars(whole[1]))


def test_it_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(200):
        low, high = bootstrap_ci(rng.normal(5, 2, size=60), resamples=400, seed=int(rng.integers(1 << 30)))
        covered += low <= 5 <= high
    assert 180 <= covered <= 199


@pytest.mark.parametrize("values", [[], [np.nan, 1.0], [np.inf]])
def test_bad_values(values):
    for function in (bootstrap_ci, lambda v: paired_difference(v, v), lambda v: permutation_test_groups(v, [1.0])):
        with pytest.raises(ValueError, match="finite"):
            function(values)


def test_paired_difference_against_every_sign():
    a, b = np.array([0.9, 0.8, 0.7, 0.9, 0.6, 0.8]), np.array([0.7, 0.7, 0.7, 0.6, 0.7, 0.5])
    difference = a - b
    changed = np.array(list(itertools.product([-1, 1], repeat=6))) @ difference
    exact = np.mean(abs(changed) >= abs(difference.sum()) - 1e-12)
    result = paired_difference(a, b, resamples=20_000)
    assert result.mean == pytest.approx(difference.mean())
    assert result.low < result.mean < result.high
    assert result.p_value == pytest.approx(exact, abs=0.01)


def test_no_difference_is_no_finding():
    result = paired_difference([0.5, 0.6], [0.5, 0.6])
    assert (result.mean, result.low, result.high, result.p_value) == (0, 0, 0, 1)


def test_groups_against_every_deal():
    a, b = [0.1, 0.4, 0.2], [0.5, 0.3, 0.9, 0.8]
    values = np.array(a + b)
    deals = [values[list(deal)].mean() - np.delete(values, deal).mean() for deal in itertools.combinations(range(7), 3)]
    exact = np.mean([deal <= np.mean(a) - np.mean(b) + 1e-12 for deal in deals])
    assert permutation_test_groups(a, b) == pytest.approx(exact)
    assert permutation_test_groups(b, a) > 0.9


def test_the_outlying_column_is_found_and_only_that():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(40, 6))
    values[:, 2] -= 2
    values[3, 4] = np.nan
    deviation, p_values = outlier_test(values, resamples=999)
    assert deviation.argmin() == 2
    assert p_values[2] == 0.001
    assert (np.delete(p_values, 2) > 0.05).all()


GAPS = [[0.0, np.nan, 2.0], [np.nan, 3.0, 1.0], [4.0, np.nan, np.nan]]  # a row with one value says nothing


@pytest.mark.parametrize("values", [[[0.0, 1.0, 2.0], [0.0, 3.0, 1.0]], GAPS])
def test_the_outlier_test_against_every_shuffle(values):
    """A value moves only among the columns that its row has."""
    rows = np.array([row for row in values if np.isfinite(row).sum() > 1])
    centred = rows - np.nanmean(rows, axis=1, keepdims=True)
    present = np.isfinite(rows)
    lowest, table = [], centred.copy()
    for deal in itertools.product(*(itertools.permutations(row[np.isfinite(row)]) for row in centred)):
        table[present] = np.concatenate(deal)
        lowest.append(np.nanmean(table, axis=0).min())
    deviation, p_values = outlier_test(np.array(values), resamples=20_000)
    assert deviation == pytest.approx(np.nanmean(centred, axis=0))
    assert p_values == pytest.approx([np.mean(np.array(lowest) <= mean + 1e-12) for mean in deviation], abs=0.01)


def test_a_column_without_values_is_no_outlier():
    deviation, p_values = outlier_test(np.array([[0.0, np.nan, 1.0], [2.0, np.nan, 1.0]]), resamples=99)
    assert np.isnan(deviation[1])
    assert np.isnan(p_values[1])
    assert np.isfinite(np.delete(p_values, 1)).all()
    assert np.isnan(outlier_test(np.full((2, 3), np.nan), resamples=9)[1]).all()


def test_chance_alone_is_called_an_outlier_as_seldom_as_promised():
    rng = np.random.default_rng(5)
    alarms = sum((outlier_test(rng.normal(size=(15, 5)), resamples=199)[1] <= 0.05).any() for _ in range(200))
    assert alarms <= 20  # five in a hundred expected


def test_clusters_are_drawn_whole():
    """Three passages with two, one and three questions."""
    values, clusters = np.array([0.0, 1.0, 0.5, 1.0, 1.0, 0.0]), np.array([7, 7, 3, 9, 9, 9])
    groups = [values[clusters == number] for number in np.unique(clusters)]
    expected = slow_bootstrap(lambda drawn: np.concatenate([groups[i] for i in drawn]).mean(), 3, 300, 5)
    assert bootstrap_ci(values, resamples=300, seed=5, clusters=clusters) == pytest.approx(expected)


def test_values_that_depend_on_each_other_are_less_sure():
    rng = np.random.default_rng(0)
    values, clusters = np.repeat(rng.normal(size=40), 5), np.repeat(np.arange(40), 5)
    assert np.diff(bootstrap_ci(values, clusters=clusters)) > 2 * np.diff(bootstrap_ci(values))


def test_many_means_are_each_their_own_interval():
    values = np.random.default_rng(0).random((12, 2, 3))
    values[:, 0, 1] = np.nan
    values[4:, 1, 2] = np.nan
    low, high = bootstrap_means(values, seed=3)
    for place in np.ndindex(2, 3):
        column = values[(slice(None), *place)]
        if np.isfinite(column).all():
            assert (low[place], high[place]) == pytest.approx(bootstrap_ci(column, seed=3))
    assert np.isnan(low[0, 1])
    assert np.isnan(high[0, 1])
    some = values[:4, 1, 2]  # eight draws in a thousand hold none of the four: left out
    assert some.min() <= low[1, 2] < some.mean() < high[1, 2] <= some.max()


def test_any_statistic():
    """The larger of two means, by the plain loop."""
    values = np.random.default_rng(1).random((9, 2))
    bounds = bootstrap(lambda times: (times @ values / 9).max(axis=1), 9, resamples=400, seed=8)
    assert bounds == pytest.approx(slow_bootstrap(lambda drawn: values[drawn].mean(axis=0).max(), 9, 400, 8))


def test_holm_by_hand():
    """Sorted 0.01, 0.02, 0.04 times 3, 2, 1, and never falling."""
    assert holm([0.04, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    assert holm([0.6, 0.5]).tolist() == [1, 1]
    assert holm([]).tolist() == []


def test_ratio_against_draws_one_by_one():
    """The sum over the drawn clusters' parts over that of their wholes, column by column."""
    rng = np.random.default_rng(1)
    parts, wholes, clusters = rng.random((7, 2)), 1 + rng.random((7, 2)), np.array([4, 4, 1, 0, 0, 0, 9])
    sums = [np.array([side[clusters == name].sum(axis=0) for name in np.unique(clusters)]) for side in (parts, wholes)]
    expected = slow_bootstrap(lambda drawn: sums[0][drawn].sum(axis=0) / sums[1][drawn].sum(axis=0), 4, 300, 5)
    assert np.stack(bootstrap_ratio(parts, wholes, clusters, resamples=300, seed=5)) == pytest.approx(expected)
    low, high = bootstrap_ratio(np.zeros(3), np.zeros(3))
    assert np.isnan([low, high]).all()  # nothing of nothing


@settings(max_examples=10)
@given(hnp.arrays(np.float64, (5, 3), elements=st.integers(0, 3)), st.integers(0, 9))
def test_medians_and_their_intervals_are_those_of_repeated_values(values, seed):
    values[:2, 2] = np.nan  # three are left
    found = bootstrap_medians(values, seed)
    for column in range(2):
        table = values[:, column]

        def median(times, table=table):
            return np.array([np.median(np.repeat(table, row.astype(int))) for row in times])

        expected = np.median(table), *bootstrap(median, 5, seed=seed)
        assert np.allclose([bound[column] for bound in found], expected)
    assert found[0][2] == np.median(values[2:, 2])
    assert np.isnan(bootstrap_medians(np.full((3, 1), np.nan))).all()


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=3, max_size=12))
def test_spearman_is_that_of_scipy_and_0_without_an_order(pairs):
    a, b = zip(*pairs, strict=True)
    expected = scipy_spearmanr(a, b).statistic if len(set(a)) > 1 < len(set(b)) else 0
    value, low, high = uncertainty.spearman(a, b)
    assert value == pytest.approx(expected, abs=1e-9)
    assert -1 - 1e-9 <= low <= high <= 1 + 1e-9
