import numpy as np
import pytest

from xlutils.chapters.retrieval_benchmark import (
    bias_table,
    by_model,
    by_target,
    group_table,
    hardest_questions,
    main_table,
    mono_table,
    protocol_table,
    read_results,
    run_retrieval,
)
from xlutils.chapters.retrieval_findings import (
    beside_reported,
    first_place_shares,
    language_findings,
    mixing_findings,
    rank_lines,
)
from xlutils.datasets.parallel import load_parallel
from xlutils.datasets.reported import load_reported
from xlutils.datasets.scenarios import KINDS, Scenario, make_scenarios
from xlutils.models import load_model
from xlutils.models.encoder import Encoder
from xlutils.results.record import find_records, read_items, write_record

pytestmark = pytest.mark.slow


class Hungry:
    """A model that never fits."""

    dim, revision = 4, "1"

    def embed(self, texts, prompt, task):
        raise MemoryError
        yield


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    data = load_parallel("mini", ["en", "zh", "ar"])

    def load(name):
        return Encoder("hungry", "test", "1", Hungry(), cached=False) if name == "hungry" else load_model(name)

    names = ["hungry", "multilingual-e5-small-q4", "control-random"]
    made = make_scenarios(KINDS, ["zh", "ar"])
    return run_retrieval(names, data, made, load, "unique", 10, "cpu", folder, 1), folder


def test_the_rest_goes_on_without_a_model_that_does_not_fit(run):
    benchmark, folder = run
    assert "does not fit into memory" in benchmark.failures["hungry"]
    assert benchmark.first().name == "multilingual-e5-small-q4"
    paths = find_records(folder, "mixed-retrieval")
    assert sorted(benchmark.paths) == paths
    assert [path.name for path in paths] == ["mini.unique.json"] * 2
    items = read_items(paths[0])
    assert set(items.select_dtypes(exclude="number").columns) == {"question", "scenario"}  # no text
    assert len(items) == 192 * len(benchmark.first().outcomes)


def test_what_is_read_from_the_records(run):
    benchmark, _ = run
    results = read_results(benchmark.paths)
    metrics = benchmark.first().record(1).metrics
    rows = by_target(results, "multi", "max@r").set_index(["model", "target", "asked"])["value"]
    assert len(rows) == 2 * 2 * 2  # neither the pool of three languages nor the questions in a third
    assert rows["multilingual-e5-small-q4", "ar", "asked in English"] == pytest.approx(metrics["multi/en+ar/en/max@r"])
    cross = by_target(results, "mono-cross", "max@r").set_index(["model", "target", "asked"])["value"]
    assert cross["multilingual-e5-small-q4", "ar", "asked in English"] == pytest.approx(
        metrics["mono-cross/ar/en/max@r"]
    )
    assert list(by_model(results, "multi-1", "ndcg@1")) == ["multilingual-e5-small-q4", "control-random"]
    assert len(main_table(results, 10)) == len(bias_table(results)) == 8
    assert mono_table(results).loc[("multilingual-e5-small-q4", "zh")].notna().all()
    assert group_table(results, 10).loc[("control-random", "third"), "own language first"] == ""


def test_what_is_said_follows_the_numbers(run):
    benchmark, _ = run
    results = read_results(benchmark.paths)
    e5, random = mixing_findings(results)
    worst = results[(results["metric"] == "max@r") & (results["kind"] == "multi")]
    worst = worst[(worst["model"] == "multilingual-e5-small-q4") & worst["pool"].isin(["en+zh", "en+ar"])]
    top = worst.sort_values("value").iloc[-1]
    assert f"worst for {top['pool'][3:]}" in e5
    assert f"{top['value']:.1f} (" in e5
    assert random.startswith("**control-random**")
    found = " ".join(language_findings(results))
    assert "**multilingual-e5-small-q4**, asked in English" in found
    (flat,) = [row for row in language_findings(results) if "**control-random**: in 2 pairs" in row]
    assert "sooner in 0 and later in 0; the others cannot be told" in flat
    shares = first_place_shares(results)["control-random"]
    assert shares.sum(axis=1).to_numpy() == pytest.approx(np.ones(4))
    lines = rank_lines(benchmark.studies)
    assert list(lines) == ["zh", "ar"]
    assert all(len(ranks) == 192 for each in lines.values() for ranks in each.values())


def test_random_order_stands_where_chance_puts_it(run):
    """The last of two golds among n places stands at 2 (n + 1) / 3 on average."""
    benchmark, _ = run
    table = benchmark.studies["control-random"].table(1)
    assert table.loc["mean/multi/max@r", "low"] < 2 * 129 / 3 < table.loc["mean/multi/max@r", "high"]
    assert table.loc["mean/multi/own-first", "value"] == pytest.approx(0.5, abs=0.05)  # 768 questions: 2.8 sigma


def test_the_hardest_questions_show_what_stands_above(run):
    benchmark, _ = run
    study = benchmark.first()
    scenario = Scenario("multi", ("en", "zh"), "zh")
    table = hardest_questions(study, scenario, count=2).reset_index()
    for _, rows in table.groupby("question", sort=False):
        assert rows["passage"].tolist().count("right") == 2
        assert rows.iloc[-1]["passage"] == "right"
        assert rows["place"].is_monotonic_increasing
    worst = study.outcomes[scenario.name].values(10)["max@r"].max()
    assert table["place"].max() == pytest.approx(worst)
    assert hardest_questions(study, Scenario("multi", ("en", "th"), "th")).empty


def test_a_run_of_one_scenario_leaves_the_rest_empty(tmp_path):
    made = make_scenarios(["multi-1"], ["zh"])
    data = load_parallel("mini", ["en", "zh"])
    benchmark = run_retrieval(["control-random"], data, made, load_model, "paper", 4, "cpu", tmp_path, 1)
    results = read_results(benchmark.paths)
    assert by_model(results, "multi", "max@r") == {}
    assert mixing_findings(results) == language_findings(results) == []
    assert first_place_shares(results) == rank_lines(benchmark.studies) == {}
    assert main_table(results, 4).empty
    assert bias_table(results).empty
    assert mono_table(results).empty
    assert len(group_table(results, 4)) == 1


def test_measured_beside_reported(run):
    benchmark, _ = run
    reported = load_reported("mixed-retrieval")
    theirs = reported[(reported["dataset"] == "xquad") & (reported["trained"] == "no")]
    tables = beside_reported(read_results(benchmark.paths), theirs, "max@r_norm/mean-rank", "max@r_norm")
    assert list(tables) == ["zh", "ar"]
    table = tables["zh"].set_index(["model", "asked"])
    assert table.loc[("multilingual-e5-base (reported)", "asked in the other language"), "value"] == 18.31
    assert table["reported"].sum() == 8
    assert len(table) == 12


def test_the_protocols_stand_side_by_side(run, tmp_path):
    benchmark, _ = run
    study = benchmark.studies["control-random"]
    paths = [write_record(tmp_path, each.record(1)) for each in (study, study.again("paper"))]
    table = protocol_table(read_results(paths))
    assert set(table.index) == {("control-random", "unique"), ("control-random", "paper")}
    mean = study.values()["mean/multi/max@r"].mean()
    assert table.loc[("control-random", "unique"), "Max@R"].startswith(f"{mean:.1f} (")
    norm = 100 * (np.log2(128) - np.log2(mean)) / (np.log2(128) - 1)
    assert table.loc[("control-random", "unique"), "norm of mean"].startswith(f"{norm:.1f} (")
