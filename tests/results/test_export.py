from pathlib import Path

import ir_measures
import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner
from huggingface_hub import ModelCardData

from xlutils import load_model
from xlutils.chapters.outcomes import Exam
from xlutils.chapters.retrieval import study_retrieval
from xlutils.cli import main
from xlutils.datasets import load_parallel
from xlutils.datasets.scenarios import make_scenarios
from xlutils.results.export import write_trec
from xlutils.results.record import Record, write_record

KINDS = ("multi", "multi-1", "mono-same", "mono-cross")
SCENARIOS = make_scenarios(KINDS, ["zh", "th"])


@pytest.fixture(scope="module")
def study():
    data = load_parallel("mini", ["en", "zh", "th"])
    return study_retrieval(load_model("use-multilingual-v3"), Exam(data, SCENARIOS))


@pytest.fixture(scope="module")
def folder(study, tmp_path_factory):
    """Whole rankings, a file per scenario."""
    folder = tmp_path_factory.mktemp("trec")
    assert len(
        write_trec(load_model("use-multilingual-v3"), study.exam.data, SCENARIOS, folder, depth=10_000)
    ) == 2 * len(SCENARIOS)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", [scenario.name for scenario in SCENARIOS])
def test_ir_measures_finds_what_the_record_holds(study, folder, name):
    """Another library, given only the files, gets the same NDCG@1 and reciprocal rank."""
    stem, outcome = folder / name.replace("/", "."), study.outcomes[name]
    values = outcome.values(study.exam.k)
    qrels, run = list(ir_measures.read_trec_qrels(f"{stem}.qrels")), list(ir_measures.read_trec_run(f"{stem}.run"))
    result = ir_measures.calc_aggregate([ir_measures.nDCG @ 1, ir_measures.RR], qrels, run)
    assert result[ir_measures.nDCG @ 1] == pytest.approx(values[outcome.key("ndcg@1")].mean(), abs=1e-6)
    assert result[ir_measures.RR] == pytest.approx(values[outcome.key("mrr")].mean(), abs=1e-6)


@pytest.mark.slow
def test_the_later_gold_of_a_run_is_max_at_r(study, folder):
    name = "multi/en+zh/zh"
    stem = folder / name.replace("/", ".")
    gold, last = {}, {}
    for judgement in ir_measures.read_trec_qrels(f"{stem}.qrels"):
        gold.setdefault(judgement.query_id, set()).add(judgement.doc_id)
    for line in Path(f"{stem}.run").read_text().splitlines():
        query, _, document, rank, *_ = line.split()
        if document in gold[query]:
            last[query] = max(last.get(query, 0), int(rank))
    expected = study.values()[study.outcomes[name].key("max@r")]
    assert [last[query] for query in study.exam.data.query_ids] == pytest.approx(expected)


@pytest.mark.slow
def test_a_run_is_sorted_and_has_the_depth_asked_for(study, tmp_path):
    data, scenarios = study.exam.data, make_scenarios(["multi"], ["th"])
    write_trec(load_model("use-multilingual-v3"), data, scenarios, tmp_path, depth=5)
    lines = [line.split() for line in (tmp_path / "multi.en+th.en.run").read_text().splitlines()]
    assert len(lines) == 5 * len(data.query_ids)
    scores = np.array([float(line[4]) for line in lines]).reshape(-1, 5)
    assert (np.diff(scores, axis=1) <= 0).all()
    assert [line[3] for line in lines[:5]] == list("12345")


def test_the_command_writes_files(tmp_path):
    options = ["--languages", "th", "--scenarios", "multi", "--out", str(tmp_path)]
    result = CliRunner().invoke(main, ["export", "trec", "control-random", *options])
    assert result.output == f"4 files in {tmp_path}\n"


def test_metadata_are_what_model_cards_of_the_hub_take(tmp_path):
    model = {"name": "org/model", "revision": "1", "source": "org/model", "fingerprint": "0" * 16}
    dataset = {"name": "mini", "sha256": "0" * 64, "languages": ["en", "zh"], "size": 3}
    rows = [{"kind": "multi", "metric": "complete@10", "value": 81.25, "low": 80.5, "high": 82.0}]
    write_record(tmp_path, Record("mixed-retrieval", model, dataset, {"protocol": "unique"}, pd.DataFrame(rows)))
    result = CliRunner().invoke(main, ["export", "card", "org/model", "--records", str(tmp_path)])
    assert result.exit_code == 0, result.output
    card = ModelCardData(model_name="org/model", **yaml.safe_load(result.output))  # what the hub reads
    (result,) = card.eval_results
    metric = "mean/multi/complete@10"
    assert (result.metric_type, result.metric_value, result.dataset_type) == (metric, 81.25, "mini")
    assert result.metric_name == f"{metric}, 95% interval 80.5 to 82"


def test_a_model_without_records_gets_one_line(tmp_path):
    result = CliRunner().invoke(main, ["export", "card", "LaBSE", "--records", str(tmp_path)])
    assert result.exit_code == 1
    assert f"no record of LaBSE in {tmp_path}" in result.output
