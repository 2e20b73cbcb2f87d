"""Slopes of losses, against loops and on planted languages."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xlutils.metrics.unequal import loss_slope

CAUSE = np.array([0.0, 0.0, 0.5, 1.0, 1.0])
HITS = arrays(np.float64, (8, 5), elements=st.sampled_from([0.0, 0.5, 1.0]))


@settings(max_examples=25)
@given(HITS, HITS, st.booleans(), st.integers(0, 4))
def test_the_slope_is_weighted_least_squares_over_the_means_of_languages(before, after, share, missing):
    before[0] = 1.0  # every language had something to lose
    before[1, missing] = after[1, missing] = np.nan
    losses, starts = np.nanmean(before - after, axis=0), np.nanmean(before, axis=0)
    y, weights = (losses / starts, starts) if share else (losses, np.ones(5))
    expected = np.polyfit(CAUSE, y, 1, w=np.sqrt(weights))[0]
    found = loss_slope(before, after, CAUSE, share=share)
    assert found.mean == pytest.approx(expected, abs=1e-9)
    assert 0 < found.p_value <= 1


def planted(lost, seed=0, items=300, languages=40):
    """Languages of rising strength that lose so much of what they found."""
    rng = np.random.default_rng(seed)
    strength = np.linspace(0.1, 0.9, languages)
    before = (rng.random((items, languages)) < strength).astype(float)
    kept = rng.random((items, languages)) >= lost(strength)
    return before, before * kept, strength


def test_weak_languages_that_lose_a_larger_share_have_a_slope_below_zero():
    found = loss_slope(*planted(lambda strength: 0.4 - 0.4 * strength), share=True)
    assert found.high < 0 and found.p_value < 0.01
    assert found.low < -0.4 < found.high


def test_an_equal_share_is_no_slope_of_the_share_and_a_rising_slope_of_the_loss():
    tables = planted(lambda strength: 0.2, seed=1)
    share, lost = (loss_slope(*tables, share=kind) for kind in (True, False))
    assert share.low < 0 < share.high and share.p_value > 0.05
    assert lost.low > 0 and lost.p_value < 0.01


def test_chance_alone_is_significant_as_often_as_it_may_be():
    """Weak languages are noisier than strong ones, and still one p-value in ten is below 0.1."""
    tries = [loss_slope(*planted(lambda strength: 0.2, seed, 60, 20), share=True).p_value for seed in range(60)]
    assert 0.02 < np.mean(np.array(tries) < 0.1) < 0.19


def test_without_any_loss_there_is_no_slope():
    before, _, strength = planted(lambda strength: 0.2)
    found = loss_slope(before, before, strength, share=True)
    assert (found.mean, found.low, found.high, found.p_value) == (0, 0, 0, 1)


def test_for_two_groups_the_slope_is_their_difference():
    before, after, strength = planted(lambda strength: 0.1 * (strength > 0.5))
    group = (strength > 0.5).astype(float)
    losses = (before - after).mean(axis=0)
    found = loss_slope(before, after, group, share=False)
    assert found.mean == pytest.approx(losses[group == 1].mean() - losses[group == 0].mean())
    assert found.low > 0


def test_a_cause_that_all_languages_share_is_refused():
    with pytest.raises(ValueError, match="same for all"):
        loss_slope(np.ones((3, 2)), np.ones((3, 2)), np.ones(2), share=False)
