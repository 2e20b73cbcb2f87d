"""An upgrade: the new model has the space of the old one, turned into more dimensions."""

from dataclasses import replace

import numpy as np
import pytest
from planted import planted_model
from planted_names import noisy, random_turn, random_units

from xlutils.chapters.claims import NOT_REPRODUCED, NOT_TESTABLE, REPRODUCED
from xlutils.chapters.map_tables import states_of
from xlutils.chapters.upgrade import study_upgrade
from xlutils.chapters.upgrade_tables import largest_map, reencoding_table, upgrade_claims, upgrade_table
from xlutils.datasets.parallel import ParallelQA
from xlutils.errors import XlError
from xlutils.metrics.maps import fit_map
from xlutils.results.record import read_record, write_record
from xlutils.results.rows import metric_table

COUNT, DIM, NEW_DIM, SIZES, DRAWS = 40, 8, 12, (10, 60), 2
CODES = ("en", "de")
GOLD = np.repeat(np.arange(COUNT), 4)
HALF = np.random.default_rng(42).permutation(COUNT) % 2
WAY = ["ridge, all questions"]
METRICS = ("within/first", "within/recall@10", "across/first", "across/recall@10")


def planted():
    """Return vectors of an old and a new model by text, and questions on passages; the new one is a bit better."""
    meaning, turn = random_units(0, COUNT, DIM), random_turn(1, DIM, NEW_DIM)
    old, new = {}, {}
    for number, code in enumerate(CODES):
        spaces = {"p": noisy(meaning, number, 0.3), "q": noisy(meaning[GOLD], 10 + number, 0.7)}
        for kind, space in spaces.items():
            better = noisy(meaning[GOLD], 20 + number, 0.4) if kind == "q" else space
            for row, (one, other) in enumerate(zip(space, (space + 0.2 * better) @ turn, strict=True)):
                old[f"{code} {kind} {row}"], new[f"{code} {kind} {row}"] = one, other
    counts = {"q": len(GOLD), "p": COUNT}
    texts = [{code: tuple(f"{code} {kind} {row}" for row in range(counts[kind])) for code in CODES} for kind in counts]
    ids = [tuple(map(str, range(count))) for count in counts.values()]
    models = [replace(planted_model(side), name=name) for name, side in (("old", old), ("new", new))]
    return *models, ParallelQA("toy", *ids, *texts, GOLD)


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    result = study_upgrade(*planted(), draws=DRAWS, sizes=SIZES, timed=30)
    return read_record(write_record(tmp_path_factory.mktemp("upgrade"), result))


def value(record, metric, language, state):
    return states_of(record, metric).set_index(["language", "state"]).loc[(language, state), "value"]


@pytest.fixture(scope="module")
def spaces():
    old, new, data = planted()
    texts = {"questions": data.queries, "passages": data.passages}
    return [{kind: {code: model.encode(texts[kind][code]) for code in CODES} for kind in texts} for model in (old, new)]


def found(questions, passages, cut):
    """Share of the questions whose passage is among the first of its half."""
    hits = []
    for question, passage in zip(questions, GOLD, strict=True):
        rivals = [row for row in range(COUNT) if HALF[row] == HALF[passage] and row != passage]
        hits.append(sum(question @ passages[row] > question @ passages[passage] for row in rivals) < cut)
    return np.mean(hits)


