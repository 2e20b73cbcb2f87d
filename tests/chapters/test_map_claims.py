"""Tables and verdicts of records of maps, on made-up numbers."""

import itertools

import numpy as np
import pytest

from xlutils.chapters.claims import COLUMNS, NOT_REPRODUCED, REPRODUCED
from xlutils.chapters.map_pairs import PREDICTORS
from xlutils.chapters.map_tables import (
    dial_tables,
    half_width,
    learned_parts,
    learning_curves,
    map_claims,
    mean_table,
    space_series,
    states_of,
)
from xlutils.results.rows import metric_table

CODES = ("de", "sw")
USE = "use-multilingual-v3"


def row(metric, state, value, language="de", margin=0.05):
    keys = {"kind": "language", "metric": metric, "state": state, "language": language}
    return keys | {"value": value, "low": value - margin, "high": value + margin}


def rows_of(metric, scores, languages=CODES):
    """Rows of several languages: scores by state, or lists of scores, one for each language."""
    return [
        row(metric, state, value, language)
        for state, values in scores.items()
        for language, value in zip(languages, np.broadcast_to(values, len(languages)), strict=True)
    ]


def record_of(rows, experiment="maps", model="LaBSE", **params):
    model, params = {"name": model}, {"pivot": "en", "seed": 42, "mapped": [*CODES], **params}
    return {"experiment": experiment, "model": model, "params": params, "metrics": metric_table(rows)}


def test_states_are_taken_apart():
    states = {
        "": ("", 0, ""),
        "centred": ("centred", 0, ""),
        "ridge-shrunk, 25 pairs": ("ridge-shrunk", 25, "pairs"),
        "ridge-shrunk and centred, 1000 pairs": ("ridge-shrunk and centred", 1000, "pairs"),
        "own neighbours, 0 pairs": ("own neighbours", 0, "pairs"),
        "centred, 25 sib200": ("centred", 25, "sib200"),
        "marks, 10 corrections": ("marks", 10, "corrections"),
        "no corrections": ("no corrections", 0, ""),
        "900 pairs": ("", 900, "pairs"),
        "share 0.5": ("share 0.5", 0, ""),
        "ridge, change": ("ridge, change", 0, ""),
    }
    more = [*rows_of("kept", {"ridge": 0.5}), {**row("accuracy", "", 0.4), "kind": "all", "language": ""}]
    table = states_of(record_of([*rows_of("accuracy", dict.fromkeys(states, 0.5), ("yo",)), *more]), "accuracy")
    assert list(zip(table["way"], table["pairs"], table["unit"], strict=True)) == [*states.values()]
    assert set(table["name"]) == {"Yoruba"}
    assert list(table["state"]) == [*states]


def test_learning_curves_start_from_the_accuracy_without_a_map():
    scores = {"": [0.3, 0.1], "profiles, 0 pairs": 0.2}
    scores |= {f"{way}, {size} pairs": 0.4 for way in ("centred", "ridge", "shift") for size in (5, 25)}
    curves = learning_curves(record_of(rows_of("accuracy", scores)), ["ridge", "centred"])
    assert list(curves) == ["German", "Swahili"]
    for table, start in zip(curves.values(), (0.3, 0.1), strict=True):
        assert list(zip(table["group"], table["texts"], strict=True)) == [
            *(("ridge", size) for size in (0, 5, 25)),
            *(("centred", size) for size in (0, 5, 25)),
        ]
        assert list(table[table["texts"] == 0]["value"]) == [start, start]
        assert list(table["method"].unique()) == [""]
        assert {"value", "low", "high"} <= {*table}


def test_the_dial_has_a_row_for_each_language_and_share():
    across = {f"share {share:g}": [share, share / 2] for share in (0, 0.1, 1)}
    within = {f"share {share:g}": [1 - share, 1 - share / 2] for share in (0, 0.1, 1)}
    rows = [*rows_of("across", across), *rows_of("within", within)]
    (table,) = dial_tables(record_of(rows)).values()
    assert list(table["share"]) == [0, 0, 0.1, 0.1, 1, 1]
    assert list(table["language"]) == ["de", "sw"] * 3
    assert list(table["across"] + table["within"]) == pytest.approx([1] * 6)
    assert list(table["across_low"]) == pytest.approx([value - 0.05 for value in table["across"]])
    assert list(table["within_high"]) == pytest.approx([value + 0.05 for value in table["within"]])

    apart = dial_tables(record_of(rows, model=USE))  # which never learned Swahili
    assert list(apart) == [USE, f"{USE}: never learned"]
    assert [set(part["language"]) for part in apart.values()] == [{"de"}, {"sw"}]


