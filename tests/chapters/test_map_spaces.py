"""Maps between two models: the second one has the space of the first, turned into more dimensions."""

import numpy as np
import pandas as pd
import pytest
from planted_names import found_slowly, lexicon_of, name, noisy, orders_of, planted_names, random_turn, random_units

from xlutils.chapters.map_spaces import study_spaces
from xlutils.chapters.map_tables import space_series, states_of
from xlutils.errors import XlError
from xlutils.metrics.maps import fit_map
from xlutils.metrics.ranking import TOLERANCE
from xlutils.models.encoder import Encoder
from xlutils.results.check import check_records
from xlutils.results.record import read_record, write_record

COUNT, DIM, NEW_DIM, DRAWS, SIZES = 180, 12, 20, 2, (4, 110)
LACKED = 3  # the first things have no French name


def planted():
    """Return two models and a lexicon; French is nearer to English in the first model than in the second."""
    meaning, turn = random_units(0, COUNT, DIM), random_turn(1, DIM, NEW_DIM)
    source = {"en": meaning, "de": noisy(meaning, 2, 0.7), "fr": noisy(meaning, 3, 1.1)}
    target = {code: space @ turn for code, space in source.items()} | {"fr": noisy(source["fr"] @ turn, 4, 1.5)}
    model, lexicon = planted_names(source)
    other, _ = planted_names(target)
    lacking = {code: [cell[0] for cell in column] for code, column in lexicon.cells.items()}
    lacking["fr"][:LACKED] = [""] * LACKED
    return model, Encoder("other", "test", "1", other.backend, cached=False), lexicon_of(lacking)


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    result = study_spaces(*planted(), ["en", "de", "fr"], draws=DRAWS, sizes=SIZES)
    return read_record(write_record(tmp_path_factory.mktemp("spaces"), result))


@pytest.fixture(scope="module")
def spaces():
    source, target, lexicon = planted()
    names = {code: [cell[0] for cell in column if cell] for code, column in lexicon.cells.items()}
    return [{code: model.encode(words, "word") for code, words in names.items()} for model in (source, target)]


def value(record, metric, language, state):
    table = states_of(record, metric).set_index(["language", "state"])
    return table.loc[(language, state), "value"]


def parts(code):
    """Things whose names are tested, and the English ones that maps are fitted on."""
    is_tested = np.random.default_rng(42).permutation(COUNT) % 3 == 0
    tested = np.flatnonzero(is_tested)
    return tested[tested >= LACKED] if code == "fr" else tested, np.flatnonzero(~is_tested)


def test_a_map_that_was_fitted_on_english_alone_brings_the_other_languages_along(record):
    for code, least in (("de", 0.7), ("fr", 0.3)):
        by_itself = value(record, "across", code, "source")
        assert least < by_itself < 1
        assert value(record, "across", code, "110 pairs") == pytest.approx(by_itself, abs=0.03)
        assert value(record, "across", code, "4 pairs") < by_itself - 0.2
    for code in ("en", "de"):
        assert value(record, "same", code, "110 pairs") == value(record, "read", code, "110 pairs") == 1
    assert value(record, "same", "fr", "110 pairs") < 0.9  # the second model has other vectors for French


def test_both_models_by_themselves_are_the_plain_loop(record, spaces):
    for code in ("de", "fr"):
        tested, _ = parts(code)
        rows = tested - (LACKED if code == "fr" else 0)
        for state, space in zip(("source", "target"), spaces, strict=True):
            expected = found_slowly(space[code][rows], space["en"][tested]).mean()
            assert value(record, "across", code, state) == pytest.approx(expected)
    assert value(record, "across", "fr", "target") < value(record, "across", "fr", "source")


