import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlutils.metrics.geometry import unit_rows
from xlutils.metrics.ranking import gold_ranks, max_at_r
from xlutils.metrics.repair import centre, remove_components, remove_language_space, rotate, with_hubness

DIM = 24


def spaces(seed=0, count=40, shift=2.0):
    """The same meanings in three languages, each moved away in a direction of its own."""
    rng = np.random.default_rng(seed)
    meaning = rng.standard_normal((count, DIM))
    noise = {code: rng.standard_normal((count + 1, DIM)) for code in ("en", "zh", "ar")}
    return {code: unit_rows(meaning + shift * rows[0] + 0.1 * rows[1:]) for code, rows in noise.items()}


def found_first(made):
    """How often a text's translation is nearest among all texts of both other languages and its own."""
    pool = np.concatenate([made["en"], made["zh"]])
    count = len(made["zh"])
    scores = made["ar"] @ pool.T
    return (scores.argmax(axis=1) % count == np.arange(count)).mean()


@pytest.mark.parametrize("repair", [centre, remove_components, remove_language_space])
def test_a_shift_of_whole_languages_is_undone(repair):
    made = spaces()
    repaired = repair(made, made)
    before, after = (
        np.mean([np.sum(each["en"] * each[code]) / 40 for code in ("zh", "ar")]) for each in (made, repaired)
    )
    assert after > before
    assert after > 0.8
    assert found_first(repaired) == 1
    for vectors in repaired.values():
        assert vectors.dtype == np.float32
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(vectors)), abs=1e-6)


@given(st.integers(0, 2**16))
def test_centring_against_the_definition(seed):
    made, fitted = spaces(seed, 6), spaces(seed + 1, 9)
    for code, vectors in centre(made, fitted).items():
        mean = sum(fitted[code].astype(float)) / 9
        for row, vector in zip(vectors, made[code], strict=True):
            moved = vector - mean
            assert row == pytest.approx(moved / np.sqrt(moved @ moved), abs=1e-5)


@given(st.integers(0, 2**16))
def test_nothing_is_left_in_the_removed_directions(seed):
    made = spaces(seed)
    for code, vectors in remove_components(made, made).items():
        strongest = np.linalg.eigh(made[code].T @ made[code])[1][:, -1]
        assert np.abs(vectors @ strongest).max() < 1e-4
    means = {code: vectors.mean(axis=0) for code, vectors in made.items()}
    for vectors in remove_language_space(made, made).values():
        for code in ("zh", "ar"):
            assert np.abs(vectors @ (means[code] - means["en"])).max() < 1e-4


def test_a_rotation_is_found_and_leaves_distances_alone():
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.standard_normal((DIM, DIM)))[0]
    english = unit_rows(rng.standard_normal((300, DIM)))
    english -= english.mean(axis=0)
    chinese = english @ turn
    made = {"en": unit_rows(english), "zh": unit_rows(chinese), "ar": unit_rows(chinese)}
    repaired = rotate(made, {"zh": (chinese[:200], english[:200])})
    assert np.sum(repaired["zh"][200:] * made["en"][200:], axis=1).min() > 0.98
    assert repaired["zh"] @ repaired["zh"].T == pytest.approx(made["zh"] @ made["zh"].T, abs=0.1)
    assert np.array_equal(repaired["ar"], made["ar"])
    assert np.array_equal(repaired["en"], made["en"])


def test_few_pairs_rotate_nothing_that_they_do_not_speak_of():
    """Five pairs span five directions; the others must stay."""
    made = spaces(count=40, shift=0)
    repaired = rotate(made, {"zh": (made["zh"][:5], made["en"][:5])})
    assert np.sum(repaired["zh"] * made["zh"], axis=1).min() > 0.9


@given(st.integers(0, 2**16))
def test_the_dot_product_ranks_as_csls_does(seed):
    made = spaces(seed, 12)
    queries, passages = {"en": made["en"]}, {"zh": made["zh"], "ar": made["ar"]}
    longer, lowered = (
        np.concatenate(list(space.values())) for space in with_hubness(queries, passages, made["en"], k=3)
    )
    pool = np.concatenate(list(passages.values()))
    cosines = made["en"] @ pool.T
    of_query = np.sort(cosines, axis=1)[:, -3:].mean(axis=1, keepdims=True)
    of_passage = np.sort(cosines, axis=0)[-3:].mean(axis=0, keepdims=True)
    expected = 2 * cosines - of_query - of_passage
    found = longer @ lowered.T
    assert np.abs(found).max() <= 1 + 1e-6
    assert 3 * found - of_query == pytest.approx(expected, abs=1e-5)
    ranks = max_at_r(gold_ranks(longer, lowered, np.arange(12)))
    order = [1 + (row > row[i]).sum() for i, row in enumerate(expected)]
    assert ranks == pytest.approx(np.array(order, float), abs=0.51)
