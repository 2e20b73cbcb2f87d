import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xlutils.metrics.atlas import few_shot_accuracy, gini, pool_of_all, worst_tenth
from xlutils.metrics.geometry import unit_rows

SCRIPTS = {"en": "Latn", "fr": "Latn", "ru": "Cyrl", "bg": "Cyrl", "el": "Grek"}
ROUND = st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0])  # dot products are exact, so ties are ties
SHARES = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0, np.nan]), min_size=1, max_size=25)


@st.composite
def pools(draw):
    """Languages in any order, the pivot anywhere; equal vectors and missing texts."""
    languages = draw(st.lists(st.sampled_from(sorted(SCRIPTS)), min_size=1, max_size=5, unique=True))
    count = draw(st.integers(1, 5))
    vectors = draw(arrays(np.float32, (len(languages), count, 3), elements=ROUND))
    missing = draw(st.lists(st.tuples(st.integers(0, len(languages) - 1), st.integers(0, count - 1)), max_size=4))
    for place in missing:
        vectors[place] = np.nan
    asked = draw(st.lists(st.integers(0, count - 1), max_size=5, unique=True))
    return dict(zip(languages, vectors, strict=True)), draw(st.sampled_from(languages)), asked


def slow_query(vectors, pivot, own, item):
    """Place, shares and chance of one query, from the documents one by one."""
    query, gold = vectors[own][item], float(vectors[own][item] @ vectors[pivot][item])
    if np.isnan(gold):
        return [np.nan] * 4
    above, chances = {"own": 0.0, "script": 0.0, "other": 0.0}, []
    for language, texts in vectors.items():
        is_own = language == own
        group = "own" if is_own else "script" if SCRIPTS[language] == SCRIPTS[own] else "other"
        scores = [float(query @ text) for text in texts]
        for i, score in enumerate(scores):
            if i != item and not np.isnan(score):
                above[group] += 1 if score > gold else 0.5 if score == gold else 0
        if not is_own and not np.isnan(scores[item]):
            present = [score for score in scores if not np.isnan(score)]
            chances.append((scores[item] == max(present)) / present.count(scores[item]))
    found, total = np.mean(chances) if chances else np.nan, sum(above.values())
    if own == pivot:
        return [np.nan, np.nan, np.nan, found]
    shares = [above[group] / total if total else np.nan for group in ("own", "script")]
    return [1 + total, *shares, found]


@given(pools())
def test_the_pool_of_all_is_the_plain_loop(example):
    vectors, pivot, asked = example
    pool = pool_of_all(vectors, pivot, SCRIPTS, np.array(asked, int))
    expected = [[slow_query(vectors, pivot, own, item) for item in asked] for own in vectors]
    expected = np.array(expected).reshape(len(vectors), len(asked), 4)
    for number, values in enumerate((pool.place, pool.own, pool.same_script, pool.found)):
        assert values == pytest.approx(expected[:, :, number], nan_ok=True)


def test_the_pool_of_all_by_hand():
    """The Bulgarian text is nearer to a Bulgarian and a Russian text than to its English translation."""
    vectors = {
        "bg": np.array([[1, 0, 0], [0.8, 0.6, 0]]),
        "ru": np.array([[0.9, 0.43589, 0], [0.96, 0, 0.28]]),
        "en": np.array([[0.6, 0, 0.8], [0, 0, 1]]),
    }
    pool = pool_of_all(vectors, "en", SCRIPTS, [0])
    assert pool.place[0] == 3  # its Russian translation, at 0.9, is not in the pool
    assert (pool.own[0], pool.same_script[0]) == (0.5, 0.5)
    assert pool.found[0] == 0.5  # first in English, second in Russian


def test_queries_keep_their_order_from_block_to_block():
    """The last twenty French texts are in a wrong order, and one Russian text is missing."""
    english, asked = np.eye(300, dtype=np.float32), np.arange(300)[::-1]
    french, russian = np.concatenate([english[:280], english[:279:-1]]), english.copy()
    russian[5] = np.nan
    pool = pool_of_all({"en": english, "fr": french, "ru": russian}, "en", SCRIPTS, asked)
    assert pool.found[0].tolist() == [0.5] * 20 + [1.0] * 280
    assert np.flatnonzero(np.isnan(pool.place[2])).tolist() == [294]
    assert pool.place[2][:20].tolist() == [1.5] * 20  # level with the French text in the wrong place
    assert set(pool.place[2][20:294]) == {1.0}


