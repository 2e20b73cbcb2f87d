from dataclasses import replace

import numpy as np
import pytest

from xlutils.chapters.outcomes import pool_size, rank_scenario
from xlutils.chapters.retrieval import centring_change, study_retrieval
from xlutils.chapters.retrieval_benchmark import (
    run_retrieval,
)
from xlutils.datasets.parallel import ParallelQA
from xlutils.datasets.scenarios import KINDS, Scenario, make_scenarios
from xlutils.errors import XlError
from xlutils.metrics.ranking import complete_at, gold_ranks, max_at_r, mrr
from xlutils.metrics.uncertainty import bootstrap_ci, bootstrap_ratio
from xlutils.models import load_model

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
    again = study.again("paper")
    assert again.record(1).variant == "paper"
    assert again.outcomes["multi/en+zh/en"].pool_size == 2 * len(GOLD)
    direct = study_retrieval(load_model("control-random"), DATA, make_scenarios(KINDS, ["zh", "de"]), "paper", k=4)
    assert direct.record(1).metrics == again.record(1).metrics


def test_what_centring_changes_is_counted_by_hand(study):
    """Every pool with English, question by question: sort all scores before and after the means are taken away."""

    def last_places(queries, passages, target, asked):
        documents = np.concatenate([passages["en"], passages[target]])
        places = []
        for number, gold in enumerate(GOLD):
            order = list(np.argsort(-(documents @ queries[asked][number]), kind="stable"))
            places.append(1 + max(order.index(gold), order.index(5 + gold)))
        return np.array(places)

    def centred(spaces):
        moved = {code: vectors - vectors.mean(axis=0) for code, vectors in spaces.items()}
        return {code: vectors / np.linalg.norm(vectors, axis=1, keepdims=True) for code, vectors in moved.items()}

    cases = [(target, asked) for target in ("zh", "de") for asked in ("en", target)]
    before = np.array([last_places(study.queries, study.passages, *case) for case in cases])
    after = np.array([last_places(centred(study.queries), centred(study.passages), *case) for case in cases])
    change = centring_change(study)
    np.testing.assert_allclose(change["change/centring/max@r"], (after - before).mean(axis=0))
    expected = (100.0 * (after <= 4) - 100.0 * (before <= 4)).mean(axis=0)
    np.testing.assert_allclose(change["change/centring/complete@4"], expected)
    record = replace(study, changes=change).record(seed=3)
    assert record.metrics["change/centring/max@r"] == pytest.approx((after - before).mean())
    assert "change/centring/max@r" in record.ci95
    assert centring_change(replace(study, outcomes={})) == {}
    assert replace(study, changes=change).again("paper").changes == {}  # they belong to one protocol


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
