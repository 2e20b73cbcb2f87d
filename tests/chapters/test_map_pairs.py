"""All pairs of four planted languages: predictors and outcomes against plain loops, and what predicts what."""

import itertools

import numpy as np
import pandas as pd
import pytest
from planted_names import found_slowly, lexicon_of, noisy, planted_names, random_turn, random_units
from scipy.stats import spearmanr

from xlutils.chapters.map_pairs import LANGUAGES_30, PREDICTORS, pair_table, predicted, study_pairs
from xlutils.datasets.languages import LANGUAGES
from xlutils.errors import XlError
from xlutils.metrics.maps import fit_map
from xlutils.results.check import check_records
from xlutils.results.record import read_record, write_record

COUNT, DIM = 90, 8
CODES = ("de", "en", "fr", "sw")
PAIRS = [*itertools.combinations(CODES, 2)]
LACKED, SAME = 4, 9  # things without a French name, and things that German and English spell alike
IDENTICAL = pd.Series({"value": 1.0, "low": 1.0, "high": 1.0})


@pytest.fixture(scope="module")
def planted():
    """A model, and a lexicon in which some things lack a name and some have the same one in two languages."""
    meaning = random_units(0, COUNT, DIM)
    spaces = {"de": noisy(meaning, 1, 0.3) @ random_turn(2, DIM), "en": meaning, "fr": noisy(meaning, 3, 0.5)}
    model, lexicon = planted_names(spaces | {"sw": random_units(4, COUNT, DIM)})
    columns = {code: [cell[0] for cell in column] for code, column in lexicon.cells.items()}
    columns["fr"][:LACKED] = [""] * LACKED
    for row in range(COUNT - SAME, COUNT):
        word = columns["en"][row].upper()
        model.backend.vectors[word] = model.backend.vectors[columns["de"][row]]
        columns["de"][row] = word
    return model, lexicon_of(columns)


