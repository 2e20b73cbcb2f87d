"""Smaller vectors, against plain loops and against sentence-transformers."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sentence_transformers.util.quantization import quantize_embeddings

from xlutils.metrics.compression import RESCORED, WAYS, Shrinker, full_size, rescored
from xlutils.metrics.geometry import unit_rows

DIM = 300
ROUND = st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0])  # ties are ties
TABLES = st.integers(1, 12).flatmap(lambda count: arrays(np.float64, (3, count), elements=ROUND))


def space(seed, count, offset=0.0):
    return unit_rows(np.random.default_rng(seed).normal(size=(count, DIM)) + offset)


CALIBRATION = {"en": space(0, 400, 0.5), "de": space(1, 350, -0.2)}
POOL = {"en": space(2, 9, 0.5), "de": space(3, 7, -0.2)}
ASKED = space(4, 5, -0.2)


def scores(state):
    return Shrinker(WAYS[state], CALIBRATION).scores(ASKED, "de", POOL, 2)


def test_binary_scores_count_the_signs_that_differ():
    documents = np.concatenate([POOL["en"], POOL["de"]])
    for i, query in enumerate(ASKED):
        for j, document in enumerate(documents):
            assert scores("binary")[i, j] == DIM - 2 * sum(
                (a > 0) != (b > 0) for a, b in zip(query, document, strict=True)
            )


def test_binary_after_centring_subtracts_the_mean_of_all_texts_or_of_the_language():
    everyone = np.concatenate(list(CALIBRATION.values())).mean(axis=0)
    for state, means in (
        ("binary, centred", {"en": everyone, "de": everyone}),
        ("binary, centred by language", {code: own.mean(axis=0) for code, own in CALIBRATION.items()}),
    ):
        documents = np.concatenate([POOL[code] - means[code] for code in POOL])
        expected = np.sign(ASKED - means["de"]) @ np.sign(documents).T
        assert scores(state).tolist() == expected.tolist()


@pytest.mark.parametrize("by", ["", " by language"])
def test_int8_has_the_codes_of_sentence_transformers_and_is_off_by_half_a_step_at_most(by):
    every = np.concatenate(list(CALIBRATION.values()))
    codes, read = (Shrinker(WAYS[f"{state}{by}"], CALIBRATION) for state in ("int8 codes", "int8"))
    for code, vectors in POOL.items():
        source = CALIBRATION[code] if by else every
        expected = quantize_embeddings(vectors, "int8", calibration_embeddings=source)
        assert (codes.documents(vectors, code) != expected).mean() < 0.001  # rounding may move one by a step
        low, high = source.min(axis=0), source.max(axis=0)
        inside = np.clip(vectors, low, high)
        assert (np.abs(read.documents(vectors, code) - inside) <= (high - low) / 255 * 0.501).all()


def test_pca_keeps_what_sklearn_keeps_and_cutting_keeps_the_first_dimensions():
    from sklearn.decomposition import PCA

    every = np.concatenate(list(CALIBRATION.values()))
    fitted = PCA(64, svd_solver="full").fit(every)
    moved = [unit_rows(fitted.transform(vectors)) for vectors in (ASKED, *POOL.values())]
    assert scores("PCA 64") == pytest.approx(moved[0] @ np.concatenate(moved[1:]).T, abs=1e-4)
    cut = [unit_rows(vectors[:, :64]) for vectors in (ASKED, *POOL.values())]
    assert scores("first 64") == pytest.approx(cut[0] @ np.concatenate(cut[1:]).T, abs=1e-6)


def test_float16_hardly_changes_a_score():
    assert scores("float16") == pytest.approx(scores(""), abs=2e-4)


@given(TABLES, TABLES, st.integers(1, 14))
def test_rescored_is_the_plain_loop(first, second, count):
    second = second[:, : first.shape[1]] if second.shape[1] >= first.shape[1] else np.resize(second, first.shape)
    result = rescored(first, second, count)
    for row, one, other in zip(result, first, second, strict=True):
        edge = sorted(one, reverse=True)[:count][-1]
        keys = [(1, b) if a >= edge else (0, a) for a, b in zip(one, other, strict=True)]
        for i, key in enumerate(keys):
            for j, rival in enumerate(keys):
                assert (row[i] > row[j]) == (key > rival)


def test_the_best_by_signs_are_scored_again_with_more():
    for state, again in (("binary", "float32"), ("binary, centred", "int8")):
        way = Shrinker(replace(WAYS[state], store=again), CALIBRATION)
        exact = way.scores(ASKED, "de", POOL, 2)
        both = scores(f"{state}, rescored with {again}")
        assert both == pytest.approx(rescored(scores(state), exact, RESCORED * 2))


def test_sizes_are_those_of_the_documents():
    sizes = {"": 1200, "float16": 600, "int8": 300, "binary": 37.5, "PCA 128, int8": 128, "PCA 256, binary": 32}
    sizes |= {"binary, rescored with int8": 337.5, "first 64": 256}
    assert {state: WAYS[state].bytes(DIM) for state in sizes} == sizes


def test_a_way_is_compared_with_the_same_centring():
    assert [full_size(state) for state in ("int8", "PCA 64", "centred", "int8 weights")] == [
        "",
        "centred",
        "centred",
        "",
    ]
