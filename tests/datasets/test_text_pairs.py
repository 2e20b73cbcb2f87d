"""Tables of pairs: what is read, what is missing, and what is refused."""

import pytest

from xlutils.datasets.relations import load_minimal_pairs, load_relations, load_senses
from xlutils.errors import XlError

WORDS = """relation,category,en_1,en_2,German_1,German_2
antonym,adjective,hot,cold,heiß,kalt
antonym,adjective,big,small,groß,
category,fruit,apple,fruit,Apfel,Frucht
category,fruit,pear,fruit,Birne,Frucht
"""
SENTENCES = """phenomenon,id,en,en_distractor,zh,zh_distractor
negation,n1,It rains.,It does not rain.,下雨。,不下雨。
register,r1,Could you help?,Can you help?,,
"""
SENSES = """word,senses,en,en_sentence,de,de_sentence
bank,9,bank,I paid at the bank.,Bank,Ich zahlte bei der Bank.
bank,9,bank,We sat on the bank.,Ufer,Wir saßen am Ufer.
"""


@pytest.fixture
def written(tmp_path):
    def write(text, name="mine.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_related_words_have_ids_and_a_pair_with_one_side_missing_is_left_out(written):
    pairs = load_relations(written(WORDS))
    assert (pairs.kind, pairs.name) == ("relations", "mine")
    assert pairs.languages == ("en", "de")
    assert pairs.ids == ("antonym-1", "antonym-2", "category-1", "category-2")
    assert pairs.labels == ("adjective", "adjective", "fruit", "fruit")
    assert (pairs.first["de"][0], pairs.second["de"][0]) == ("heiß", "kalt")
    assert pairs.rows("antonym", "en") == [0, 1]
    assert pairs.rows("antonym", "en", "de") == [0]
    assert pairs.missing() == {"en": 0, "de": 1}
    some = pairs.take([3, 0])
    assert (some.ids, some.labels) == (("category-2", "antonym-1"), ("fruit", "adjective"))
    assert (some.first["en"], some.second["de"]) == (("pear", "hot"), ("Frucht", "kalt"))
    only = load_relations(written(WORDS), ["German"])
    assert only.languages == ("de",)
    assert only.sha256 != pairs.sha256


def test_sentences_and_distractors_are_both_empty_where_the_language_lacks_the_phenomenon(written):
    pairs = load_minimal_pairs(written(SENTENCES), ["zh", "en"])
    assert pairs.languages == ("zh", "en")
    assert pairs.groups == ("negation", "register")
    assert pairs.rows("register", "en") == [1]
    assert pairs.rows("register", "en", "zh") == []
    assert pairs.second["en"][0] == "It does not rain."


def test_each_sense_has_a_translation_and_a_sentence(written):
    pairs = load_senses(written(SENSES))
    assert pairs.ids == ("bank-1", "bank-2")
    assert pairs.first["de"] == ("Bank", "Ufer")
    assert pairs.labels == ("9", "9")


@pytest.mark.parametrize(
    ("load", "text", "old", "new", "message"),
    [
        (load_relations, WORDS, "relation,", "kind,", "mine.csv has no column 'relation'; it has kind, category"),
        (load_relations, WORDS, "category,fruit,pear,fruit,Birne,Frucht\n", "", "the category 'fruit' has one member"),
        (load_relations, WORDS, "en_1,en_2,German_1,German_2", "en,x,y,z", "needs two columns for each, such as en_1"),
        (load_relations, WORDS, "heiß", "горячий", "row 'antonym-1' is not in the script Latn of de"),
        (load_relations, WORDS, "kalt", "kalt,", "line 2 has 7 cells, the header 6"),
        (
            load_minimal_pairs,
            SENTENCES,
            "不下雨。",
            "下雨。",
            "row 'n1' has a distractor in zh that equals its sentence",
        ),
        (load_minimal_pairs, SENTENCES, "r1", "n1", "2 rows have the id 'n1'; give each a different one"),
        (load_senses, SENSES, "bank,9,bank,We", "bat,9,bank,We", "'bank' has 1 rows; give it two, one for each sense"),
    ],
)
def test_a_table_that_is_not_right_is_refused_with_one_line(written, load, text, old, new, message):
    with pytest.raises(XlError, match=message):
        load(written(text.replace(old, new)))


def test_a_name_or_language_that_is_unknown_is_refused(written):
    with pytest.raises(XlError, match="unknown pairs of texts 'relation'"):
        load_relations("relation")
    with pytest.raises(XlError, match="mine has no language fr; it has en, de"):
        load_relations(written(WORDS), ["fr"])
