"""Tables in the layout of the papers, from planted records."""

import pandas as pd
import pytest

from xlutils.chapters import paper_tables as tables
from xlutils.results.record import Record, write_record

MODEL = {"revision": "1", "source": "s", "fingerprint": "0" * 16}
NORM = "max@r_norm/mean-rank"


def plant(folder, rows, experiment="mixed-retrieval", model="bge-m3", dataset="xquad", items=None, **params):
    """Write a record with rows of (kind, pool, query, metric, value, state), each 0.1 to both sides."""
    names = ["kind", "pool", "query", "metric", "value", "state"]
    metrics = pd.DataFrame(rows, columns=names).assign(
        low=lambda row: row["value"] - 0.1, high=lambda row: row["value"] + 0.1
    )
    done = params.get("done", {})
    variant = f"{done.get('name', '')}.{params.get('protocol', '')}".strip(".")
    data = {"name": dataset, "sha256": "0" * 64, "languages": params.pop("languages", ["en", "zh", "es"]), "size": 3}
    return write_record(folder, Record(experiment, {"name": model, **MODEL}, data, params, metrics, {}, variant), items)


def training(name, losses, languages):
    return {"name": name, "recipe": {"losses": losses}, "trained_on": {"languages": languages}}


def multi(value, metric=NORM, target="zh", query="zh", state=""):
    return ("multi", f"en+{target}", query, metric, value, state)


def test_measured_affinities_are_below_the_reported_ones_and_have_a_mean(tmp_path):
    paths = []
    for number, dataset in enumerate(tables.LEXICONS):
        value = 0.6 + 0.1 * number
        items = pd.DataFrame({"concept": list("abc"), "sa_pairs_value": [value] * 3})
        for model in ("LaBSE", "only-three")[: 2 if number < 3 else 1]:
            rows = [("all", "", "", "sa_pairs", value, "")]
            planted = {"experiment": "semantic-affinity", "model": model, "dataset": dataset, "items": items}
            paths.append(plant(tmp_path, rows, languages=["en", "zh"], **planted))
    paths.append(plant(tmp_path, rows, "semantic-affinity", "LaBSE", "everyday.wide", languages=["en", "zh", "es"]))
    table = tables.affinity_table(paths)
    assert [*table.columns] == [*tables.LEXICONS, "mean"]
    assert [*table.index[:2]] == [("LaBSE", "reported"), ("LaBSE", "measured")]
    assert table.loc[("LaBSE", "reported"), "mean"] == "0.70"
    assert table.loc[("LaBSE", "measured")].tolist()[::4] == ["0.600 (0.500 to 0.700)", "0.750 (0.750 to 0.750)"]
    assert table.loc[("LLM embeddings", "reported"), "mean"] == "0.55 to 0.61"
    assert table.loc[("mBERT and XLM-R", "reported"), "mean"] == "below 0.50"
    assert table.loc[("only-three", "measured"), "mean"] == ""


def test_the_mixed_table_has_the_paper_s_cells_and_only_its_protocol(tmp_path):
    rows = [multi(12.34), multi(50.0, query="en"), multi(0.5, "own-first")]
    paths = [plant(tmp_path, rows, protocol="paper"), plant(tmp_path, [multi(99.9)], protocol="unique")]
    table = tables.mixed_table(paths)
    row = table.loc[("bge-m3", "English + Chinese", "target")]
    assert row.loc["reported", ("xquad", "Max@R norm", "Base")] == "71.6"
    assert row.loc["reported", ("xquad", "Max@R norm", "Ours")] == "73.6"
    assert row.loc["measured", ("xquad", "Max@R norm", "Base")] == "12.3 (12.2 to 12.4)"
    assert row.loc["measured", ("xquad", "Max@R norm", "Ours")] == ""
    assert row.loc["measured", ("belebele", "Max@R norm", "Base")] == ""
    assert "99.9" not in table.to_string()
    assert [*table.columns.get_level_values("metric").unique()] == ["Complete@10", "Max@R", "Max@R norm"]


