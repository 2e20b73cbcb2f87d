import numpy as np
import pytest

from xlutils.chapters.affinity_benchmark import run_benchmark
from xlutils.chapters.affinity_findings import benchmark_findings, contrast_findings, unread_findings
from xlutils.datasets import load_lexicon
from xlutils.errors import XlError
from xlutils.metrics.uncertainty import paired_difference
from xlutils.models import load_model
from xlutils.models.encoder import Encoder
from xlutils.results.record import find_records, read_record

pytestmark = pytest.mark.slow


class Constant:
    """A model that returns NaN."""

    dim, revision = 4, "1"

    def embed(self, texts, prompt, task):
        yield list(range(len(texts))), np.full((len(texts), 4), np.nan)


class Hungry(Constant):
    """A model that never fits."""

    def embed(self, texts, prompt, task):
        raise MemoryError
        yield


def load(name):
    broken = {"nan": Constant, "hungry": Hungry}
    if name in broken:
        return Encoder(name, f"test/{name}", "1", broken[name](), cached=False)
    if name == "absent":
        raise XlError("cannot get model absent: check the name")
    return load_model(name)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    lexicons = [load_lexicon(name, ["en", "zh"]) for name in ("everyday", "oracle-bone")]
    models = ["absent", "multilingual-e5-small-q4", "hungry", "control-random", "nan", "use-multilingual-v3"]
    wide = load_lexicon("everyday", ["en", "zh", "de"])
    return run_benchmark(models, lexicons, wide, load, folder, seed=1), folder


def test_a_model_that_cannot_be_had_does_not_stop_the_rest(outcome):
    benchmark, folder = outcome
    table = benchmark.table(1)
    assert table.loc["absent"].tolist() == table.loc["hungry"].tolist() == ["not measured"] * 2
    assert table.loc["nan"].tolist() == ["0 (COLLAPSED)"] * 2
    assert table.loc["use-multilingual-v3", "everyday"].startswith("0.788 (0.78")
    reasons = benchmark.reasons().set_index("model")
    assert reasons.loc["absent", "datasets"] == "everyday, oracle-bone"
    assert "check the name" in reasons.loc["absent", "reason"]
    assert "does not fit into memory" in reasons.loc["hungry", "reason"]
    assert "returned NaN" in reasons.loc["nan", "reason"].iloc[0]
    assert benchmark.first() == "multilingual-e5-small-q4"
    names = {path.parent.name for path in find_records(folder)}
    assert names == {"multilingual-e5-small-q4", "control-random", "nan", "use-multilingual-v3"}


def test_records_of_more_languages_stand_beside_the_others(outcome):
    benchmark, folder = outcome
    content = read_record(folder / "semantic-affinity/use-multilingual-v3/everyday.wide.json")
    assert content["dataset"]["languages"] == ["en", "zh", "de"]
    assert content["metrics"]["sa"] == pytest.approx(benchmark.wide["use-multilingual-v3"].affinity.sa)
    narrow = read_record(folder / "semantic-affinity/use-multilingual-v3/everyday.json")
    assert narrow["dataset"]["languages"] == ["en", "zh"]


def test_means_and_differences(outcome):
    benchmark, _ = outcome
    means, neighbours = benchmark.means(1), benchmark.neighbours(1)
    order = ["use-multilingual-v3", "multilingual-e5-small-q4", "control-random", "nan"]
    assert means.index.tolist() == order
    assert means["tier"].tolist() == ["aligned", "between", "between", "not aligned"]
    values = {name: [benchmark.studies[name, data].affinity for data in benchmark.datasets] for name in order}
    for name in order[:3]:
        assert means.loc[name, "value"] == pytest.approx(np.mean([each.sa for each in values[name]]))
        assert means.loc[name, "low"] < means.loc[name, "value"] < means.loc[name, "high"]
    assert neighbours["better"].tolist() == order[:-1]
    assert neighbours["worse"].tolist() == order[1:]
    row = neighbours.iloc[0]
    assert row["difference"] == pytest.approx(means["value"].iloc[0] - means["value"].iloc[1])
    assert row["low"] < row["difference"] < row["high"]
    assert row["p_value"] < 0.01


def test_one_dataset_gives_the_plain_paired_difference(tmp_path):
    lexicon = load_lexicon("concepts-core", ["en", "zh"])
    benchmark = run_benchmark(["use-multilingual-v3", "control-random"], [lexicon], lexicon, load, tmp_path, seed=1)
    one, other = (benchmark.studies[name, "concepts-core"].affinity.sa_values for name in benchmark.models)
    plain = paired_difference(one, other, seed=1)
    row = benchmark.neighbours(1).iloc[0]
    assert (row["difference"], row["p_value"]) == pytest.approx((plain.mean, plain.p_value))
    assert (row["low"], row["high"]) == pytest.approx((plain.low, plain.high))
    assert not (tmp_path / "semantic-affinity/control-random/concepts-core.wide.json").exists()


def test_nothing_could_be_measured(tmp_path):
    lexicon = load_lexicon("concepts-core")
    benchmark = run_benchmark(["absent"], [lexicon], lexicon, load, tmp_path, seed=1)
    with pytest.raises(XlError, match="no model could be measured on all datasets: cannot get model absent"):
        benchmark.first()
    assert benchmark_findings(benchmark, 1) == ["No model could be measured on all datasets."]


def test_two_datasets_of_one_name(tmp_path):
    lexicon = load_lexicon("concepts-core")
    with pytest.raises(XlError, match="two datasets are called concepts-core"):
        run_benchmark(["control-random"], [lexicon, lexicon], lexicon, load, tmp_path, seed=1)


def test_findings_follow_the_numbers(outcome):
    benchmark, _ = outcome
    text = " ".join(benchmark_findings(benchmark, 1))
    assert "**use-multilingual-v3**: mean SA 0.687" in text
    assert "These 4 models lie in 3 different tiers." in text
    assert "use-multilingual-v3 and multilingual-e5-small-q4 are told apart" in text
    unread = " ".join(unread_findings(benchmark))
    assert "**use-multilingual-v3** on *oracle-bone*, zh: 54 of 445 words" in unread
    assert "nan" not in unread
    contrast = {name: contrast_findings(*(benchmark.studies[name, data] for data in benchmark.datasets), 1)
                for name in ("use-multilingual-v3", "control-random")}  # fmt: skip
    assert "*oracle-bone* aligns worse than *everyday*" in contrast["use-multilingual-v3"][0]
    assert "Without the concepts of which it cannot read a word" in contrast["use-multilingual-v3"][1]
    assert "cannot be told from" in contrast["control-random"][0]


def test_two_equal_models_cannot_be_told_apart(tmp_path):
    lexicon = load_lexicon("concepts-core", ["en", "zh"])

    def twice(name):
        encoder = load_model("control-random")
        return Encoder(name, encoder.source, encoder.revision, encoder.backend)

    benchmark = run_benchmark(["a", "b"], [lexicon], lexicon, twice, tmp_path, seed=1)
    text = " ".join(benchmark_findings(benchmark, 1))
    assert "a and b **cannot be told apart** with these words: 0.000 (0.000 to 0.000), p = 1.0000" in text
    assert "They all lie in one tier." in text
