import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xlutils.metrics.drift import least_loss, loss_p_value, mean_loss_p_value, mmd

CHANGES = st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0]), min_size=1, max_size=30)


@settings(max_examples=60)
@given(CHANGES, st.sampled_from([0.0, 0.02, 0.3]))
def test_the_p_value_is_the_chance_of_a_random_weighted_mean_with_one_more_item_that_gains_all(changes, margin):
    items = np.array([*changes, 1.0])
    if items.mean() >= -margin:
        assert loss_p_value(changes, margin) == 1
        return
    weights = np.random.default_rng(0).dirichlet(np.ones(len(items)), 20_000)
    expected = np.mean(weights @ items >= -margin)
    assert loss_p_value(changes, margin) == pytest.approx(expected, abs=0.015)


@given(st.integers(1, 200), st.data())
def test_a_loss_is_never_more_certain_than_by_the_exact_binomial_test(count, data):
    """That test knows that nothing can be gained."""
    lost = data.draw(st.integers(0, count))
    exact = scipy.stats.binom.sf(lost - 1, count, 0.02)
    assert loss_p_value(-1.0 * (np.arange(count) < lost), 0.02) >= exact * (1 - 1e-6)


@pytest.mark.parametrize(
    ("values", "chances"),
    [
        ([-1.0, 0.0], [0.02, 0.98]),  # few lose everything
        ([-1.0, 0.0, 1.0], [0.2, 0.62, 0.18]),  # many change
        ([-0.1, 0.99], [0.9265, 0.0735]),  # most lose a little and few gain much: Student's test is wrong here
    ],
)
@pytest.mark.parametrize("level", [0.05, 0.005])
def test_a_loss_of_just_the_margin_is_seldom_called_worse(values, chances, level):
    assert np.dot(values, chances) == pytest.approx(-0.02, abs=1e-3)
    drawn = np.random.default_rng(0).choice(values, (2000, 60), p=chances)
    alarms = np.mean([loss_p_value(changes, 0.0205) <= level for changes in drawn])
    assert alarms <= level + 3 * math.sqrt(level / 2000)


def test_no_change_is_no_evidence_and_a_total_loss_of_many_does_not_overflow():
    assert loss_p_value(np.zeros(60), 0.02) == 1
    assert loss_p_value(np.ones(60), 0.02) == 1
    assert loss_p_value(-np.ones(100_000), 0.02) == 0


def test_the_least_loss_is_the_first_one_that_is_significant():
    least = least_loss(60, 0.02, 0.001)
    lost = [loss_p_value(np.repeat([-1.0, 0.0], [count, 60 - count]), 0.02) for count in (least - 1, least)]
    assert lost[1] <= 0.001 < lost[0]
    assert least_loss(3, 0.02, 0.001) is None


@settings(max_examples=30)
@given(
    arrays(np.float64, st.tuples(st.integers(1, 4), st.just(2)), elements=st.sampled_from([-1.0, 0.0, 0.5, 1.0])),
    arrays(np.float64, st.tuples(st.integers(1, 4), st.just(2)), elements=st.sampled_from([-1.0, 0.0, 0.5, 1.0])),
)
def test_mmd_is_the_mean_kernel_within_minus_twice_the_mean_kernel_between(one, other):
    points = [*one, *other]
    squares = [sum((a - b) ** 2) for i, a in enumerate(points) for b in points[i + 1 :]]
    width = float(np.median(squares)) or 1.0

    def mean_kernel(left, right):
        return sum(math.exp(-sum((a - b) ** 2) / width) for a in left for b in right) / (len(left) * len(right))

    expected = mean_kernel(one, one) + mean_kernel(other, other) - 2 * mean_kernel(one, other)
    assert mmd(one, other, times=1)[0] == pytest.approx(max(expected, 0), abs=1e-9)


def test_a_shift_is_found_and_a_second_sample_of_the_same_distribution_is_not():
    rng = np.random.default_rng(1)
    one, other = rng.standard_normal((2, 40, 8))
    assert mmd(one, other, times=999)[1] > 0.05
    assert mmd(one, other + 1, times=999)[1] == 0.001
    distance, p_value = mmd(one, one.copy(), times=99)
    assert 0 <= distance < 1e-30  # squares of rounding errors
    assert p_value == 1
    alarms = [mmd(*np.random.default_rng(seed).standard_normal((2, 30, 4)), times=99)[1] <= 0.05 for seed in range(100)]
    assert sum(alarms) <= 12


@given(CHANGES.filter(lambda changes: len(changes) > 2), st.sampled_from([0.0, 0.02, 0.3]))
def test_the_test_of_means_is_students(changes, margin):
    p_value = mean_loss_p_value(changes, margin)
    if len(set(changes)) == 1:
        assert p_value == (0 if changes[0] < -margin else 1)
    else:
        t = (np.mean(changes) + margin) / (np.std(changes, ddof=1) / math.sqrt(len(changes)))
        assert p_value == pytest.approx(scipy.stats.t.cdf(t, len(changes) - 1))
