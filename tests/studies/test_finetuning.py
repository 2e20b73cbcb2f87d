import numpy as np
import pytest

from xlutils.datasets import load_parallel
from xlutils.datasets.triples import Triple, Triples
from xlutils.errors import XlError
from xlutils.metrics.uncertainty import bootstrap_ci
from xlutils.models import load_model
from xlutils.records import read_items, read_record, write_record
from xlutils.studies.finetuning import Comparison
from xlutils.studies.retrieval import study_retrieval
from xlutils.studies.scenarios import make_scenarios
from xlutils.training.finetune import Recipe

TRIPLES = Triples("toy", (Triple("q", "p", "t", "zh"), Triple("q2", "p2", "t2", "de")))


@pytest.fixture(scope="module")
def studies():
    data = load_parallel("mini", ["en", "zh"])
    made = make_scenarios(["mono-same", "multi"], ["zh"])
    return [study_retrieval(load_model(name), data, made) for name in ("control-random", "use-multilingual-v3")]


def test_the_change_is_paired(studies):
    before, after = studies
    table = Comparison(before, after).table(seed=3)
    name = "multi/en+zh/zh/max@r"
    change = after.values()[name] - before.values()[name]
    assert table.loc[name, "change"] == pytest.approx(table.loc[name, "after"] - table.loc[name, "before"])
    assert table.loc[name, ["low", "high"]].tolist() == pytest.approx(
        bootstrap_ci(change, seed=3, clusters=before.data.gold)
    )
    assert table.loc[name, "high"] < 0  # a real model finds what a random one does not


def test_the_record_holds_both_sides(studies, tmp_path):
    comparison = Comparison(*studies)
    record = comparison.record(Recipe(losses=("nce",)), TRIPLES, "nce.seed-42", 3, {"train": 1.0})
    path = write_record(tmp_path, record, comparison.items())
    assert path.relative_to(tmp_path).as_posix() == "finetune/control-random/mini.nce.seed-42.json"
    content = read_record(path)
    metrics = content["metrics"]
    assert metrics["before/multi/en+zh/en/complete@10"] < metrics["after/multi/en+zh/en/complete@10"]
    assert metrics["change/mono-same/zh/zh/ndcg@1"] == pytest.approx(
        metrics["after/mono-same/zh/zh/ndcg@1"] - metrics["before/mono-same/zh/zh/ndcg@1"]
    )
    assert content["params"]["recipe"]["losses"] == ["nce"]
    assert content["params"]["trained_on"]["languages"] == ["de", "zh"]
    items = read_items(path)
    assert np.unique(items["side"]).tolist() == ["after", "before"]


def test_both_sides_must_be_comparable(studies):
    before, after = studies
    with pytest.raises(XlError, match="same data, scenarios, protocol and K"):
        Comparison(before, after.again("paper"))
