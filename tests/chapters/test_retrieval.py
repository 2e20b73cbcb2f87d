from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from xlutils.chapters.outcomes import Exam
from xlutils.chapters.retrieval import (
    by_model,
    learned_means,
    pairs_with_english,
    read_results,
    run_retrieval,
    study_retrieval,
)
from xlutils.chapters.retrieval_claims import STUDIED, retrieval_claims
from xlutils.chapters.wording import interval_table
from xlutils.datasets.parallel import ParallelQA
from xlutils.datasets.scenarios import KINDS, make_scenarios
from xlutils.errors import XlError
from xlutils.metrics.bias import language_bias
from xlutils.metrics.neighbours import margin_accuracy
from xlutils.metrics.ranking import complete_at, gold_ranks, max_at_r, mrr
from xlutils.metrics.uncertainty import bootstrap_ci, bootstrap_ratio
from xlutils.models import load_model
from xlutils.results.record import read_items
from xlutils.results.rows import Key, rows_of, value_of

LANGUAGES = ("en", "zh", "de")
GOLD = np.array([0, 0, 1, 2, 2, 2, 3, 4])
SCENARIOS = make_scenarios(KINDS, ["zh", "de"])


def toy(passages=5):
    """Eight questions about some passages."""

    def texts(kind, count):
        return {code: tuple(f"{kind} {number} {code}" for number in range(count)) for code in LANGUAGES}

    ids = (tuple(f"{kind}{number}" for number in range(count)) for kind, count in (("q", len(GOLD)), ("p", passages)))
    return ParallelQA(
        "toy", *ids, texts("query", len(GOLD)), texts("passage", passages), np.minimum(GOLD, passages - 1)
    )


@cache
def toy_study(protocol="unique"):
    return study_retrieval(load_model("control-random"), Exam(toy(), SCENARIOS, protocol, k=4))


