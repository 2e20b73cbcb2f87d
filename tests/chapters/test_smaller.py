"""Smaller vectors by language, on planted vectors and planted records."""

import numpy as np
import pytest
from planted_names import found_slowly, noisy, planted_names, random_units

from xlutils.chapters.indexes import AGAIN, EXACT, PRODUCT, RECALL, study_indexes
from xlutils.chapters.smaller import ACCURACY, NORM, study_names, study_passages
from xlutils.chapters.smaller_tables import (
    NEVER,
    STRONG,
    WEAK,
    change_table,
    group_means,
    groups_of,
    recall_table,
    size_lines,
    smaller_answer,
    smaller_claims,
    unequal_table,
)
from xlutils.datasets.parallel import ParallelQA
from xlutils.errors import XlError
from xlutils.metrics.ranking import TOLERANCE
from xlutils.results.record import read_record, write_record
from xlutils.results.rows import Key, metric_table, value_of

COUNT, DIM = 120, 72
NOISE = {"de": 0.8, "fr": 1.2, "ru": 1.6, "hi": 2.4}
STATES = ("", "int8", "binary", "centred", "PCA 64", "PCA 128")


@pytest.fixture(scope="module")
def planted():
    meaning = random_units(0, COUNT, DIM)
    spaces = {"en": meaning} | {code: noisy(meaning, row, size) for row, (code, size) in enumerate(NOISE.items(), 1)}
    return spaces, *planted_names(spaces)


@pytest.fixture(scope="module")
def record(planted, tmp_path_factory):
    _, model, lexicon = planted
    result = study_names(model, lexicon, states=STATES, lighter={"lighter weights": model})
    return read_record(write_record(tmp_path_factory.mktemp("smaller"), result))


def value(record, metric, code, state):
    return value_of(record["metrics"], Key("language", metric, language=code, state=state))


def test_tested_names_are_those_that_nothing_was_calibrated_on(record, planted):
    spaces, _, _ = planted
    is_tested = np.random.default_rng(42).permutation(COUNT) % 2 == 1
    for code in NOISE:
        for metric, rows in ((ACCURACY, is_tested), ("strength", ~is_tested)):
            expected = found_slowly(spaces[code][rows], spaces["en"][rows]).mean()
            assert value(record, metric, code, "") == pytest.approx(expected)
        signs = [np.sign(spaces[side][is_tested]) for side in (code, "en")]
        assert value(record, ACCURACY, code, "binary") == pytest.approx(found_slowly(*signs).mean())


def test_changes_are_paired_with_the_same_centring(record):
    for code in NOISE:
        for state, base in (("int8", ""), ("binary", ""), ("PCA 64", "centred"), ("lighter weights", "")):
            change = value(record, ACCURACY, code, state) - value(record, ACCURACY, code, base)
            assert value(record, ACCURACY, code, f"{state}, change") == pytest.approx(change, abs=1e-6)
        assert value(record, ACCURACY, code, "lighter weights, change") == 0
    assert sum(value(record, ACCURACY, code, "binary, change") for code in NOISE) < 0
    assert "PCA 128" not in set(record["metrics"]["state"])  # there are only 72 dimensions


def test_too_few_names_are_refused():
    model, lexicon = planted_names({code: random_units(1, 12, DIM) for code in ("en", "de", "fr")})
    with pytest.raises(XlError, match="fewer than two languages have 20 names"):
        study_names(model, lexicon)


def questions(codes):
    """Passages, and a question about each with the vector of the passage and some noise."""
    texts = {kind: {c: tuple(f"{c} {kind} {row}" for row in range(40)) for c in codes} for kind in ("query", "passage")}
    meaning = random_units(3, 40, DIM)
    vectors = {}
    for number, code in enumerate(codes):
        passages = noisy(meaning, 10 + number, 0.9)
        vectors |= dict(zip(texts["passage"][code], passages, strict=True))
        vectors |= dict(zip(texts["query"][code], noisy(meaning, 20 + number, 0.9), strict=True))
    ids = tuple(map(str, range(40)))
    return ParallelQA("toy", ids, ids, texts["query"], texts["passage"], np.arange(40)), vectors


