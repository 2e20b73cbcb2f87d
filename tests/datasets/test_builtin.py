"""The data that ships: is each cell there, in its script, and each question answerable?"""

import json
import re
import unicodedata
from collections import Counter

import numpy as np
import pytest

from xlutils.datasets import load_lexicon, load_parallel
from xlutils.datasets.files import BUILTIN, builtin_names
from xlutils.datasets.languages import LANGUAGES
from xlutils.datasets.lexicon import lexicon_names
from xlutils.datasets.text import shares_in_script
from xlutils.models import load_model

SA_LANGUAGES = ("en", "zh", "es", "fr", "de", "ru", "ko", "ar")
LEXICONS = {  # least number of concepts, languages
    "everyday": (300, SA_LANGUAGES),
    "culture": (300, SA_LANGUAGES),
    "untranslatable": (150, SA_LANGUAGES),
    "oracle-bone": (300, SA_LANGUAGES),
    "concepts-core": (15, ("en", "es", "fr", "de", "zh", "ja", "ar", "ru")),
    "concepts-extended": (120, ("en", "es", "fr", "de", "zh", "ja", "ar", "ru", "hi", "th", "ko", "tr")),
}
MINI_LANGUAGES = ("en", "zh", "es", "ar", "de", "th", "hi", "ru")
USE_LANGUAGES = ("en", "zh", "es", "ar", "de", "th", "ru")  # Hindi is not among the sixteen of USE v3
PASSAGE_LENGTHS = {  # words; characters in the two languages written without spaces
    **{"en": (60, 120), "es": (60, 145), "de": (50, 125), "ru": (45, 120), "ar": (45, 115), "hi": (60, 160)},
    **{"zh": (110, 260), "th": (250, 800)},
}


def share_in_script(text, language):
    return shares_in_script([text], LANGUAGES[language].script)[0]


def test_everything_that_ships_is_tested():
    assert set(lexicon_names()) == {*LEXICONS, "cldr"}
    assert builtin_names("mini", ".json") == sorted(f"mini.{language}" for language in MINI_LANGUAGES)


@pytest.mark.parametrize("name", LEXICONS)
def test_a_lexicon_has_every_word_in_its_script(name):
    least, languages = LEXICONS[name]
    lexicon = load_lexicon(name)
    assert lexicon.languages == languages
    assert len(lexicon.concepts) >= least
    assert all(lexicon.categories)
    for language in languages:
        for concept, cell in zip(lexicon.concepts, lexicon.cells[language], strict=True):
            assert 1 <= len(cell) <= 4, (concept, language)
            for word in cell:
                assert share_in_script(word, language) > 0.99, (concept, language, word)
                assert word == unicodedata.normalize("NFC", word), (concept, language, word)
    shared = Counter(language for language, _, _ in lexicon.shared_words())
    assert max(shared.values(), default=0) <= 0.05 * len(lexicon.concepts)


def test_the_names_of_things_are_as_their_card_says():
    lexicon = load_lexicon("cldr")
    card = (BUILTIN / "cards/cldr.md").read_text(encoding="utf-8")
    counts = {code: sum(map(bool, cells)) for code, cells in lexicon.cells.items()}
    complete = sum(all(cells) for cells in zip(*lexicon.cells.values(), strict=True))
    assert f"| {len(lexicon.concepts)}, of which {complete} have" in card
    assert f"{len(counts)} with at least 800 names each; {list(counts.values()).count(1572)} of them" in card
    assert len(set(lexicon.categories)) == 8
    assert min(counts.values()) >= 800
    assert all(len(cell) <= 1 for cells in lexicon.cells.values() for cell in cells)
    for code, cells in lexicon.cells.items():
        shares = [share_in_script(cell[0], code) for cell in cells if cell]
        assert np.mean([share > 0.5 for share in shares]) > 0.95, code
    assert lexicon.same_as("en")["tl"] == pytest.approx(0.25, abs=0.01)
    assert lexicon.cells["hi"][lexicon.concepts.index("banana")] == ("केला",)


