import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.special import softmax

from xlutils.chapters.finetuning_findings import balance_finding, distribution_finding
from xlutils.chapters.loss_anatomy import alike_pairs, gradient_balance, raw_vectors, translation_pairs
from xlutils.datasets import load_parallel
from xlutils.datasets.triples import triples_of
from xlutils.metrics.geometry import unit_rows
from xlutils.training.trainable import as_encoder, load_trainable

pytestmark = pytest.mark.slow

MODEL = "multilingual-e5-small-q4"


@pytest.fixture(scope="module")
def model():
    return load_trainable(MODEL, "cpu")


@pytest.fixture(scope="module")
def data():
    return load_parallel("mini", ["en", "zh", "de"]).part(range(12), "twelve")


def test_raw_vectors_are_those_of_the_encoder_before_scaling(model, data):
    texts = data.passages["zh"]
    raw = raw_vectors(model, texts, "passage")
    assert np.ptp(np.linalg.norm(raw, axis=1)) > 0.01  # they have lengths of their own
    assert unit_rows(raw) == pytest.approx(as_encoder(model, "e5").encode(texts), abs=1e-5)


def test_the_gradient_is_that_of_a_small_step(model, data):
    """The norm of the gradient is the steepest slope: no random direction is steeper, and it shrinks with 1/T."""
    triples = triples_of(data, ["zh", "de"]).rows[:32]
    table = gradient_balance(model, triples, [1, 0.05])
    assert list(table.index) == ["JSD", "InfoNCE, temperature 1", "InfoNCE, temperature 0.05"]
    jsd, slow, fast = table["gradient"]
    assert jsd < slow < fast
    passages, others = (raw_vectors(model, [getattr(row, side) for row in triples], "passage")
                        for side in ("passage_en", "passage_tgt"))  # fmt: skip

    def loss(vectors):
        pairs = zip(softmax(passages.astype(float), axis=1), softmax(vectors, axis=1), strict=True)
        return np.mean([jensenshannon(p, q) for p, q in pairs])

    assert table.loc["JSD", "loss"] == pytest.approx(loss(others.astype(float)), rel=1e-3)
    step = others.astype(float) - passages  # straight towards the translation
    slope = (loss(others + 1e-3 * step) - loss(others - 1e-3 * step)) / (2e-3 * np.linalg.norm(step))
    assert 0.5 * jsd < slope <= 1.001 * jsd


def test_pairs_of_translations(model, data):
    same = translation_pairs(model, data.passages["en"], data.passages["en"])
    assert same["cosine"].to_numpy() == pytest.approx(np.ones(12), abs=1e-5)
    assert same["jsd"].max() < 1e-3
    pairs = translation_pairs(model, data.passages["en"], data.passages["de"])
    one, other = (raw_vectors(model, data.passages[code], "passage") for code in ("en", "de"))
    expected = [
        jensenshannon(p, q)
        for p, q in zip(softmax(one.astype(float), axis=1), softmax(other.astype(float), axis=1), strict=True)
    ]
    assert pairs["jsd"].to_numpy() == pytest.approx(expected, rel=1e-3)
    assert pairs["distance"].to_numpy() == pytest.approx(np.linalg.norm(one - other, axis=1), rel=1e-5)


def test_two_pairs_that_are_alike_in_cosine(model, data):
    texts = data.passages["en"], data.passages["zh"]
    clouds = {"a": translation_pairs(model, *texts), "b": translation_pairs(model, *texts)}
    clouds["b"]["jsd"] *= 2
    panels = alike_pairs({"a": model, "b": model}, clouds, texts, tolerance=1e-9)
    (_, first), (_, second) = panels.items()
    assert np.array_equal(first[0], second[0])  # no two pairs have the same cosine but a pair and itself
    gap = clouds["a"]["jsd"].max()
    assert f"root of JSD {gap:.4f}" in next(iter(panels))
    clouds["b"]["cosine"] += 5
    assert alike_pairs({"a": model, "b": model}, clouds, texts) == {}


def test_what_is_said_follows_the_numbers(model, data):
    clouds = {"as it came": translation_pairs(model, data.passages["en"], data.passages["zh"])}
    ranks = clouds["as it came"].rank().corr().loc["jsd", "distance"]
    assert f"{ranks:.3f} with the distance" in distribution_finding(clouds)
    table = gradient_balance(model, triples_of(data, ["zh"]).rows, [1, 0.05])
    times = table["gradient"].iloc[2] / table["gradient"].iloc[0]
    assert f"{times:.3g} times at temperature 0.05" in balance_finding(table, 0.05, 3.0)