@pytest.mark.parametrize("protocol", ["paper", "unique"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_pool_written_out_document_by_document_gives_the_same_ranks(scenario, protocol):
    study = toy_study()
    exam = Exam(toy(), [scenario], protocol, 4)
    (outcome,) = exam.rank(study.queries, study.passages).values()
    copies = list(enumerate(GOLD)) if protocol == "paper" else [(None, passage) for passage in range(5)]
    pool = [(language, int(passage), copy) for language in scenario.pool for copy, passage in copies]
    for question, passage in enumerate(GOLD):
        removed = (scenario.query, passage) if scenario.kind == "multi-1" else None
        left = [document for document in pool if document[:2] != removed]
        wanted = [(language, passage, question if protocol == "paper" else None) for language in scenario.golds]
        gold = [place for place, document in enumerate(left) if document in wanted]
        assert len(gold) == len(scenario.golds)
        vectors = np.stack([study.passages[language][number] for language, number, _ in left])
        ranks = gold_ranks(study.queries[scenario.query][[question]], vectors, [gold])
        for metric in (max_at_r, mrr, lambda ranks: complete_at(3, ranks)):
            assert metric(ranks)[0] == pytest.approx(metric(outcome.ranks)[question])
        if outcome.bias:
            speaks = np.array([scenario.pool.index(language) for language, _, _ in left])
            bias = language_bias(study.queries[scenario.query][[question]], vectors, speaks, np.array([gold]), None)
            assert bias.intruders[0] == pytest.approx(outcome.bias.intruders[question])
        assert outcome.pool_size <= len(left)
    assert outcome.pool_size == exam.pool_size(scenario)


PAIR = Key("multi", "max@r", "en+zh", "zh")


def numbers(record, key):
    """Value, lower and upper bound of a key in a record."""
    return rows_of(record.metrics, key)[["value", "low", "high"]].iloc[0].tolist()


def test_a_record_has_means_and_intervals_that_draw_whole_passages():
    record, outcome = toy_study().record(seed=3), toy_study().outcomes["multi/en+zh/zh"]
    values = outcome.values(4)
    for metric in ("complete@4", "max@r", "mrr", "max@r_norm/per-query", "own-first"):
        key = PAIR._replace(metric=metric)
        value, *bounds = numbers(record, key)
        assert value == pytest.approx(values[key].mean())
        assert bounds == pytest.approx(bootstrap_ci(values[key], seed=3, clusters=GOLD))
    english, chinese = outcome.intruders().values()
    value, *bounds = numbers(record, PAIR._replace(metric="intruders", language="en"))
    assert value == pytest.approx(english.sum() / (english + chinese).sum())
    assert bounds == pytest.approx([*map(float, bootstrap_ratio(english, english + chinese, GOLD, seed=3))])
    assert record.metrics.notna().all(axis=None)


def test_gaps_and_means_follow_from_the_scenarios():
    metrics = toy_study().record(seed=3).metrics
    english, chinese = (value_of(metrics, PAIR._replace(metric="rank", language=code)) for code in ("en", "zh"))
    assert value_of(metrics, PAIR._replace(metric="rank-gap")) == pytest.approx(chinese - english)
    later = value_of(metrics, PAIR) - value_of(metrics, PAIR._replace(query="en"))
    assert value_of(metrics, PAIR._replace(metric="max@r-gap")) == pytest.approx(later)
    without_english = [value_of(metrics, Key("no-english", "max@r", "zh+de", code)) for code in ("zh", "de")]
    assert value_of(metrics, Key("no-english", "max@r")) == pytest.approx(np.mean(without_english))
    assert rows_of(metrics, Key("third", "own-first")).empty  # the language of the question is not in the pool


def test_mining_lets_the_questions_of_two_languages_find_each_other():
    study = toy_study()
    record, key = study.record(seed=3), Key("mining", "margin-accuracy")
    pools = {code: margin_accuracy(study.queries["en"], study.queries[code]) for code in ("zh", "de")}
    for code, expected in pools.items():
        value, *bounds = numbers(record, key._replace(pool=f"en+{code}"))
        assert value == pytest.approx(expected.mean())
        assert bounds == pytest.approx(bootstrap_ci(expected, seed=3, clusters=GOLD))
    assert numbers(record, key)[0] == pytest.approx(np.mean(list(pools.values())))
    perfect = study.again(queries=dict.fromkeys(study.queries, np.eye(len(GOLD), 384, dtype=np.float32)))
    assert value_of(perfect.record(seed=3).metrics, key) == 1


def test_the_norm_of_the_mean_turns_the_bounds_around():
    def norm(rank):
        return 100 * (np.log2(10) - np.log2(rank)) / (np.log2(10) - 1)

    record = toy_study().record(seed=3)
    value, low, high = numbers(record, PAIR)
    expected = [norm(value), norm(high), norm(low)]
    assert numbers(record, PAIR._replace(metric="max@r_norm/mean-rank")) == pytest.approx(expected)


def test_another_protocol_on_the_same_vectors_equals_a_new_study():
    again = toy_study().again(exam=replace(toy_study().exam, protocol="paper"))
    assert again.record(1).variant == "paper"
    pd.testing.assert_frame_equal(again.record(1).metrics, toy_study("paper").record(1).metrics)


@pytest.mark.parametrize(
    ("passages", "kind", "k", "message"),
    [
        (5, "multi", 10, "holds 10 documents; give a k below that"),
        (1, "mono-same", 1, "give at least two passages"),
        (1, "multi-1", 1, "give at least two passages"),
    ],
)
def test_a_pool_that_is_too_small_is_refused(passages, kind, k, message):
    made = make_scenarios([kind], ["zh"])
    with pytest.raises(XlError, match=message):
        run_retrieval(["control-random"], Exam(toy(passages), made, k=k), load_model, "r", 1)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two controls, and a model that does not exist."""
    names = ["missing/model", "control-random", "control-ngram-hash"]
    folder = tmp_path_factory.mktemp("records")
    return run_retrieval(names, Exam(toy(), SCENARIOS, k=4), load_model, folder, 1)


def test_a_model_that_is_missing_does_not_stop_the_others(run):
    studies, failures, paths = run
    assert "cannot get model missing/model" in failures["missing/model"]
    assert list(studies) == ["control-random", "control-ngram-hash"]
    assert [path.name for path in paths] == ["toy.unique.json"] * 2
    items = read_items(paths[0])
    assert set(items.select_dtypes(exclude="number").columns) == {"question", "scenario"}  # no text
    assert len(items) == len(GOLD) * (len(SCENARIOS) + 2)  # and two languages mined with English
    with pytest.raises(XlError, match="no model could be measured: cannot get model"):
        run_retrieval(["missing/model"], Exam(toy(), SCENARIOS, k=4), load_model, "r", 1)


def test_results_are_read_by_pair_and_by_model(run):
    results = read_results(run[2])
    rows = pairs_with_english(results, "multi", "max@r").set_index(["model", "target", "asked"])["value"]
    assert len(rows) == 2 * 2 * 2  # neither the pool of three languages nor questions in a third
    metrics = run[0]["control-random"].record(1).metrics
    expected = value_of(metrics, Key("multi", "max@r", "en+de", "en"))
    assert rows["control-random", "German", "asked in English"] == pytest.approx(expected)
    alone = by_model(results, "mono-cross", "max@r")
    assert list(alone) == ["control-random", "control-ngram-hash"]
    value = alone["control-random"].set_index(["target", "asked"])["value"]["Chinese", "asked in the other language"]
    assert value == pytest.approx(value_of(metrics, Key("mono-cross", "max@r", "en", "zh")))


def test_an_interval_table_has_a_column_per_metric_and_blanks_where_one_is_missing(run):
    means = read_results(run[2]).query("pool == '' and state == ''")
    table = interval_table(means, ["model", "kind"], {"MRR": ("mrr", 2), "own first": ("own-first", 1)})
    assert list(table.index) == [(name, group) for name in run[0] for group in KINDS]
    assert table.loc[("control-random", "third"), "own first"] == ""
    _, low, high = numbers(run[0]["control-random"].record(1), Key("multi", "mrr"))
    assert table.loc[("control-random", "multi"), "MRR"].endswith(f" ± {(high - low) / 2:.2f}")
    assert interval_table(means[:0], ["model"], {"MRR": ("mrr", 2)}).empty


def test_no_records_give_empty_tables():
    results = read_results([])
    assert by_model(results, "multi", "max@r") == {}
    assert retrieval_claims([]).index.tolist() == [", ".join(STUDIED)]


def test_means_of_the_languages_that_a_model_learned():
    rows = [
        {"model": model, "target": target, "value": value, "low": value - 1, "high": value + 2}
        for model in ("use-multilingual-v3", "some/model")
        for target, value in (("Chinese", 80.0), ("Vietnamese", 10.0))
    ]
    about = {"dataset": "toy", "kind": "multi", "metric": "complete@10", "pool": "en+", "language": ""}
    table = learned_means(pd.DataFrame(rows).assign(**about), "complete@10")
    assert table.loc[("toy", "use-multilingual-v3")].tolist() == [
        "45.0 (44.0 to 47.0)",
        "80.0 (79.0 to 82.0)",
        "Vietnamese",
    ]
    assert table.loc[("toy", "some/model"), "learned"] == "45.0 (44.0 to 47.0)"
