"""Text from other people's files: used as it is, or rejected with one line."""

from __future__ import annotations

import functools
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Any

from xlutils.errors import XlError

_SHOWN = 4  # characters of a secret that say which one it is
_LEAST, _LEAST_LATIN = 0.1, 0.5  # share of a text's distinct letters in the script; any text may have English names
_LONG = 16  # characters of a secret that its last four do not give away
_LETTERS = {  # ISO 15924 code of a script: how Unicode's names of its letters begin
    **{"Latn": "LATIN", "Cyrl": "CYRILLIC", "Grek": "GREEK", "Armn": "ARMENIAN", "Geor": "GEORGIAN"},
    **{"Arab": "ARABIC", "Hebr": "HEBREW", "Syrc": "SYRIAC", "Thaa": "THAANA", "Nkoo": "NKO", "Adlm": "ADLAM"},
    **{"Ethi": "ETHIOPIC", "Tfng": "TIFINAGH", "Vaii": "VAI", "Cher": "CHEROKEE", "Cans": "CANADIAN"},
    **{"Deva": "DEVANAGARI", "Beng": "BENGALI", "Guru": "GURMUKHI", "Gujr": "GUJARATI", "Orya": "ORIYA"},
    **{"Taml": "TAMIL", "Telu": "TELUGU", "Knda": "KANNADA", "Mlym": "MALAYALAM", "Sinh": "SINHALA"},
    **{"Gran": "GRANTHA", "Cakm": "CHAKMA", "Olck": "OL CHIKI", "Thai": "THAI", "Laoo": "LAO", "Tibt": "TIBETAN"},
    **{"Mymr": "MYANMAR", "Khmr": "KHMER", "Lana": "TAI THAM", "Tavt": "TAI VIET", "Java": "JAVANESE"},
    **{"Mong": "MONGOLIAN", "Yiii": "YI", "Hang": "HANGUL", "Hira": "HIRAGANA", "Kana": "KATAKANA", "Hani": "CJK"},
}
_WITHIN = {  # scripts that consist of others
    **dict.fromkeys(("Hans", "Hant"), ("Hani",)),
    **{"Jpan": ("Hani", "Hira", "Kana"), "Kore": ("Hani", "Hang")},
}


def parse_json(text: str, name: str) -> Any:
    """Parse JSON.

    :param text: The JSON.
    :param name: What to call it in error messages.
    :raises XlError: If it is not valid, is nested too deeply, or contains a number too long to read.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        line = f" line {error.lineno}" if "\n" in text else ""
        raise XlError(f"{name}{line} is not JSON ({error.msg}); get it again") from None
    except (RecursionError, ValueError) as error:
        raise XlError(f"{name} cannot be read as JSON ({str(error).split(':')[0]}); get it again") from None


def as_text(value: object, name: str) -> str:
    """Return a text as it is, and a whole number as text.

    :param value: A value from a file.
    :param name: What to call it in error messages.
    :raises XlError: If it is something else, or contains half of a surrogate pair, which cannot be written again.
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise XlError(f"{name} is not text but {repr(value)[:40]}; fix it")
    text = str(value)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise XlError(f"{name} contains half of a character (a lone surrogate): {text[:40]!r}; fix it")
    return text


def in_markdown(text: str) -> str:
    """Return a text from data or records as Markdown that shows it and does nothing else."""
    return re.sub(r"([\\`*_{}\[\]<>()#!|~$&^])", r"\\\1", " ".join(text.split()))


def hide(secret: str, text: str) -> str:
    """Replace a secret in a text, also where it is written as JSON, by asterisks and its last four characters."""
    end = secret[-_SHOWN:] if len(secret) >= _LONG else ""
    for written, shown in ((secret, end), (json.dumps(secret)[1:-1], json.dumps(end)[1:-1])):
        text = text.replace(written, f"***{shown}")
    return text


@functools.cache
def _script_of_letter(character: str) -> str:
    """Return the script of a letter, or "" for what is not a letter or belongs to no script."""
    name = unicodedata.name(character, "") if unicodedata.category(character) in ("Lu", "Ll", "Lt", "Lo") else ""
    return next((script for script, start in _LETTERS.items() if name.startswith(f"{start} ")), "")


def shares_in_script(texts: Sequence[str], script: str) -> list[float]:
    """Return for each text the share of its distinct letters that belong to a script; 1 if it has no letter.

    :param texts: Texts in one language.
    :param script: ISO 15924 code, such as "Latn" or "Jpan".
    """
    scripts = {character: _script_of_letter(character) for character in set("".join(texts))}
    letters = {character for character, found in scripts.items() if found}
    wanted = {character for character in letters if scripts[character] in _WITHIN.get(script, (script,))}
    counts = [(len(wanted & found), len(letters & found)) for found in map(set, texts)]
    return [inside / count if count else 1.0 for inside, count in counts]


def are_in_script(texts: Sequence[str], script: str) -> list[bool]:
    """Return for each text whether it can be in a script, to judge by its letters; for both parameters see above."""
    least = _LEAST_LATIN if script == "Latn" else _LEAST
    return [share >= least for share in shares_in_script(texts, script)]


def script_of(text: str, expected: str = "") -> str:
    """Return the script of most letters of a text, or the expected one if it consists of that.

    :param text: Any text with letters.
    :param expected: ISO 15924 code, such as "Jpan".
    """
    counts = Counter(filter(None, map(_script_of_letter, text)))
    most = counts.most_common(1)[0][0]
    return expected if most in _WITHIN.get(expected, ()) else most
