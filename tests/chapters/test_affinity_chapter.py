import os
from pathlib import Path

import numpy as np
import pytest

from xlutils.chapters.affinity import study_affinity
from xlutils.chapters.benchmark import run_benchmark, tier
from xlutils.datasets import load_lexicon
from xlutils.errors import XlError
from xlutils.metrics.affinity import semantic_affinity
from xlutils.metrics.uncertainty import paired_difference
from xlutils.models import load_model
from xlutils.models.encoder import Encoder
from xlutils.results.record import find_records, read_items, read_record, write_record
from xlutils.results.rows import Key, rows_of, value_of

SA = Key("all", "sa")


class OnePoint:
    """A model that gives every text the same numbers."""

    dim, revision = 4, "1"

    def __init__(self, number):
        self.number = number

    def embed(self, texts, prompt, task):
        yield list(range(len(texts))), np.full((len(texts), 4), self.number)


class Hungry(OnePoint):
    """A model that never fits into memory."""

    def embed(self, texts, prompt, task):
        raise MemoryError
        yield


def load(name):
    broken = {"nan": OnePoint(np.nan), "hungry": Hungry(0)}
    if name in broken:
        return Encoder(name, f"test/{name}", "1", broken[name], cached=False)
    if name == "absent":
        raise XlError("cannot get model absent: check the name")
    return load_model(name)


@pytest.fixture(scope="module")
def study():
    return study_affinity(load_model("use-multilingual-v3"), load_lexicon("oracle-bone", ["en", "zh"]))


def test_the_record_agrees_with_its_items(study, tmp_path):
    path = write_record(tmp_path, study.record(1), study.items())
    content = read_record(path)
    assert path.relative_to(tmp_path).as_posix() == "semantic-affinity/use-multilingual-v3/oracle-bone.json"
    metrics = content["metrics"]
    assert {"sa", "sa_sem", "inter_spread", "intra_spread", "sr", "n_pairs"} <= set(metrics["metric"])
    assert len(rows_of(metrics, Key("language", "sa", language="zh"))) == 1
    sa, low, high = rows_of(metrics, SA)[["value", "low", "high"]].iloc[0]
    assert low < sa < high
    assert value_of(metrics, Key("pair", "sa", "en+zh")) == pytest.approx(sa)
    assert (metrics["low"].notna() == metrics["metric"].isin(["sa", "sa_pairs"])).all()
    items = read_items(path)
    assert items["sa_value"].mean() == pytest.approx(sa)
    published = value_of(metrics, Key("all", "sa_pairs"))
    assert items["sa_pairs_value"].mean() == pytest.approx(published)
    assert published != pytest.approx(sa, abs=1e-4)  # many characters have two glosses
    assert items.loc[items["readable"] == 1, "concept"].tolist() == list(study.readable().concepts)
    assert items["inter"].mean() == pytest.approx(value_of(metrics, Key("all", "inter_spread")))


@pytest.mark.parametrize("number", [1.0, 0.0, np.nan, np.inf])
def test_a_collapsed_model_has_a_record_too(tmp_path, number):
    encoder = Encoder("one-point", "test/one-point", "1", OnePoint(number), cached=False)
    collapsed = study_affinity(encoder, load_lexicon("concepts-core"))
    content = read_record(write_record(tmp_path, collapsed.record(1), collapsed.items()))
    assert content["params"]["status"] == "COLLAPSED"
    assert value_of(content["metrics"], SA) == 0
    assert "sr" not in set(content["metrics"]["metric"])
    assert content["params"]["fault"]
    assert value_of(content["metrics"], Key("language", "unread", language="en")) == 15


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("en\ncar\nsun\n", "mine: Semantic Affinity needs two languages, got en"),
        ("en,de\ncar,\nsun,\n,Meer\n,Baum\n", "mine: no concept has words in two languages"),
        ("en,de\ncar,Auto\n", "mine: language en has 1 words"),
    ],
)
def test_too_little_to_measure_is_one_clear_line(tmp_path, text, message):
    path = tmp_path / "mine.csv"
    path.write_text(text)
    with pytest.raises(XlError, match=message):
        study_affinity(load_model("control-random"), load_lexicon(path))


