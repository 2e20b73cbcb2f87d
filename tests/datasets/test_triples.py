import gzip
import json

import pandas as pd
import pytest

from xlutils.datasets import load_english_pairs, load_parallel, load_triples
from xlutils.errors import XlError


def lines(code, count=3, **changes):
    translation = "潮汐" if code == "zh" else f"t {code}"
    row = {"query_en": "q", "passage_en": "p", "passage_tgt": translation, "lang": code, "id": "x"}
    return "\n".join(json.dumps({**row, "query_en": f"q{n}", **changes}) for n in range(count))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "train.zh.jsonl").write_text(lines("zh"))
    (tmp_path / "train.de.jsonl.gz").write_bytes(gzip.compress(lines("de", 2).encode()))
    return tmp_path


def test_a_folder(folder):
    triples = load_triples(folder, ["de", "Chinese"])
    assert [row.lang for row in triples.rows] == ["de", "de", "zh", "zh", "zh"]
    assert triples.rows[1].query_en == "q1"


def test_a_file_of_mixed_languages(tmp_path):
    path = tmp_path / "mixed.jsonl"
    path.write_text(lines("zh") + "\n" + lines("de"))
    triples = load_triples(path, ["de"])
    assert (triples.name, {row.lang for row in triples.rows}, len(triples.rows)) == ("mixed", {"de"}, 3)


def test_debian_is_looked_up_under_either_name(folder, monkeypatch):
    (folder / "ddtp").mkdir()
    (folder / "train.zh.jsonl").rename(folder / "ddtp/train.zh.jsonl")
    monkeypatch.setenv("XL_DATA", str(folder))
    assert load_triples("debian", ["zh"]).name == "debian"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "line 1 is not JSON"),
        ("[]", "line 1 has no field 'query_en'"),
        (lines("zh", 1, passage_tgt=" "), r"train\.zh\.jsonl, triple 1 .'q0'.: passage_tgt is empty; fill it"),
        (lines("zh", 1, query_en=" "), "triple 1 .* query_en is empty"),
        (
            lines("zh", 1, query_en="潮汐是什么"),
            "triple 1 .* query_en is not in English, to judge by its script; corr",
        ),
        (lines("zh", 1, passage_en="Прилив"), "triple 1 .* passage_en is not in English, to judge by its script"),
        (lines("zh", 2) + "\n\n" + lines("zh", 1), "triple 3 .'q0'.: it repeats triple 1; drop one"),
        (lines("zh", 1, passage_tgt="die Flut"), "passage_tgt is not in Chinese, to judge by its script"),
        (
            lines("zh") + "\n" + lines("de", 1, passage_tgt="潮汐是月亮引起的 API"),
            "triple 4 .'q0'.: passage_tgt is not in German",
        ),
        (lines("zho", 1), "triple 1 .* lang 'zho' is not the tag of a language; write one such as zh"),
        (lines("0", 1), "triple 1 .* lang '0' is not the tag of a language"),
        (lines("de", 1, passage_tgt="p"), "passage_tgt is the English passage; translate it"),
        (lines("fr"), "has no triple in zh; it has fr"),
    ],
)
def test_a_line_that_is_not_a_triple_is_one_clear_line(tmp_path, text, message):
    (tmp_path / "train.zh.jsonl").write_text(text)
    with pytest.raises(XlError, match=message):
        load_triples(tmp_path, ["zh"])


def test_missing_data(folder):
    with pytest.raises(XlError, match=r"has no train\.fr\.jsonl; it has de, zh"):
        load_triples(folder, ["fr"])
    with pytest.raises(XlError, match="not on the hub"):
        load_triples("debian", ["zh"])
    with pytest.raises(XlError, match="did you mean debian"):
        load_triples("debiann", ["zh"])


def test_english_pairs_in_the_hubs_own_format(tmp_path, monkeypatch):
    (tmp_path / "en-triplet").mkdir()
    rows = [{"anchor": "q", "positive": "p", "negative": f"n{n}"} for n in range(2)]
    rows.append({"anchor": "q2", "positive": "p2", "negative": "n"})
    pd.DataFrame(rows).to_parquet(tmp_path / "en-triplet/train-00000-of-00001.parquet")
    (tmp_path / "README.md").write_text(
        "---\nconfigs:\n- config_name: en-triplet\n  data_files:\n  - split: train\n    path: en-triplet/train-*\n---\n"
    )
    monkeypatch.setattr("xlutils.datasets.triples.MIRACL", (str(tmp_path), "en-triplet", None))
    assert load_english_pairs() == [("q", "p"), ("q2", "p2")]


def test_english_pairs_of_parallel_questions_and_of_a_file(tmp_path):
    mini = load_parallel("mini", ["en"])
    pairs = load_english_pairs("mini")
    assert [query for query, _ in pairs] == list(mini.queries["en"])
    assert pairs[-1][1] == mini.passages["en"][mini.gold[-1]]
    path = tmp_path / "pairs.jsonl"
    path.write_text(lines("zh", 2) + "\n" + lines("de", 2))
    assert load_english_pairs(path) == [("q0", "p"), ("q1", "p")]
    path.write_text(lines("zh", 2, passage_en=" "))
    with pytest.raises(XlError, match=r"pairs\.jsonl, pair 1: passage_en is empty"):
        load_english_pairs(path)


def test_triples_of_parallel_questions():
    from xlutils.datasets.triples import triples_of

    data = load_parallel("mini", ["en", "zh", "de"])
    rows = triples_of(data, ["zh", "de"]).rows
    assert len(rows) == 2 * len(data.query_ids)
    last = rows[-1]
    assert (last.query_en, last.lang) == (data.queries["en"][-1], "de")
    assert last.passage_tgt == data.passages["de"][data.gold[-1]]
    assert last.passage_en == data.passages["en"][data.gold[-1]]
    with pytest.raises(XlError, match="mini has no language ru; it has en, zh, de"):
        triples_of(data, ["ru"])
