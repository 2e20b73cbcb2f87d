import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlutils.datasets import load_lexicon
from xlutils.datasets.files import read_text
from xlutils.errors import XlError


def write(folder, text, name="my.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_codes_names_alternatives_comments_and_gaps(tmp_path):
    path = write(
        tmp_path,
        "\ufeff# a comment\nconcept,category,english,ZH,note,German\n"
        "car,things,car | automobile|car,汽车,seen,Auto\n\n# another\nsun,sky,sun,太阳,,\n",
    )
    lexicon = load_lexicon(path)
    assert lexicon.name == "my"
    assert lexicon.languages == ("en", "zh", "de")
    assert lexicon.concepts == ("car", "sun")
    assert lexicon.categories == ("things", "sky")
    assert lexicon.cells["en"] == (("car", "automobile"), ("sun",))
    assert lexicon.cells["de"] == (("Auto",), ())
    assert lexicon.words("en") == ["car", "automobile", "sun"]
    assert lexicon.rows()[:3] == [("car", "en", "car"), ("car", "en", "automobile"), ("car", "zh", "汽车")]
    assert load_lexicon(path, ["German", "en"]).languages == ("de", "en")


def test_concepts_are_named_where_the_file_does_not(tmp_path):
    lexicon = load_lexicon(write(tmp_path, "en,zh\nbank,银行\nbank,河岸\n,水\n"))
    assert lexicon.concepts == ("bank", "bank (2)", "row 3")


@pytest.mark.parametrize("title", ["id", "ID", "concept_id", "key", "Concept"])
def test_a_first_column_of_ids_names_the_concepts(tmp_path, title):
    lexicon = load_lexicon(write(tmp_path, f"{title},en,zh\n7,car,汽车\n9,sun,太阳\n"))
    assert (lexicon.concepts, lexicon.languages) == (("7", "9"), ("en", "zh"))


def test_indonesian_is_a_language_elsewhere_and_on_request(tmp_path):
    assert load_lexicon(write(tmp_path, "concept,en,id\nw,water,air\n")).languages == ("en", "id")
    assert load_lexicon(write(tmp_path, "id,en\nair,water\n"), ["id", "en"]).cells["id"] == (("air",),)


def test_what_is_left_out_is_mentioned(tmp_path, caplog):
    path = write(tmp_path, "# mine, CC0\nen,zh,xx\ncar,汽车,a\n#tag,标签,b\n# more\n")
    assert load_lexicon(path, ["en", "zh"]).concepts == ("car",)
    assert caplog.messages == [
        "my.csv: rows that begin with # are left out as comments: #tag,标签,b ...",
        "my.csv: columns that are not used: xx",
    ]


def test_the_hash_is_that_of_the_content(tmp_path):
    first = load_lexicon(write(tmp_path, "en,zh\ncar,汽车\n"))
    same = load_lexicon(write(tmp_path, "# new\nEnglish,Chinese\ncar , 汽车\n", "other.csv"))
    other = load_lexicon(write(tmp_path, "en,zh\ncar,车\n", "third.csv"))
    assert first.sha256 == same.sha256 != other.sha256


def test_a_choice_of_concepts(tmp_path):
    lexicon = load_lexicon(write(tmp_path, "concept,en\na,x\nb,y\nc,z\n"))
    assert lexicon.only(["c", "a"]).cells["en"] == (("z",), ("x",))
    with pytest.raises(XlError, match="unknown concept of my 'd'"):
        lexicon.only(["d"])


def test_words_that_are_shared_or_spelled_alike_are_found(tmp_path):
    lexicon = load_lexicon(write(tmp_path, "concept,en,de,fr\nhand,hand,Hand|hand,main\narm,arm,Arm|Hand,hand\n"))
    assert lexicon.shared_words() == [("de", "Hand", ("hand", "arm"))]
    assert lexicon.same_spellings() == 1  # hand in English and German


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no rows"),
        ("concept,en\n", "has no rows"),
        ("word,translation\ncar,Auto\n", "no language column"),
        ("en;zh\ncar;汽车\n", "separated by something other than commas"),
        ("concept,en\na,x\na,y\n", "2 rows have the concept 'a'"),
        ("concept,en\na,x\n,y\n", "row 2 has no concept id"),
        ("en,zh\ncar,\nsun,\n", "column zh is empty"),
        ("en,english\ncar,car\n", "two columns for en"),
        ("en,zh\ncar,汽车,extra\n", "line 2 has 3 cells, the header 2"),
        ("en,xx\ncar,a\n", "the column 'xx' is not a language"),
        ("en,zh-AQ\ncar,車\n", "the column 'zh-AQ' is not a language"),
        ("en,Thay\ncar,รถ\n", "the column 'Thay' is not a language"),
        (f"en,zh\ncar,{'x' * 140_000}\n", "cannot be read as CSV .*; is a quote missing?"),
    ],
)
def test_a_file_that_is_not_a_lexicon_is_one_clear_line(tmp_path, text, message):
    with pytest.raises(XlError, match=message) as caught:
        load_lexicon(write(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_wrong_names_are_one_clear_line(tmp_path):
    with pytest.raises(XlError, match="did you mean everyday"):
        load_lexicon("everydya")
    with pytest.raises(XlError, match="no file .*missing.csv"):
        load_lexicon(tmp_path / "missing.csv")
    with pytest.raises(XlError, match="has no language th; it has en"):
        load_lexicon("everyday", ["en", "th"])


def test_files_that_cannot_be_read_are_one_clear_line(tmp_path):
    (tmp_path / "old.csv").write_bytes("en,de\nbear,Bär\n".encode("latin-1"))
    with pytest.raises(XlError, match="not UTF-8"):
        load_lexicon(tmp_path / "old.csv")
    with pytest.raises(XlError, match=r"cannot be read \(Is a directory\); check it$"):
        read_text(tmp_path)


cells = st.text(alphabet=st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="|"), max_size=8)


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=12))
def test_what_a_csv_writer_writes_is_read_back(tmp_path_factory, rows):
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["concept", "en", "zh"])
    writer.writerows([f"c{number}", *row] for number, row in enumerate(rows))
    path = write(tmp_path_factory.mktemp("lexicon"), buffer.getvalue())
    columns = {
        code: tuple((word.strip(),) if word.strip() else () for word in column)
        for code, column in zip(("en", "zh"), zip(*rows, strict=True), strict=True)
    }
    if all(any(column) for column in columns.values()):
        assert load_lexicon(path).cells == columns
    else:
        with pytest.raises(XlError, match="is empty"):
            load_lexicon(path)


def test_names_that_equal_the_pivot_are_counted_and_left_out(tmp_path):
    text = "concept,en,de,fr\nradio,radio,Radio,radio\ncar,car|auto,Auto,voiture\nsun,sun,Sonne,\nsky,sky,Himmel,ciel\n"
    lexicon = load_lexicon(write(tmp_path, text))
    assert lexicon.comparable("en", "de") == [2, 3]
    assert lexicon.comparable("de", "fr") == [1, 3]
    assert lexicon.same_as("en") == {"de": 0.5, "fr": pytest.approx(1 / 3)}
    with pytest.raises(XlError, match="has no language yo; it has en, de, fr"):
        lexicon.same_as("yo")


def test_names_of_things_come_in_the_languages_requested():
    lexicon = load_lexicon("cldr", ["en", "yor_Latn", "Bengali"])
    assert lexicon.languages == ("en", "yo", "bn")
    assert lexicon.cells["en"][lexicon.concepts.index("cat")] == ("cat",)
    with pytest.raises(XlError, match="cldr has no language sr-Latn; nearest: sr"):
        load_lexicon("cldr", ["sr-Latn"])
