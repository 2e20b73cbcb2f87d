"""What is said of varieties and of model cards, on planted atlases."""

import pandas as pd
import pytest

from xlutils.chapters.atlas_claims import (
    card_table,
    check_atlas,
    scale_is_not_coverage,
    varieties,
    variety_table,
)
from xlutils.chapters.claims import NOT_REPRODUCED, NOT_TESTABLE, REPRODUCED
from xlutils.chapters.few_shot import HOW, repair_answer, repair_curve

LATIN = ("fr", "de", "es", "it", "nl", "pl")
OTHER = ("ru", "zh", "ar", "hi", "th", "el")


def planted(scores, learned=None, verdicts=None):
    """An atlas in which each language has an accuracy; above a half it is known."""
    codes = list(scores)
    scripts = {"ru": "Cyrl", "zh": "Hans", "ar": "Arab", "hi": "Deva", "th": "Thai", "el": "Grek"}
    table = pd.DataFrame({"accuracy": scores, "script": [scripts.get(code, "Latn") for code in codes]}, index=codes)
    table["verdict"] = verdicts or ["known" if score > 0.5 else "partly" for score in scores.values()]
    table["learned"] = pd.Series([None if learned is None else code in learned for code in codes], codes, dtype=object)
    table.attrs["pivot"] = "en"
    return table


def test_a_variety_stands_beside_its_language_by_tag_or_by_name():
    codes = ["sr", "sr-Latn", "de", "de-1901", "ar", "arz", "ar-Latn", "zh", "gan", "acf", "fr", "yo", "ckb-Latn"]
    assert varieties(codes) == [
        ("sr-Latn", "sr", "script"),
        ("de-1901", "de", "dialect"),
        ("arz", "ar", "dialect"),
        ("ar-Latn", "ar", "script"),
        ("gan", "zh", "dialect"),
    ]


def test_the_cost_of_a_variety_is_paired_over_the_items_that_both_have():
    found = {"de": [1, 1, 1, 1, 0], "de-1901": [1, 0, 0, 1, None], "fr": [0, 0, 0, 0, 0]}
    items = pd.DataFrame(
        {"language": code, "item": str(number), "found": value, "found_back": value}
        for code, values in found.items()
        for number, value in enumerate(values)
    )
    table = variety_table(items.astype({"found": float, "found_back": float}))
    assert list(table.index) == ["Standard German (1901)"]
    row = table.iloc[0]
    assert (row["value"], row["kind"], row["language"]) == (-0.5, "dialect", "German")
    assert row["low"] <= -0.5 <= row["high"]


def test_precision_and_recall_are_those_of_the_card():
    scores = {"fr": 0.9, "de": 0.9, "yo": 0.9, "th": 0.2, "sw": 0.1}
    english = planted(scores, learned={"en"})
    atlases = {"m": planted(scores, learned={"fr", "de", "th"}), "no list": planted(scores)}
    table = card_table({**atlases, "all-MiniLM-L6-v2": english})
    assert list(table.index) == ["m"]
    row = table.loc["m"]
    assert (row["on the card"], row["known"]) == (3, 3)
    assert row["precision"] == row["recall"] == pytest.approx(2 / 3)
    assert (row["on the card, not known"], row["known, not on the card"]) == ("Thai", "Yoruba")


def test_a_card_is_believed_only_if_every_language_is_known():
    good = planted({"fr": 0.9, "de": 0.8, "sw": 0.1}, learned={"fr", "de"})
    assert check_atlas(good)[0].verdict == REPRODUCED
    claim = check_atlas(planted({"fr": 0.9, "de": 0.3, "sw": 0.7}, learned={"fr", "de"}))[0]
    assert (claim.verdict, claim.value, claim.why) == (NOT_REPRODUCED, "1 of 2", "not known: German")
    silent = planted({"fr": 0.9, "de": 0.3})
    assert {claim.verdict for claim in check_atlas(silent)} == {NOT_TESTABLE}


