"""Languages by BCP 47 tag: names, scripts, other codes, speakers and places, read from one table on first use."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from xlutils.errors import XlError, unknown

_TABLE = Path(__file__).parent / "builtin/languages.csv"
_SHOWN = 40  # languages that a message lists
_SCRIPTS = (
    "Adlm Adlam, Arab Arabic, Armn Armenian, Beng Bengali, Cakm Chakma, Cher Cherokee, Cyrl Cyrillic, Deva Devanagari, "
    "Ethi Ethiopic, Geor Georgian, Gran Grantha, Grek Greek, Gujr Gujarati, Guru Gurmukhi, Hang Hangul, Hani Han, "
    "Hans simplified Han, Hant traditional Han, Hebr Hebrew, Java Javanese, Jpan Japanese, Khmr Khmer, Knda Kannada, "
    "Lana Tai Tham, Laoo Lao, Latn Latin, Mlym Malayalam, Mymr Myanmar, Nkoo N’Ko, Olck Ol Chiki, Orya Odia, "
    "Sinh Sinhala, Syrc Syriac, Taml Tamil, Tavt Tai Viet, Telu Telugu, Tfng Tifinagh, Thaa Thaana, Thai Thai, "
    "Tibt Tibetan, Vaii Vai, Yiii Yi"
)


@dataclass(frozen=True)
class Language:
    """One language, or one variety of it.

    :param code: BCP 47 tag, such as "en", "zh-Hant" or "ja-x-osaka": two letters where the language has two.
    :param name: English name.
    :param script: ISO 15924 code, such as "Latn".
    :param direction: "ltr" or "rtl".
    :param speakers: Number of people who use it, also as a second language, or None if not known.
    :param iso639_3: Three-letter code, or "".
    :param flores: FLORES-200 code, such as "eng_Latn", or "" if it is not in FLORES.
    :param latitude: Degrees north, or None.
    :param longitude: Degrees east, or None.
    """

    code: str
    name: str
    script: str
    direction: str
    speakers: int | None
    iso639_3: str
    flores: str
    latitude: float | None
    longitude: float | None


class _Table(Mapping[str, Language]):
    """The languages by tag; the file is read when the first one is asked for."""

    def __getitem__(self, code: str) -> Language:
        return self._languages[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._languages)

    def __len__(self) -> int:
        return len(self._languages)

    @cached_property
    def rows(self) -> list[dict[str, str]]:
        """The rows of the file."""
        with _TABLE.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    @cached_property
    def _languages(self) -> dict[str, Language]:
        return {row["tag"]: _language(row) for row in self.rows}


def _language(row: dict[str, str]) -> Language:
    return Language(
        row["tag"],
        row["name"],
        row["script"],
        row["direction"],
        int(row["speakers"]) if row["speakers"] else None,
        row["iso639_3"],
        row["flores"],
        float(row["latitude"]) if row["latitude"] else None,
        float(row["longitude"]) if row["longitude"] else None,
    )


_LANGUAGES = _Table()
LANGUAGES: Mapping[str, Language] = _LANGUAGES


def language_name(code: str) -> str:
    """Return the English name of a language, or the name as it is if it is no code."""
    return LANGUAGES[code].name if code in LANGUAGES else code


def script_name(code: str) -> str:
    """Return the English name of a script ("Latn": "Latin"), or the code as it is if it is unknown."""
    names = dict(entry.split(" ", 1) for entry in _SCRIPTS.split(", "))
    return names.get(code, code)


def language_code(name: str) -> str | None:
    """Return the BCP 47 tag of a language, or None if it is unknown.

    :param name: A tag ("zh", "zh-Hant"), a code of FLORES ("zho_Hans") or ISO 639-3 ("zho"), a locale ("zh_CN"), or an
        English name ("Chinese"), in any case.
    """
    return _tags().get(_key(name))


def _key(name: str) -> str:
    return name.strip().replace("_", "-").casefold()


@cache
def _tags() -> dict[str, str]:
    """Return the tags by every name of a language; a tag itself comes before other names."""
    tags = {_key(code): code for code in LANGUAGES}
    for row in _LANGUAGES.rows:
        tag = row["tag"]
        others = [*row["also"].split(), row["name"], row["flores"]]
        if "-" not in tag:
            others += [row["iso639_3"], f"{tag}-{row['script']}"]
        for other in filter(None, others):
            tags.setdefault(_key(other), tag)
    return tags


def language_codes(names: Sequence[str]) -> tuple[str, ...]:
    """Return the BCP 47 tags of languages, in the same order.

    :param names: Anything that `language_code` knows, such as ["en", "Chinese", "yor_Latn"].
    :raises XlError: If a language is unknown or repeated, or if there is none.
    """
    if isinstance(names, str):
        raise XlError(f"languages must be a list such as ['en', 'zh'], not the text {names!r}")
    codes: list[str] = []
    for name in names:
        code = language_code(name)
        if code is None:
            raise _unknown_language(name)
        if code in codes:
            raise XlError(f"language {name!r} is given twice; name each language once")
        codes.append(code)
    if not codes:
        raise XlError("no language given; name at least one, such as en")
    return tuple(codes)


def _unknown_language(name: str) -> XlError:
    near = _near(name, LANGUAGES)
    if near:
        return XlError(f"unknown language {name!r}; did you mean {' or '.join(near)}?")
    return unknown("language", name, [language.name for language in LANGUAGES.values()])


def _near(name: str, codes: Iterable[str]) -> list[str]:
    """Return at most five varieties of the same language."""
    first = _key(name).split("-")[0]
    base = (language_code(first) or first).split("-")[0]
    return [code for code in codes if code.split("-")[0] == base][:5]


def no_language(data: str, code: str, available: Sequence[str]) -> XlError:
    """Build the error for data that lack a language, offering varieties of it or what there is.

    :param data: Name of the data.
    :param code: The tag that is missing.
    :param available: The tags that there are.
    :return: The error, for the caller to raise.
    """
    near = _near(code, available)
    more = f" and {len(available) - _SHOWN} more" if len(available) > _SHOWN else ""
    hint = f"nearest: {', '.join(near)}" if near else f"it has {', '.join(available[:_SHOWN])}{more}"
    return XlError(f"{data} has no language {code}; {hint}")
