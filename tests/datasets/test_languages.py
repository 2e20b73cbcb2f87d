import pytest

from xlutils.datasets.languages import LANGUAGES, language_code, language_codes, language_name
from xlutils.errors import XlError


def test_codes_and_names_are_unique():
    assert len({language.name for language in LANGUAGES.values()}) == len(LANGUAGES)
    assert len({language.flores for language in LANGUAGES.values()}) == len(LANGUAGES)
    assert all(len(code) == 2 for code in LANGUAGES)


@pytest.mark.parametrize("name", ["zh", "ZH", "Chinese", " chinese "])
def test_a_language_has_a_code_and_a_name(name):
    assert language_code(name) == "zh"


def test_what_is_no_code_keeps_its_name():
    assert [language_name(name) for name in ("zh", "all")] == ["Chinese", "all"]


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
