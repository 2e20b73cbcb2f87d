"""What chapter 7 says in words, against the records that ship."""

from pathlib import Path

import pandas as pd
import pytest

from xlutils import load_lexicon
from xlutils.chapters.map_pairs import PREDICTORS, pair_table, predicted
from xlutils.chapters.map_tables import LEARNED, dial_tables, learned_parts, mean_table, states_of
from xlutils.results.record import read_record

RECORDS = Path(__file__).resolve().parents[2] / "book/records"
E5, USE, ENGLISH = "multilingual-e5-small-q4", "use-multilingual-v3", "all-MiniLM-L6-v2"
BOTH = (USE, E5)
MAPPED = ["de", "zh", "ru", "hi", "sw", "yo"]


def record(experiment, model, name="cldr"):
    return read_record(RECORDS / f"{experiment}/{model}/{name}.json")


def means(content, metric):
    """Means of the languages that the model learned, by state."""
    return mean_table({"model": content}, {metric: metric})[LEARNED, metric].droplevel(0)


def wide(content, metric):
    return states_of(content, metric).pivot_table("value", "language", "state", sort=False)


@pytest.mark.parametrize("model", BOTH)
def test_every_experiment_is_recorded_with_both_models(model):
    sha256 = load_lexicon("cldr", ["en", *MAPPED]).sha256
    for experiment in ("maps", "map-corrections", "map-supervision"):
        content = record(experiment, model)
        assert content["dataset"]["sha256"] == sha256
        assert (content["params"]["mapped"], content["params"]["draws"]) == (MAPPED, 5)
    assert len(pair_table(record("map-pairs", model))) == 30 * 29 / 2
    for target in {*BOTH, ENGLISH} - {model}:
        assert record("map-spaces", model, f"cldr.onto-{target}")["params"]["target"]["name"] == target


@pytest.mark.parametrize("model", BOTH)
def test_the_whole_map_finds_more_and_keeps_fewer_neighbours(model):
    tables = dial_tables(record("maps", model))
    assert list(tables) == [model, f"{model}: never learned"]
    table = pd.concat(tables.values()).set_index(["language", "share"])
    for code in MAPPED:
        none, whole = table.loc[(code, 0.0)], table.loc[(code, 1.0)]
        assert whole["across"] > none["across"], code
        assert whole["within_high"] < 0.6 < none["within"], code


@pytest.mark.parametrize("model", BOTH)
def test_free_maps_destroy_and_shrunk_ones_gain_from_the_start(model):
    table = wide(record("maps", model), "accuracy")
    known = table[table[""] > 0.1]
    for way in ("procrustes", "ridge"):
        assert (known[f"{way}, 5 pairs"] < 0.1 * known[""]).all()
        assert (known[f"{way}, 100 pairs"] < known[""]).all()
        assert (known[f"{way}-shrunk, 5 pairs"] > known[""] - 0.01).all()
        assert (table[f"{way}-shrunk, 500 pairs"] > table[""]).all()
    once = ("shift", "procrustes", "procrustes-shrunk", "ridge", "ridge-shrunk", "low-rank")
    assert all((known["centred, 5 pairs"] > known[f"{way}, 5 pairs"]).all() for way in once)
    assert (table["centred, 500 pairs"] - table["centred, 5 pairs"]).abs().max() < 0.02
    assert (table["ridge-shrunk with CSLS, 500 pairs"] > table["ridge-shrunk, 500 pairs"]).all()


@pytest.mark.parametrize("model", BOTH)
def test_pairs_found_alone_help_where_the_model_knows_the_language(model):
    table = wide(record("maps", model), "accuracy")
    gain, hundred = table["own neighbours, 0 pairs"] - table[""], table["ridge-shrunk, 100 pairs"] - table[""]
    known = table[""] > 0.1
    assert gain[known].mean() > 0.6 * hundred[known].mean()
    assert (gain[~known].abs() < 0.01).all()
    assert (table["profiles, 0 pairs"] < table[""]).all()


