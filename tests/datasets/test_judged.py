"""Pairs that people judged, in the formats of their authors."""

import json

import pytest

from xlutils.datasets.judged import load_judged
from xlutils.errors import XlError

RATINGS = "ID,Word 1,Word 2,POS,Annotator 1,Annotator 2\n1,car,automobile,N,6,5\n2,car,tree,N,0,1\n3,big,large,A,5,\n"
LINES = [
    "Bank\tN\t4\t8\t0\t4\tDie Bank ist zu.\tBank und Post.\t1",
    "Bank\tN\t4\t8\t6\t10\tDie Bank ist zu.\tAuf der Bank sitzen.\t0",
    "gehen\tV\t4\t8\t0\t5\tWir gehen.\tGehen wir.\t1",
]
OBJECTS = [
    {"id": f"dev.en-en.{number}", "lemma": "play", "pos": "NOUN", "sentence1": f"one {number}", "sentence2": "two"}
    for number in range(3)
]
TAGS = [{"id": f"dev.en-en.{number}", "tag": "TFT"[number]} for number in range(3)]


def test_ratings_of_multi_simlex_are_averaged(tmp_path):
    (tmp_path / "ENG-SimLex.csv").write_text(RATINGS, encoding="utf-8")
    pairs = load_judged(tmp_path / "ENG-SimLex.csv")
    assert (pairs.first[0], pairs.second[0]) == ("car", "automobile")
    assert pairs.scores == (5.5, 0.5, 5.0)


def test_lines_of_xl_wic_have_labels_at_their_ends_or_in_a_second_file(tmp_path):
    (tmp_path / "de_valid.txt").write_text("\n".join(LINES), encoding="utf-8")
    pairs = load_judged(tmp_path / "de_valid.txt")
    assert pairs.second == ("Bank und Post.", "Auf der Bank sitzen.", "Gehen wir.")
    assert pairs.scores == (1, 0, 1)
    (tmp_path / "de_test_data.txt").write_text("\n".join(line[:-2] for line in LINES), encoding="utf-8")
    with pytest.raises(XlError, match="no labels: put de_test_gold.txt beside it"):
        load_judged(tmp_path / "de_test_data.txt")
    (tmp_path / "de_test_gold.txt").write_text("1\n0\n1\n", encoding="utf-8")
    again = load_judged(tmp_path / "de_test_data.txt")
    assert (again.first, again.scores, again.sha256) == (pairs.first, pairs.scores, pairs.sha256)


def test_objects_of_mcl_wic_find_their_tags(tmp_path):
    (tmp_path / "dev.en-en.data").write_text(json.dumps(OBJECTS), encoding="utf-8")
    (tmp_path / "dev.en-en.gold").write_text(json.dumps(TAGS[::-1]), encoding="utf-8")
    assert load_judged(tmp_path / "dev.en-en.data").scores == (1, 0, 1)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.tsv", "", "a.tsv is not of Multi-SimLex"),
        ("a.csv", "x,y\n1,2\n", "needs the columns Word 1, Word 2 and Annotator 1"),
        ("a.csv", RATINGS.replace("0,1", "many,1"), "a.csv line 3 has no ratings that are numbers"),
        ("a.csv", RATINGS[: RATINGS.index("3,big")], "a.csv has 2 judged pairs; it takes at least 3"),
        ("a.txt", "\n".join(LINES).replace("\t0\n", "\tperhaps\n"), "a.txt has the label 'perhaps'"),
        ("a.txt", LINES[0] + "\nBank\tN", "a.txt line 2 has 2 columns, not 9"),
        ("a.data", "[{}]", "a.data has no labels: put a.gold beside it"),
    ],
)
def test_what_is_not_right_is_refused_with_one_line(tmp_path, name, text, message):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(XlError, match=message):
        load_judged(tmp_path / name)


def test_an_object_without_a_field_or_a_tag_is_refused(tmp_path):
    (tmp_path / "a.data").write_text(json.dumps([{"id": "1"}]), encoding="utf-8")
    (tmp_path / "a.gold").write_text(json.dumps(TAGS), encoding="utf-8")
    with pytest.raises(XlError, match="a.data: object 1 has no field 'sentence1'"):
        load_judged(tmp_path / "a.data")
    (tmp_path / "a.data").write_text(json.dumps([{**OBJECTS[0], "id": "x"}]), encoding="utf-8")
    with pytest.raises(XlError, match="a.gold has no tag for x"):
        load_judged(tmp_path / "a.data")
