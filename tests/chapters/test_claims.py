import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlutils.chapters.affinity_claims import affinity_claims, check_affinity
from xlutils.chapters.claims import COLUMNS, above, claim_table, untestable
from xlutils.chapters.concept_claims import check_concepts, concept_claims
from xlutils.chapters.objective import explained, factor_tests, measured_models, reported_models
from xlutils.results.rows import metric_table

RECORDS = Path(__file__).resolve().parents[2] / "book/records"
VERDICTS = {"reproduced", "not reproduced", "not testable here"}


@pytest.mark.parametrize(
    ("interval", "verdict", "why"),
    [
        ((0.5, 0.4, 0.6), "reproduced", "the interval is above 0.3"),
        ((0.4, 0.2, 0.6), "not reproduced", "the interval holds 0.3"),
        ((0.1, 0.0, 0.2), "not reproduced", "the interval is below 0.3"),
    ],
)
def test_a_claim_is_reproduced_only_by_a_whole_interval(interval, verdict, why):
    claim = above("It is high", "high", interval, 0.3)
    assert (claim.verdict, claim.why) == (verdict, why)


def test_claims_of_several_models_are_one_table():
    table = claim_table([("a", above("x", "y", (1, 0.5, 2))), ("all", untestable("z", "y", "no model"))])
    assert tuple(table.columns) == COLUMNS
    assert table.index.tolist() == ["a", "all"]
    assert table["verdict"].tolist() == ["reproduced", "not testable here"]
    assert claim_table([]).empty


def concept_rows(**changes):
    """Rows of a record in which every claim of the concept study holds, with some of them changed."""
    values = {
        "overall": (0.94, 0.92, 0.96),
        "discriminability": (0.6, 0.5, 0.7),
        "silhouette_concept": (0.5, 0.4, 0.6),
        "silhouette_language": (0.1, 0.0, 0.2),
        "deviation": (-0.1, -0.2, -0.05),
        "deviation/p-value": (0.001,),
        "shared-script/centroid_distance/other-branches": (0.0, -0.05, 0.05),
        "shared-script/centroid_distance/other-branches/p-value": (0.7,),
        "shared-script/retrieval/other-branches": (0.0, -0.05, 0.05),
        "shared-script/retrieval/other-branches/p-value": (0.7,),
    } | changes
    rows = []
    for metric, numbers in values.items():
        place = {"kind": "language", "language": "de"} if "deviation" in metric else {"kind": "all"}
        rows.append({**place, "metric": metric, **dict(zip(("value", "low", "high"), numbers, strict=False))})
    pairs = [{"kind": "pair", "metric": metric, "value": 1.0} for metric in ("centroid_distance", "retrieval")]
    return metric_table([*rows, *pairs])


def concept_items(low=("nature", "emotion"), high=("scientific",), lowest="anger"):
    rng = np.random.default_rng(0)
    categories = np.repeat(["nature", "emotion", "home", "body", "society", "scientific"], 16)
    values = 0.8 + 0.1 * np.isin(categories, high) - 0.3 * np.isin(categories, low)
    values += rng.normal(0, 0.02, len(categories))
    names = [f"concept {number}" for number in range(len(categories))]
    names[int(np.argsort(values)[0 if lowest == "anger" else 1])] = "anger"
    return pd.DataFrame({"concept": names, "category": categories, "intra_concept": values})


def concept_verdicts(items=None, **changes):
    return [
        claim.verdict for claim in check_concepts(concept_rows(**changes), concept_items() if items is None else items)
    ]


def test_every_claim_of_the_concept_study_can_be_reproduced():
    assert concept_verdicts() == ["reproduced"] * 10


