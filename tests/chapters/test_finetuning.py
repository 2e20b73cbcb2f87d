import json

import numpy as np
import pytest

from xlutils.chapters.finetuning import Comparison, Side, training_facts, write_all
from xlutils.chapters.finetuning_findings import (
    BASE,
    change_tables,
    choice_table,
    language_table,
    read_changes,
    verdicts,
)
from xlutils.chapters.training_runs import Exam, load_both
from xlutils.datasets import load_lexicon, load_parallel
from xlutils.datasets.scenarios import make_scenarios
from xlutils.datasets.triples import Triple, Triples
from xlutils.errors import XlError
from xlutils.metrics.uncertainty import bootstrap_ci
from xlutils.models import load_model
from xlutils.results.record import find_records, read_items, read_record
from xlutils.training.finetune import Recipe

TRIPLES = Triples("toy", (Triple("q", "p", "t", "zh"), Triple("q2", "p2", "t2", "de")))
FACTS = training_facts("nce.seed-42", Recipe(losses=("nce",)), TRIPLES)


@pytest.fixture(scope="module")
def exam():
    data = load_parallel("mini", ["en", "zh", "ar"])
    return Exam(data, make_scenarios(["mono-same", "multi"], ["zh", "ar"]), load_lexicon("everyday", ["en", "zh"]))


@pytest.fixture(scope="module")
def sides(exam):
    return [exam.take(load_model(name)) for name in ("control-random", "use-multilingual-v3")]


@pytest.fixture(scope="module")
def comparison(sides):
    return Comparison(*sides, FACTS, 12.5)


def test_the_change_is_paired(comparison):
    table = comparison.table(seed=3)
    before, after = (each.retrieval for each in (comparison.before, comparison.after))
    name = "multi/en+zh/zh/max@r"
    change = after.values()[name] - before.values()[name]
    assert table.loc[name, "change"] == pytest.approx(table.loc[name, "after"] - table.loc[name, "before"])
    assert table.loc[name, ["low", "high"]].tolist() == pytest.approx(
        bootstrap_ci(change, seed=3, clusters=before.data.gold)
    )
    assert table.loc[name, "high"] < 0  # a real model finds what a random one does not
    sa = [each.words.affinity.sa for each in (comparison.before, comparison.after)]
    assert table.loc["sa", ["before", "after", "change"]].tolist() == pytest.approx([*sa, sa[1] - sa[0]])
    assert table.loc["sa", "low"] > 0


def test_the_record_holds_both_sides(comparison, tmp_path):
    (path,) = write_all([comparison], tmp_path, seed=3)
    assert path.relative_to(tmp_path).as_posix() == "finetune/control-random/mini.nce.seed-42.unique.json"
    content = read_record(path)
    metrics = content["metrics"]
    assert metrics["before/multi/en+zh/en/complete@10"] < metrics["after/multi/en+zh/en/complete@10"]
    assert metrics["change/mono-same/zh/zh/ndcg@1"] == pytest.approx(
        metrics["after/mono-same/zh/zh/ndcg@1"] - metrics["before/mono-same/zh/zh/ndcg@1"]
    )
    assert abs(metrics["before/random-cosine"]) < 0.01
    assert content["params"]["done"]["recipe"]["losses"] == ["nce"]
    assert content["params"]["done"]["trained_on"]["languages"] == ["zh", "de"]
    assert content["timing"] == {"done": 12.5}
    items = read_items(path)
    rows = items[(items["side"] == "after") & (items["scenario"] == "multi/en+zh/zh")]
    assert rows["max@r"].mean() == pytest.approx(metrics["after/multi/en+zh/zh/max@r"], rel=1e-5)


def test_both_sides_must_be_comparable(sides):
    before, after = sides
    with pytest.raises(XlError, match="same data, scenarios, protocol and K"):
        Comparison(before, after.again("paper"), FACTS, 0)


def test_another_protocol_on_the_same_vectors(comparison):
    again = comparison.again("paper")
    assert again.record(1).variant == "nce.seed-42.paper"
    assert again.after.words is comparison.after.words
    assert (
        again.table(1).loc["multi/en+zh/zh/max@r", "after"] > comparison.table(1).loc["multi/en+zh/zh/max@r", "after"]
    )


def test_what_is_read_from_the_records(comparison, sides, tmp_path):
    nothing = Comparison(sides[0], sides[0], {"name": "nothing"}, 0.0)
    write_all([comparison, nothing], tmp_path, seed=3)
    changes = read_changes(find_records(tmp_path, "finetune"))
    table = choice_table(changes)
    assert list(table.index) == [BASE, "nce.seed-42", "nothing"]
    assert table.loc["nothing", "Max@R"].startswith(table.loc[BASE, "Max@R"])
    assert table.loc["nce.seed-42", "seconds"] == "12.5"
    panels = change_tables(changes)
    assert panels["Complete@10"].loc["nothing"].tolist() == [0, 0, 0]
    assert panels["Semantic Affinity"].loc["nce.seed-42", "low"] > 0
    by_language = language_table(changes, "nce.seed-42")
    assert by_language.index.tolist() == [
        (name, trained, asked)
        for name, trained in (("Chinese", "yes"), ("Arabic", "no"))
        for asked in ("asked in English", "asked in the other language")
    ]
    row = by_language.loc[("Arabic", "no", "asked in English")]
    value = comparison.after.retrieval.values()["multi/en+ar/en/max@r"].mean()
    assert row["Max@R after"] == f"{value:.1f}"


def test_the_verdict_is_against_the_best_repair(comparison, sides):
    nothing = Comparison(sides[0], sides[0], {"name": "nothing"}, 0.0)
    (better,) = verdicts([comparison], [nothing], seed=1)
    assert better.startswith("**nce.seed-42** against nothing: Complete@10 higher, ")
    (same,) = verdicts([nothing], [nothing, comparison], seed=1)
    assert "against nce.seed-42: Complete@10 lower" in same
    (level,) = verdicts([nothing], [nothing], seed=1)
    assert level.count("not told apart, 0") == 2


def test_a_side_without_words(sides):
    bare = [Side(each.retrieval) for each in sides]
    assert "sa" not in Comparison(*bare, FACTS, 0).table(1).index


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


def test_triples_that_give_the_answers_away(tmp_path):
    text = load_parallel("mini", ["en"]).passages["en"][5]
    row = Triple("what?", text, "was?", "de")
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps(row.__dict__) + "\n", encoding="utf-8")
    with pytest.raises(XlError, match="1 passages of mini are in the training data too"):
        load_both(str(path), ["de"], "mini", ["zh"])


def test_english_is_no_target():
    with pytest.raises(XlError, match="train_languages"):
        load_both("mini", ["en", "zh"], "mini", ["zh"])
