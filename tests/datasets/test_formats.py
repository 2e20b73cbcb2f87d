"""The examples on the data page are read as the page says."""

import re
from pathlib import Path

import pytest

from xlutils.datasets import load_lexicon, load_parallel, load_sentences, load_triples

PAGE = Path(__file__).resolve().parents[2] / "book/data.md"
FILE = re.compile(r"^```\{code-block\} text\n:caption: (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def examples(tmp_path):
    """The files of the page, in a folder."""
    for name, text in FILE.findall(PAGE.read_text(encoding="utf-8")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_words(examples):
    lexicon = load_lexicon(examples / "words.csv")
    assert lexicon.languages == ("en", "de", "zh")
    assert lexicon.cells["en"][0] == ("car", "automobile")
    assert lexicon.cells["zh"][2] == ()


@pytest.mark.parametrize(("folder", "passages"), [("questions", 2), ("squad", 1)])
def test_questions(examples, folder, passages):
    data = load_parallel(examples / folder, ["en", "de"])
    assert len(data.query_ids) == 2
    assert len(data.passage_ids) == passages


def test_sentences(examples):
    table = load_sentences(examples / "sentences.csv")
    assert table.languages == ("en", "yo", "zh-Hant")
    assert table.topics == ("animals", "sky")
    folder = load_sentences(examples / "sentences", ["en", "de"])
    assert folder.texts["en"] == table.texts["en"]


def test_triples(examples):
    triples = load_triples(examples / "triples.jsonl", ["de", "zh"])
    assert [row.lang for row in triples.rows] == ["de", "zh"]


def test_a_byte_order_mark_does_no_harm(examples):
    path = examples / "triples.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(load_triples(path, ["de", "zh"]).rows) == 2
