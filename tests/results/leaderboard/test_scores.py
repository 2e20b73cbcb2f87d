import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlutils.results.leaderboard.scores import Board, Column, Row, Score, ranks
from xlutils.results.rows import Key

numbers = st.sampled_from([0.0, 0.25, 0.5, 0.5, 0.75, 1.0]) | st.floats(0, 1)
scores = st.builds(
    lambda value, below, above: Score(value, value - below, value + above, ()), numbers, numbers, numbers
)


def slow_ranks(found, best):
    """Pairs that lead by more than both intervals allow, and pairs of such pairs until there are no more."""
    ahead = set()
    for mine, one in found.items():
        for theirs, other in found.items():
            if math.isinf(best):
                lead = other.value - one.value
                below, above = other.value - other.low, one.high - one.value
            else:

                def far(value):
                    return abs(value - best)

                lead = far(one.value) - far(other.value)
                most = max(far(other.low), far(other.high))
                least = 0 if one.low <= best <= one.high else min(far(one.low), far(one.high))
                below, above = most - far(other.value), far(one.value) - least
            if lead > math.hypot(below, above):
                ahead.add((theirs, mine))
    while more := {(a, d) for a, b in ahead for c, d in ahead if b == c} - ahead:
        ahead |= more
    return {mine: 1 + sum(behind == mine for _, behind in ahead) for mine in found}


@given(st.lists(scores, min_size=1, max_size=8), st.sampled_from([math.inf, 0.5]))
def test_ranks_are_those_of_counting(found, best):
    given = dict(enumerate(found))
    assert ranks(given, best) == slow_ranks(given, best)


def test_models_that_cannot_be_told_apart_share_a_rank():
    """0.70 and 0.69 differ by less than the half-widths 0.01 and 0.01 allow (0.0141); 0.68 differs from 0.70 only."""
    found = {
        0: Score(0.70, 0.69, 0.71, ()),
        1: Score(0.69, 0.68, 0.70, ()),
        2: Score(0.68, 0.67, 0.69, ()),
        3: Score(0.5, 0.49, 0.51, ()),
        4: Score(0.9, None, None, ()),
    }
    assert ranks(found) == {0: 1, 1: 1, 2: 2, 3: 4}


def test_a_chain_holds_where_a_wide_interval_hides_its_ends():
    """0.80 is surely above 0.79, and that above 0.78; 0.80 against 0.78 alone would not be sure."""
    found = {
        0: Score(0.80, 0.799, 0.9, ()),
        1: Score(0.79, 0.785, 0.795, ()),
        2: Score(0.78, 0.60, 0.785, ()),
        3: Score(0.7805, 0.7, 0.82, ()),
    }
    assert ranks(found) == slow_ranks(found, math.inf) == {0: 1, 1: 2, 2: 3, 3: 1}


def test_even_is_best_where_it_should_be():
    found = {0: Score(0.9, 0.89, 0.91, ()), 1: Score(0.48, 0.47, 0.49, ()), 2: Score(0.3, 0.29, 0.31, ())}
    assert ranks(found, best=0.5) == {0: 3, 1: 1, 2: 2}


WORDS = tuple(("semantic-affinity", name, Key("all", "sa")) for name in ("one", "two"))
POOLS = tuple(("mixed-retrieval", "xquad.unique", Key("multi", "mrr", f"en+{code}", code)) for code in ("zh", "de"))


def score(column, *scores):
    """The score of a model in a column, from its scores on the word lists."""
    parts = {source: {0: score} for source, score in zip(column.sources, scores, strict=False)}
    return Board((Row("m", "m", "measured", "1"),), (column,), (), parts, ()).scores(column).get(0)


@pytest.mark.parametrize(("sources", "half"), [(POOLS, 0.035), (WORDS, 0.025)])
def test_the_interval_of_a_mean(sources, half):
    """Half-widths of 0.03 and 0.04: of the same items they average to 0.035; else to sqrt(9 + 16) / 2 = 2.5."""
    mean = score(
        Column("mean", "Mean", "", sources), Score(0.5, 0.47, 0.53, ("one",)), Score(0.7, 0.66, 0.74, ("two",))
    )
    assert mean.value == pytest.approx(0.6)
    assert (mean.low, mean.high) == (pytest.approx(0.6 - half), pytest.approx(0.6 + half))
    assert mean.records == ("one", "two")


def test_a_part_that_is_missing_leaves_the_cell_empty():
    assert score(Column("sa", "SA", "", WORDS), Score(0.5)) is None
    alone = score(Column("sa", "SA", "", WORDS[:1]), Score(0.5))
    assert (alone.value, alone.low) == (0.5, None)


@pytest.mark.parametrize(
    ("name", "kind", "dataset", "seen"),
    [
        ("bge-m3", "measured", "xquad", "SQuAD"),
        ("bge-m3", "measured", "debian", "none known"),
        ("LaBSE", "measured", "xquad", "none known"),
        ("Qwen3-8B", "measured", "xquad", "not known"),
        ("org/new", "measured", "xquad", "not known"),
        ("control-random", "control", "xquad", "no"),
    ],
)
def test_what_was_seen_in_training(name, kind, dataset, seen):
    assert Row(name, name, kind, "1").seen(dataset) == seen
