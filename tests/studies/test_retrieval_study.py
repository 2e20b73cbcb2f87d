import numpy as np
import pytest

from xlutils.datasets.parallel import ParallelQA, load_parallel
from xlutils.errors import XlError
from xlutils.metrics.ranking import complete_at, gold_ranks, max_at_r, mrr
from xlutils.metrics.uncertainty import bootstrap_ci, bootstrap_ratio
from xlutils.models import load_model
from xlutils.models.encoder import Encoder
from xlutils.records import find_records, read_items
from xlutils.studies.outcomes import pool_size, rank_scenario
from xlutils.studies.retrieval import study_retrieval
from xlutils.studies.retrieval_benchmark import (
    bias_table,
    by_model,
    by_target,
    group_table,
    hardest_questions,
    main_table,
    mono_table,
    read_results,
    run_retrieval,
)
from xlutils.studies.retrieval_findings import (
    beside_reported,
    first_place_shares,
    language_findings,
    mixing_findings,
    protocol_findings,
    rank_lines,
)
from xlutils.studies.scenarios import KINDS, Scenario, make_scenarios

LANGUAGES = ("en", "zh", "de")
GOLD = np.array([0, 0, 1, 2, 2, 2, 3, 4])


def texts(kind, code, count):
    return tuple(f"{kind} {number} {code}" for number in range(count))


DATA = ParallelQA(
    "toy",
    tuple(f"q{number}" for number in range(len(GOLD))),
    tuple(f"p{number}" for number in range(5)),
    {code: texts("query", code, len(GOLD)) for code in LANGUAGES},
    {code: texts("passage", code, 5) for code in LANGUAGES},
    GOLD,
)


@pytest.fixture(scope="module")
def study():
    return study_retrieval(load_model("control-random"), DATA, make_scenarios(KINDS, ["zh", "de"]), "unique", k=4)


def test_the_scenarios_of_two_targets():
    names = {kind: [each.name for each in make_scenarios([kind], ["zh", "de"])] for kind in KINDS}
    assert names["mono-same"] == ["mono-same/en/en", "mono-same/zh/zh", "mono-same/de/de"]
    assert names["mono-cross"] == [
        "mono-cross/en/zh", "mono-cross/zh/en", "mono-cross/en/de", "mono-cross/de/en",
    ]  # fmt: skip
    assert names["multi"] == ["multi/en+zh/en", "multi/en+zh/zh", "multi/en+de/en", "multi/en+de/de"]
    assert names["multi-1"][1] == "multi-1/en+zh/zh"
    assert names["no-english"] == ["multi/zh+de/zh", "multi/zh+de/de"]
    assert names["wide"] == [f"multi/en+zh+de/{code}" for code in LANGUAGES]
    assert names["third"] == ["multi/en+zh/de", "multi/en+de/zh"]
    for kind in KINDS:
        assert {each.group for each in make_scenarios([kind], ["zh", "de"])} == {kind}
    assert Scenario("multi-1", ("en", "zh"), "zh").golds == ("en",)


@pytest.mark.parametrize(
    ("kinds", "targets", "message"),
    [
        (["multi"], ["en", "zh"], "English is in every pool already"),
        (["mixed"], ["zh"], "unknown scenario 'mixed'; known: mono-same"),
        (["wide", "third", "no-english"], ["zh"], "need two languages beside English"),
    ],
)
def test_scenarios_that_cannot_be(kinds, targets, message):
    with pytest.raises(XlError, match=message):
        make_scenarios(kinds, targets)


@pytest.mark.parametrize("protocol", ["paper", "unique"])
@pytest.mark.parametrize("scenario", make_scenarios(KINDS, ["zh", "de"]), ids=lambda scenario: scenario.name)
def test_every_pool_holds_what_it_should(study, scenario, protocol):
    """The pool of each query, written out document by document, gives the same ranks."""
    outcome = rank_scenario(DATA, study.queries, study.passages, scenario, protocol, 4, "cpu")
    if protocol == "paper":
        pool = [(code, int(passage), question) for code in scenario.pool for question, passage in enumerate(GOLD)]
    else:
        pool = [(code, passage, None) for code in scenario.pool for passage in range(5)]
    for question, passage in enumerate(GOLD):
        left = [
            each for each in pool
            if scenario.kind != "multi-1" or each[:2] != (scenario.query, passage)
        ]  # fmt: skip
        right = [
            place for place, (code, which, copy) in enumerate(left)
            if which == passage and copy in (None, question) and code in scenario.golds
        ]  # fmt: skip
        assert len(right) == len(scenario.golds)
        vectors = np.stack([study.passages[code][which] for code, which, _ in left])
        ranks = gold_ranks(study.queries[scenario.query][[question]], vectors, [right])
        assert max_at_r(ranks)[0] == pytest.approx(max_at_r(outcome.ranks)[question])
        assert complete_at(3, ranks)[0] == pytest.approx(complete_at(3, outcome.ranks)[question])
        assert mrr(ranks)[0] == pytest.approx(mrr(outcome.ranks)[question])
        assert outcome.pool_size <= len(left)
    assert outcome.pool_size == pool_size(DATA, scenario, protocol, 4)