def fitted(spaces, kind, codes, size, half, draw):
    """Texts about passages of the other half, as many in each language: their new vectors, and their old ones."""
    about = GOLD if kind == "questions" else range(COUNT)
    rows = [row for row, passage in enumerate(about) if HALF[passage] != half]
    orders = [np.random.default_rng([42, draw, number]).permutation(rows) for number in range(len(codes))]
    few = {code: order[: size // len(codes)] for code, order in zip(codes, orders, strict=True)}
    return [np.concatenate([space[kind][code][order] for code, order in few.items()]) for space in spaces[::-1]]


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize(
    ("way", "who", "kind", "size"), [("ridge", "pivot", "questions", 60), ("procrustes", "all", "passages", 10)]
)
def test_what_is_found_through_a_map_is_the_plain_loop(record, spaces, code, way, who, kind, size):
    old, new = spaces
    tries = []
    for draw in range(DRAWS):
        mapped = np.zeros((len(GOLD), DIM))
        for half in (0, 1):
            one = fit_map(*fitted(spaces, kind, CODES if who == "all" else CODES[:1], size, half, draw), way)
            tested = HALF[GOLD] == half
            mapped[tested] = one.apply(new["questions"][code][tested])
        tries.append([found(mapped, old["passages"][side], cut) for side in (code, "en") for cut in (1, 10)])
    for metric, expected in zip(METRICS, np.mean(tries, axis=0), strict=True):
        if code != "en" or metric.startswith("within"):
            assert value(record, metric, code, f"{way}, {who} {kind}, {size} texts") == pytest.approx(expected)


def test_models_alone_are_the_plain_loop(record, spaces):
    for state, space in zip(("", "new"), spaces, strict=True):
        expected = found(space["questions"]["de"], space["passages"]["de"], 1)
        assert value(record, "within/first", "de", state) == pytest.approx(expected)


def test_shares_are_of_what_the_models_find_alone(record):
    state = largest_map(record)
    assert state == "ridge, all questions, 60 texts"
    for name, alone in (("old", ""), ("new", "new")):
        ratio = value(record, "across/first", "de", state) / value(record, "across/first", "de", alone)
        assert value(record, f"across/first/of-{name}", "de", state) == pytest.approx(ratio, rel=1e-6)
    rows = record["metrics"]
    assert ((rows["low"] <= rows["value"] + 1e-6) & (rows["value"] <= rows["high"] + 1e-6)).all()
    assert not set(states_of(record, "across/first")["language"]) & {"en"}
    assert {"old", "new"} <= set(record["timing"])


def test_more_texts_make_a_better_map_and_sizes_that_nobody_has_are_left_out(record):
    for code in CODES:
        few, many = (value(record, "within/first", code, f"ridge, all questions, {size} texts") for size in SIZES)
        assert many > few + 0.02
    assert not any(state.endswith("passages, 60 texts") for state in record["metrics"]["state"])  # a half has 20 each


def test_a_table_shows_both_models_and_the_map_and_how_long_everything_takes(record):
    table = upgrade_table(record)
    assert list(table.index) == [("learned", "English"), ("learned", "German")]
    assert table.loc[("learned", "German"), "through a map"].startswith(
        f"{value(record, 'within/first', 'de', largest_map(record)):.2f} ("
    )
    assert upgrade_table(record, "across").loc[("learned", "German"), "kept of anew"]
    slow = {**record, "timing": {"old": 3.0, "new": 6.0}, "params": {**record["params"], "timed": 60}}
    row = reencoding_table([slow], 600).loc["old to new"]
    assert row["passages per second"] == pytest.approx(10)
    assert row["1,000,000 documents (hours)"] == pytest.approx(1e6 / 10 / 3600)
    assert row["map on 600 texts (hours)"] == pytest.approx(600 * 0.15 / 3600)
    assert row["break-even (documents)"] == pytest.approx(900)


def made_up(kept, margin=0.02, model="LaBSE"):
    rows = []
    for code, share in zip(("de", "sw"), kept, strict=True):
        numbers = {"within/first": 0.5, "within/first/of-new": share, "within/first/of-old": share + 0.1}
        for metric, number in {**numbers, "across/first/of-old": 2 * share}.items():
            state = {"language": code, "metric": metric, "state": "ridge, all questions, 500 texts"}
            rows.append({"kind": "language", **state, "value": number, "low": number - margin, "high": number + margin})
    params = {"mapped": ["de", "sw"], "target": {"name": "bge-m3"}}
    return {"model": {"name": model}, "params": params, "metrics": metric_table(rows)}


@pytest.mark.parametrize(
    ("kept", "model", "verdict"),
    [
        ((0.98, 0.99), "LaBSE", REPRODUCED),
        ((0.98, 0.92), "LaBSE", NOT_REPRODUCED),
        ((0.98, 0.94), "LaBSE", NOT_TESTABLE),  # the interval holds 0.95
        ((0.98, 0.5), "use-multilingual-v3", REPRODUCED),  # which never learned Swahili
    ],
)
def test_a_map_replaces_encoding_anew_only_if_every_language_keeps_enough(kept, model, verdict):
    table = upgrade_claims([made_up(kept, model=model)], WAY).set_index("claim")
    assert table.loc["A map replaces re-encoding", "verdict"] == verdict
    assert upgrade_claims([made_up(kept, model=model)], WAY).index[0] == f"bge-m3 to {model}"


def test_a_map_pays_only_if_it_finds_more_than_the_old_model():
    for kept, verdict in (((0.95, 0.99), REPRODUCED), ((0.95, 0.85), NOT_REPRODUCED), ((0.95, 0.9), NOT_TESTABLE)):
        claim = upgrade_claims([made_up(kept)], WAY).set_index("claim").loc["A map is better than the old model alone"]
        assert claim["verdict"] == verdict
        assert "Swahili" in claim["why"] or verdict == REPRODUCED


def test_a_map_may_open_an_index_of_english_and_still_be_worse_within_a_language():
    claims = upgrade_claims([made_up((0.6, 0.7))], WAY).set_index("claim")["verdict"]
    assert claims["A map opens an index of the pivot to other languages"] == REPRODUCED
    assert claims["A map is better than the old model alone"] == NOT_REPRODUCED
    none = upgrade_claims([made_up((0.4, 0.7))], WAY).set_index("claim")["verdict"]
    assert none["A map opens an index of the pivot to other languages"] == NOT_REPRODUCED


def test_bad_input_is_one_line():
    old, new, data = planted()
    with pytest.raises(XlError, match="^toy has no language fr; it has en, de$"):
        study_upgrade(old, new, data, "fr")
    with pytest.raises(
        XlError, match="^no map by ridge, pivot questions was fitted; choose one of ridge, all questions$"
    ):
        largest_map(made_up((0.9, 0.9)), "ridge, pivot questions")
