"""Which names maps are fitted and tested on, and every way of mapping against plain loops."""

import numpy as np
import pytest
from planted_names import found_slowly, lexicon_of, noisy, random_turn, random_units

from xlutils.chapters.map_ways import COSTS, LEARNED, WAYS, found, mapped, measured, names_of, split_names
from xlutils.errors import XlError
from xlutils.metrics.geometry import unit_rows
from xlutils.metrics.maps import fit_map

DIM = 12


def names_with_homonyms(seed, count=300):
    """Three languages in which some things share a name, some have none, and some are spelled as in English."""
    draws = np.random.default_rng(seed)
    columns = {}
    for code in ("en", "de", "fr"):
        words = [f"{code} {draws.integers(count)}" for _ in range(count)]
        words = [word.upper() if draws.random() < 0.3 else word for word in words]
        columns[code] = [word if draws.random() > 0.1 else "" for word in words]
    for row in range(0, count, 9):
        columns["de"][row] = columns["en"][row].title()
    return lexicon_of(columns)


def spelled(lexicon, code, row):
    return lexicon.cells[code][row][0].casefold()


@pytest.mark.parametrize("seed", range(5))
def test_no_fitted_name_is_spelled_like_a_tested_one(seed):
    lexicon = names_with_homonyms(seed)
    split = split_names(lexicon, "de", "en", seed)
    assert not {*split.fitted} & {*split.tested}
    for code in ("en", "de"):
        tested = {spelled(lexicon, code, row) for row in split.tested}
        assert not [row for row in split.fitted if spelled(lexicon, code, row) in tested]


def test_names_that_are_missing_or_spelled_alike_are_neither_fitted_nor_tested():
    lexicon = names_with_homonyms(0)
    split = split_names(lexicon, "de", "en", 42)
    for row in {*split.fitted, *split.tested}:
        assert spelled(lexicon, "de", row) != spelled(lexicon, "en", row)
    used = {*split.fitted, *split.tested}
    assert not used & {*range(0, 300, 9)}


def test_a_third_is_tested_and_it_is_the_same_things_in_all_languages():
    lexicon = names_with_homonyms(1)
    german, french = (split_names(lexicon, code, "en", 42) for code in ("de", "fr"))
    both = {*lexicon.comparable("de", "en")} & {*lexicon.comparable("fr", "en")}
    assert {*german.tested} & both == {*french.tested} & both
    assert len(german.tested) == pytest.approx(len(lexicon.comparable("de", "en")) / 3, abs=15)
    assert {*split_names(lexicon, "de", "en", 43).tested} != {*german.tested}


def test_too_few_names_are_one_line():
    few = lexicon_of({code: [f"{code} {row}" for row in range(50)] for code in ("en", "de")})
    with pytest.raises(XlError, match="^toy: de and en share 50 names, too few to fit and test a map$"):
        split_names(few, "de", "en", 42)
    same = lexicon_of({"en": ["bat"] * 90, "de": [f"de {row}" for row in range(90)]})
    with pytest.raises(XlError, match="toy: de and en share 90 names, too few"):
        split_names(same, "de", "en", 42)


def test_a_thing_goes_by_its_first_name_and_by_none_where_it_has_none():
    lexicon = lexicon_of({"en": ["sun", "moon"], "de": ["Sonne", ""]})
    assert names_of(lexicon, ["de"]) == {"de": ["Sonne", ""]}
    with pytest.raises(XlError, match="toy has no language sw; it has en, de"):
        names_of(lexicon, ["de", "sw"])


@pytest.fixture(scope="module")
def sides():
    """Pairs, and tested texts: a language is English, in part turned and moved away, with some noise."""
    meaning = random_units(0, 130, DIM)
    moved = unit_rows(noisy(meaning, 1, 0.4) + 0.6 * meaning @ random_turn(2, DIM) + 3 * random_units(3, 1, DIM))
    return (moved[:80], meaning[:80]), (moved[80:], meaning[80:])


