import pytest

from xlutils.datasets.languages import LANGUAGES, is_written_in, language_code, language_codes
from xlutils.errors import XlError


def test_codes_and_names_are_unique():
    assert len({language.name for language in LANGUAGES.values()}) == len(LANGUAGES)
    assert len({language.flores for language in LANGUAGES.values()}) == len(LANGUAGES)
    assert all(len(code) == 2 for code in LANGUAGES)


@pytest.mark.parametrize("name", ["zh", "ZH", "Chinese", " chinese "])
def test_a_language_has_a_code_and_a_name(name):
    assert language_code(name) == "zh"


def test_a_language_has_a_script():
    assert LANGUAGES["hi"].script == "Deva"


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["en", "chinesse"], "did you mean Chinese"),
        (["en", "English"], "given twice"),
        ([], "no language"),
        ("en", "must be a list"),
    ],
)
def test_bad_languages_are_refused(names, message):
    with pytest.raises(XlError, match=message):
        language_codes(names)


@pytest.mark.parametrize(
    ("code", "right", "wrong"),
    [
        ("zh", "用 GTK 写的程序", "Programm für GTK"),
        ("ja", "GTKのプログラム", "GTK프로그램"),
        ("ko", "GTK 프로그램", "GTKのプログラム"),
        ("ru", "программа GTK", "programma"),
        ("de", "Programm für 中 GTK", "程序 GTK 潮汐潮汐"),
        ("hi", "ज्वार", "tide"),
        ("de", "a", "123"),
    ],
)
def test_the_script_of_a_text_tells_what_it_cannot_be(code, right, wrong):
    assert is_written_in(right, code)
    assert not is_written_in(wrong, code)


def test_every_language_has_a_script_that_is_known_or_several():
    judged = [code for code in LANGUAGES if not is_written_in("?", code)]
    assert len(judged) == len(LANGUAGES) - 11
    assert all(is_written_in(text, "sr") for text in ("програм", "program"))
