import subprocess
import sys

import ir_measures
import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from huggingface_hub import ModelCardData

from xlutils import load_model
from xlutils.chapters.retrieval import study_retrieval
from xlutils.cli import main
from xlutils.datasets import load_parallel
from xlutils.datasets.scenarios import make_scenarios
from xlutils.results.export import write_trec
from xlutils.results.record import write_record

KINDS = ("multi", "multi-1", "mono-same", "mono-cross")


@pytest.fixture(scope="module")
def study():
    data = load_parallel("mini", ["en", "zh", "th"])
    return study_retrieval(load_model("use-multilingual-v3"), data, make_scenarios(KINDS, ["zh", "th"]))


@pytest.fixture(scope="module")
def folder(study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trec")
    assert len(write_trec(study, folder, depth=10_000)) == 2 * len(study.outcomes)
    return folder


def test_ir_measures_finds_what_the_record_holds(study, folder):
    """Another library, given only the files, gets the same NDCG@1 and reciprocal rank for every scenario."""
    for name, outcome in study.outcomes.items():
        stem = folder / name.replace("/", ".")
        qrels = list(ir_measures.read_trec_qrels(f"{stem}.qrels"))
        run = list(ir_measures.read_trec_run(f"{stem}.run"))
        found = ir_measures.calc_aggregate([ir_measures.nDCG @ 1, ir_measures.RR], qrels, run)
        values = outcome.values(study.k)
        assert found[ir_measures.nDCG @ 1] == pytest.approx(values["ndcg@1"].mean(), abs=1e-6), name
        assert found[ir_measures.RR] == pytest.approx(values["mrr"].mean(), abs=1e-6), name


def test_the_later_gold_of_the_run_is_max_at_r(study, folder):
    name = "multi/en+zh/zh"
    stem = folder / name.replace("/", ".")
    gold = {}
    for each in ir_measures.read_trec_qrels(f"{stem}.qrels"):
        gold.setdefault(each.query_id, set()).add(each.doc_id)
    last = {}
    for line in (folder / f"{stem}.run").read_text().splitlines():
        query, _, document, rank, *_ = line.split()
        if document in gold[query]:
            last[query] = max(last.get(query, 0), int(rank))
    found = [last[query] for query in study.data.query_ids]
    np.testing.assert_allclose(found, study.outcomes[name].values(study.k)["max@r"])


def test_depth_and_order(study, tmp_path):
    write_trec(study, tmp_path, depth=5)
    lines = [line.split() for line in (tmp_path / "multi.en+th.en.run").read_text().splitlines()]
    assert len(lines) == 5 * len(study.data.query_ids)
    scores = np.array([float(line[4]) for line in lines]).reshape(-1, 5)
    assert (np.diff(scores, axis=1) <= 0).all()
    assert [line[3] for line in lines[:5]] == list("12345")


def test_the_command_writes_files(tmp_path):
    given = [
        "export",
        "trec",
        "use-multilingual-v3",
        "--languages",
        "th",
        "--scenarios",
        "multi",
        "--out",
        str(tmp_path),
    ]
    result = CliRunner().invoke(main, given)
    assert result.output == f"4 files in {tmp_path}\n"
    done = subprocess.run(
        [sys.executable, "-m", "ir_measures", tmp_path / "multi.en+th.th.qrels", tmp_path / "multi.en+th.th.run", "RR"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("RR")


def test_metadata_for_a_model_card(study, tmp_path):
    write_record(tmp_path, study.record(seed=42))
    result = CliRunner().invoke(main, ["export", "card", "use-multilingual-v3", "--records", str(tmp_path)])
    assert result.exit_code == 0, result.output
    content = yaml.safe_load(result.output)
    card = ModelCardData(model_name="use-multilingual-v3", **content)  # what the hub reads
    found = {each.metric_type: each for each in card.eval_results}
    expected = study.values()["mean/multi/complete@10"].mean()
    assert found["mean/multi/complete@10"].metric_value == pytest.approx(expected, rel=1e-6)
    assert "95% interval" in found["mean/multi/complete@10"].metric_name
    assert found["mean/multi/complete@10"].dataset_type == "mini"


def test_no_record_gets_one_line(tmp_path):
    result = CliRunner().invoke(main, ["export", "card", "LaBSE", "--records", str(tmp_path)])
    assert result.exit_code == 1
    assert f"no record of LaBSE in {tmp_path}" in result.output