def test_the_tables_by_language_and_pair_agree_with_the_metric(study):
    by_language, by_pair = study.by_language(1), study.by_pair(1)
    assert by_language.index.tolist() == ["all", "en", "zh"]
    assert by_language.loc["all", "value"] == pytest.approx(study.affinity.sa)
    expected = study.affinity.sa_values_by_language.mean(axis=0)
    assert by_language["value"].to_numpy()[1:] == pytest.approx(expected)
    assert by_pair.index.tolist() == [("en", "zh")]
    assert by_pair.iloc[0]["value"] == pytest.approx(study.affinity.sa)
    for table in (by_language, by_pair):
        assert ((table["low"] < table["value"]) & (table["value"] < table["high"])).all()


def test_a_part_of_the_lexicon_keeps_its_vectors(study):
    part = study.lexicon.only(study.lexicon.concepts[5:9])
    spaces = study.part(part)
    whole = study.lexicon.words("zh")
    for word, vector in zip(part.words("zh"), spaces["zh"], strict=True):
        assert np.array_equal(vector, study.spaces["zh"][whole.index(word)])


def test_words_with_the_same_vector_are_unreadable(study):
    unreadable = study.unreadable()
    assert not unreadable["en"]
    assert len(unreadable["zh"]) > 20  # old characters
    rest = study.readable()
    cells = zip(study.lexicon.concepts, study.lexicon.cells["zh"], strict=True)
    faulty = {concept for concept, cell in cells if set(cell) & set(unreadable["zh"])}
    assert set(study.lexicon.concepts) - set(rest.concepts) == faulty
    assert semantic_affinity(study.part(rest), rest).sa > study.affinity.sa