@pytest.mark.parametrize("model", BOTH)
def test_what_gains_most_keeps_least_and_brings_nothing_english(model):
    content = record("maps", model)
    kept = means(content, "kept")
    assert kept["ridge-shrunk"] < kept["low-rank"] < kept["procrustes-shrunk"]
    assert kept["centred"] < 0.7 < kept["shift"]
    overlap = means(content, "overlap")
    assert overlap[overlap.index.str.endswith(", change")].abs().max() < 0.02


def test_a_rotation_costs_e5_antonyms_in_german_and_no_other_map_costs_any_for_sure():
    changes = {}
    for model in BOTH:
        table = states_of(record("maps", model), "antonyms")
        rows = table[table["state"].str.endswith(", change") & (table["high"] < 0)]
        changes[model] = set(zip(rows["language"], rows["state"], strict=True))
    assert ("de", "procrustes, change") in changes[E5]
    assert {state for _, state in changes[E5]} <= {"procrustes, change", "ridge, change"}
    assert not changes[USE]


def test_an_english_index_is_searched_in_other_languages():
    table = states_of(record("map-spaces", E5, f"cldr.onto-{ENGLISH}"), "across").set_index(["language", "state"])
    for code in ("zh", "ru", "hi"):
        assert table.loc[(code, "900 pairs"), "low"] > 0.25
        assert table.loc[(code, "target"), "high"] < 0.1
    assert table.loc[("hi", "0 pairs"), "high"] < 0.1


def test_a_leaked_index_is_read_in_languages_without_a_known_pair():
    table = states_of(record("map-spaces", E5, f"cldr.onto-{USE}"), "read").set_index(["language", "state"])
    assert table.loc[("en", "900 pairs"), "low"] > 0.4
    assert table.loc[("de", "900 pairs"), "low"] > 0.25
    assert table.loc[("zh", "900 pairs"), "low"] > 0.1 > table.loc[("hi", "900 pairs"), "high"]


@pytest.mark.parametrize("model", BOTH)
def test_nothing_predicts_a_map_as_well_as_the_accuracy_without_it(model):
    for outcome in ("procrustes", "ridge-shrunk"):
        table = predicted(pair_table(record("map-pairs", model)), outcome)
        known = table.loc[PREDICTORS["known"][0]]
        for name in ("eigenvectors", "bottleneck", "relational"):
            assert table.loc[PREDICTORS[name][0], "high"] < known["low"], (model, outcome, name)


def test_shapes_follow_what_use_has_learned_and_two_of_three_say_nothing_of_e5():
    tables = {model: predicted(pair_table(record("map-pairs", model)), "procrustes") for model in BOTH}
    shapes = [PREDICTORS[name][0] for name in ("eigenvectors", "bottleneck", "relational")]
    assert (tables[USE].loc[shapes, "low"] > 0).all()
    assert list(tables[E5].loc[shapes, "low"] > 0) == [False, False, True]


def test_a_map_learns_what_it_is_fitted_on():
    content = record("map-supervision", E5)
    names, sentences = (means(content, f"across/{data}") for data in ("names", "sib200"))
    assert names["ridge-shrunk, 500 names"] - names[""] > 4 * abs(names["ridge-shrunk, 500 sib200"] - names[""])
    assert abs(sentences["ridge-shrunk, 500 names"] - sentences[""]) < 0.01
    assert "yo" in learned_parts(content)["never learned"]
    yoruba = states_of(content, "across/sib200").query("language == 'yo'").set_index("state")
    assert yoruba.loc["ridge-shrunk, 500 names", "high"] < yoruba.loc["", "low"]


@pytest.mark.parametrize("model", BOTH)
def test_odd_pairs_teach_no_more_than_pairs_at_random(model):
    across, mended, broken = (means(record("map-corrections", model), m) for m in ("across", "mended", "broken"))
    assert across["no corrections"] < across["partners, 100 corrections"] < across["random, 100 corrections"]
    marks = mended["marks, 100 corrections"] - broken["marks, 100 corrections"]
    assert abs(marks) < 0.005
