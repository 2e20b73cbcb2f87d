"""Training triples: an English question, its English passage, and the passage in another language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from xlutils.datasets.files import content_hash, find_file, load_hub, local_folder, read_json_lines
from xlutils.datasets.languages import LANGUAGES, language_codes
from xlutils.datasets.parallel import ParallelQA
from xlutils.errors import XlError, unknown

if TYPE_CHECKING:
    import pandas as pd

MIRACL = ("sentence-transformers/miracl", "en-triplet", "07e2b629250bf4185f4c87f640fac15949b8aa73")
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
    """Training examples, the languages one after the other.

    :param name: Name in records.
    :param rows: The examples.
    """

    name: str
    rows: tuple[Triple, ...]

    @property
    def sha256(self) -> str:
        """Hash of the texts held here."""
        return content_hash([[row.query_en, row.passage_en, row.passage_tgt, row.lang] for row in self.rows])

    def examples(self, length: int = 80) -> pd.DataFrame:
        """Show the first triple of each language, with the start of its passages."""
        import pandas as pd

        first = {row.lang: row for row in reversed(self.rows)}
        rows = []
        for code in dict.fromkeys(row.lang for row in self.rows):
            passages = (first[code].passage_en, first[code].passage_tgt)
            rows.append((code, first[code].query_en, *(f"{text[:length]}…" for text in passages)))
        columns = ["language", "question", "English passage", "its translation"]
        return pd.DataFrame(rows, columns=columns).set_index("language")


def load_triples(name_or_path: str | Path, languages: Sequence[str]) -> Triples:
    """Load training triples.

    :param name_or_path: "debian" (looked up in `$XL_DATA`), a folder of `train.<lang>.jsonl`, or one
        file of JSON lines; files may be gzipped.
    :param languages: Codes or English names of the target languages.
    :raises XlError: If a file or language is missing, or a line is no triple.
    """
    codes = language_codes(languages)
    name = str(name_or_path)
    path = local_folder(name) if name == "debian" else Path(name).expanduser()
    if path is None:
        raise XlError(
            "debian is on no hub: put its train.<lang>.jsonl.gz files in a folder debian "
            "and set XL_DATA to the folder above it"
        )
    if path.is_file():
        rows = _read(path)
        label = path.name.split(".")[0]
    elif path.is_dir():
        files = {code: find_file(path, f"train.{code}.jsonl") for code in LANGUAGES}
        there = [code for code, file in files.items() if file]
        missing = [code for code in codes if code not in there]
        if missing:
            raise XlError(f"{path.name} has no train.{missing[0]}.jsonl; it has {', '.join(there) or 'no such file'}")
        rows = [row for code in codes for row in _read(files[code] or path)]
        label = name if name == "debian" else path.resolve().name
    else:
        raise unknown("training data", name, ["debian", "a folder", "a file of JSON lines"])
    kept = tuple(row for row in rows if row.lang in codes)
    for code in codes:
        if not any(row.lang == code for row in kept):
            raise XlError(f"{label} has no triple in {code}; it has {', '.join(sorted({row.lang for row in rows}))}")
    return Triples(label, kept)


def triples_of(data: ParallelQA, languages: Sequence[str]) -> Triples:
    """Make triples of parallel questions: each English question with its passage in English and another language.

    :param data: Must hold English and the languages.
    :param languages: Codes of the target languages.
    :raises XlError: If a language is missing.
    """
    for code in ("en", *languages):
        if code not in data.languages:
            raise XlError(f"{data.name} has no language {code}; it has {', '.join(data.languages)}")
    english, passages = data.queries["en"], data.passages
    rows = [
        Triple(english[number], passages["en"][passage], passages[code][passage], code)
        for code in languages
        for number, passage in enumerate(data.gold.tolist())
    ]
    return Triples(data.name, tuple(rows))


def _read(path: Path) -> list[Triple]:
    rows = []
    for row in read_json_lines(path, _FIELDS):
        triple = Triple(*(row[field] for field in _FIELDS))
        if not all(text.strip() for text in (triple.query_en, triple.passage_en, triple.passage_tgt)):
            raise XlError(f"{path.name}: the triple {triple.query_en[:40]!r} has an empty text; fill or drop it")
        rows.append(triple)
    return rows


def load_english_pairs(folder: str | Path | None = None) -> list[tuple[str, str]]:
    """Load the English questions of MIRACL with a passage that answers each, to be translated into triples.

    :param folder: A folder laid out like the hub's repository; the hub when left out.
    :return: Distinct pairs of (question, passage), in the order of the source.
    """
    repo, config, revision = MIRACL
    rows = load_hub(str(folder or repo), config, "train", revision)
    return list(dict.fromkeys((row["anchor"], row["positive"]) for row in rows))
