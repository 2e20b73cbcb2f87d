"""Names of things or sentences, as what maps are fitted and tested on."""

from dataclasses import replace

import numpy as np
import pytest
from planted_names import found_slowly, name, noisy, orders_of, planted_names, random_turn, random_units

from xlutils.chapters.map_tables import states_of
from xlutils.chapters.map_ways import mapped
from xlutils.chapters.maps import study_maps
from xlutils.chapters.supervision import study_supervision
from xlutils.datasets.sentences import Sentences
from xlutils.errors import XlError
from xlutils.results.check import check_records
from xlutils.results.record import read_record, write_record

COUNT, DIM, DRAWS = 90, 10, 2
LARGE, SMALL = 120, 40
CODES = ("en", "de")


@pytest.fixture(scope="module")
def planted():
    """A study of names, and two data sets of sentences, which are turned as names are."""
    turn, vectors, data = random_turn(0, DIM), {}, []
    for seed, (kind, count) in enumerate((("large", LARGE), ("small", SMALL))):
        meaning = random_units(10 + seed, count, DIM)
        spaces = {"en": meaning, "de": noisy(meaning, 20 + seed, 0.4) @ turn}
        texts = {code: tuple(name(f"{kind} {code}", row) for row in range(count)) for code in CODES}
        for code in CODES:
            vectors |= dict(zip(texts[code], spaces[code], strict=True))
        data.append(Sentences(kind, tuple(map(str, range(count))), texts, ("",) * count))
    names = random_units(1, COUNT, DIM)
    encoder, lexicon = planted_names({"en": names, "de": noisy(names, 2, 0.4) @ turn}, vectors.items())
    return study_maps(encoder, lexicon, None, ["de"], draws=DRAWS, sizes=(), ways=("shift",)), data


@pytest.fixture(scope="module")
def record(planted, tmp_path_factory):
    folder = tmp_path_factory.mktemp("supervision")
    path = write_record(folder, study_supervision(*planted))
    assert path.relative_to(folder).as_posix() == "map-supervision/planted/toy.json"
    assert check_records(folder) == 1
    return read_record(path)


def values(record, asked):
    return states_of(record, f"across/{asked}").set_index("state")["value"]


def test_a_small_data_set_is_fitted_on_and_not_tested(record, planted):
    assert set(record["metrics"]["metric"]) == {"across/names", "across/large"}
    states = [f"{way}, 25 {kind}" for kind in ("names", "large", "small") for way in ("centred", "ridge-shrunk")]
    for asked in ("names", "large"):
        assert list(values(record, asked).index) == ["", *states]  # none has a hundred to fit on
    _, data = planted
    assert record["params"]["sentences"] == {kind.name: kind.sha256 for kind in data}


def test_maps_help_whatever_they_were_fitted_on_if_all_texts_are_turned_alike(record):
    for asked in ("names", "large"):
        table = values(record, asked)
        for kind in ("names", "large", "small"):
            assert table[f"ridge-shrunk, 25 {kind}"] > table[""] + 0.3


def encoded(planted, kind):
    study, data = planted
    (texts,) = [one.texts for one in data if one.name == kind]
    return tuple(study.encoder.encode(texts[code], "query") for code in ("de", "en"))


def test_one_half_of_a_large_data_set_is_fitted_on_and_the_other_is_tested(record, planted):
    order = np.random.default_rng(42).permutation(LARGE)
    texts, pivots = (side[order[1::2]] for side in encoded(planted, "large"))
    assert values(record, "large")[""] == pytest.approx(found_slowly(texts, pivots).mean())
    known = [side[order[::2]] for side in encoded(planted, "large")]
    few = [tuple(side[rows[:25]] for side in known) for rows in orders_of(np.arange(LARGE // 2), DRAWS)]
    for way in ("centred", "ridge-shrunk"):
        expected = [found_slowly(*mapped(way, pairs, (texts, pivots))).mean() for pairs in few]
        assert values(record, "large")[f"{way}, 25 large"] == pytest.approx(np.mean(expected))


def test_names_are_tested_after_maps_of_sentences(record, planted):
    study, _ = planted
    split = study.splits["de"]
    tested = study.vectors["de"][split.tested], study.vectors["en"][split.tested]
    assert values(record, "names")[""] == pytest.approx(found_slowly(*tested).mean())
    known = [side[np.random.default_rng(42).permutation(SMALL)] for side in encoded(planted, "small")]
    few = [tuple(side[rows[:25]] for side in known) for rows in orders_of(np.arange(SMALL), DRAWS)]
    expected = [found_slowly(*mapped("centred", pairs, tested)).mean() for pairs in few]
    assert values(record, "names")["centred, 25 small"] == pytest.approx(np.mean(expected))


def test_texts_that_are_missing_are_left_out(planted):
    study, (large, _) = planted
    texts = {**large.texts, "de": ("", *large.texts["de"][1:])}
    result = study_supervision(study, [replace(large, texts=texts)])
    assert np.isfinite(result.metrics["value"]).all()


def test_a_language_that_the_sentences_lack_is_one_line(planted):
    study, (large, _) = planted
    with pytest.raises(XlError, match="^large has no language de; it has en$"):
        study_supervision(study, [large.only(["en"])])
    with pytest.raises(XlError, match="^large has no language en; it has de$"):
        study_supervision(study, [large.only(["de"])])