def test_no_way_at_all_returns_what_it_got(sides):
    pairs, tested = sides
    assert mapped("", pairs, tested) == tested


@pytest.mark.parametrize("way", WAYS)
def test_every_way_finds_more_than_the_model_by_itself(sides, way):
    pairs, tested = sides
    texts, pivots = mapped(way, pairs, tested)
    assert len(texts) == len(pivots) == len(tested[0])
    assert found(texts, pivots).mean() > found(*tested).mean()


@pytest.mark.parametrize("way", COSTS[1:])
def test_a_map_moves_the_language_and_leaves_the_pivot_where_it_is(sides, way):
    pairs, tested = sides
    texts, pivots = mapped(way, pairs, tested)
    assert pivots is tested[1]
    assert np.array_equal(texts, fit_map(*pairs, way).apply(tested[0]))


def test_centring_is_the_plain_loop(sides):
    pairs, tested = sides
    for side, known, result in zip(tested, pairs, mapped("centred", pairs, tested), strict=True):
        mean = sum(known.astype(float)) / len(known)
        for vector, moved in zip(side, result, strict=True):
            assert moved == pytest.approx((vector - mean) / np.linalg.norm(vector - mean), abs=1e-6)


def test_both_sides_are_centred_on_the_mean_of_the_pivot_after_a_map(sides):
    pairs, tested = sides
    texts, pivots = mapped("ridge-shrunk and centred", pairs, tested)
    mean = sum(pairs[1].astype(float)) / len(pairs[1])
    for side, result in ((fit_map(*pairs).apply(tested[0]), texts), (tested[1], pivots)):
        for vector, moved in zip(side, result, strict=True):
            assert moved == pytest.approx((vector - mean) / np.linalg.norm(vector - mean), abs=1e-6)


def test_products_with_csls_are_twice_the_cosine_less_both_neighbourhoods(sides):
    pairs, tested = sides
    texts, pivots = mapped("ridge-shrunk with CSLS", pairs, tested)
    moved = fit_map(*pairs).apply(tested[0]).astype(float)
    for row, text in enumerate(moved):
        crowd = np.mean(sorted(float(text @ pivot) for pivot in tested[1])[-10:])
        for column, pivot in enumerate(tested[1]):
            other_crowd = np.mean(sorted(float(other @ pivot) for other in moved)[-10:])
            expected = (2 * (text @ pivot) - crowd - other_crowd) / 6
            assert texts[row] @ pivots[column] == pytest.approx(expected, abs=1e-6)


def test_self_learning_finds_a_planted_rotation_from_a_few_pairs_and_texts_that_nobody_paired():
    meaning = random_units(0, 340, DIM)
    turned = noisy(meaning @ random_turn(1, DIM), 2, 0.3)
    few, pool, tested = ((turned[part], meaning[part]) for part in (slice(12), slice(12, 290), slice(290, 340)))
    shares = {
        "no map": found(*tested).mean(),
        "few": found(*mapped("ridge-shrunk", few, tested)).mean(),
        "alone": found(*mapped(LEARNED, few, tested)).mean(),
        "learned": found(*mapped(LEARNED, few, tested, pool)).mean(),
    }
    assert shares["no map"] < 0.1
    assert shares["learned"] > 0.95 > shares["few"]
    assert shares["learned"] > shares["alone"]


def test_texts_are_found_as_in_a_plain_loop_with_equals_sharing_the_place(sides):
    _, (texts, pivots) = sides
    assert found(texts, pivots) == pytest.approx(found_slowly(texts, pivots))
    copies = texts[[0, 0, 1, 2]]
    assert found(copies, copies).tolist() == [0.5, 0.5, 1, 1]


def test_a_mean_has_its_interval():
    row = measured(np.array([0.0, 1.0, 1.0, 1.0]), 42)
    assert row["low"] < row["value"] == 0.75 < row["high"]
    assert measured(np.ones(4), 42) == {"value": 1, "low": 1, "high": 1}