def test_a_long_card_is_compared_with_a_short_one():
    short = planted(dict.fromkeys(LATIN, 0.9), learned=set(LATIN))
    half = planted({**dict.fromkeys(LATIN, 0.9), **dict.fromkeys(OTHER, 0.2)}, learned={*LATIN, *OTHER})
    claim = scale_is_not_coverage({"short": short, "long": half})
    assert claim.verdict == REPRODUCED
    assert claim.value.startswith("-0.50 (")
    assert "long: 6 of 12, short: 6 of 6" in claim.why
    whole = planted(dict.fromkeys([*LATIN, *OTHER], 0.9), learned={*LATIN, *OTHER})
    assert scale_is_not_coverage({"short": short, "long": whole}).verdict == NOT_REPRODUCED
    assert scale_is_not_coverage({"short": short}).verdict == NOT_TESTABLE


@pytest.mark.parametrize(
    ("others", "verdict"), [(0.80, REPRODUCED), (0.60, NOT_REPRODUCED), (0.95, REPRODUCED)], ids=str
)
def test_scripts_count_as_no_hindrance_only_if_other_scripts_lose_next_to_nothing(others, verdict):
    scores = {code: 0.8 + number / 500 for number, code in enumerate(LATIN)}
    scores |= {code: others + number / 500 for number, code in enumerate(OTHER)}
    claim = check_atlas(planted(scores))[1]
    assert claim.verdict == verdict
    assert claim.value.startswith(f"{others - 0.8:.2f} (")


def test_a_loss_that_may_be_chance_is_no_verdict():
    scores = dict(zip(LATIN, (0.2, 0.9, 0.4, 0.8, 0.5, 0.9), strict=True))
    scores |= dict(zip(OTHER, (0.9, 0.1, 0.5, 0.8, 0.3, 0.7), strict=True))
    claim = check_atlas(planted(scores))[1]
    assert (claim.verdict, claim.why.split(":")[0]) == (NOT_TESTABLE, "too few languages")


def repaired(values):
    """A table of two languages with nearly the same accuracy at each number of texts, by both methods."""
    rows = []
    for shift, code in enumerate(("yo", "qu")):
        rows.append((code, "none", 0, values[0] + shift / 1000))
        rows += [(code, how, size, value + shift / 1000) for how in HOW for size, value in list(values.items())[1:]]
    return pd.DataFrame(rows, columns=["language", "how", "texts", "value"])


def test_as_many_texts_are_named_as_still_help():
    answer = repair_answer(repaired({0: 0.3, 2: 0.4, 5: 0.52, 20: 0.525}))
    assert answer.startswith("2 languages: 5 texts take the accuracy by mean from 0.30 to 0.52, after which more")
    growing = repair_answer(repaired({0: 0.3, 2: 0.4, 5: 0.52}))
    assert growing.endswith("5 texts take the accuracy by rotation from 0.30 to 0.52")


def test_a_repair_that_harms_is_not_called_help():
    answer = repair_answer(repaired({0: 0.3, 2: 0.1, 5: 0.2}))
    assert answer.count("no number of texts is sure to gain 0.01") == 2
    assert "(at best -0.100 (-0.100 to -0.100), of 5)" in answer


def test_a_gain_of_next_to_nothing_is_not_called_help():
    assert repair_answer(repaired({0: 0.3, 2: 0.305, 5: 0.306})).count("is sure to gain") == 2


def test_languages_with_fewer_texts_do_not_bend_a_curve():
    table = repaired({0: 0.3, 2: 0.4, 5: 0.5})
    few = table[(table["language"] == "yo") & (table["texts"] < 5)].assign(language="sc", value=0.0)
    short = pd.concat([table, few])
    assert repair_answer(short) == repair_answer(table)
    assert repair_curve(short.assign(group="partly")).equals(repair_curve(table.assign(group="partly")))


def test_curves_begin_without_a_repair_for_each_method():
    curve = repair_curve(repaired({0: 0.3, 2: 0.4}).assign(group="partly"))
    assert curve["texts"].tolist() == [0, 0, 2, 2]
    assert set(curve["method"]) == set(HOW)
    assert curve["value"].tolist() == pytest.approx([0.3005, 0.3005, 0.4005, 0.4005])
    assert (curve["low"] <= curve["value"]).all()