@pytest.mark.parametrize(
    ("place", "changes", "verdict"),
    [
        (0, {"overall": (0.91, 0.89, 0.93)}, "not reproduced"),  # the interval crosses the label
        (1, {"discriminability": (0.1, -0.1, 0.3)}, "not reproduced"),
        (2, {"silhouette_language": (0.45, 0.41, 0.5)}, "not reproduced"),
        (7, {"deviation": (0.1, 0.05, 0.2)}, "not reproduced"),  # nearer than the others
        (7, {"deviation/p-value": (0.2,)}, "not reproduced"),
        (8, {"shared-script/centroid_distance/other-branches": (-0.2, -0.3, -0.1)}, "not testable here"),
        (8, {"shared-script/centroid_distance/other-branches": (0.0, -0.2, 0.2)}, "not testable here"),
        (9, {"shared-script/retrieval/other-branches": (0.0, -0.2, 0.2)}, "not testable here"),  # nor is a tenth
        (9, {"shared-script/retrieval/other-branches": (-0.2, -0.3, -0.1)}, "reproduced"),  # they find each other less
    ],
)
def test_a_claim_of_the_concept_study_fails_alone(place, changes, verdict):
    found = concept_verdicts(**changes)
    assert found.pop(place) == verdict
    assert found == ["reproduced"] * 9


def test_scripts_that_bring_languages_nearer_contradict_the_study():
    test = "shared-script/retrieval/other-branches"
    near = {test: (0.2, 0.1, 0.3), f"{test}/p-value": (0.001,)}
    assert concept_verdicts(**near)[9] == "not reproduced"


def test_categories_must_be_lower_than_the_rest():
    assert concept_verdicts(concept_items(low=(), high=()))[3:5] == ["not reproduced"] * 2
    assert concept_verdicts(concept_items(low=(), high=()))[5] == "not reproduced"
    assert concept_verdicts(concept_items().assign(category=""))[3:6] == ["not testable here"] * 3


def test_the_lowest_concept_is_anger_or_another():
    assert concept_verdicts(concept_items(lowest="another"))[6] == "not reproduced"
    items = concept_items()
    assert concept_verdicts(items[items["concept"] != "anger"])[6] == "not testable here"


def items_of(mean, moved=0.5, seed=0):
    values = mean + np.random.default_rng(seed).normal(0, 0.005, 200)
    return pd.DataFrame({"sa_pairs_value": values, "moved": (np.arange(200) < 200 * moved).astype(float)})


def test_models_in_three_tiers_reproduce_the_benchmark():
    means = {"LaBSE": 0.7, "Qwen3-8B": 0.58, "XLM-R": 0.45}
    table = check_affinity({name: [items_of(mean, 0.1), items_of(mean, 0.6)] for name, mean in means.items()})
    assert table["verdict"].tolist()[:4] == ["reproduced"] * 4
    assert "needs 6" in table["why"].iloc[4]  # three models do not decide what determines affinity
    assert (table["verdict"].iloc[-3:] == "reproduced").all()


def test_models_on_the_other_side_of_the_lines_contradict_the_benchmark():
    means = {"LaBSE": 0.58, "Qwen3-8B": 0.62, "XLM-R": 0.52}
    table = check_affinity({name: [items_of(mean, 0.5), items_of(mean, 0.5)] for name, mean in means.items()})
    assert table["verdict"].tolist()[:4] == ["not testable here"] + ["not reproduced"] * 3
    assert (table["verdict"].iloc[-3:] == "not reproduced").all()  # no more drift than in modern words


def test_without_models_the_benchmark_is_not_testable():
    table = check_affinity({})
    assert set(table["verdict"]) == {"not testable here"}
    assert "circular" in table.loc["reported values", "why"]  # they are ranges by objective


def test_the_objective_decides_only_if_it_orders_the_models():
    means = {"LaBSE": 0.7, "S-BERT": 0.66, "USE": 0.66, "MiniLM-L12-v2": 0.66, "Qwen3-8B": 0.58, "Qwen3-4B": 0.58}
    means |= {"Qwen3-0.6B": 0.58, "bge-m3": 0.52, "multilingual-e5-base": 0.52, "mBERT": 0.45, "XLM-R": 0.45}

    def verdict(values):
        table = check_affinity({name: [items_of(mean)] for name, mean in zip(means, values, strict=True)})
        return table.query("claim.str.contains('determines')")["verdict"].tolist()

    dealt = np.random.default_rng(0).permutation(list(means.values()))
    assert verdict(means.values()) == ["reproduced", "not testable here"]
    assert verdict(dealt) == ["not reproduced", "not testable here"]


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from("abc"), st.integers(1, 4)), min_size=4, max_size=7))
def test_the_share_explained_is_that_of_the_definition(models):
    values, groups, numbers = (pd.Series(column) for column in zip(*models, strict=True))
    ranks = values.rank().to_numpy()
    if len(set(ranks)) < 2:
        return
    between = sum((groups == name).sum() * (ranks[groups == name].mean() - ranks.mean()) ** 2 for name in set(groups))
    assert explained(ranks[None], groups)[0] == pytest.approx(between / ((ranks - ranks.mean()) ** 2).sum())
    if len(set(numbers)) > 1:
        correlation = np.corrcoef(ranks, numbers.rank())[0, 1]
        assert explained(ranks[None], numbers)[0] == pytest.approx(correlation**2)


