import numpy as np
import pytest

from xlutils.metrics.uncertainty import bootstrap_ci


def oracle(values, resamples, seed):
    rng = np.random.default_rng(seed)
    means = sorted(np.mean([values[i] for i in rng.integers(len(values), size=len(values))]) for _ in range(resamples))
    return np.quantile(means, 0.025), np.quantile(means, 0.975)


@pytest.mark.parametrize("values", [[1.0], [0.0, 1.0], [0.2, 0.2, 0.9, 0.4, 0.4], list(range(50))])
def test_it_is_the_plain_loop(values):
    assert bootstrap_ci(values, resamples=300, seed=3) == pytest.approx(oracle(values, 300, 3))


def test_blocks_do_not_matter(monkeypatch):
    from xlutils.metrics import uncertainty

    values = np.random.default_rng(0).random(40)
    whole = bootstrap_ci(values)
    monkeypatch.setattr(uncertainty, "_BLOCK", 100)
    assert bootstrap_ci(values) == whole


def test_it_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(200):
        low, high = bootstrap_ci(rng.normal(5, 2, size=60), resamples=400, seed=int(rng.integers(1 << 30)))
        covered += low <= 5 <= high
    assert 180 <= covered <= 199


@pytest.mark.parametrize("values", [[], [np.nan, 1.0], [np.inf]])
def test_bad_values(values):
    with pytest.raises(ValueError, match="finite"):
        bootstrap_ci(values)