@pytest.fixture(scope="module")
def record(planted, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    path = write_record(folder, study_pairs(*planted, CODES))
    assert path.relative_to(folder).as_posix() == "map-pairs/planted/toy.json"
    assert check_records(folder) == 1
    return read_record(path)


@pytest.fixture(scope="module")
def spaces(planted):
    """Vectors of the things that all languages name."""
    model, lexicon = planted
    return {code: model.encode([cell[0] for cell in lexicon.cells[code][LACKED:]], "word") for code in CODES}


@pytest.fixture(scope="module")
def is_fitted():
    return np.random.default_rng(42).permutation(COUNT - LACKED) % 2 == 0


def row_of(record, one, other):
    table = pair_table(record)
    return table[(table["one"] == one) & (table["other"] == other)].iloc[0]


def test_all_pairs_are_measured_on_the_things_that_all_languages_name(record):
    table = pair_table(record)
    assert list(zip(table["one"], table["other"], strict=True)) == PAIRS
    assert record["params"] == {"pivot": "en", "seed": 42, "compared": [*CODES], "shared": COUNT - LACKED}
    rows = record["metrics"]
    assert set(rows["metric"]) == {*PREDICTORS, "published", "procrustes", "ridge-shrunk"} - {"weaker"}
    assert rows[rows["metric"].isin(["published", "procrustes", "ridge-shrunk"])]["low"].notna().all()


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_outcomes_are_those_of_the_plain_loop_without_names_that_are_spelled_alike(
    record, spaces, is_fitted, one, other
):
    differ = np.arange(COUNT - LACKED) < COUNT - LACKED - SAME if {one, other} == {"de", "en"} else is_fitted | True
    tested, pairs = differ & ~is_fitted, differ & is_fitted
    row = row_of(record, one, other)
    assert row["published"] == pytest.approx(found_slowly(spaces[one][tested], spaces[other][tested]).mean())
    assert row["known"] == pytest.approx(found_slowly(spaces[one][pairs], spaces[other][pairs]).mean())
    for method in ("procrustes", "ridge-shrunk"):
        moved = fit_map(spaces[one][pairs], spaces[other][pairs], method).apply(spaces[one][tested])
        assert row[method] == pytest.approx(found_slowly(moved, spaces[other][tested]).mean())


def merges_slowly(vectors):
    """Return the longest edges first of the shortest tree that connects all texts, by Prim's method."""
    reached, lengths = {0}, []
    while len(reached) < len(vectors):
        edges = [
            (float(np.linalg.norm(vectors[a] - vectors[b])), b)
            for a in reached
            for b in range(len(vectors))
            if b not in reached
        ]
        length, place = min(edges)
        reached.add(place)
        lengths.append(length)
    return sorted(lengths, reverse=True)


def eigenvalues_slowly(vectors):
    """Return the eigenvalues of degree less adjacency, of the graph that joins each text to its five nearest."""
    count = len(vectors)
    laplacian = np.zeros((count, count))
    for place in range(count):
        others = sorted(
            {*range(count)} - {place}, key=lambda other, place=place: -float(vectors[place] @ vectors[other])
        )
        for other in others[:5]:
            laplacian[place, other] = laplacian[other, place] = -1
    for place in range(count):
        laplacian[place, place] = -laplacian[place].sum()
    return sorted(np.linalg.eigvalsh(laplacian), reverse=True)


def test_the_shapes_are_those_of_plain_loops_over_the_fitted_names(record, spaces, is_fitted):
    fitted = {code: space[is_fitted].astype(float) for code, space in spaces.items()}
    for one, other in (("de", "en"), ("en", "sw")):
        row = row_of(record, one, other)
        cosines = [[float(a @ b) for a, b in itertools.combinations(fitted[code], 2)] for code in (one, other)]
        assert row["relational"] == pytest.approx(spearmanr(*cosines)[0], abs=1e-5)
        merges = zip(merges_slowly(fitted[one]), merges_slowly(fitted[other]), strict=True)
        assert row["bottleneck"] == pytest.approx(max(min(abs(a - b), max(a, b) / 2) for a, b in merges), abs=1e-6)
        spectra = [eigenvalues_slowly(fitted[code]) for code in (one, other)]
        counts = [next(n for n in range(99) if sum(values[:n]) >= 0.9 * sum(values)) for values in spectra]
        expected = sum((a - b) ** 2 for a, b in list(zip(*spectra, strict=True))[: min(counts)])
        assert row["eigenvectors"] == pytest.approx(expected, rel=1e-5)


def test_the_weaker_language_is_the_one_that_finds_less_english(record):
    table = pair_table(record)
    known = {"en": 1.0, **{code: row_of(record, *sorted([code, "en"]))["known"] for code in ("de", "fr", "sw")}}
    for row in table.to_dict("records"):
        assert row["weaker"] == min(known[row["one"]], known[row["other"]])


def made_up(codes, seed=0):
    """A table of all pairs of languages in which every predictor is random."""
    pairs = pd.DataFrame([*itertools.combinations(codes, 2)], columns=["one", "other"])
    draws = np.random.default_rng(seed)
    return pairs.assign(**{name: draws.random(len(pairs)) for name in (*PREDICTORS, "outcome")})


def test_a_predictor_that_orders_pairs_as_the_outcome_does_has_a_correlation_of_one_in_every_draw():
    table = made_up(LANGUAGES_30[:8])
    table = table.assign(known=table["outcome"] ** 3, bottleneck=-table["outcome"], eigenvectors=1 / table["outcome"])
    result = predicted(table, "outcome")
    for name in ("known", "bottleneck", "eigenvectors"):  # the smaller a distance, the better
        assert result.loc[PREDICTORS[name][0]].to_dict() == pytest.approx(IDENTICAL.to_dict())
    wrong = predicted(table.assign(bottleneck=table["outcome"], known=-table["outcome"]), "outcome")
    for name in ("bottleneck", "known"):
        assert wrong.loc[PREDICTORS[name][0]].to_dict() == pytest.approx((-IDENTICAL).to_dict())


def test_languages_are_drawn_and_a_pair_counts_as_often_as_both_of_its_languages_were():
    codes = sorted(LANGUAGES_30[:4])
    table = made_up(codes)
    ranks = {name: table[name].rank() for name in ("relational", "outcome")}
    values = []
    for drawn in np.random.default_rng(3).integers(len(codes), size=(2000, len(codes))):
        times = [list(drawn).count(place) for place in range(len(codes))]
        rows = [
            row
            for row, (one, other) in enumerate(zip(table["one"], table["other"], strict=True))
            for _ in range(times[codes.index(one)] * times[codes.index(other)])
        ]
        if len(set(rows)) > 1:  # else there is no correlation
            values.append(np.corrcoef(ranks["relational"][rows], ranks["outcome"][rows])[0, 1])
    result = predicted(table, "outcome", seed=3).loc[PREDICTORS["relational"][0]]
    assert result["value"] == pytest.approx(spearmanr(table["relational"], table["outcome"])[0])
    assert (result["low"], result["high"]) == pytest.approx(tuple(np.quantile(values, [0.025, 0.975])), abs=1e-9)


def test_a_predictor_that_is_the_same_for_all_pairs_predicts_nothing():
    result = predicted(made_up(CODES).assign(known=0.5), "outcome")
    assert result.loc[PREDICTORS["known"][0]].fillna(0).tolist() == pytest.approx([0, 0, 0])


def test_the_same_seed_gives_the_same_numbers(planted, record):
    again = study_pairs(*planted, CODES).metrics
    pd.testing.assert_frame_equal(again, record["metrics"], rtol=1e-6)


def test_the_thirty_languages_exist_and_english_is_among_them():
    assert len({*LANGUAGES_30}) == len(LANGUAGES_30) == 30
    assert {*LANGUAGES_30} <= LANGUAGES.keys()
    assert "en" in LANGUAGES_30


def test_bad_input_is_one_line(planted):
    model, lexicon = planted
    with pytest.raises(XlError, match="^toy: needs en, and 60 things that all languages name; got 86$"):
        study_pairs(model, lexicon, ("de", "fr"))
    with pytest.raises(XlError, match="^toy: needs en, and 60 things that all languages name; got 59$"):
        study_pairs(model, lexicon.take(range(63)), CODES)
    with pytest.raises(XlError, match="^toy has no language yo; it has de, en, fr, sw$"):
        study_pairs(model, lexicon, (*CODES, "yo"))
