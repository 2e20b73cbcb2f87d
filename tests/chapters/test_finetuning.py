import json

import numpy as np
import pytest

from xlutils.chapters.finetuning import (
    choice_table,
    compare_with_remedy,
    language_table,
    load_both,
    other_measures,
    read_changes,
    tradeoff,
)
from xlutils.chapters.remedied_words import with_affinity
from xlutils.chapters.remedies import AS_PUBLISHED, study_remedies
from xlutils.chapters.training_runs import Comparison, write_all
from xlutils.datasets import load_parallel
from xlutils.datasets.triples import Triple
from xlutils.errors import XlError
from xlutils.metrics.affinity import semantic_affinity
from xlutils.results.record import find_records, write_record
from xlutils.results.rows import Key, rows_of

NAMES = ["language", "trained on", "asked in"]
INTERVAL = ["value", "low", "high"]


@pytest.fixture(scope="module")
def nothing(sides):
    return Comparison(sides[0], sides[0], {"name": "nothing"}, 0.0)


@pytest.fixture(scope="module")
def changes(comparison, nothing, tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    write_all([comparison, nothing], folder, seed=3)
    return read_changes(find_records(folder, "finetune"))


def test_the_scores_start_with_those_of_the_published_model(changes):
    table = choice_table(changes)
    assert list(table.index) == [AS_PUBLISHED, "nce.seed-42", "nothing"]
    assert table.loc["nothing", "Max@R"] == table.loc[AS_PUBLISHED, "Max@R"]
    assert table["seconds"].tolist() == ["", "12.5", "0"]


def test_a_change_starts_at_the_published_model_and_a_training_that_does_nothing_stays_there(changes):
    cost, gain = tradeoff(changes)
    assert list(gain.index) == list(cost.index) == [AS_PUBLISHED, "nce", "nothing"]
    assert gain.loc["nothing", INTERVAL].tolist() == [gain.loc[AS_PUBLISHED, "value"]] * 3
    assert gain.loc["nce", "low"] > gain.loc[AS_PUBLISHED, "value"]
    assert gain["series"].tolist()[1:] == ["training", "without training"]


def test_a_row_for_each_language_and_language_of_the_question(changes, comparison):
    table = language_table(changes, "nce.seed-42")
    assert table.index.names == NAMES
    assert table.index.tolist() == [
        ("Chinese", "yes", "English"),
        ("Chinese", "yes", "Chinese"),
        ("Arabic", "no", "English"),
        ("Arabic", "no", "Arabic"),
    ]
    value = comparison.after.retrieval.values()[Key("multi", "max@r", "en+ar", "en")].mean()
    assert table.loc[("Arabic", "no", "English"), "Max@R"].endswith(f" → {value:.1f}")


def test_a_training_is_compared_with_a_remedy(comparison, nothing, sides):
    random, good = (study_remedies(side.retrieval, []) for side in sides)
    table = compare_with_remedy([comparison], random, AS_PUBLISHED, seed=1)
    assert table.index.name == f"compared with {AS_PUBLISHED}"
    assert table.loc["nce.seed-42", "Complete@10"].startswith("higher: ")
    table = compare_with_remedy([nothing], good, AS_PUBLISHED, seed=1)
    assert table.loc["nothing", "Complete@10"].startswith("lower: ")
    table = compare_with_remedy([nothing], random, AS_PUBLISHED, seed=1)
    assert table.loc["nothing", "NDCG@1 in one language"].startswith("no clear difference: 0")


def test_remedies_stand_beside_trainings(comparison, sides, tmp_path):
    mended = study_remedies(sides[0].retrieval, ["query side", "interleaved"])
    write_record(tmp_path, mended.record(3))
    write_all([comparison], tmp_path, seed=3)
    changes = read_changes(find_records(tmp_path))
    table = choice_table(changes)
    assert set(table.index) == {AS_PUBLISHED, "nce.seed-42", "query side", "interleaved"}
    value = mended.values["query side"][Key("multi", "max@r")].mean()
    assert table.loc["query side", "Max@R"].startswith(f"{value:.1f} ± ")
    assert table.loc["query side", "Semantic Affinity"] == ""
    assert list(tradeoff(changes)[1].index) == [AS_PUBLISHED, "nce", "query side", "interleaved"]


def test_affinity_after_a_remedy_is_measured_on_other_words(sides):
    """Without words of their own to fit on, vectors of words drawn at random have nothing to gain."""
    random, good = (
        with_affinity(study_remedies(side.retrieval, ["both sides", "query side"]).record(3), side.words, 3).metrics
        for side in sides
    )
    rows = good[good["metric"] == "sa"]
    assert rows["state"].tolist() == ["both sides", "both sides, change"]  # a question's mean moves no word
    words = sides[1].words
    halves = np.random.default_rng(3).permutation(words.lexicon.concepts)
    values = []
    for mine, others in ((halves[::2], halves[1::2]), (halves[1::2], halves[::2])):
        half, space = words.lexicon.only(mine.tolist()), {}
        for code, cells in words.lexicon.only(others.tolist()).cells.items():
            mean = words.vectors([(code, cell[0]) for cell in cells]).mean(axis=0)
            space[code] = words.part(half)[code] - mean
        values.append(semantic_affinity(space, half).sa * len(mine))
    assert rows["value"].iloc[0] == pytest.approx(sum(values) / len(halves), abs=1e-6)
    change = rows_of(random, Key("all", "sa", state="both sides, change")).iloc[0]
    assert change["high"] < 0.001


def test_every_scenario_before_and_after(changes, comparison):
    table = other_measures(changes, "nce.seed-42")
    assert table.index.tolist() == [
        ("Multi", "Max@R norm"),
        ("Multi", "NDCG@1"),
        ("Multi", "MRR"),
        ("Mono-Same", "NDCG@1"),
        ("Mono-Same", "MRR"),
    ]
    one, two = (
        side.retrieval.values()[Key("mono-same", "mrr")].mean() for side in (comparison.before, comparison.after)
    )
    cells = table.loc[("Mono-Same", "MRR")].tolist()
    assert cells[:2] == [f"{one:.3f}", f"{two:.3f}"]
    assert cells[2].startswith(f"{two - one:.3f} ± ")


def test_no_passage_is_trained_on_and_asked():
    triples, data = load_both("mini", ["zh", "de"], "mini", ["zh", "ar"])
    assert data.languages == ("en", "zh", "ar")
    assert {row.lang for row in triples.rows} == {"zh", "de"}
    whole = load_parallel("mini", ["en"])
    trained = {row.passage_en for row in triples.rows}
    assert not trained & set(data.passages["en"])
    assert trained | set(data.passages["en"]) == set(whole.passages["en"])
    assert len(triples.rows) == 2 * (len(whole.query_ids) - len(data.query_ids))
    assert np.array_equal(np.unique(data.gold), np.arange(len(data.passage_ids)))


def test_triples_that_give_the_answers_away_are_refused(tmp_path):
    text = load_parallel("mini", ["en"]).passages["en"][5]
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps(vars(Triple("what?", text, "was?", "de"))) + "\n", encoding="utf-8")
    with pytest.raises(XlError, match="1 passages of mini are in the training data too"):
        load_both(str(path), ["de"], "mini", ["zh"])


def test_english_is_not_a_language_to_train_on():
    with pytest.raises(XlError, match="train_languages"):
        load_both("mini", ["en", "zh"], "mini", ["zh"])


def test_a_batch_larger_than_the_data_is_refused_before_a_model_is_loaded():
    with pytest.raises(XlError, match="96 triples are fewer than a batch of 5000"):
        load_both("mini", ["zh"], "mini", ["zh"], batch=5000)