def test_what_is_found_after_a_map_is_the_plain_loop(record, spaces):
    source, target = spaces
    tested, fitted = parts("fr")
    rows = tested - LACKED  # the spaces of this test have no rows for names that are missing
    across, same, read = [], [], []
    for order in orders_of(fitted, DRAWS):
        mapped = fit_map(source["en"][order[:4]], target["en"][order[:4]], "ridge").apply(source["fr"][rows])
        across.append(found_slowly(mapped, target["en"][tested]).mean())
        same.append(found_slowly(mapped, target["fr"][rows]).mean())
        for vector, row in zip(mapped, rows, strict=True):
            scores = target["fr"] @ vector
            read.append(row in np.flatnonzero(scores > scores.max() - TOLERANCE))
    assert value(record, "across", "fr", "4 pairs") == pytest.approx(np.mean(across))
    assert value(record, "same", "fr", "4 pairs") == pytest.approx(np.mean(same))
    assert value(record, "read", "fr", "4 pairs") == pytest.approx(np.mean(read))


def test_without_pairs_the_profiles_of_neighbours_find_the_turn(record):
    assert value(record, "same", "en", "0 pairs") == 1
    assert value(record, "across", "de", "0 pairs") == pytest.approx(value(record, "across", "de", "source"), abs=0.03)


def test_english_has_no_translation_to_find_and_all_intervals_fit(record):
    assert set(states_of(record, "across")["language"]) == {"de", "fr"}
    assert set(states_of(record, "same")["language"]) == {"en", "de", "fr"}
    rows = record["metrics"]
    assert ((rows["low"] <= rows["value"]) & (rows["value"] <= rows["high"])).all()


def test_english_names_that_are_spelled_like_a_tested_one_are_not_fitted_on():
    """As many pairs are measured as there are names to fit on, and not one more."""
    source, target, lexicon = planted()
    words = [cell[0] for cell in lexicon.cells["en"]]
    is_tested = np.random.default_rng(42).permutation(COUNT) % 3 == 0
    twins = np.flatnonzero(~is_tested)[:7]
    for row, tested in zip(twins, np.flatnonzero(is_tested), strict=False):
        words[row] = words[tested].upper()
        for model in (source, target):
            model.backend.vectors[words[row]] = model.backend.vectors[name("en", row)]
    columns = {"en": words, "de": [cell[0] for cell in lexicon.cells["de"]]}
    left = int((~is_tested).sum()) - len(twins)
    result = study_spaces(source, target, lexicon_of(columns), ["de"], draws=1, sizes=(left, left + 1))
    assert set(result.metrics["state"]) == {"source", "target", f"{left} pairs", "0 pairs"}


def test_records_name_the_target_and_say_whether_they_are_whole(tmp_path):
    source, target, lexicon = planted()
    tables = []
    for everything in (True, False, True):
        result = study_spaces(source, target, lexicon, ["de"], draws=1, sizes=(4,), everything=everything)
        tables.append((write_record(tmp_path, result).relative_to(tmp_path).as_posix(), result.metrics))
    paths, metrics = zip(*tables, strict=True)
    assert paths[0] == paths[2] == "map-spaces/planted/toy.onto-other.json"
    assert paths[1] == "map-spaces/planted/toy.onto-other.live.json"
    pd.testing.assert_frame_equal(metrics[0], metrics[2])
    assert check_records(tmp_path) == 2
    params = read_record(tmp_path / paths[0])["params"]
    assert (params["target"]["name"], params["mapped"], params["draws"]) == ("other", ["en", "de"], 1)


def test_a_series_shows_the_map_of_most_pairs_beside_both_models(record):
    table = space_series(record)
    assert list(table["series"].unique()) == ["planted, mapped", "planted by itself", "other by itself"]
    mapped = table[table["series"] == "planted, mapped"]
    assert list(mapped.index) == ["German", "French"]
    assert mapped.loc["French", "value"] == value(record, "across", "fr", "110 pairs")
    assert not table["reported"].any()
    assert list(table.columns) == ["series", "value", "low", "high", "reported"]


def test_bad_input_is_one_line():
    source, target, lexicon = planted()
    with pytest.raises(XlError, match="^toy has no language sw; it has en, de, fr$"):
        study_spaces(source, target, lexicon, ["de", "sw"])
    with pytest.raises(XlError, match="^toy: de and en share 40 names, too few to fit and test a map$"):
        study_spaces(source, target, lexicon.take(range(40)), ["de"], sizes=(4,))