def test_a_model_trained_on_one_language_counts_for_that_language_alone(tmp_path):
    rows = [
        multi(value, target=target, query=target, state=state)
        for target, value, state in (
            ("zh", 10, "before"),
            ("zh", 20, "after"),
            ("es", 30, "before"),
            ("es", 40, "after"),
            ("zh", 7, "change"),
        )
    ]
    done = training("jsd+nce.zh.seed-1", ["jsd", "nce"], ["zh"])
    others = training("nce.zh-es.seed-1", ["nce"], ["es", "zh"])
    others["recipe"]["learning_rate"] = 2e-4  # that of the paper is 4e-6 for this model
    paths = [
        plant(tmp_path, rows, "finetune", protocol="paper", done=done),
        plant(tmp_path, rows, "finetune", protocol="paper", done=others),
    ]
    mixed = tables.mixed_table(paths)["xquad", "Max@R norm"].xs("target", level="query").loc["bge-m3"]
    assert mixed.loc[("English + Chinese", "measured"), "Base"].startswith("10.0")
    assert mixed.loc[("English + Chinese", "measured, jsd+nce.seed-1 on the target alone"), "Ours"].startswith("20.0")
    assert ("English + Spanish", "measured, jsd+nce.seed-1 on the target alone") not in mixed.index
    assert "on es+zh" not in mixed.to_string()  # neither the model as published nor the method of the paper
    ablation = tables.ablation_table(paths)["Chinese", "target"].loc[("bge-m3", "xquad")]
    assert ablation.to_dict() == {
        ("Baseline", "measured"): "10.0 (9.9 to 10.1)",
        ("Ours", "measured, jsd+nce.seed-1 on the target alone"): "20.0 (19.9 to 20.1)",
        ("without JSD", "measured, nce.seed-1 on es+zh, other settings than the paper's"): "20.0 (19.9 to 20.1)",
    }


def test_the_ablation_has_the_reported_rows_in_the_paper_s_order():
    table = tables.ablation_table([])
    rows = table.xs(("jina-embeddings-v3", "belebele", "reported"), level=("model", "data", "source"))
    assert [*rows.index] == ["Baseline", "NCE of passages", "Ours", "without JSD", "without NCE"]
    assert rows["Thai", "English"].tolist() == ["68.0", "72.3", "76.7", "71.9", "15.5"]


def test_shares_of_one_language_are_in_percent_and_english_stands_beside_every_language(tmp_path):
    rows = [
        ("mono-same", "en", "en", "ndcg@1", 0.9, ""),
        ("mono-same", "zh", "zh", "ndcg@1", 0.8, ""),
        ("mono-cross", "zh", "en", "ndcg@1", 0.7, ""),
        ("mono-cross", "en", "zh", "ndcg@1", 0.6, ""),
        ("mono-same", "zh", "zh", "mrr", 0.85, ""),
    ]
    name = "jina-embeddings-v3"
    table = tables.mono_table([plant(tmp_path, rows, model=name, protocol="unique")])["xquad"]
    mrr = table.xs("MRR", axis=1, level="metric").loc[(name, "Chinese", "Base")]["Mono-Same", "target"]
    assert mrr.to_dict() == {"reported": "0.926", "measured": "0.850 (0.750 to 0.950)"}
    table = table.xs("NDCG@1", axis=1, level="metric")
    row = table.loc[(name, "Chinese", "Base")]
    assert row.loc["reported"].tolist() == ["89.2", "88.2", "83.3", "83.8"]
    assert [text.split()[0] for text in row.loc["measured"]] == ["90.0", "80.0", "70.0", "60.0"]
    assert table.loc[(name, "Spanish", "Base", "measured"), ("Mono-Same", "English")].startswith("90.0")


def test_figures_3_and_4_have_no_reported_values(tmp_path):
    rows = [("multi-1", "en+zh", "zh", "ndcg@1", 0.25, "")]
    table = tables.multi_1_table([plant(tmp_path, rows, protocol="unique")])
    assert table.loc[("bge-m3", "Chinese", "target", "measured"), ("xquad", "Base")] == "25.0 (15.0 to 35.0)"
    assert len(table) == 1
    assert tables.multi_1_table([]).empty


def test_the_concept_study_stands_beside_a_measurement(tmp_path):
    rows = [("all", "", "", "overall", 0.5, ""), ("pair", "ru+fr", "", "centroid_distance", 0.2, "")]
    items = pd.DataFrame({"concept": ["water", "fire"], "intra_concept": [0.75, 0.5]})
    path = plant(tmp_path, rows, "concept-alignment", "use", "concepts-core", items=items)
    table = tables.concept_table([path, plant(tmp_path, rows, "concept-alignment", "use", "other", items=items)])
    assert [*table.columns] == [("MiniLM-L12-v2", "reported"), ("use", "measured")]
    assert table.loc[("overall score", "")].tolist() == ["0.938", "0.500 (0.400 to 0.600)"]
    assert table.loc[("similarity within a concept", "water")].tolist() == ["0.986", "0.750"]
    assert table.loc[("distance of languages", "fr-ru")].tolist() == ["0.004", "0.200 (0.100 to 0.300)"]
    assert table.loc[("nearest neighbours", "")].tolist() == ["0.961", ""]


@pytest.mark.parametrize("name", tables.TABLES)
def test_a_table_without_records_has_no_measured_value(name):
    assert tables.MEASURED not in tables.TABLES[name]([]).to_csv()
