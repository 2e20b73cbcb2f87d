import gzip
import json

import numpy as np
import pytest
import yaml

from xlutils.datasets import load_parallel
from xlutils.datasets import parallel as module
from xlutils.errors import XlError

ARTICLES = [[("p one", ["q1", "q2"]), ("p two", ["q3"])], [("p three", ["q4"])]]


def squad(suffix, articles=ARTICLES):
    number = 0
    data = []
    for paragraphs in articles:
        made = []
        for context, questions in paragraphs:
            qas = []
            for question in questions:
                number += 1
                qas.append({"id": f"id{number}", "question": f"{question} {suffix}", "answers": []})
            made.append({"context": f"{context} {suffix}", "qas": qas})
        data.append({"title": "t", "paragraphs": made})
    return {"data": data}


def write(path, content, lines=False):
    text = "\n".join(json.dumps(row) for row in content) if lines else json.dumps(content)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "xquad.en.json", squad("in English"))
    write(tmp_path / "xquad.zh.json.gz", squad("in Chinese"))
    return tmp_path


def test_squad_files(folder):
    data = load_parallel(folder, ["zh", "English"])
    assert data.languages == ("zh", "en")
    assert data.query_ids == ("id1", "id2", "id3", "id4")
    assert data.passages["en"] == ("p one in English", "p two in English", "p three in English")
    assert data.queries["zh"][2] == "q3 in Chinese"
    assert np.array_equal(data.gold, [0, 0, 1, 2])


def test_a_name_is_looked_up_in_xl_data(folder, monkeypatch):
    (folder / "xquad").mkdir()
    for path in folder.glob("*.json*"):
        path.rename(folder / "xquad" / path.name)
    monkeypatch.setenv("XL_DATA", str(folder))
    data = load_parallel("xquad", ["en", "zh"])
    assert (data.name, len(data.query_ids)) == ("xquad", 4)


def test_the_hash_depends_on_the_languages_only_through_their_content(folder):
    assert load_parallel(folder, ["en"]).sha256 != load_parallel(folder, ["zh"]).sha256
    assert load_parallel(folder, ["en"]).sha256 == load_parallel(folder, ["en"]).sha256


def belebele_rows(language):
    made = []
    for link, passage, number in [("a", "one", 1), ("a", "one", 2), ("a", "two", 1), ("b", "three", 1)]:
        question = f"{passage} {number} {language}"
        made.append({"link": link, "question_number": number, "flores_passage": f"{passage} {language}",
                     "question": question, "correct_answer_num": "1"})  # fmt: skip
    return made


def test_belebele_files(tmp_path):
    write(tmp_path / "eng_Latn.jsonl", belebele_rows("en"), lines=True)
    write(tmp_path / "zho_Hans.jsonl", belebele_rows("zh"), lines=True)
    data = load_parallel(tmp_path, ["en", "zh"])
    assert len(data.query_ids) == 4
    assert len(data.passage_ids) == 3
    for question, passage in enumerate(data.gold):
        for code in ("en", "zh"):
            assert data.queries[code][question].split()[0] == data.passages[code][passage].split()[0]
            assert data.passages[code][passage].endswith(code)


def test_belebele_in_another_order_is_the_same(tmp_path):
    write(tmp_path / "eng_Latn.jsonl", belebele_rows("en"), lines=True)
    rows = belebele_rows("zh")
    write(tmp_path / "zho_Hans.jsonl", [rows[3], rows[0], rows[2], rows[1]], lines=True)
    data = load_parallel(tmp_path, ["en", "zh"])
    assert [text.removesuffix(" zh") for text in data.queries["zh"]] == [
        text.removesuffix(" en") for text in data.queries["en"]
    ]


def test_eval_files(tmp_path):
    for code in ("en", "de"):
        rows = [{"id": f"pkg{n}", "query": f"q{n}\u2028{code}", "passage": f"p{n} {code}"} for n in range(3)]
        text = "\r\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        (tmp_path / f"eval.{code}.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    data = load_parallel(tmp_path, ["de", "en"])
    assert data.query_ids == data.passage_ids == ("pkg0", "pkg1", "pkg2")
    assert data.passages["de"][1] == "p1 de"
    assert data.queries["de"][1] == "q1\u2028de"  # no end of a line


