import json

import pytest

from xlutils.datasets.paraphrases import load_paraphrases, paraphrased
from xlutils.datasets.triples import Triple, Triples
from xlutils.errors import XlError

TRIPLES = Triples("toy", tuple(Triple(f"q{n}", f"p{n}", f"t{n}", code) for code in ("de", "fr") for n in range(50)))


def test_a_table_and_json_lines_say_the_same(tmp_path):
    rows = [("a", "A, again"), ("b", "B"), ("a", "another a")]
    (tmp_path / "x.csv").write_text("paraphrase,text\n" + "".join(f'"{b}",{a}\n' for a, b in rows), encoding="utf-8")
    lines = [json.dumps({"text": a, "paraphrase": b}) for a, b in rows]
    (tmp_path / "x.jsonl").write_text("\n".join(lines), encoding="utf-8")
    found = load_paraphrases(tmp_path / "x.csv")
    assert found == {"a": ("A, again", "another a"), "b": ("B",)} == load_paraphrases(tmp_path / "x.jsonl")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.csv", "text,other\na,b\n", "x.csv has no column 'paraphrase'; it needs text and paraphrase"),
        ("x.csv", "text,paraphrase\na,b\na, \n", "x.csv row 2: a text is empty or its own paraphrase"),
        ("x.jsonl", '{"text": "a", "paraphrase": "a"}\n', "x.jsonl row 1: a text is empty or its own paraphrase"),
        ("x.jsonl", '{"text": "a"}\n', "x.jsonl line 1 has no field 'paraphrase'"),
        ("", "", "is missing; give a CSV or JSON lines"),
    ],
)
def test_what_is_no_file_of_paraphrases_is_refused_in_one_line(tmp_path, name, content, message):
    if name:
        (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(XlError, match=message) as caught:
        load_paraphrases(tmp_path / (name or "nothing.csv"))
    assert "\n" not in str(caught.value)


def test_questions_are_replaced_with_a_chance():
    paraphrases = {f"q{n}": (f"r{n}", f"s{n}") for n in range(25)}
    assert paraphrased(TRIPLES, paraphrases, 0.0) == TRIPLES
    always = {row.query_en[0] for row in paraphrased(TRIPLES, paraphrases, 1.0).rows}
    assert always == {"q", "r", "s"}  # half of the questions have no paraphrase
    half = paraphrased(TRIPLES, paraphrases, 0.5)
    moved = [new.query_en != old.query_en for new, old in zip(half.rows, TRIPLES.rows, strict=True)]
    assert 10 < sum(moved) < 40
    assert half == paraphrased(TRIPLES, paraphrases, 0.5)
    with pytest.raises(XlError, match="toy: no question has a paraphrase"):
        paraphrased(TRIPLES, {"x": ("y",)}, 0.5)


def test_a_balanced_sample_has_as_many_triples_of_each_language():
    few = TRIPLES.balanced(20)
    assert [row.lang for row in few.rows] == ["de"] * 20 + ["fr"] * 20
    assert len(set(few.rows)) == 40
    assert few.rows[0] in TRIPLES.rows
    assert few == TRIPLES.balanced(20) != TRIPLES.balanced(20, seed=1)
    with pytest.raises(XlError, match="toy: de has 50 triples, fewer than 51; ask for fewer"):
        TRIPLES.balanced(51)
