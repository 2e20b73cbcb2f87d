from pathlib import Path

import pytest

from xlutils.chapters.shipped import LEXICONS, finding, shipped_scores
from xlutils.results.record import read_record
from xlutils.results.rows import Key, value_of

RECORDS = Path(__file__).resolve().parents[2] / "book/records"
E5, RANDOM = "multilingual-e5-small-q4", "control-random"


@pytest.fixture(scope="module")
def scores():
    return shipped_scores(RECORDS, (E5, RANDOM), LEXICONS, seed=42)


def test_the_scores_are_those_of_the_records(scores):
    affinity = RECORDS / "semantic-affinity" / E5
    values = [value_of(read_record(affinity / f"{name}.json")["metrics"], Key("all", "sa")) for name in LEXICONS]
    assert scores.loc[E5, "sa"] == pytest.approx(sum(values) / 4, abs=1e-4)
    assert scores.loc[RANDOM, ["lead", "low", "high"]].tolist() == [0, 0, 0]


def test_the_finding_of_chapter_2_holds_and_has_its_numbers(scores):
    """The page calls the lead small and the difference in retrieval large."""
    e5, random = scores.loc[E5], scores.loc[RANDOM]
    assert 0 < e5["low"] <= e5["lead"] <= e5["high"] < 0.02
    assert e5["found"] > 0.5 > 0.05 > random["found"]
    text = finding(RECORDS, E5, RANDOM)
    for number in (f"{e5['lead']:.3f}", f"{e5['sa']:.3f}", f"{random['sa']:.3f}", f"{e5['found']:.0%}"):
        assert number in text


def test_without_the_records_the_page_says_so(tmp_path):
    assert "not in this folder" in finding(tmp_path / "records")