def test_passages_are_ranked_in_pools_of_the_other_half():
    data, vectors = questions(("en", "de"))
    model, _ = planted_names({"en": random_units(0, 2, DIM)}, vectors)
    rows = study_passages(model, data, states=("", "binary")).metrics
    is_second = np.random.default_rng(42).permutation(40) % 2 == 1
    norms = []
    for row in range(40):
        half = np.flatnonzero(is_second == is_second[row])
        pool = [(code, other) for code in ("en", "de") for other in half]
        documents = np.array([vectors[data.passages[code][other]] for code, other in pool])
        for code in ("en", "de"):
            scores = documents @ vectors[data.queries[code][row]]
            last = min(scores[place] for place, (_, other) in enumerate(pool) if other == row)
            norms.append(100 * np.log2(40 / (scores >= last - TOLERANCE).sum()) / np.log2(40 / 2))
    assert value_of(rows, Key("language", NORM, language="de")) == pytest.approx(np.mean(norms))
    with pytest.raises(XlError, match="needs English and another language"):
        study_passages(model, data.only(["de"]))


def test_lighter_weights_are_measured_with_their_own_vectors_and_compared_with_the_full_ones():
    data, vectors = questions(("en", "de"))
    swapped = dict(zip(vectors, noisy(np.array([*vectors.values()]), 5, 0.5), strict=True))
    full, light = (planted_names({"en": random_units(0, 2, DIM)}, found)[0] for found in (vectors, swapped))
    record = study_passages(full, data, states=("",), lighter={"int4 weights": light})
    alone = [study_passages(model, data, states=("",)).metrics for model in (full, light)]
    before, after = (value_of(rows, Key("language", NORM, language="de")) for rows in alone)
    states = {"int4 weights": after, "int4 weights, change": after - before}
    for state, expected in states.items():
        assert value_of(record.metrics, Key("language", NORM, language="de", state=state)) == pytest.approx(expected)
    assert before != after
    assert (record.variant, list(record.params["lighter"])) == ("smaller-weights", ["int4 weights"])


def test_an_exact_index_finds_everything_and_signs_do_not(planted, tmp_path):
    model, lexicon = planted_names({code: random_units(row, 600, DIM) for row, code in enumerate(("en", "de"))})
    record = read_record(write_record(tmp_path, study_indexes(model, lexicon)))
    for code in ("en", "de"):
        assert value(record, RECALL, code, EXACT) == 1
        for signs in ("binary", "binary, centred"):
            assert value(record, RECALL, code, signs) < value(record, RECALL, code, f"{signs}{AGAIN}") < 1
        assert value(record, RECALL, code, "int8") > 0.9
        assert value(record, RECALL, code, "binary") < value(record, RECALL, code, PRODUCT) < 0.9
    table = recall_table(record)
    assert table.loc[EXACT, "time, exact = 1"] == 1
    assert table["bytes"][[EXACT, "int8", "binary"]].tolist() == pytest.approx([288, 72, 9], abs=2)
    assert table["bytes"][PRODUCT] == pytest.approx(9 + 4 * DIM * 256 / 600, abs=2)  # the codes, and the codebook


def test_too_few_names_have_no_product_quantiser(tmp_path):
    model, lexicon = planted_names({code: random_units(row, 200, DIM) for row, code in enumerate(("en", "de"))})
    assert PRODUCT not in recall_table(read_record(write_record(tmp_path, study_indexes(model, lexicon)))).index


def recorded(changes, slopes, model="use-multilingual-v3"):
    """A record of three learned languages and two others.

    :param changes: By state: the change in every language, or in each; its interval is 0.001 wide.
    :param slopes: By state and metric: value, low, high and p.
    """
    codes = ["de", "fr", "tr", "sw", "hi"]
    strength = [0.8, 0.7, 0.5, 0.2, 0.1]
    rows = [
        {"kind": "language", "language": c, "metric": "strength", "value": s}
        for c, s in zip(codes, strength, strict=True)
    ]
    for state, change in {"": 0.0, **changes}.items():
        rows.append({"kind": "all", "metric": "bytes", "state": state, "value": 2048.0 if not state else 64.0})
        for code, start, moved in zip(codes, strength, np.broadcast_to(change, 5), strict=True):
            about = {"kind": "language", "language": code, "metric": ACCURACY}
            rows.append({**about, "value": start + moved, "low": start, "high": start + 1, "state": state})
            if state:
                bounds = {"value": moved, "low": moved - 0.0005, "high": moved + 0.0005}
                rows.append({**about, **bounds, "state": f"{state}, change"})
    for (state, metric), (slope, low, high, p_value) in slopes.items():
        about = {"kind": "all", "state": state}
        rows.append({**about, "metric": metric, "value": slope, "low": low, "high": high})
        rows.append({**about, "metric": f"{metric}/p", "value": p_value})
    about = {"model": {"name": model}, "dataset": {"name": "toy", "languages": ["en", *codes]}, "timing": {}}
    return {**about, "params": {"seed": 42}, "metrics": metric_table(rows)}