def planted(values, size):
    table = pd.DataFrame({"value": values, "low": np.nan, "high": np.nan, "size": size, "languages": 100.0})
    return table.assign(objective=np.repeat(["a", "b", "c"], len(table) // 3), architecture="encoder")


def test_the_factor_that_orders_the_models_is_found_and_no_other():
    rng = np.random.default_rng(0)
    by_objective = planted(np.repeat([0.7, 0.6, 0.5], 4) + rng.normal(0, 0.01, 12), rng.permutation(12) + 1.0)
    by_size = planted(rng.permutation(12) / 20, 0.0).assign(size=lambda table: table["value"])
    one, other = factor_tests(by_objective), factor_tests(by_size)
    assert one.loc["objective", "p_value"] < 0.01 < 0.05 < one.loc["size", "p_value"]
    assert other.loc["size", "p_value"] < 0.01 < 0.05 < other.loc["objective", "p_value"]
    assert one.loc[["architecture", "languages"], "p_value"].isna().all()  # the same for all
    assert factor_tests(by_objective[:3])["p_value"].isna().all()


def test_the_p_value_is_the_share_of_orders():
    table = planted([0.7, 0.6, 0.6, 0.5, 0.4, 0.4], 1.0)
    labels = np.array([*"aabbcc"])
    ranks = table["value"].rank().to_numpy()
    orders = np.array(list(itertools.permutations(ranks)))
    exact = np.mean(explained(orders, pd.Series(labels)) >= explained(ranks[None], pd.Series(labels)) - 1e-9)
    assert factor_tests(table).loc["objective", "p_value"] == pytest.approx(exact, abs=0.02)


def test_controls_are_no_models_and_reported_models_have_their_facts():
    means = pd.DataFrame({"value": 0.5, "low": 0.4, "high": 0.6}, index=["LaBSE", "control-random", "unknown/model"])
    assert measured_models(means).index.tolist() == ["LaBSE"]
    reported = reported_models()
    assert reported.loc["Qwen3-8B", ["low", "high", "architecture"]].tolist() == [0.55, 0.61, "decoder"]
    assert reported.loc["LaBSE", ["value", "objective", "languages"]].tolist() == [0.7, "translation ranking", 109]


@pytest.fixture(scope="module")
def shipped():
    """The claims of chapters 1 and 2, checked against the records of the book."""
    return concept_claims(RECORDS), affinity_claims(RECORDS)


@pytest.mark.parametrize("chapter", [1, 2])
def test_the_shipped_records_give_a_verdict_on_every_claim(shipped, chapter):
    table = shipped[chapter - 1]
    assert tuple(table.columns) == COLUMNS
    assert set(table["verdict"]) <= VERDICTS
    assert {"use-multilingual-v3", "multilingual-e5-small-q4"} <= {name.split(",")[0] for name in table.index}
    assert not any(name.startswith("control") for name in table.index)
    assert table[["claim", "shown by", "why"]].map(len).gt(0).all(axis=None)
    assert (table["value"].ne("") | (table["verdict"] == "not testable here")).all()


def test_the_shipped_records_say_what_chapters_1_and_2_say(shipped):
    """On the study's own words one model is excellent, on more words and languages none is; both show drift."""
    concepts = shipped[0].query("claim.str.startswith('Overall')")["verdict"]
    assert concepts[concepts == "reproduced"].index.tolist() == ["use-multilingual-v3, concepts-core"]
    assert len(concepts) == 4
    drift = shipped[1].query("claim.str.contains('drift')")
    assert drift["verdict"].tolist() == ["reproduced"] * 2