def test_the_hub_in_its_own_format(tmp_path, monkeypatch):
    """Folders laid out like the hub's repositories, read by the same code that reads the hub."""
    import pandas as pd

    xquad, belebele = tmp_path / "xquad-repo", tmp_path / "belebele-repo"
    configs = {xquad: [], belebele: []}
    for code, flores in (("en", "eng_Latn"), ("zh", "zho_Hans")):
        rows = [
            {"id": qa["id"], "context": paragraph["context"], "question": qa["question"],
             "answers": {"text": ["x"], "answer_start": [0]}}
            for article in squad(code)["data"] for paragraph in article["paragraphs"] for qa in paragraph["qas"]
        ]  # fmt: skip
        (xquad / f"xquad.{code}").mkdir(parents=True)
        pd.DataFrame(rows).to_parquet(xquad / f"xquad.{code}/validation-00000-of-00001.parquet")
        configs[xquad].append((f"xquad.{code}", "validation", f"xquad.{code}/validation-*"))
        (belebele / "data").mkdir(parents=True, exist_ok=True)
        write(belebele / f"data/{flores}.jsonl", belebele_rows(code), lines=True)
        configs[belebele].append((flores, "test", f"data/{flores}.jsonl"))
    for repo, rows in configs.items():
        listed = [{"config_name": name, "data_files": [{"split": split, "path": path}]} for name, split, path in rows]
        (repo / "README.md").write_text(f"---\n{yaml.safe_dump({'configs': listed})}---\n")
    monkeypatch.setattr(module, "XQUAD", (str(xquad), None))
    monkeypatch.setattr(module, "BELEBELE", (str(belebele), None))
    data = load_parallel("xquad", ["en", "zh"])
    assert data.queries["zh"] == ("q1 zh", "q2 zh", "q3 zh", "q4 zh")
    assert np.array_equal(data.gold, [0, 0, 1, 2])
    data = load_parallel("belebele", ["en", "zh"])
    assert len(data.query_ids) == 4
    assert len(data.passage_ids) == 3


def test_no_network_is_one_clear_line():
    with pytest.raises(XlError, match="cannot get google/xquad.*set XL_DATA") as caught:
        load_parallel("xquad", ["en"])
    assert "\n" not in str(caught.value)
    with pytest.raises(XlError, match="not on the hub"):
        load_parallel("debian", ["en"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["data"][0]["paragraphs"][0]["qas"].pop(), "one has 'id2' where the other has 'id3'"),
        (lambda d: d["data"].pop(), "4 questions against 3, the first extra one is 'id4'"),
        (lambda d: d["data"][0]["paragraphs"].reverse(), "one has 'id1' where the other has 'id3'"),
        (lambda d: d["data"][0]["paragraphs"][1].update(context=" "), "'id3' or its passage is empty"),
        (lambda d: d["data"][0].pop("paragraphs"), "not in SQuAD format .no 'paragraphs'"),
        (lambda d: d.update(data=5), "not in SQuAD format .'int' object is not iterable"),
        (lambda d: d["data"][0]["paragraphs"][0].update(context=["a"]), r"passage 0\.0 is not text but \['a'\]"),
        (lambda d: d["data"][0]["paragraphs"][0]["qas"][0].update(question=None), "question is not text but None"),
    ],
)
def test_languages_that_are_not_parallel(folder, change, message):
    broken = squad("in German")
    change(broken)
    write(folder / "xquad.de.json", broken)
    with pytest.raises(XlError, match=message):
        load_parallel(folder, ["en", "de"])


def test_ids_must_differ(tmp_path):
    rows = [{"id": "same", "query": "q", "passage": "p"}] * 2
    write(tmp_path / "eval.en.jsonl", rows, lines=True)
    with pytest.raises(XlError, match="two questions have the id 'same'"):
        load_parallel(tmp_path, ["en"])


def test_files_that_cannot_be_read(folder, tmp_path):
    (folder / "xquad.de.json").write_text('{"data": [')
    (folder / "xquad.fr.json.gz").write_bytes(b"not gzip")
    with pytest.raises(XlError, match="xquad.de.json is not JSON"):
        load_parallel(folder, ["de"])
    with pytest.raises(XlError, match="xquad.fr.json.gz is damaged"):
        load_parallel(folder, ["fr"])
    with pytest.raises(XlError, match="has no language th; it has de, en, fr, zh"):
        load_parallel(folder, ["en", "th"])
    with pytest.raises(XlError, match="has no <name>"):
        (tmp_path / "empty").mkdir()
        load_parallel(tmp_path / "empty", ["en"])
    with pytest.raises(XlError, match="did you mean belebele"):
        load_parallel("bellebele", ["en"])


def test_a_part_keeps_questions_with_their_passages():
    data = load_parallel("mini", ["en", "de"])
    part = data.part([5, 2, 40], "some")
    assert (part.name, part.passage_ids) == ("some", tuple(data.passage_ids[place] for place in (5, 2, 40)))
    for number, question in enumerate(part.query_ids):
        old = data.query_ids.index(question)
        for code in ("en", "de"):
            assert part.queries[code][number] == data.queries[code][old]
            assert part.passages[code][part.gold[number]] == data.passages[code][data.gold[old]]
    assert sum(np.isin(data.gold, [5, 2, 40])) == len(part.query_ids)
    with pytest.raises(XlError, match="none of these passages has a question"):
        data.part([], "none")
