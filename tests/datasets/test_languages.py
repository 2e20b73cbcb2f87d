import subprocess
import sys

import pytest

from xlutils.datasets import load_lexicon, load_sentences
from xlutils.datasets.languages import (
    LANGUAGES,
    language_code,
    language_codes,
    language_name,
    no_language,
    script_name,
)
from xlutils.errors import XlError

SHADOWED = ("Fur", "Ga", "Mon", "Tem")  # names that are codes of other languages


def test_names_and_codes_are_unique():
    assert len({language.name for language in LANGUAGES.values()}) == len(LANGUAGES)
    flores = [language.flores for language in LANGUAGES.values() if language.flores]
    assert len(set(flores)) == len(flores) == 205
    assert all(language.code == code and language.name for code, language in LANGUAGES.items())


def test_every_name_of_a_language_leads_to_it():
    for code, language in LANGUAGES.items():
        names = [code, code.upper(), language.flores, language.name]
        for name in filter(None, names):
            assert language_code(name) == code or name in SHADOWED


def test_what_is_no_code_keeps_its_name():
    assert [language_name(name) for name in ("zh", "all")] == ["Chinese", "all"]
    assert [script_name(code) for code in ("Latn", "Qaaa")] == ["Latin", "Qaaa"]


def test_every_script_has_a_name_of_its_own():
    scripts = {language.script for language in LANGUAGES.values()}
    names = {script_name(script) for script in scripts}
    assert len(names) == len(scripts)
    assert names & scripts == {"Thai"}


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("zh", "zh ZH Chinese zho cmn zho_Hans zh-Hans zh_CN"),
        ("zh-Hant", "zh-Hant zho_Hant zh_TW zh-HK"),
        ("en", "English eng eng_Latn en_US en-Latn"),
        ("yo", "yor yor_Latn Yoruba yo-NG"),
        ("nb", "no nob nob_Latn Norwegian"),
        ("tl", "fil tgl Tagalog"),
        ("he", "iw heb_Hebr"),
        ("sr", "sr_Cyrl srp_Cyrl"),
    ],
)
def test_a_language_has_many_names(code, names):
    assert {language_code(name) for name in names.split()} == {code}
    assert language_code(f" {code} ") == code


def test_a_language_has_a_script_a_direction_speakers_and_a_place():
    arabic = LANGUAGES["ar"]
    assert (arabic.script, arabic.direction, arabic.iso639_3, arabic.flores) == ("Arab", "rtl", "arb", "arb_Arab")
    assert 2e8 < arabic.speakers < 6e8
    assert 4 < LANGUAGES["yo"].latitude < 10
    assert 2 < LANGUAGES["yo"].longitude < 6
    assert LANGUAGES["und-x-klau"].latitude is None
    assert LANGUAGES["sr-Latn"].script == "Latn"
    assert LANGUAGES["de-1901"].speakers is None
    assert all(-60 < language.latitude < 85 for language in LANGUAGES.values() if language.latitude is not None)


def test_all_languages_of_the_data_are_in_the_table():
    assert {*load_lexicon("cldr").languages, *load_sentences("udhr").languages} <= set(LANGUAGES)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["en", "chinesse"], "did you mean Chinese"),
        (["en", "de_AT"], "unknown language 'de_AT'; did you mean de or de-1901"),
        (["frp"], "did you mean frp-x-fribourg or frp-x-savoie"),
        (["qq"], "unknown language 'qq'; known: .* more"),
        (["en", "English"], "given twice"),
        (["yo", "yor_Latn"], "given twice"),
        ([], "no language"),
        ("en", "must be a list"),
    ],
)
def test_bad_languages_are_refused(names, message):
    with pytest.raises(XlError, match=message) as caught:
        language_codes(names)
    assert "\n" not in str(caught.value)


def test_a_language_that_data_lack_is_answered_with_the_nearest():
    assert str(no_language("d", "zh", ["en", "zh-Hant"])) == "d has no language zh; nearest: zh-Hant"
    assert str(no_language("d", "yo", ["en", "ha"])) == "d has no language yo; it has en, ha"
    assert str(no_language("d", "yo", [f"q{number}" for number in range(50)])).endswith("q39 and 10 more")


def test_the_table_is_read_on_first_use_and_quickly():
    code = """
import time, xlutils.datasets.languages as module
print(vars(module.LANGUAGES))
start = time.process_time()
module.language_code("Yoruba")
print(time.process_time() - start)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, seconds = run.stdout.splitlines()
    assert before == "{}"
    assert float(seconds) < 0.1  # seen: 0.006