@pytest.mark.parametrize("pivot, asked", [("fr", [0]), ("en", [2]), ("en", [-1])])
def test_a_pool_without_the_pivot_or_the_item_is_refused(pivot, asked):
    with pytest.raises(ValueError, match="pivot|positions"):
        pool_of_all({"en": np.eye(2), "ru": np.eye(2)}, pivot, SCRIPTS, asked)


@given(st.integers(0, 2**16), st.integers(1, 8))
def test_few_shot_accuracy_is_the_plain_loop(seed, few):
    """Nearest by distance after the means are subtracted; two tested texts are the same."""
    rng = np.random.default_rng(seed)
    pivots = unit_rows(rng.standard_normal((20, 6)))
    texts = unit_rows(pivots + 0.5 * rng.standard_normal((20, 6)) + 2)
    pivots[19], texts[19] = pivots[18], texts[18]
    moved = [space[10:] - space[:few].astype(float).mean(axis=0) for space in (texts, pivots)]
    one, other = (space / np.linalg.norm(space, axis=1, keepdims=True) for space in moved)
    found = few_shot_accuracy(texts, pivots, np.arange(few), np.arange(10, 20), "mean")
    for i in range(10):
        chances = []
        for query, documents in ((one[i], other), (other[i], one)):
            distances = [round(float(np.linalg.norm(query - document)), 6) for document in documents]
            best = min(distances)
            chances.append((distances[i] == best) / distances.count(best))
        assert found[i] == pytest.approx(np.mean(chances))


def test_a_shift_is_repaired_by_the_mean_and_a_turn_by_a_rotation():
    rng = np.random.default_rng(0)
    pivots = unit_rows(rng.standard_normal((200, 16)))
    shifted = unit_rows(pivots + 5 * np.eye(16)[0])
    turned = pivots @ np.linalg.qr(rng.standard_normal((16, 16)))[0]
    few, rest = np.arange(100), np.arange(100, 200)
    by_mean, by_rotation = (
        [few_shot_accuracy(texts, pivots, few, rest, how).mean() for texts in (shifted, turned)]
        for how in ("mean", "rotation")
    )
    assert by_mean[0] > 0.9 > 0.2 > by_mean[1]
    assert by_rotation[1] == 1


def test_a_repair_tested_on_its_own_texts_is_refused():
    with pytest.raises(ValueError, match="other texts"):
        few_shot_accuracy(np.eye(4), np.eye(4), [0, 1], [1, 2], "mean")
    with pytest.raises(ValueError, match="mean or rotation"):
        few_shot_accuracy(np.eye(4), np.eye(4), [0, 1], [2, 3], "hope")


@given(SHARES, st.randoms(use_true_random=False))
def test_gini_is_the_mean_difference_of_all_pairs(values, random):
    people = [random.choice([0.0, 1.0, 2.5, 100.0, np.nan]) for _ in values]
    for weights in (None, people):
        both = zip(values, weights or [1.0] * len(values), strict=True)
        known = [(value, weight) for value, weight in both if not np.isnan(value + weight)]
        total = sum(weight for _, weight in known)
        mean = sum(value * weight for value, weight in known) / total if total else np.nan
        apart = sum(abs(x - y) * v * w for x, v in known for y, w in known)
        expected = apart / total**2 / (2 * mean) if mean > 0 else mean  # NaN without people, 0 if all are 0
        assert gini(values, weights) == pytest.approx(expected, nan_ok=True)
    assert gini([values, values])[1] == pytest.approx(gini(values), nan_ok=True)


def test_gini_by_hand():
    """One of four holds everything; everybody has the same; the one who holds it all is half of the people."""
    assert gini([0, 0, 0, 1]) == 0.75
    assert gini([0.3, 0.3]) == pytest.approx(0)
    assert gini([0, 0, 0, 1], [1, 1, 1, 3]) == 0.5


@given(SHARES)
def test_the_worst_tenth_is_the_mean_of_the_lowest(values):
    known = sorted(value for value in values if not np.isnan(value))
    count = (len(known) + 9) // 10
    expected = sum(known[:count]) / count if count else np.nan
    assert worst_tenth(values) == pytest.approx(expected, nan_ok=True)
    assert worst_tenth([values, values]) == pytest.approx([expected] * 2, nan_ok=True)