def test_first_words_drop_alternatives_gaps_and_further_languages(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("en,de,fr\ncar|auto,Auto,auto\nsun,Sonne|Sonnenschein,soleil\nsea,,mer\nhouse,Haus,\n")
    pair = load_lexicon(path).first_words()
    assert pair.cells == {"en": (("car",), ("sun",), ("house",)), "de": (("Auto",), ("Sonne",), ("Haus",))}
    with pytest.raises(XlError, match="2 concepts have words in both en and de"):
        load_lexicon(path).only(["car", "sun", "sea"]).first_words()


def test_a_tier_is_named_only_if_the_whole_interval_is_in_it():
    assert tier(0.7, 0.65, 0.75) == "aligned"
    assert tier(0.61, 0.59, 0.63) == "between tiers"
    assert tier(0.61, 0.601, 0.62) == "aligned"
    assert tier(0.55, 0.52, 0.58) == "middle"
    assert tier(0.5, 0.49, 0.51) == "between tiers"  # as random vectors
    assert tier(0.4, 0.3, 0.49) == "not aligned"


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    lexicons = [load_lexicon(name, ["en", "zh"]) for name in ("everyday", "concepts-core")]
    models = ["absent", "multilingual-e5-small-q4", "hungry", "control-random", "nan", "use-multilingual-v3"]
    wide = load_lexicon("everyday", ["en", "zh", "de"])
    return run_benchmark(models, lexicons, wide, load, folder, seed=1), folder


def test_a_model_that_is_unavailable_does_not_stop_the_rest(outcome):
    benchmark, folder = outcome
    scores = benchmark.scores(1)["value"]
    assert scores[["absent", "hungry"]].isna().all()
    assert (scores["nan"] == 0).all()
    assert scores["use-multilingual-v3", "everyday"] == pytest.approx(0.788, abs=5e-4)
    assert "check the name" in benchmark.failures["absent", "everyday"]
    assert "does not fit into memory" in benchmark.failures["hungry", "concepts-core"]
    assert "returned NaN" in benchmark.studies["nan", "everyday"].fault
    assert benchmark.first() == "multilingual-e5-small-q4"
    names = {path.parent.name for path in find_records(folder)}
    assert names == {"multilingual-e5-small-q4", "control-random", "nan", "use-multilingual-v3"}


def test_more_languages_have_records_of_their_own(outcome):
    benchmark, folder = outcome
    content = read_record(folder / "semantic-affinity/use-multilingual-v3/everyday.wide.json")
    assert content["dataset"]["languages"] == ["en", "zh", "de"]
    wide = benchmark.studies["use-multilingual-v3", "everyday.wide"].affinity
    assert value_of(content["metrics"], SA) == pytest.approx(wide.sa)
    narrow = read_record(folder / "semantic-affinity/use-multilingual-v3/everyday.json")
    assert narrow["dataset"]["languages"] == ["en", "zh"]


def test_means_run_from_the_best_model_and_neighbours_compare_them(outcome):
    benchmark, _ = outcome
    means, neighbours = benchmark.means(1), benchmark.neighbours(1)
    assert means.index.tolist() == ["use-multilingual-v3", "multilingual-e5-small-q4", "control-random", "nan"]
    assert means["tier"].iloc[[0, -1]].tolist() == ["aligned", "not aligned"]
    for name in means.index[:3]:
        values = [benchmark.studies[name, dataset].affinity.sa for dataset in benchmark.datasets]
        assert means.loc[name, "value"] == pytest.approx(np.mean(values))
        assert means.loc[name, "low"] < means.loc[name, "value"] < means.loc[name, "high"]
    row = neighbours.iloc[0]
    assert (row["better"], row["worse"]) == ("use-multilingual-v3", "multilingual-e5-small-q4")
    assert row["difference"] == pytest.approx(means["value"].iloc[0] - means["value"].iloc[1])
    assert row["low"] < row["difference"] < row["high"]
    assert row["p_value"] < 0.01
    assert row["different"]


def test_with_one_dataset_the_comparison_is_the_plain_paired_difference(tmp_path):
    lexicon = load_lexicon("concepts-core", ["en", "zh"])
    models = ["use-multilingual-v3", "control-random"]
    benchmark = run_benchmark(models, [lexicon], lexicon, load, tmp_path, seed=1)
    sides = [benchmark.studies[name, "concepts-core"].affinity.sa_values for name in models]
    plain = paired_difference(*sides, seed=1)
    row = benchmark.neighbours(1).iloc[0]
    assert (row["difference"], row["p_value"]) == pytest.approx((plain.mean, plain.p_value))
    assert (row["low"], row["high"]) == pytest.approx((plain.low, plain.high))
    assert not list(tmp_path.rglob("*.wide.json"))


def test_two_equal_models_cannot_be_told_apart(tmp_path):
    def twice(name):
        encoder = load_model("control-random")
        return Encoder(name, encoder.source, encoder.revision, encoder.backend)

    lexicon = load_lexicon("concepts-core", ["en", "zh"])
    row = run_benchmark(["a", "b"], [lexicon], lexicon, twice, tmp_path, seed=1).neighbours(1).iloc[0]
    assert (row["difference"], row["p_value"]) == (0, 1)
    assert not row["different"]


def test_a_benchmark_without_any_model_says_why(tmp_path):
    lexicon = load_lexicon("concepts-core")
    benchmark = run_benchmark(["absent"], [lexicon], lexicon, load, tmp_path, seed=1)
    with pytest.raises(XlError, match="no model could be measured on all datasets: cannot get model absent"):
        benchmark.first()


def test_two_datasets_of_one_name_are_refused(tmp_path):
    lexicon = load_lexicon("concepts-core")
    with pytest.raises(XlError, match="two of the datasets concepts-core, concepts-core have the same name"):
        run_benchmark(["control-random"], [lexicon, lexicon], lexicon, load, tmp_path, seed=1)


@pytest.mark.slow
def test_neither_the_cache_nor_the_threads_change_what_is_recorded(tmp_path, monkeypatch):
    import torch

    lexicon, values, threads = load_lexicon("concepts-core"), [], torch.get_num_threads()
    cache = Path(os.environ["XL_CACHE"])
    load_model("multilingual-e5-small-q4")  # converts it, if no other test has
    for case, (known, count) in enumerate([(0, 1), (0, 2), (40, 2)]):
        monkeypatch.setenv("XL_CACHE", str(tmp_path / str(case)))
        (tmp_path / str(case)).mkdir()
        (tmp_path / str(case) / "models").symlink_to(cache / "models")
        torch.set_num_threads(count)
        encoder = load_model("multilingual-e5-small-q4")
        encoder.encode([word for _, _, word in lexicon.rows()][:known] or ["another"], "word")
        path = write_record(tmp_path / f"r{case}", study_affinity(encoder, lexicon).record(1))
        values.append(read_record(path)["metrics"][["value", "low", "high"]])
    torch.set_num_threads(threads)
    first, *others = (table.to_numpy() for table in values)
    last_digit = 10.0 ** (np.floor(np.log10(np.abs(first), where=first != 0, out=np.full_like(first, -8))) - 6)
    for other in others:
        assert (np.isnan(first) == np.isnan(other)).all()
        assert np.nanmax(np.abs(first - other) / last_digit) < 1.01  # at most one in the last digit of seven