def test_means_keep_languages_apart_that_a_model_never_learned():
    scores = {"no map": [0.2, 0.4], "ridge": [0.3, 0.7], "another": 0.1}
    records = {model: record_of(rows_of("kept", scores), model=model) for model in ("LaBSE", USE, "my-model")}
    table = mean_table(records, {"kept": "kept", "sa": "SA"})
    assert list(table.columns) == [(kind, title) for kind in ("learned", "never learned") for title in ("kept", "SA")]
    for model in ("LaBSE", "my-model"):  # nobody says what the last one learned
        assert list(table.loc[model].index) == [*scores]
        assert list(table.loc[model][("learned", "kept")]) == pytest.approx([0.3, 0.5, 0.1])
        assert table.loc[model]["never learned"].isna().all(axis=None)
    assert list(table.loc[USE][("learned", "kept")]) == pytest.approx([0.2, 0.3, 0.1])
    assert list(table.loc[USE][("never learned", "kept")]) == pytest.approx([0.4, 0.7, 0.1])
    assert learned_parts(records[USE]) == {"learned": ["de"], "never learned": ["sw"]}
    assert half_width(records, ["kept"]) == pytest.approx(0.05)


def test_verdicts_are_about_the_languages_that_a_model_learned():
    scores = {"no corrections": 0.2, **{f"{kind}, 100 corrections": [0.3, 0.1] for kind in ("marks", "partners")}}
    scores["random, 100 corrections"] = [0.25, 0.5]
    verdicts = {
        model: map_claims([record_of(rows_of("across", scores), "map-corrections", model)])["verdict"].item()
        for model in ("LaBSE", USE)
    }
    assert verdicts == {"LaBSE": NOT_REPRODUCED, USE: REPRODUCED}


def spaces_record(scores, model="LaBSE"):
    rows = rows_of("across", scores, ("de", "sw"))
    return record_of(rows, "map-spaces", model, target={"name": "bge-m3"})


def test_a_series_shows_the_map_that_was_fitted_on_most_pairs():
    scores = {"source": 0.8, "target": 0.3, "25 pairs": 0.1, "900 pairs": [0.7, 0.6], "0 pairs": 0.05}
    table = space_series(spaces_record(scores))
    assert list(table["series"]) == [
        *["LaBSE, mapped"] * 2,
        *["LaBSE by itself"] * 2,
        *["bge-m3 by itself"] * 2,
    ]
    assert list(table["value"]) == [0.7, 0.6, 0.8, 0.8, 0.3, 0.3]
    assert list(table.index) == ["German", "Swahili"] * 3


def maps_record(profiles=0.2, own=0.2, hundred=0.5, most=0.6, antonyms=-0.2, model="LaBSE"):
    accuracy = {"": [0.1, 0.1], "ridge-shrunk, 25 pairs": 0.3, "ridge-shrunk, 100 pairs": hundred}
    accuracy |= {"ridge-shrunk, 900 pairs": most, "ridge-shrunk and centred, 1000 pairs": 0.9}
    accuracy |= {"profiles, 0 pairs": profiles, "own neighbours, 0 pairs": own}
    rows = rows_of("accuracy", accuracy) + rows_of("kept", {"procrustes": 0.6, "ridge": 0.1})
    rows += rows_of("antonyms", {"": 0.7, "procrustes": 0.5, "procrustes, change": antonyms, "ridge, change": -0.4})
    return record_of(rows, model=model)


def pairs_record(**predictors):
    """Six languages; each predictor is what a rotation achieves, except for its sign, or noise."""
    codes = ("en", "de", "fr", "ru", "sw", "zh")
    pairs, draws = [*itertools.combinations(codes, 2)], np.random.default_rng(0)
    achieved = draws.random(len(pairs))
    columns = {"procrustes": achieved, "ridge-shrunk": achieved, "published": achieved, "known": achieved**2}
    columns |= {name: predictors.get(name, 0) * achieved for name in ("eigenvectors", "bottleneck", "relational")}
    rows = [
        {"kind": "pair", "query": one, "language": other, "metric": metric, "value": value}
        for metric, values in columns.items()
        for (one, other), value in zip(pairs, values, strict=True)
    ]
    return record_of(rows, "map-pairs")


def corrections_record(partners, random):
    scores = {"no corrections": [0.3, 0.2], "marks, 100 corrections": 0.35}
    scores |= {"partners, 100 corrections": partners, "random, 100 corrections": random}
    rows = [*rows_of("across", scores), *rows_of("broken", {"marks, 100 corrections": 0.1})]
    return record_of(rows, "map-corrections")


KNOWN = {"source": [0.8, 0.2], "target": 0.1, "25 pairs": 0.1, "0 pairs": 0.1}
SHAPES = {name: (title, sign) for name, (title, sign) in PREDICTORS.items() if name not in ("known", "weaker")}