def test_the_core_concepts_are_those_of_the_study():
    lexicon = load_lexicon("concepts-core")
    wanted = "freedom love justice knowledge peace water sun tree house mountain gravity energy happiness fear anger"
    assert list(lexicon.concepts) == wanted.split()
    assert Counter(lexicon.categories) == {"abstract": 5, "concrete": 5, "scientific": 2, "emotion": 3}
    extended = load_lexicon("concepts-extended")
    assert set(lexicon.concepts) <= set(extended.concepts)
    assert set(Counter(extended.categories).values()) == {16}
    assert "cultural" in extended.categories


def test_oracle_bone_characters_are_single_and_have_several_glosses():
    lexicon = load_lexicon("oracle-bone")
    assert all(len(character) == 1 for cell in lexicon.cells["zh"] for character in cell)
    assert np.mean([len(cell) for cell in lexicon.cells["en"]]) > 1.3


@pytest.fixture(scope="module")
def mini():
    return load_parallel("mini", MINI_LANGUAGES)


def test_mini_is_large_enough_and_parallel(mini):
    assert len(mini.passage_ids) >= 60
    assert np.bincount(mini.gold).tolist() == [3] * len(mini.passage_ids)


@pytest.mark.parametrize("language", MINI_LANGUAGES)
def test_mini_is_clean(mini, language):
    low, high = PASSAGE_LENGTHS[language]
    assert len(set(mini.passages[language])) == len(mini.passage_ids)
    assert len(set(mini.queries[language])) == len(mini.query_ids)
    for passage in mini.passages[language]:
        length = len(passage) if language in ("zh", "th") else len(passage.split())
        assert low <= length <= high, passage
        assert share_in_script(passage, language) > 0.8, passage
    for question in mini.queries[language]:
        assert share_in_script(question, language) > 0.75, question
        assert not re.search(r"  |\s$|^\s", question), question


@pytest.mark.parametrize("language", MINI_LANGUAGES)
def test_the_passages_contain_the_answers(language):
    content = json.loads((BUILTIN / f"mini/mini.{language}.json").read_text(encoding="utf-8"))
    for article in content["data"]:
        assert article["title"].strip()
        for paragraph in article["paragraphs"]:
            for qa in paragraph["qas"]:
                (answer,) = qa["answers"]
                start = answer["answer_start"]
                assert answer["text"]
                assert paragraph["context"][start : start + len(answer["text"])] == answer["text"], qa["id"]


@pytest.mark.slow
@pytest.mark.parametrize("language", USE_LANGUAGES)
def test_the_gold_passage_is_usually_first(mini, language):
    use = load_model("use-multilingual-v3")
    scores = use.encode(mini.queries[language], "query") @ use.encode(mini.passages[language], "passage").T
    share = np.mean(scores.argmax(axis=1) == mini.gold)
    assert share >= 0.85
    card = (BUILTIN / "cards/mini.md").read_text(encoding="utf-8")
    (row,) = [line for line in card.splitlines() if line.startswith("| `use-multilingual-v3` |")]
    printed = row.split("|")[2:-1][MINI_LANGUAGES.index(language)]
    assert float(printed) == pytest.approx(100 * share, abs=0.6)  # one question is half a point


@pytest.mark.parametrize("card", ["concepts", "lexicons", "mini", "cldr", "udhr", "languages", "external"])
def test_the_cards_describe_the_data(card):
    text = (BUILTIN / f"cards/{card}.md").read_text(encoding="utf-8")
    assert "weaknesses" in text
    assert "icence" in text
    for name in ("everyday", "culture", "untranslatable", "oracle-bone"):
        if card == "lexicons":
            lexicon = load_lexicon(name)
            assert f"| `{name}` | {len(lexicon.concepts)} | {len(set(lexicon.categories))} |" in text
