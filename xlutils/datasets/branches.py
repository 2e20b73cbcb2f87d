"""Branches of language families: which languages are close relatives. Written by hand, for common languages only."""

from __future__ import annotations

_LANGUAGES = {
    "Germanic": "af da de en fo fy is lb nb nl nn sv yi",
    "Romance": "ca es fr gl it oc pt ro sc",
    "Celtic": "br cy ga gd",
    "Slavic": "be bg bs cs hr mk pl ru sk sl sr uk",
    "Baltic": "lt lv",
    "Greek": "el",
    "Albanian": "sq",
    "Armenian": "hy",
    "Iranian": "ckb fa ku ps tg",
    "Indo-Aryan": "as bn gu hi mr ne or pa sd si ur",
    "Uralic": "et fi hu",
    "Turkic": "az kk ky tk tr tt ug uz",
    "Mongolic": "mn",
    "Kartvelian": "ka",
    "Basque": "eu",
    "Semitic": "am ar he mt ti",
    "Cushitic": "om so",
    "Chadic": "ha",
    "Atlantic-Congo": "ig rw sn sw wo xh yo zu",
    "Dravidian": "kn ml ta te",
    "Sinitic": "yue zh zh-Hant",
    "Tibeto-Burman": "bo dz my",
    "Kra-Dai": "lo th",
    "Austroasiatic": "km vi",
    "Austronesian": "ceb id jv mg mi ms su tl",
    "Japonic": "ja",
    "Koreanic": "ko",
}
BRANCHES = {code: branch for branch, codes in _LANGUAGES.items() for code in codes.split()}
