import gzip
import json

import numpy as np
import pytest

from xlutils.datasets import load_sentences
from xlutils.datasets import sentences as module
from xlutils.datasets.files import BUILTIN
from xlutils.datasets.languages import LANGUAGES
from xlutils.datasets.text import shares_in_script
from xlutils.datasets.world import load_coastline
from xlutils.errors import XlError
from xlutils.results.record import describe_dataset

TSV = "index_id\tcategory\ttext\n"
WIDE = "id,topic,en,de\na,x,Bees make honey.,Bienen machen Honig.\nb,y,The sun is hot.,Die Sonne ist heiß.\n"


@pytest.fixture(scope="module")
def udhr():
    return load_sentences("udhr")


def write(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def test_the_declaration_is_complete(udhr):
    assert len(udhr.languages) == 521
    assert udhr.ids == tuple(str(number) for number in range(1, 31))
    assert all(len(texts) == 30 and all(texts) for texts in udhr.texts.values())
    assert udhr.texts["en"][2] == "Everyone has the right to life, liberty and the security of person."
    assert udhr.texts["id"][2] != udhr.texts["en"][2]  # Indonesian, not the ids


def test_the_declaration_is_in_the_scripts_of_its_languages(udhr):
    for code, texts in udhr.texts.items():
        assert np.median(shares_in_script(texts, LANGUAGES[code].script)) > 0.8, code


def test_the_card_of_the_declaration_counts_right(udhr):
    card = (BUILTIN / "cards/udhr.md").read_text(encoding="utf-8")
    languages = [LANGUAGES[code] for code in udhr.languages]
    doubts = udhr.doubtful()
    assert f"| {len(languages)}, counting" in card
    assert f"| Scripts | {len({language.script for language in languages})} |" in card
    assert f"| With coordinates | {sum(language.latitude is not None for language in languages)} |" in card
    assert f"returns {sum(map(len, doubts.values()))} of them, in {len(doubts)} languages" in card
    assert f"{30 - len(udhr.comparable('de', 'de-1901'))} are the same in `de` and `de-1901`" in card
    assert udhr.texts["ckb-Latn"] == udhr.texts["ku"]


def test_languages_come_in_the_order_requested():
    data = load_sentences("udhr", ["Yoruba", "eng_Latn", "zh_TW"])
    assert data.languages == ("yo", "en", "zh-Hant")
    assert data.only(["en"]).texts == {"en": data.texts["en"]}
    assert describe_dataset(data, 30) == {
        **{"name": "udhr", "sha256": data.sha256, "size": 30},
        "languages": ["yo", "en", "zh-Hant"],
    }


def test_a_table_and_a_folder_give_the_same(tmp_path):
    table = load_sentences(write(tmp_path / "a/mine.csv.gz", WIDE))
    write(tmp_path / "mine/eng_Latn.tsv", TSV + "a\tx\tBees make honey.\nb\ty\tThe sun is hot.\n")
    write(tmp_path / "mine/German.tsv.gz", TSV + 'a\tx\t"Bienen machen Honig."\nb\ty\tDie Sonne ist heiß.\n')
    folder = load_sentences(tmp_path / "mine", ["en", "de"])
    assert table == folder
    assert table.sha256 == folder.sha256
    assert folder.topics == ("x", "y")
    assert load_sentences(tmp_path / "mine").languages == ("de", "en")  # by file name


def test_a_table_needs_no_ids(tmp_path):
    data = load_sentences(write(tmp_path / "mine.csv", "en,id\nHello,Halo\nBees,Lebah\n"))
    assert data.languages == ("en", "id")
    assert data.ids == ("1", "2")
    assert data.topics == ("", "")


def test_sib200_is_read_from_a_folder(tmp_path, monkeypatch):
    write(tmp_path / "sib200/eng_Latn.tsv.gz", TSV + '0\tsports\t"After the match, ""he"" said."\n')
    write(tmp_path / "sib200/yor_Latn.tsv.gz", TSV + "0\tsports\tLẹ́yìn ìdíje náà.\n")
    monkeypatch.setenv("XL_DATA", str(tmp_path))
    data = load_sentences("sib200", ["eng_Latn", "Yoruba"])
    assert data.texts == {"en": ('After the match, "he" said.',), "yo": ("Lẹ́yìn ìdíje náà.",)}
    assert data.topics == ("sports",)
    with pytest.raises(XlError, match="sib200 has no language fr; it has en, yo"):
        load_sentences("sib200", ["fr"])


def test_sib200_is_read_from_the_hub_in_the_order_of_the_folder(tmp_path, monkeypatch):
    card = ["---", "configs:"]
    for code in ("eng_Latn", "yor_Latn"):
        card += [f"- config_name: {code}", "  data_files:"]
        for split, number in (("train", 10), ("validation", 9), ("test", 1)):
            name = f"{code}.{split}.jsonl"
            row = {"index_id": number, "category": "travel", "text": f"{code} {number}"}
            write(tmp_path / "hub" / name, json.dumps(row) + "\n")
            card += [f"  - split: {split}", f"    path: {name}"]
    write(tmp_path / "hub/README.md", "\n".join([*card, "---", ""]))
    monkeypatch.setattr(module, "SIB200", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    data = load_sentences("sib200", ["en", "yo"])
    assert data.ids == ("1", "9", "10")
    assert data.texts["yo"][0] == "yor_Latn 1"
    with pytest.raises(XlError, match="sib200 has no language de-1901; nearest: de"):
        load_sentences("sib200", ["de-1901"])


def test_texts_that_are_no_translations_are_found(tmp_path):
    rows = [
        *(f"{number},a text of {number * 111} words,ein Text von {number * 111} Wörtern" for number in range(6)),
        "placeholder,a text without letters,&1",
        "short,a long text in English,kurz",
        "long,short,ein Text der viel zu lang ist",
        "twin,the first text of two,derselbe Text",
        "twin again,the second one of two,derselbe Text",
        "same,Radio Free Europe,Radio Free Europe",
    ]
    data = load_sentences(write(tmp_path / "mine.csv", "\n".join(["id,en,de", *rows])))
    twins = dict.fromkeys(("twin", "twin again"), "same text twice")
    assert data.doubtful() == {"de": {"placeholder": "no letters", "short": "too short", "long": "too long", **twins}}
    assert data.comparable("en", "de") == data.comparable("de", "en") == [0, 1, 2, 3, 4, 5]
    assert data.only(["de"]).doubtful() == {"de": {"placeholder": "no letters", **twins}}  # no lengths to compare with


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (WIDE + "b,y,More.,Mehr.\n", "2 rows have the id 'b'; ids must differ"),
        (WIDE + "c,y,More.,\n", "row 'c' has no text in de; fill or drop it"),
        (WIDE + ",y,More.,Mehr.\n", "a row without an id"),
        (
            WIDE.replace("de", "ru", 1),
            "2 of 2 texts in ru have hardly a letter of its script Cyrl, .* row 'a'",
        ),
        (WIDE.replace("de", "deutsch?", 1), "the column 'deutsch.' is not a language"),
        (WIDE.replace("de", "English", 1), "two columns for en"),
        (WIDE + "c,y,More.\n", "line 4 has 3 cells, the header 4"),
        ("id,topic\na,x\n", "no language column"),
        ("id,en\n", "has no rows"),
    ],
)
def test_a_bad_table_is_one_clear_line(tmp_path, text, message):
    with pytest.raises(XlError, match=message) as caught:
        load_sentences(write(tmp_path / "mine.csv", text))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("de.tsv", TSV + "a\tx\tEins.\n", "not parallel in de and en: 1 texts against 2"),
        ("de.tsv", TSV + "b\tx\tEins.\na\tx\tZwei.\n", "one has 'b' where the other has 'a'"),
        ("eng.tsv", TSV + "a\tx\tOne.\n", "two files for en: en.tsv and eng.tsv; keep one"),
        ("klingon.tsv", TSV + "a\tx\tOne.\n", "'klingon' of klingon.tsv is not a language"),
        ("de.tsv", "id\tsentence\na\tEins.\n", "has the columns id, sentence; it needs id and text"),
        ("de.tsv", TSV + "a\tEins.\n", "row 1 has 2 cells, the header 3"),
        ("de.tsv", TSV + 'a\tx\t"Eins.\n', "is a quote missing"),
        ("de.tsv", TSV, "has no rows"),
        ("de.tsv", "", "cannot be read|needs id and text"),
    ],
)
def test_a_bad_folder_is_one_clear_line(tmp_path, file, text, message):
    write(tmp_path / "mine/en.tsv", TSV + "a\tx\tOne.\nb\tx\tTwo.\n")
    write(tmp_path / "mine" / file, text)
    with pytest.raises(XlError, match=message) as caught:
        load_sentences(tmp_path / "mine")
    assert "\n" not in str(caught.value)


def test_a_language_or_data_that_are_missing_are_one_clear_line(tmp_path, udhr):
    with pytest.raises(XlError, match="udhr has no language ts; nearest: ts-MZ, ts-ZW"):
        load_sentences("udhr", ["ts"])
    with pytest.raises(XlError, match="unknown parallel sentences 'uhdr'; did you mean udhr"):
        load_sentences("uhdr")
    with pytest.raises(XlError, match="no <language>.tsv"):
        load_sentences(tmp_path)
    with pytest.raises(XlError, match="udhr has no language en; it has de"):
        udhr.only(["de"]).doubtful("en")
    with pytest.raises(XlError, match="udhr has no language ts; nearest: ts-MZ, ts-ZW"):
        udhr.comparable("en", "ts")


def test_the_coastline_is_closed_and_on_the_globe():
    outlines = load_coastline()
    assert len(outlines) > 100
    for outline in outlines:
        assert outline.shape[1] == 2
        assert (outline[0] == outline[-1]).all()
        assert (np.abs(outline) <= [180, 90]).all()
