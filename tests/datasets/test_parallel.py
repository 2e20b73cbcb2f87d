import gzip
import json

import numpy as np
import pytest
import yaml

from xlutils.datasets import load_parallel
from xlutils.datasets import parallel as module
from xlutils.errors import XlError

ARTICLES = [[("p one", ["q1", "q2"]), ("p two", ["q3"])], [("p three", ["q4"])]]


def squad(suffix):
    numbers = iter(range(1, 10))

    def paragraph(context, questions):
        qas = [{"id": f"id{next(numbers)}", "question": f"{question} {suffix}"} for question in questions]
        return {"context": f"{context} {suffix}", "qas": qas}

    return {"data": [{"title": "t", "paragraphs": [paragraph(*part) for part in article]} for article in ARTICLES]}


def belebele_rows(language):
    fields = ("link", "question_number", "flores_passage", "question")
    places = [("a", "one", 1), ("a", "one", 2), ("a", "two", 1), ("b", "three", 1)]
    return [
        dict(zip(fields, (link, number, f"{passage} {language}", f"{passage} {number} {language}"), strict=True))
        for link, passage, number in places
    ]


def write(path, content):
    text = "\n".join(json.dumps(row) for row in content) if isinstance(content, list) else json.dumps(content)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


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
    assert data.sha256 == load_parallel(folder, ["zh", "en"]).sha256 != load_parallel(folder, ["en"]).sha256


def test_a_name_is_looked_up_in_xl_data(folder, monkeypatch):
    (folder / "xquad").mkdir()
    for path in folder.glob("*.json*"):
        path.rename(folder / "xquad" / path.name)
    monkeypatch.setenv("XL_DATA", str(folder))
    data = load_parallel("xquad", ["en", "zh"])
    assert (data.name, len(data.query_ids)) == ("xquad", 4)


def test_belebele_files_may_differ_in_their_order(tmp_path):
    write(tmp_path / "eng_Latn.jsonl", belebele_rows("en"))
    rows = belebele_rows("zh")
    write(tmp_path / "zho_Hans.jsonl", [rows[3], rows[0], rows[2], rows[1]])
    data = load_parallel(tmp_path, ["en", "zh"])
    assert (len(data.query_ids), len(data.passage_ids)) == (4, 3)
    assert [text.replace("zh", "en") for text in data.queries["zh"]] == list(data.queries["en"])
    for question, passage in enumerate(data.gold):
        for code in ("en", "zh"):
            assert data.queries[code][question].split()[0] == data.passages[code][passage].split()[0]


def test_eval_files(tmp_path):
    for code in ("en", "de"):
        rows = [{"id": f"pkg{n}", "query": f"q{n}\u2028{code}", "passage": f"p{n} {code}"} for n in range(3)]
        text = "\r\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        (tmp_path / f"eval.{code}.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    data = load_parallel(tmp_path, ["de", "en"])
    assert data.query_ids == data.passage_ids == ("pkg0", "pkg1", "pkg2")
    assert data.passages["de"][1] == "p1 de"
    assert data.queries["de"][1] == "q1\u2028de"  # U+2028 does not end a line


def hub_repository(folder, configs):
    """Lay a folder out like a repository of the hub: {(config, split): rows}."""
    listed = []
    for (config, split), rows in configs.items():
        path = folder / config / f"{split}.jsonl"
        path.parent.mkdir(parents=True)
        write(path, rows)
        listed.append({"config_name": config, "data_files": [{"split": split, "path": f"{config}/{split}.jsonl"}]})
    (folder / "README.md").write_text(f"---\n{yaml.safe_dump({'configs': listed})}---\n")
    return str(folder), None


def test_the_hub_in_its_own_format(tmp_path, monkeypatch):
    rows = {code: [] for code in ("en", "zh")}
    for code in rows:
        for paragraph in (paragraph for article in squad(code)["data"] for paragraph in article["paragraphs"]):
            rows[code] += [{**item, "context": paragraph["context"]} for item in paragraph["qas"]]
    configs = {(f"xquad.{code}", "validation"): rows[code] for code in rows}
    monkeypatch.setattr(module, "XQUAD", hub_repository(tmp_path / "xquad", configs))
    configs = {("eng_Latn", "test"): belebele_rows("en"), ("zho_Hans", "test"): belebele_rows("zh")}
    monkeypatch.setattr(module, "BELEBELE", hub_repository(tmp_path / "belebele", configs))
    data = load_parallel("xquad", ["en", "zh"])
    assert data.queries["zh"] == ("q1 zh", "q2 zh", "q3 zh", "q4 zh")
    assert np.array_equal(data.gold, [0, 0, 1, 2])
    data = load_parallel("belebele", ["en", "zh"])
    assert (len(data.query_ids), len(data.passage_ids)) == (4, 3)


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
def test_languages_that_are_not_parallel_are_rejected(folder, change, message):
    broken = squad("in German")
    change(broken)
    write(folder / "xquad.de.json", broken)
    with pytest.raises(XlError, match=message):
        load_parallel(folder, ["en", "de"])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"id": "same", "query": "q", "passage": "p"}] * 2, "two questions have the id 'same'"),
        ([], "has no questions in en"),
    ],
)
def test_questions_must_exist_and_have_their_own_ids(tmp_path, rows, message):
    write(tmp_path / "eval.en.jsonl", rows)
    with pytest.raises(XlError, match=message):
        load_parallel(tmp_path, ["en"])


def test_files_that_cannot_be_read_are_one_clear_line(folder, tmp_path):
    (folder / "xquad.de.json").write_text('{"data": [')
    (folder / "xquad.fr.json.gz").write_bytes(b"not gzip")
    (tmp_path / "empty").mkdir()
    for path, languages, message in (
        (folder, ["de"], "xquad.de.json is not JSON"),
        (folder, ["fr"], "xquad.fr.json.gz is damaged"),
        (folder, ["en", "th"], "has no language th; it has de, en, fr, zh"),
        (tmp_path / "empty", ["en"], "has no <name>"),
        ("bellebele", ["en"], "did you mean belebele"),
    ):
        with pytest.raises(XlError, match=message):
            load_parallel(path, languages)


def test_a_part_keeps_questions_with_their_passages():
    data = load_parallel("mini", ["en", "de"])
    part = data.part([5, 2, 40], "three")
    assert (part.name, part.passage_ids) == ("three", tuple(data.passage_ids[place] for place in (5, 2, 40)))
    for number, question in enumerate(part.query_ids):
        old = data.query_ids.index(question)
        for code in ("en", "de"):
            assert part.queries[code][number] == data.queries[code][old]
            assert part.passages[code][part.gold[number]] == data.passages[code][data.gold[old]]
    assert sum(np.isin(data.gold, [5, 2, 40])) == len(part.query_ids)
    with pytest.raises(XlError, match="none of these passages has a question"):
        data.part([], "none")
