"""The data set made of Debian's files, from a small one in their format."""

import bz2

import debian
import pytest

from xlutils.datasets import load_parallel, load_triples
from xlutils.errors import XlError

NAMES = {"en": "tool", "de": "Werkzeug", "zh": "工具"}


def description(
    code, number, stanza="Package: p{n}\nDescription-md5: {n:032x}\nDescription-{code}: {name} {n}\n{long}\n"
):
    line = f" {NAMES[code]} {number} " + f"{NAMES[code]} " * 20
    long = f"{line}\n goes on\n .\n  * and {NAMES[code]}\n"
    return stanza.format(n=number, code="zh_CN" if code == "zh" else code, name=NAMES[code], long=long)


@pytest.fixture
def folder(tmp_path):
    files = {code: [description(code, number) for number in range(12)] for code in NAMES}
    files["en"].append(description("en", 3).replace("p3", "p3-dev").replace("Description-md5: 0", "Description-md5: f"))
    files["de"][5] = description("en", 5)  # not translated
    del files["zh"][7]
    (tmp_path / "Translation-en").write_text("".join(files["en"]), encoding="utf-8")
    (tmp_path / "Translation-de.bz2").write_bytes(bz2.compress("".join(files["de"]).encode()))
    (tmp_path / "Translation-zh_CN").write_text("".join(files["zh"]), encoding="utf-8")
    return tmp_path


def test_questions_and_triples_come_from_different_packages(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(debian, "EVALUATED", 4)
    into = tmp_path / "data/debian"
    options = [str(folder), "--evaluate", "de,zh", "--train", "de,zh", "--into", str(into)]
    debian.main(options)
    data, triples = load_parallel(str(into), ["en", "de", "zh"]), load_triples(into, ["de", "zh"]).rows
    assert len(data.query_ids) == 4
    assert not set(data.query_ids) & {"p5", "p7", "p3-dev"}
    assert [sum(row.lang == code for row in triples) for code in ("de", "zh")] == [7, 7]  # 12 - 4 - 1 that lacks
    assert not set(data.passages["en"]) & {row.passage_en for row in triples}
    assert data.passages["de"][0].endswith("Werkzeug goes on\n* and Werkzeug")
    before = {path.name: path.read_bytes() for path in into.iterdir()}
    capsys.readouterr()
    (into / "train.zh.jsonl.gz").unlink()
    debian.main(options)
    assert "train.de.jsonl.gz is there already\ntrain.zh.jsonl.gz: 7 rows" in capsys.readouterr().out
    assert load_triples(into, ["de", "zh"]).rows == triples
    assert {path.name for path in into.iterdir()} == set(before)


def test_a_language_without_a_file_is_one_clear_line(folder, tmp_path):
    with pytest.raises(XlError, match="has no Translation-fr; fetch it from Debian"):
        debian.main([str(folder), "--evaluate", "fr", "--into", str(tmp_path / "x")])
