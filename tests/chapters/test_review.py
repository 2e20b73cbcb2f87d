import pandas as pd
import pytest

from xlutils.chapters.corrections import read_corrections
from xlutils.chapters.review import review

pytest.importorskip("ipywidgets")
WORST = pd.DataFrame(
    {"word": ["Hahn", "Bank", "Tau"], "partner": ["tap", "bank", "rope"], "margin": 0.0, "belongs": ""}
)


def fields(box):
    return {row.children[0].value: row.children[2:] for row in box.children}


def test_every_mark_is_saved_at_once(tmp_path):
    path = tmp_path / "mine.csv"
    of_word = fields(review(WORST, "de", path))
    assert not path.exists()
    of_word["Bank"][0].value = "yes"
    assert read_corrections(path) == [("de", "Bank", "bank", True)]
    of_word["Hahn"][0].value = "no"
    of_word["Hahn"][1].value = "rooster"
    assert {*read_corrections(path)} == {
        ("de", "Bank", "bank", True),
        ("de", "Hahn", "tap", False),
        ("de", "Hahn", "rooster", True),
    }
    of_word["Hahn"][1].value = "cock"
    of_word["Bank"][0].value = ""
    assert {*read_corrections(path)} == {("de", "Hahn", "tap", False), ("de", "Hahn", "cock", True)}


def test_earlier_marks_are_shown_and_none_is_lost(tmp_path):
    path = tmp_path / "mine.csv"
    lines = ["language,word,partner,belongs", "de,Hahn,tap,no", "de,Hahn,rooster,yes", "sw,ndege,bird,yes"]
    path.write_text("\n".join(lines), encoding="utf-8")
    of_word = fields(review(WORST, "de", path))
    assert [field.value for field in of_word["Hahn"]] == ["no", "rooster"]
    assert [field.value for field in of_word["Tau"]] == ["", ""]
    before = {*read_corrections(path)}
    of_word["Tau"][0].value = "no"
    assert {*read_corrections(path)} == before | {("de", "Tau", "rope", False)}
