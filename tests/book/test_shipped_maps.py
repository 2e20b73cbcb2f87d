"""What chapter 7 says in words, against the records that ship."""

from pathlib import Path

import pytest

from xlutils import load_lexicon
from xlutils.chapters.map_pairs import PREDICTORS, pair_table, predicted
from xlutils.chapters.map_tables import cost_table, dial_table, states_of
from xlutils.results.record import read_record

RECORDS = Path(__file__).resolve().parents[2] / "book/records"
E5, USE, ENGLISH = "multilingual-e5-small-q4", "use-multilingual-v3", "all-MiniLM-L6-v2"
BOTH = (USE, E5)
MAPPED = ["de", "zh", "ru", "hi", "sw", "yo"]


def record(experiment, model, name="cldr"):
    return read_record(RECORDS / f"{experiment}/{model}/{name}.json")


def wide(content, metric):
    return states_of(content, metric).pivot_table("value", "language", "state", sort=False)


@pytest.mark.parametrize("model", BOTH)
def test_every_experiment_is_recorded_with_both_models(model):
    sha256 = load_lexicon("cldr", ["en", *MAPPED]).sha256
    for name in ("cldr", "cldr.corrections", "cldr.supervision"):
        content = record("maps", model, name)
        assert content["dataset"]["sha256"] == sha256
        assert (content["params"]["mapped"], content["params"]["draws"]) == (MAPPED, 5)
    assert len(pair_table(record("map-pairs", model))) == 30 * 29 / 2
    for target in {*BOTH, ENGLISH} - {model}:
        assert record("map-spaces", model, f"cldr.onto-{target}")["params"]["target"]["name"] == target


@pytest.mark.parametrize("model", BOTH)
def test_the_whole_map_finds_more_and_keeps_fewer_neighbours(model):
    table = dial_table(record("maps", model)).set_index(["language", "share"])
    for code in MAPPED:
        none, whole = table.loc[(code, 0.0)], table.loc[(code, 1.0)]
        assert whole["across"] > none["across"], code
        assert whole["within_high"] < 0.6 < none["within"], code
