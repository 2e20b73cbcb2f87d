"""Text from files that others wrote."""

import json

import pytest

from xlutils.datasets.text import as_text, hide, in_markdown, parse_json, script_of, shares_in_script
from xlutils.errors import XlError


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"own\.json is not JSON"),
        ('{\n"a": }', r"own\.json line 2 is not JSON"),
        ("[" * 100_000, "cannot be read as JSON .maximum recursion depth"),
        ("1" * 5000, "cannot be read as JSON .Exceeds the limit"),
    ],
)
def test_what_is_not_json_is_one_short_line(text, message):
    with pytest.raises(XlError, match=message) as refused:
        parse_json(text, "own.json")
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(("value", "text"), [("a b", "a b"), (12, "12"), ("", ""), ("𝒳", "𝒳")])
def test_text_and_whole_numbers_are_text(value, text):
    assert as_text(value, "id") == text


@pytest.mark.parametrize("value", [None, True, 1.5, ["a"], {"a": "b"}, "half \ud800"])
def test_what_is_not_text_is_rejected(value):
    with pytest.raises(XlError, match="^id (is not text|contains half of a character)"):
        as_text(value, "id")


def test_markdown_from_data_does_nothing():
    assert in_markdown("<img src=x onerror=alert(1)> *a*\n[b](c) 语言") == (
        r"\<img src=x onerror=alert\(1\)\> \*a\* \[b\]\(c\) 语言"
    )


def test_a_secret_shows_its_end_only_if_it_is_long_and_stays_valid_in_json():
    long, short = 'sk-123456789012"end', "12345678"
    assert hide(long, f"bad key {long}") == 'bad key ***"end'
    assert json.loads(hide(long, json.dumps({"error": long}))) == {"error": '***"end'}
    assert hide(short, f"bad key {short}") == "bad key ***"


def test_a_text_is_compared_with_a_script():
    texts = ["Привет", "abvг", "12 %", "漢字とかな"]
    assert shares_in_script(texts, "Cyrl") == [1, 0.25, 1, 0]
    assert shares_in_script(texts, "Jpan") == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("text", "expected", "script"),
    [("Привет, world", "", "Cyrl"), ("漢字", "Hant", "Hant"), ("漢字とかな", "Jpan", "Jpan"), ("漢字", "Latn", "Hani")],
)
def test_the_script_of_a_text_is_that_of_most_letters(text, expected, script):
    assert script_of(text, expected) == script