@pytest.mark.parametrize(
    ("claim", "good", "bad"),
    [
        (
            "Maps need no pairs: self-learning from the profiles of neighbours",
            maps_record(profiles=[0.5, 0.6]),
            maps_record(profiles=[0.9, 0.49]),
        ),
        (
            "Maps need no pairs: from the model's own neighbours",
            maps_record(own=[0.5, 0.6]),
            maps_record(own=[0.49, 0.9]),
        ),
        ("A small dictionary suffices", maps_record(most=[0.51, 0.515]), maps_record(most=[0.4, 0.53])),
        ("Orthogonal maps harm nothing", maps_record(antonyms=[-0.04, 0.1]), maps_record(antonyms=[0.1, -0.06])),
        (
            "A map fitted on English carries the other languages",
            spaces_record(KNOWN | {"900 pairs": [0.41, 0.01]}),  # Swahili is not known to the source either
            spaces_record(KNOWN | {"900 pairs": [0.39, 0.2]}),
        ),
        (
            "The worst pairs teach a map most",
            corrections_record(partners=[0.5, 0.4], random=[0.4, 0.3]),
            corrections_record(partners=[0.5, 0.3], random=[0.4, 0.3]),
        ),
        *(
            (
                f"The shapes of two spaces predict their map: {title}",
                pairs_record(**{name: sign}),
                pairs_record(**{name: -sign}),
            )
            for name, (title, sign) in SHAPES.items()
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_claim_is_reproduced_where_the_numbers_say_so_and_only_there(claim, good, bad):
    for record, verdict in ((good, REPRODUCED), (bad, NOT_REPRODUCED)):
        table = map_claims([record]).set_index("claim")
        assert table.loc[claim, "verdict"] == verdict
        assert table.loc[claim, "value"]
        assert table.loc[claim, "why"]


def test_claims_name_the_model_and_are_sorted_so_that_models_stand_side_by_side():
    records = [maps_record(), spaces_record(KNOWN | {"900 pairs": 0.5}), maps_record(model="bge-m3")]
    table = map_claims(records)
    assert list(table.columns) == [*COLUMNS]
    assert list(table["claim"]) == sorted(table["claim"])
    assert set(table.index) == {"LaBSE", "bge-m3", "LaBSE into bge-m3"}
    assert list(table[table["claim"] == "A small dictionary suffices"].index) == ["LaBSE", "bge-m3"]


def test_the_worst_language_and_the_numbers_are_named():
    table = map_claims([maps_record(most=[0.6, 0.7], antonyms=[0.1, -0.2])]).set_index("claim")
    assert table.loc["Orthogonal maps harm nothing", "why"] == "worst Swahili: -0.20 (-0.25 to -0.15)"
    small = table.loc["A small dictionary suffices"]
    assert (small["shown by"], small["value"]) == (
        "900 pairs gain less than 0.02 over 100, in every language that it learned",
        "+0.150",
    )
    assert small["why"] == "900 pairs gain 0.10 to 0.20 more than 100"
    spaces = map_claims([spaces_record(KNOWN | {"900 pairs": 0.2})]).iloc[0]
    assert spaces["why"] == "kept 0.25 (German) to 0.25 (German) of it, with 900 pairs"


def test_pairs_that_one_language_lacks_are_not_compared():
    record = maps_record()
    metrics = record["metrics"]
    is_lacking = (metrics["state"] == "ridge-shrunk, 900 pairs") & (metrics["language"] == "sw")
    claims = map_claims([record | {"metrics": metrics[~is_lacking]}])
    assert "A small dictionary suffices" not in set(claims["claim"])
    few = metrics[~metrics["state"].isin(["ridge-shrunk, 100 pairs", "ridge-shrunk, 900 pairs"])]
    assert list(map_claims([record | {"metrics": few}])["claim"]) == ["Orthogonal maps harm nothing"]


def test_what_was_not_measured_is_not_claimed():
    record = maps_record()
    without = record["metrics"][record["metrics"]["metric"] != "antonyms"]
    claims = set(map_claims([record | {"metrics": without}])["claim"])
    assert "Orthogonal maps harm nothing" not in claims
    assert "A small dictionary suffices" in claims
    known_to_nobody = spaces_record({"source": 0.1, "target": 0.1, "25 pairs": 0.1})
    supervision = record_of(rows_of("across/names", {"": 0.1, "centred, 25 names": 0.2}), "map-supervision")
    few = rows_of("across", {"no corrections": 0.3}) + rows_of("broken", {"marks, 10 corrections": 0.1})
    few = record_of(few, "map-corrections")
    control = maps_record(model="control-random")
    assert map_claims([known_to_nobody, supervision, few, control]).empty
    assert list(map_claims([]).columns) == [*COLUMNS]
