from pathlib import Path

import pandas as pd
import pytest

from xlutils.chapters.shipped import LEXICONS, describe, finding, shipped_scores
from xlutils.results.record import read_record
from xlutils.results.rows import Key, value_of

RECORDS = Path(__file__).resolve().parents[2] / "book/records"
E5, RANDOM = "multilingual-e5-small-q4", "control-random"


@pytest.fixture(scope="module")
def scores():
    return shipped_scores(RECORDS, (E5, RANDOM), LEXICONS, seed=42)


def test_the_scores_are_those_of_the_records(scores):
    affinity = RECORDS / "semantic-affinity" / E5
    values = [value_of(read_record(affinity / f"{name}.json")["metrics"], Key("all", "sa_pairs")) for name in LEXICONS]
    assert scores.loc[E5, "sa"] == pytest.approx(sum(values) / 4, abs=1e-4)
    assert scores.loc[RANDOM, ["lead", "low", "high"]].tolist() == [0, 0, 0]


def test_the_finding_of_chapter_2_holds_and_has_its_numbers(scores):
    """The page calls the lead small and the difference in retrieval large."""
    e5, random = scores.loc[E5], scores.loc[RANDOM]
    assert 0 < e5["low"] <= e5["lead"] <= e5["high"] < 0.02
    assert e5["found"] > 0.5 > 0.05 > random["found"]
    text = finding(RECORDS, E5, RANDOM)
    assert CONCLUSION in text
    for number in (f"{e5['lead']:.3f}", f"{e5['sa']:.3f}", f"{random['sa']:.3f}", f"{e5['found']:.0%}"):
        assert number in text


def planted(lead, low, high, found, by_chance=0.01):
    rows = [(0.5 + lead, "middle", found, lead, low, high), (0.5, "between tiers", by_chance, 0, 0, 0)]
    return pd.DataFrame(rows, ["my_model", "control"], ["sa", "tier", "found", "lead", "low", "high"])


CONCLUSION = "a low affinity does not mean"


@pytest.mark.parametrize(
    ("scores", "words", "concludes"),
    [
        (planted(0.01, 0.007, 0.012, 0.8), "above vectors drawn at random, by 0.010 (0.007 to 0.012)", True),
        (planted(0.01, -0.002, 0.02, 0.8), "does not tell *my\\_model* from vectors drawn at random", True),
        (planted(-0.1, -0.12, -0.08, 0.8), "below vectors drawn at random", True),
        (planted(0.01, 0.007, 0.012, 0.3), "above", False),  # it finds too little
        (planted(0.01, 0.007, 0.012, 0.8, 0.7), "above", False),  # so does the control
        (planted(0.3, 0.28, 0.32, 0.8), "above", False),  # the affinity is not low
    ],
)
def test_the_finding_follows_the_numbers(scores, words, concludes):
    text = describe(scores)
    assert words in text
    assert (CONCLUSION in text) is concludes


def test_without_the_records_the_page_says_so(tmp_path):
    assert "not in this folder" in finding(tmp_path / "records")
