"""Names, scripts and numbers of speakers of languages, from Unicode CLDR, for `rebuild_data.py`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NAMES = {  # English names that differ from CLDR's, or that it lacks
    **{"bn": "Bengali", "ht": "Haitian", "mi": "Maori", "nb": "Norwegian", "st": "Sotho"},
    **{"acm": "Mesopotamian Arabic", "acq": "Taizzi-Adeni Arabic", "ajp": "South Levantine Arabic", "tw": "Twi"},
    **{"apc": "North Levantine Arabic", "azb": "South Azerbaijani", "hne": "Chhattisgarhi", "taq": "Tamasheq"},
    **{"frp": "Francoprovençal"},
}
TAGS = {  # where CLDR would merge two languages, or change a tag that the book uses
    **{
        "tl": "tl",
        "tgl": "tl",
        "fil": "tl",
        "no": "nb",
        "pbt": "ps",
        "twi": "tw",
        "ajp": "ajp",
        "cnr": "cnr",
        "zlm": "ms",
    },
    **{"de-1996": "de", "el-monoton": "el"},
}
_FLORES = """
ace_Arab ace_Latn acm_Arab acq_Arab aeb_Arab afr_Latn ajp_Arab aka_Latn als_Latn amh_Ethi apc_Arab arb_Arab
arb_Latn ars_Arab ary_Arab arz_Arab asm_Beng ast_Latn awa_Deva ayr_Latn azb_Arab azj_Latn bak_Cyrl bam_Latn
ban_Latn bel_Cyrl bem_Latn ben_Beng bho_Deva bjn_Arab bjn_Latn bod_Tibt bos_Latn bug_Latn bul_Cyrl cat_Latn
ceb_Latn ces_Latn cjk_Latn ckb_Arab crh_Latn cym_Latn dan_Latn deu_Latn dik_Latn dyu_Latn dzo_Tibt ell_Grek
eng_Latn epo_Latn est_Latn eus_Latn ewe_Latn fao_Latn fij_Latn fin_Latn fon_Latn fra_Latn fur_Latn fuv_Latn
gaz_Latn gla_Latn gle_Latn glg_Latn grn_Latn guj_Gujr hat_Latn hau_Latn heb_Hebr hin_Deva hne_Deva hrv_Latn
hun_Latn hye_Armn ibo_Latn ilo_Latn ind_Latn isl_Latn ita_Latn jav_Latn jpn_Jpan kab_Latn kac_Latn kam_Latn
kan_Knda kas_Arab kas_Deva kat_Geor kaz_Cyrl kbp_Latn kea_Latn khk_Cyrl khm_Khmr kik_Latn kin_Latn kir_Cyrl
kmb_Latn kmr_Latn knc_Arab knc_Latn kon_Latn kor_Hang lao_Laoo lij_Latn lim_Latn lin_Latn lit_Latn lmo_Latn
ltg_Latn ltz_Latn lua_Latn lug_Latn luo_Latn lus_Latn lvs_Latn mag_Deva mai_Deva mal_Mlym mar_Deva min_Arab
min_Latn mkd_Cyrl mlt_Latn mni_Beng mos_Latn mri_Latn mya_Mymr nld_Latn nno_Latn nob_Latn npi_Deva nqo_Nkoo
nso_Latn nus_Latn nya_Latn oci_Latn ory_Orya pag_Latn pan_Guru pap_Latn pbt_Arab pes_Arab plt_Latn pol_Latn
por_Latn prs_Arab quy_Latn ron_Latn run_Latn rus_Cyrl sag_Latn san_Deva sat_Olck scn_Latn shn_Mymr sin_Sinh
slk_Latn slv_Latn smo_Latn sna_Latn snd_Arab som_Latn sot_Latn spa_Latn srd_Latn srp_Cyrl ssw_Latn sun_Latn
swe_Latn swh_Latn szl_Latn tam_Taml taq_Latn taq_Tfng tat_Cyrl tel_Telu tgk_Cyrl tgl_Latn tha_Thai tir_Ethi
tpi_Latn tsn_Latn tso_Latn tuk_Latn tum_Latn tur_Latn twi_Latn tzm_Tfng uig_Arab ukr_Cyrl umb_Latn urd_Arab
uzn_Latn vec_Latn vie_Latn war_Latn wol_Latn xho_Latn ydd_Hebr yor_Latn yue_Hant zho_Hans zho_Hant zsm_Latn
zul_Latn
"""
FLORES = _FLORES.split()


@dataclass
class Row:
    """A row of the table of languages; the names of its fields are the header."""

    tag: str
    name: str
    script: str
    direction: str
    speakers: int | None
    iso639_3: str = ""
    flores: str = ""
    latitude: str = ""
    longitude: str = ""
    also: list[str] = field(default_factory=list)


class Cldr:
    """What CLDR knows about languages.

    :param folder: The folder with its packages.
    """

    def __init__(self, folder: Path) -> None:
        def read(package: str, file: str) -> Any:
            return json.loads((folder / package / file).read_text(encoding="utf-8"))

        core = "supplemental"
        aliases = read("cldr-core", f"{core}/aliases.json")["supplemental"]["metadata"]["alias"]["languageAlias"]
        self._aliases = {code: alias["_replacement"] for code, alias in aliases.items()}
        self._likely = read("cldr-core", f"{core}/likelySubtags.json")["supplemental"]["likelySubtags"]
        self._territories = read("cldr-core", f"{core}/territoryInfo.json")["supplemental"]["territoryInfo"]
        scripts = read("cldr-core", "scriptMetadata.json")["scriptMetadata"]
        self._right_to_left = {code for code, about in scripts.items() if about["rtl"] == "YES"}
        self._names: dict[str, dict[str, str]] = {
            kind: read("cldr-localenames-full", f"main/en/{kind}.json")["main"]["en"]["localeDisplayNames"][kind]
            for kind in ("languages", "scripts", "territories")
        }

    def script(self, tag: str) -> str:
        """Return the script that is expected of a language, or ""."""
        return self._expected(tag)[0]

    def tag(self, code: str, script: str = "") -> str:
        """Return the tag of a language: its shortest code, without the script and the region that are expected.

        :param code: Any code or tag of it.
        :param script: The script that it is written in.
        """
        language, *subtags = code.split("-")
        tag = TAGS.get(code) or TAGS.get(language) or self._aliases.get(language) or language
        expected = self._expected(tag)
        if code not in TAGS:
            tag = "-".join([tag, *(part for part in subtags if part not in expected)])
        return tag if script in ("", expected[0] or script) or script in subtags else f"{tag}-{script}"

    def name(self, tag: str) -> str:
        """Return the English name, such as "Serbian (Latin)", or "" if CLDR has none."""
        known = NAMES.get(tag) or self._names["languages"].get(tag)
        if known:
            return known
        language, *subtags = tag.split("-")
        base = NAMES.get(language) or self._names["languages"].get(language)
        details = [self._names[kind].get(part) for part in subtags for kind in ("scripts", "territories")]
        return f"{base} ({', '.join(filter(None, details))})" if base and any(details) else ""

    def row(self, tag: str, script: str, name: str) -> Row:
        """Return what is known about a language."""
        direction = "rtl" if script in self._right_to_left else "ltr"
        codes = sorted(code for code in {*TAGS, *self._aliases} if re.fullmatch("[a-z]{2,3}", code))
        also = [code for code in codes if code != tag and self.tag(code) == tag]
        speakers = self._speakers([tag, *also])
        also += [f"{tag}-{region}" for region in self._expected(tag)[1:] if tag in self._likely]
        for key, likely in self._likely.items():
            if re.fullmatch("[a-z]+-[A-Z]{2}", key) and not key.startswith("und") and likely.rpartition("-")[0] == tag:
                also.append(key)
        return Row(tag, name, script, direction, speakers, also=also)

    def _expected(self, tag: str) -> tuple[str, str]:
        """Return the script and the region that are expected of a language."""
        likely = self._likely.get(tag) or self._likely.get(tag.split("-")[0]) or "--"
        likely = "--" if tag.startswith("und") else likely
        _, script, region = likely.split("-")
        return script.replace("Kore", "Hang"), region

    def _speakers(self, tags: Iterable[str]) -> int | None:
        """Return the number of people who use a language, rounded to two digits."""
        total = 0.0
        for territory in self._territories.values():
            for tag in tags:
                share = territory.get("languagePopulation", {}).get(tag.replace("-", "_"))
                total += float(territory["_population"]) * float(share["_populationPercent"]) / 100 if share else 0
        return int(round(total, 2 - len(str(int(total))))) if total >= 1 else None
