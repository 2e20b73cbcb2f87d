from dataclasses import replace

import pytest

from xlutils.chapters.training_runs import (
    Comparison,
    Side,
    plan_trainings,
    training_facts,
    write_all,
)
from xlutils.datasets.triples import Triple, Triples
from xlutils.errors import XlError
from xlutils.metrics.uncertainty import bootstrap_ci
from xlutils.results.record import read_items, read_record
from xlutils.results.rows import Key, rows_of, value_of
from xlutils.training.recipe import RECIPES

RANK = Key("multi", "max@r", "en+zh", "zh")


def change_of(comparison, key, seed=1):
    """The row of a change, with the means before and after."""
    return rows_of(comparison.changes(seed), key._replace(state="change")).iloc[0]


ROWS = tuple(Triple(f"q{n}", f"p{n}", f"t{n}", code) for code in ("zh", "de") for n in range(64))


@pytest.mark.parametrize("is_mixed", [True, False])
def test_a_training_for_each_sum_of_losses_and_each_language(sides, tmp_path, is_mixed):
    recipe, losses = replace(RECIPES["paper"], mixed=is_mixed), [("jsd", "nce"), ("nce",)]
    plan = plan_trainings(recipe, losses, Triples("toy", ROWS), sides[0], tmp_path, tmp_path)
    languages = ["zh-de"] if is_mixed else ["zh", "de"]
    assert list(plan) == [f"{loss}.{code}.seed-42" for loss in ("jsd+nce", "nce") for code in languages]
    sizes = {label: len(triples.rows) for label, (_, triples) in plan.items()}
    assert set(sizes.values()) == ({128} if is_mixed else {64})
    assert {settings.learning_rate for settings, _ in plan.values()} == {2e-5}


def test_nothing_is_trained_that_would_replace_another_record_or_model(sides, tmp_path):
    def plan(recipe, triples=ROWS):
        return plan_trainings(recipe, [("nce",)], Triples("toy", triples), sides[0], tmp_path, tmp_path / "models")

    ((label, (recipe, triples)),) = plan(RECIPES["quick"]).items()
    write_all([Comparison(*sides, training_facts(label, recipe, triples), 1)], tmp_path, seed=1)
    assert list(plan(RECIPES["quick"])) == [label]  # the same again
    assert list(plan(replace(RECIPES["quick"], warmup=0.3))) == [f"{label}.warmup-0.3"]
    with pytest.raises(XlError, match=r"mini\.nce\.zh-de\.seed-42\.unique\.json is the record of another training"):
        plan(RECIPES["quick"], ROWS[:-1])
    (tmp_path / f"models/control-random.{label}").mkdir(parents=True)
    (tmp_path / f"models/control-random.{label}/x").touch()
    with pytest.raises(XlError, match=r"control-random\.nce\.zh-de\.seed-42 is not empty"):
        plan(RECIPES["quick"])


def test_a_language_with_too_few_triples_is_named_before_anything_is_trained(sides, tmp_path):
    few = Triples("toy", ROWS[:70])
    with pytest.raises(XlError, match="de: 6 triples are fewer than a batch of 32"):
        plan_trainings(RECIPES["paper"], [("nce",)], few, sides[0], tmp_path)


def test_the_change_is_paired(comparison):
    before, after = comparison.before.retrieval, comparison.after.retrieval
    change = after.values()[RANK] - before.values()[RANK]
    row = change_of(comparison, RANK, seed=3)
    assert row["value"] == pytest.approx(row["after"] - row["before"])
    interval = bootstrap_ci(change, seed=3, clusters=before.exam.data.gold)
    assert row[["low", "high"]].tolist() == pytest.approx(interval)
    assert row["high"] < 0  # a real model finds what a random one does not
    one, two = comparison.before.words.affinity.sa, comparison.after.words.affinity.sa
    row = change_of(comparison, Key("all", "sa"), seed=3)
    assert row[["before", "after", "value"]].tolist() == pytest.approx([one, two, two - one])


def test_the_record_holds_the_model_before_and_after(comparison, tmp_path):
    (path,) = write_all([comparison], tmp_path, seed=3)
    assert path.relative_to(tmp_path).as_posix() == "finetune/control-random/mini.nce.seed-42.unique.json"
    record = read_record(path)
    metrics = record["metrics"]
    key = Key("mono-same", "ndcg@1", "zh", "zh")
    before, after, change = (value_of(metrics, key._replace(state=name)) for name in ("before", "after", "change"))
    assert change == pytest.approx(after - before)
    assert abs(value_of(metrics, Key("all", "random-cosine", state="before"))) < 0.01
    assert record["params"]["done"]["recipe"]["losses"] == ["nce"]
    assert record["params"]["done"]["trained_on"]["languages"] == ["zh", "de"]
    assert record["timing"] == {"done": 12.5}
    rows = read_items(path).query("side == 'after' and scenario == 'multi/en+zh/zh'")
    assert rows["max@r"].mean() == pytest.approx(value_of(metrics, RANK._replace(state="after")), rel=1e-5)


def test_a_comparison_needs_the_same_questions_on_both_sides(sides):
    before, after = sides
    other = Side(after.retrieval.again(exam=replace(after.retrieval.exam, protocol="paper")))
    with pytest.raises(XlError, match="same data, words, scenarios, protocol and K"):
        Comparison(before, other, {"name": "x"}, 0)


def test_the_same_vectors_can_be_compared_under_another_protocol(comparison):
    again = comparison.again("paper")
    assert again.record(1).variant == "nce.seed-42.paper"
    assert again.after.words is comparison.after.words
    assert change_of(again, RANK)["after"] > change_of(comparison, RANK)["after"]


def test_semantic_affinity_is_left_out_where_it_was_not_measured(sides):
    changes = Comparison(*(Side(side.retrieval) for side in sides), {"name": "x"}, 0).changes(1)
    assert "sa" not in set(changes["metric"])
