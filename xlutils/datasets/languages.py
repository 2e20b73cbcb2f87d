"""Languages by ISO 639-1 code: English name, FLORES code (used in Belebele's file names), script."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from xlutils.errors import XlError, unknown


@dataclass(frozen=True)
class Language:
    """One language.

    :param code: ISO 639-1 code, two letters.
    :param name: English name.
    :param flores: FLORES-200 code: ISO 639-3, underscore, ISO 15924 script.
    """

    code: str
    name: str
    flores: str

    @property
    def script(self) -> str:
        """The ISO 15924 code of the script, such as Latn."""
        return self.flores.split("_")[1]


_ROWS = """
af Afrikaans afr_Latn | am Amharic amh_Ethi | ar Arabic arb_Arab | as Assamese asm_Beng | az Azerbaijani azj_Latn
bg Bulgarian bul_Cyrl | bm Bambara bam_Latn | bn Bengali ben_Beng | bo Tibetan bod_Tibt | ca Catalan cat_Latn
cs Czech ces_Latn | da Danish dan_Latn | de German deu_Latn | el Greek ell_Grek | en English eng_Latn
es Spanish spa_Latn | et Estonian est_Latn | eu Basque eus_Latn | fa Persian pes_Arab | fi Finnish fin_Latn
fr French fra_Latn | gn Guarani grn_Latn | gu Gujarati guj_Gujr | ha Hausa hau_Latn | he Hebrew heb_Hebr
hi Hindi hin_Deva | hr Croatian hrv_Latn | ht Haitian hat_Latn | hu Hungarian hun_Latn | hy Armenian hye_Armn
id Indonesian ind_Latn | ig Igbo ibo_Latn | is Icelandic isl_Latn | it Italian ita_Latn | ja Japanese jpn_Jpan
jv Javanese jav_Latn | ka Georgian kat_Geor | kk Kazakh kaz_Cyrl | km Khmer khm_Khmr | kn Kannada kan_Knda
ko Korean kor_Hang | ky Kyrgyz kir_Cyrl | lg Ganda lug_Latn | ln Lingala lin_Latn | lo Lao lao_Laoo
lt Lithuanian lit_Latn | lv Latvian lvs_Latn | mg Malagasy plt_Latn | mi Maori mri_Latn | mk Macedonian mkd_Cyrl
ml Malayalam mal_Mlym | mn Mongolian khk_Cyrl | mr Marathi mar_Deva | ms Malay zsm_Latn | mt Maltese mlt_Latn
my Burmese mya_Mymr | nb Norwegian nob_Latn | ne Nepali npi_Deva | nl Dutch nld_Latn | ny Nyanja nya_Latn
om Oromo gaz_Latn | or Odia ory_Orya | pa Punjabi pan_Guru | pl Polish pol_Latn | ps Pashto pbt_Arab
pt Portuguese por_Latn | ro Romanian ron_Latn | ru Russian rus_Cyrl | rw Kinyarwanda kin_Latn | sd Sindhi snd_Arab
si Sinhala sin_Sinh | sk Slovak slk_Latn | sl Slovenian slv_Latn | sn Shona sna_Latn | so Somali som_Latn
sq Albanian als_Latn | sr Serbian srp_Cyrl | ss Swati ssw_Latn | st Sotho sot_Latn | su Sundanese sun_Latn
sv Swedish swe_Latn | sw Swahili swh_Latn | ta Tamil tam_Taml | te Telugu tel_Telu | tg Tajik tgk_Cyrl
th Thai tha_Thai | ti Tigrinya tir_Ethi | tl Tagalog tgl_Latn | tn Tswana tsn_Latn | tr Turkish tur_Latn
ts Tsonga tso_Latn | uk Ukrainian ukr_Cyrl | ur Urdu urd_Arab | uz Uzbek uzn_Latn | vi Vietnamese vie_Latn
wo Wolof wol_Latn | xh Xhosa xho_Latn | yo Yoruba yor_Latn | zh Chinese zho_Hans | zu Zulu zul_Latn
"""

LANGUAGES: dict[str, Language] = {
    row.split()[0]: Language(*row.split()) for line in _ROWS.strip().splitlines() for row in line.split("|")
}
_ALIASES = {"no": "nb", "iw": "he", "fil": "tl"}  # other codes of the same languages
_BY_NAME = {language.name.lower(): code for code, language in LANGUAGES.items()} | _ALIASES


_SCRIPTS = {  # beginnings of the names of their letters in Unicode
    **{"Arab": "ARABIC", "Armn": "ARMENIAN", "Beng": "BENGALI", "Cyrl": "CYRILLIC", "Deva": "DEVANAGARI"},
    **{"Ethi": "ETHIOPIC", "Geor": "GEORGIAN", "Grek": "GREEK", "Gujr": "GUJARATI", "Guru": "GURMUKHI"},
    **{"Hang": "HANGUL", "Hans": "CJK", "Hebr": "HEBREW", "Khmr": "KHMER", "Knda": "KANNADA", "Laoo": "LAO"},
    **{"Latn": "LATIN", "Mlym": "MALAYALAM", "Mymr": "MYANMAR", "Orya": "ORIYA", "Sinh": "SINHALA"},
    **{"Taml": "TAMIL", "Telu": "TELUGU", "Thai": "THAI", "Tibt": "TIBETAN"},
}
_SEVERAL_SCRIPTS = {"az", "ha", "kk", "ky", "mn", "ms", "pa", "sd", "sr", "tg", "uz"}


def is_written_in(text: str, code: str) -> bool:
    """Return whether a text can be in a language, to judge by its letters.

    One letter of the script of the language is enough, as technical texts are full of English names; for a language
    in Latin letters, half of the letters must be Latin. Languages with several scripts and unknown ones always pass.
    """
    if code not in LANGUAGES or code in _SEVERAL_SCRIPTS:
        return True
    script = LANGUAGES[code].script
    names = ("HIRAGANA", "KATAKANA", "CJK") if script == "Jpan" else (_SCRIPTS[script],)
    letters = [letter for letter in text if letter.isalpha()]
    count = sum(unicodedata.name(letter, "").startswith(names) for letter in letters)
    return 2 * count >= len(letters) > 0 if script == "Latn" else count > 0


def language_code(name: str) -> str | None:
    """Return the ISO 639-1 code of a language, or None if it is unknown.

    :param name: A code or an English name in any case, such as "zh" or "Chinese".
    """
    key = name.strip().lower()
    return key if key in LANGUAGES else _BY_NAME.get(key)


def language_codes(names: Sequence[str]) -> tuple[str, ...]:
    """Return the ISO 639-1 codes of languages, in the same order.

    :param names: Codes or English names, such as ["en", "Chinese"].
    :raises XlError: If a language is unknown or repeated, or if there is none.
    """
    if isinstance(names, str):
        raise XlError(f"languages must be a list such as ['en', 'zh'], not the text {names!r}")
    codes: list[str] = []
    for name in names:
        code = language_code(name)
        if code is None:
            raise unknown("language", name, [language.name for language in LANGUAGES.values()])
        if code in codes:
            raise XlError(f"language {name!r} is given twice; name each language once")
        codes.append(code)
    if not codes:
        raise XlError("no language given; name at least one, such as en")
    return tuple(codes)