SLOPES = {
    ("int8", "strength/share"): (0.001, -0.01, 0.01, 0.8),
    ("binary", "strength/share"): (-0.2, -0.3, -0.1, 0.001),
    ("int8", "strength/lost"): (0.001, -0.01, 0.01, 0.8),
    ("binary", "strength/lost"): (0.1, 0.05, 0.2, 0.001),
}
PLANTED = recorded({"int8": -0.001, "binary": [-0.05, -0.04, -0.04, -0.002, 0.0]}, SLOPES)


def test_groups_and_their_means():
    assert groups_of(PLANTED) == {STRONG: ["de", "fr"], WEAK: ["tr"], NEVER: ["sw", "hi"]}
    means = group_means(PLANTED).set_index(["group", "state"])
    assert means.loc[(STRONG, "binary, change"), "value"] == pytest.approx(-0.045)
    assert means.loc[(WEAK, "binary, change"), ["low", "high"]].tolist() == pytest.approx([-0.0405, -0.0395])
    assert means.loc[(NEVER, ""), "worst"] == "Hindi"
    table = change_table(PLANTED)
    assert table.loc["binary", NEVER] == "-0.001 ± 0.001" and table.loc["binary", "worst learned"] == "German"
    assert list(table["bytes"]) == [64, 64]
    lines = size_lines(PLANTED, ("", "binary", "PCA 64"))
    assert list(lines[STRONG].index) == ["float32\n2,048", "binary\n64"]


def test_a_way_is_free_only_if_no_group_loses_and_small_languages_pay_only_if_the_interval_says_so():
    claims = smaller_claims([PLANTED]).set_index("claim")
    verdicts = claims["verdict"].to_dict()
    assert verdicts["Smaller vectors are free: int8"] == "reproduced"
    assert verdicts["Smaller vectors are free: binary"] == "not reproduced"
    assert STRONG in claims.loc["Smaller vectors are free: binary", "why"]
    assert verdicts["Small languages pay more: int8"] == "not reproduced"
    assert verdicts["Small languages pay more: binary"] == "reproduced"
    hidden = recorded({"int8": [0.0, 0.0, 0.0, -0.05, -0.05]}, {})
    assert smaller_claims([hidden])["verdict"].tolist() == ["not reproduced"]
    assert NEVER in smaller_claims([hidden])["why"].iloc[0]
    assert smaller_claims([recorded({"int8": 0.0}, {}, "control-ngram-hash")]).empty


def test_lighter_weights_are_judged_alike():
    record = recorded({"bfloat16 weights": 0.0, "int4 weights": [0.0, 0.0, -0.02, 0.0, 0.0]}, {})
    verdicts = smaller_claims([record]).set_index("claim")["verdict"].to_dict()
    assert verdicts["Lighter weights are free: bfloat16 weights"] == "reproduced"
    assert verdicts["Lighter weights are free: int4 weights"] == "not reproduced"


def test_the_answer_names_who_pays():
    assert smaller_answer(PLANTED) == (
        "use-multilingual-v3: no group of languages loses 0.01 with int8; languages that the model knows less lose a "
        "larger share with binary; languages that it knows better lose more accuracy with binary."
    )
    unsure = {key: (*slope[:3], 0.04) for key, slope in SLOPES.items()}
    answer = smaller_answer(recorded({"int8": -0.02, "binary": -0.02}, unsure))
    assert "loses 0.01 with no way; languages that the model knows less lose a larger share with no way" in answer
    assert unequal_table(PLANTED).loc["binary", "share lost: strength"] == "-0.20 (-0.30 to -0.10)*"