def test_values_and_intervals_of_the_record(study):
    record = study.record(seed=3)
    values = study.outcomes["multi/en+zh/zh"].values(4)
    for metric in ("complete@4", "max@r", "mrr", "max@r_norm/per-query", "own-first"):
        name = f"multi/en+zh/zh/{metric}"
        assert record.metrics[name] == pytest.approx(values[metric].mean())
        assert record.ci95[name] == pytest.approx(bootstrap_ci(values[metric], seed=3, clusters=GOLD))
    intruders = study.outcomes["multi/en+zh/zh"].intruders()
    everyone = intruders["en"] + intruders["zh"]
    assert record.metrics["multi/en+zh/zh/intruders/en"] == pytest.approx(intruders["en"].sum() / everyone.sum())
    bounds = bootstrap_ratio(intruders["en"], everyone, GOLD, seed=3)
    assert record.ci95["multi/en+zh/zh/intruders/en"] == pytest.approx(tuple(map(float, bounds)))
    assert record.metrics["multi/en+zh/zh/intruders/zh"] == pytest.approx(
        1 - record.metrics["multi/en+zh/zh/intruders/en"]
    )
    assert set(record.ci95) == set(record.metrics)


def test_gaps_and_means(study):
    metrics = study.record(seed=3).metrics
    place = {code: metrics[f"multi/en+zh/zh/rank/{code}"] for code in ("en", "zh")}
    assert metrics["multi/en+zh/zh/rank-gap"] == pytest.approx(place["zh"] - place["en"])
    later = metrics["multi/en+zh/zh/max@r"] - metrics["multi/en+zh/en/max@r"]
    assert metrics["multi/en+zh/zh-en/max@r"] == pytest.approx(later)
    both = [metrics[f"multi/zh+de/{code}/max@r"] for code in ("zh", "de")]
    assert metrics["mean/no-english/max@r"] == pytest.approx(np.mean(both))
    assert "mean/third/own-first" not in metrics  # nobody asks in a language of the pool


def test_norm_of_the_mean_turns_the_bounds_round(study):
    record = study.record(seed=3)
    low, high = record.ci95["multi/en+zh/zh/max@r"]
    size = study.outcomes["multi/en+zh/zh"].pool_size

    def norm(rank):
        return 100 * (np.log2(size) - np.log2(rank)) / (np.log2(size) - 1)

    name = "multi/en+zh/zh/max@r_norm/mean-rank"
    assert record.metrics[name] == pytest.approx(norm(record.metrics["multi/en+zh/zh/max@r"]))
    assert record.ci95[name] == pytest.approx((norm(high), norm(low)))


def test_another_protocol_on_the_same_vectors(study):
    again = study.under("paper")
    assert again.record(1).variant == "paper"
    assert again.outcomes["multi/en+zh/en"].pool_size == 2 * len(GOLD)
    direct = study_retrieval(load_model("control-random"), DATA, make_scenarios(KINDS, ["zh", "de"]), "paper", k=4)
    assert direct.record(1).metrics == again.record(1).metrics


@pytest.mark.parametrize(
    ("passages", "kind", "k", "message"),
    [(5, "multi", 10, "holds 10 documents; give a k below that"), (1, "mono-same", 1, "give at least two passages"),
     (1, "multi-1", 1, "give at least two passages")],
)  # fmt: skip
def test_a_pool_that_is_too_small(passages, kind, k, message):
    gold = np.minimum(GOLD, passages - 1)
    data = ParallelQA(
        "toy", DATA.query_ids, DATA.passage_ids[:passages], DATA.queries,
        {code: each[:passages] for code, each in DATA.passages.items()}, gold,
    )  # fmt: skip
    with pytest.raises(XlError, match=message):
        run_retrieval(["control-random"], data, make_scenarios([kind], ["zh"]), load_model, "unique", k, "cpu", "r", 1)


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
    flat = [row for row in language_findings(results) if "control-random" in row]
    assert any("cannot be told" in row for row in flat)
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
    benchmark = run_retrieval(["control-random"], DATA, made, load_model, "paper", 4, "cpu", tmp_path, 1)
    results = read_results(benchmark.paths)
    assert by_model(results, "multi", "max@r") == {}
    assert mixing_findings(results) == language_findings(results) == []
    assert first_place_shares(results) == rank_lines(benchmark.studies) == {}
    assert main_table(results, 4).empty
    assert bias_table(results).empty
    assert mono_table(results).empty
    assert len(group_table(results, 4)) == 1


def test_measured_beside_reported(run):
    from xlutils.datasets.reported import load_reported

    benchmark, _ = run
    reported = load_reported("mixed-retrieval")
    theirs = reported[(reported["dataset"] == "xquad") & (reported["trained"] == "no")]
    tables = beside_reported(read_results(benchmark.paths), theirs, "max@r_norm/mean-rank", "max@r_norm")
    assert list(tables) == ["zh", "ar"]
    table = tables["zh"].set_index(["model", "asked"])
    assert table.loc[("multilingual-e5-base (reported)", "asked in the other language"), "value"] == 18.31
    assert table["reported"].sum() == 8
    assert len(table) == 12


def test_what_the_protocol_changes(study, tmp_path):
    from xlutils.records import write_record

    paths = [write_record(tmp_path, each.record(1)) for each in (study, study.under("paper"))]
    unique, paper = (read_results([path]) for path in paths)
    (line,) = protocol_findings(paper, unique)
    mean = by_target(paper, "multi", "max@r")["value"].mean()
    assert f"copies in the pool: Max@R {mean:.1f}" in line
