import ir_measures
import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from huggingface_hub import ModelCardData

from xlutils import load_model
from xlutils.cli import main
from xlutils.datasets import load_parallel
from xlutils.datasets.scenarios import make_scenarios
from xlutils.results.export import write_trec
from xlutils.results.record import Record, write_record

KINDS = ("multi", "multi-1", "mono-same", "mono-cross")
SCENARIOS = {scenario.name: scenario for scenario in make_scenarios(KINDS, ["zh", "th"])}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The model, the questions, and a folder with a whole ranking per scenario."""
    encoder, data = load_model("control-ngram-hash"), load_parallel("mini", ["en", "zh", "th"])
    folder = tmp_path_factory.mktemp("trec")
    assert len(write_trec(encoder, data, list(SCENARIOS.values()), folder, depth=10_000)) == 2 * len(SCENARIOS)
    return encoder, data, folder


def gold_ranks(encoder, data, scenario):
    """By hand: rank of every gold document of every query, [n, golds]."""
    pool = np.concatenate([encoder.encode(data.passages[code], role="passage") for code in scenario.pool])
    queries = encoder.encode(data.queries[scenario.query], role="query")
    similarities = (queries @ pool.T).astype(float)
    if scenario.kind == "multi-1":
        removed = scenario.pool.index(scenario.query) * len(data.passage_ids) + data.gold
        similarities[np.arange(len(queries)), removed] = -np.inf
    places = [scenario.pool.index(code) * len(data.passage_ids) + data.gold for code in scenario.golds]
    golds = np.stack([similarities[np.arange(len(queries)), place] for place in places], axis=1)
    return 1 + (similarities[:, :, None] > golds[:, None, :] + 1e-7).sum(axis=1)


@pytest.mark.parametrize("name", SCENARIOS)
def test_ir_measures_gets_the_ranks_of_the_golds(exported, name):
    """Another library, given only the files, finds the first gold where a count by hand puts it, ties aside."""
    *measured, folder = exported
    stem = folder / name.replace("/", ".")
    qrels, run = list(ir_measures.read_trec_qrels(f"{stem}.qrels")), list(ir_measures.read_trec_run(f"{stem}.run"))
    found = ir_measures.calc_aggregate([ir_measures.RR], qrels, run)[ir_measures.RR]
    ranks = gold_ranks(*measured, SCENARIOS[name])
    assert found == pytest.approx((1 / ranks.min(axis=1)).mean(), abs=2e-3)
    assert len(qrels) == ranks.size


def test_a_run_is_sorted_and_has_the_depth_asked_for(exported, tmp_path):
    encoder, data, _ = exported
    write_trec(encoder, data, [SCENARIOS["multi/en+th/en"]], tmp_path, depth=5)
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
    metric = "mean/multi/complete@10"
    write_record(
        tmp_path,
        Record("mixed-retrieval", model, dataset, {"protocol": "unique"}, {metric: 81.25}, {metric: (80.5, 82)}),
    )
    result = CliRunner().invoke(main, ["export", "card", "org/model", "--records", str(tmp_path)])
    assert result.exit_code == 0, result.output
    card = ModelCardData(model_name="org/model", **yaml.safe_load(result.output))  # what the hub reads
    (result,) = card.eval_results
    assert (result.metric_type, result.metric_value, result.dataset_type) == (metric, 81.25, "mini")
    assert result.metric_name == f"{metric}, 95% interval 80.5 to 82"


def test_a_model_without_records_gets_one_line(tmp_path):
    result = CliRunner().invoke(main, ["export", "card", "LaBSE", "--records", str(tmp_path)])
    assert result.exit_code == 1
    assert f"no record of LaBSE in {tmp_path}" in result.output
