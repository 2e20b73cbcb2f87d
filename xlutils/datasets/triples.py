"""Training triples: an English question, its English passage, and that passage in another language."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from xlutils.datasets.files import content_hash, find_file, load_hub, local_folder, read_json_lines
from xlutils.datasets.languages import LANGUAGES, language_code, language_codes, no_language
from xlutils.datasets.parallel import ParallelQA, load_parallel
from xlutils.datasets.scenarios import PIVOT
from xlutils.datasets.text import are_in_script
from xlutils.errors import XlError, unknown

if TYPE_CHECKING:
    import pandas as pd

MIRACL = ("sentence-transformers/miracl", "en-triplet", "07e2b629250bf4185f4c87f640fac15949b8aa73")
NAMES = ("debian", "miracl")  # looked up in $XL_DATA
_FIELDS = ("query_en", "passage_en", "passage_tgt", "lang")


@dataclass(frozen=True)
class Triple:
    """One training example; `lang` is the language of `passage_tgt`."""

    query_en: str
    passage_en: str
    passage_tgt: str
    lang: str


@dataclass(frozen=True)
class Triples:
    """Training examples, sorted by language.

    :param name: Name in records.
    :param rows: The examples.
    """

    name: str
    rows: tuple[Triple, ...]

    @property
    def sha256(self) -> str:
        """Hash of the texts."""
        return content_hash([astuple(row) for row in self.rows])

    def balanced(self, count: int, seed: int = 42) -> Triples:
        """Return the same number of triples of each language, drawn without replacement.

        :raises XlError: If a language has fewer.
        """
        rows: list[Triple] = []
        for code in dict.fromkeys(row.lang for row in self.rows):
            own = [row for row in self.rows if row.lang == code]
            if len(own) < count:
                raise XlError(f"{self.name}: {code} has {len(own)} triples, fewer than {count}; ask for fewer")
            rows += random.Random(f"{seed} {code}").sample(own, count)  # noqa: S311 - no secret
        return Triples(self.name, tuple(rows))

    def examples(self, length: int = 34) -> pd.DataFrame:
        """Return the start of the first triple of each language, one row per text.

        :param length: Characters of a text to show.
        """
        import pandas as pd

        first = {row.lang: row for row in reversed(self.rows)}
        texts = {}
        for code in dict.fromkeys(row.lang for row in self.rows):
            row, name = first[code], LANGUAGES[code].name if code in LANGUAGES else code
            texts[name, "question"] = row.query_en
            texts[name, "English passage"] = row.passage_en
            texts[name, "its translation"] = row.passage_tgt
        starts = pd.Series(texts).map(lambda text: text if len(text) <= length else f"{text[:length]}…")
        return starts.rename_axis(["language", "text"]).to_frame("")


def load_triples(name_or_path: str | Path, languages: Sequence[str]) -> Triples:
    """Load training triples.

    :param name_or_path: "debian" or "miracl" (looked up in `$XL_DATA`), a folder of `train.<lang>.jsonl`, or one file
        of JSON lines; files may be gzipped.
    :param languages: Codes or English names of the target languages.
    :raises XlError: If a file or language is missing, or a line is not a triple.
    """
    codes = language_codes(languages)
    name = str(name_or_path)
    files = find_triples(name, codes)
    rows = [row for file in files for row in _read(file)]
    label = label_of(name)
    available = sorted({row.lang for row in rows})
    if missing := [code for code in codes if code not in available]:
        raise XlError(f"{label} has no triple in {missing[0]}; it has {', '.join(available)}")
    return Triples(label, tuple(row for row in rows if row.lang in codes))


def label_of(name: str) -> str:
    """Return the name that training triples have in records."""
    path = Path(name).expanduser().resolve()
    return name if name in NAMES else path.name.split(".")[0] if path.is_file() else path.name


def find_triples(name: str, codes: Sequence[str]) -> list[Path]:
    """Return the files of training triples in some languages, without reading them.

    :param name: As for `load_triples`.
    :raises XlError: If there are none, or none in one of the languages.
    """
    path = local_folder(name) if name in NAMES else Path(name).expanduser()
    if path is None:
        raise XlError(
            f"{name} is not on the hub: put its train.<lang>.jsonl.gz files in a folder {name} "
            "and set XL_DATA to the folder above it"
        )
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise unknown("training data", name, [*NAMES, "a folder", "a file of JSON lines"])
    files = {code: file for code in LANGUAGES if (file := find_file(path, f"train.{code}.jsonl"))}
    if missing := [code for code in codes if code not in files]:
        raise XlError(f"{path.name} has no train.{missing[0]}.jsonl; it has {', '.join(files) or 'no such file'}")
    return [files[code] for code in codes]


def _read(path: Path) -> list[Triple]:
    rows: dict[Triple, int] = {}
    for number, fields in enumerate(read_json_lines(path, _FIELDS), 1):
        row = Triple(**fields)
        if fault := fault_of(row, rows):
            raise XlError(f"{path.name}, triple {number} ({row.query_en[:40]!r}): {fault}")
        rows[row] = number
    return list(rows)


def fault_of(row: Triple, earlier: Mapping[Triple, int]) -> str:
    """Return what is wrong with a triple; empty if nothing is.

    :param earlier: Triples that came before, with their numbers.
    """
    for field in _FIELDS:
        if not getattr(row, field).strip():
            return f"{field} is empty; fill it or drop the triple"
    if row in earlier:
        return f"it repeats triple {earlier[row]}; drop one of them"
    if row.passage_tgt == row.passage_en:
        return "passage_tgt is the English passage; translate it or drop the triple"
    if row.lang not in LANGUAGES:
        tag = language_code(row.lang) or "zh"
        return f"lang {row.lang[:20]!r} is not the tag of a language; write one such as {tag}"
    for field, code in (("query_en", PIVOT), ("passage_en", PIVOT), ("passage_tgt", row.lang)):
        if not all(are_in_script([getattr(row, field)], LANGUAGES[code].script)):
            cure = "correct it" if code == PIVOT else "correct it or its lang"
            return f"{field} is not in {LANGUAGES[code].name}, to judge by its script; {cure}"
    return ""


def triples_of(data: ParallelQA, languages: Sequence[str]) -> Triples:
    """Turn parallel questions into triples: each English question with its passage in English and another language.

    :param data: Must contain English and the languages.
    :param languages: Codes of the target languages.
    :raises XlError: If a language is missing.
    """
    for code in (PIVOT, *languages):
        if code not in data.languages:
            raise no_language(data.name, code, data.languages)
    english, passages = data.queries[PIVOT], data.passages
    rows = [
        Triple(english[number], passages[PIVOT][passage], passages[code][passage], code)
        for code in languages
        for number, passage in enumerate(data.gold.tolist())
    ]
    return Triples(data.name, tuple(rows))


def load_english_pairs(name_or_path: str | Path = "miracl") -> list[tuple[str, str]]:
    """Load English questions with a passage that answers each, to be translated into triples.

    :param name_or_path: "miracl" (from the hub), parallel questions as for `load_parallel`, or a file of JSON lines
        with `query_en` and `passage_en`.
    :return: Distinct pairs of (question, passage), in the order of the source.
    :raises XlError: If they could not be loaded, or a text is empty.
    """
    name = str(name_or_path)
    if name == "miracl":
        repo, config, revision = MIRACL
        pairs = [(row["anchor"], row["positive"]) for row in load_hub(repo, config, "train", revision)]
    elif Path(name).expanduser().is_file():
        rows = read_json_lines(Path(name).expanduser(), _FIELDS[:2])
        pairs = [(row["query_en"], row["passage_en"]) for row in rows]
    else:
        data = load_parallel(name, [PIVOT])
        passages = data.passages[PIVOT]
        pairs = [(query, passages[gold]) for query, gold in zip(data.queries[PIVOT], data.gold, strict=True)]
    for number, pair in enumerate(pairs, 1):
        for field, text in zip(_FIELDS, pair, strict=False):
            if not text.strip():
                label = Path(name).name if Path(name).is_file() else label_of(name)
                raise XlError(f"{label}, pair {number}: {field} is empty; fill it or drop the pair")
    return list(dict.fromkeys(pairs))
