"""Parallel sentences: the same texts in many languages."""

from __future__ import annotations

import csv
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from xlutils.datasets.files import BUILTIN, content_hash, load_hub, local_folder, read_text
from xlutils.datasets.languages import LANGUAGES, language_code, language_codes, no_language
from xlutils.datasets.tables import language_columns, read_shipped, read_table
from xlutils.datasets.text import are_in_script
from xlutils.errors import XlError, unknown

NAMES = ("udhr", "sib200")
SIB200 = "Davlan/sib200"
_IDS = ("id", "index_id", "key")  # titles of the first column if it identifies the texts
_TOPICS = ("topic", "category")
_FACTOR = 4  # a text may be so many times as long, or as short, as its language usually is
Rows = list[tuple[str, str, str]]  # id, topic, text


@dataclass(frozen=True)
class Sentences:
    """Texts, aligned across languages by position.

    :param name: Name in records.
    :param ids: n ids, all different.
    :param texts: For each language its n texts.
    :param topics: n topics, "" where there is none.
    """

    name: str
    ids: tuple[str, ...]
    texts: dict[str, tuple[str, ...]]
    topics: tuple[str, ...]

    @property
    def languages(self) -> tuple[str, ...]:
        """Tags of the languages, in the order of the data or as requested."""
        return tuple(self.texts)

    @property
    def sha256(self) -> str:
        """Hash of the ids, topics and texts."""
        return content_hash([self.ids, self.topics, self.texts])

    def only(self, languages: Sequence[str]) -> Sentences:
        """Return the texts in some of the languages, in the order given."""
        return replace(self, texts={code: self._column(code) for code in languages})

    def take(self, rows: Sequence[int]) -> Sentences:
        """Return the texts at some positions, in the order given."""
        texts = {code: tuple(column[row] for row in rows) for code, column in self.texts.items()}
        ids, topics = (tuple(column[row] for row in rows) for column in (self.ids, self.topics))
        return Sentences(self.name, ids, texts, topics)

    def doubtful(self, pivot: str | None = None) -> dict[str, dict[str, str]]:
        """Return the texts that are probably not translations: for each language that has some, reasons by id.

        Such a text has no letter, or the same words as another one of its language, or a quarter or four times the
        length that the length of the pivot's text suggests.

        :param pivot: Tag of the language whose lengths are compared with; by default English, or else the first one.
        :raises XlError: If the pivot is missing.
        """
        pivot = pivot or ("en" if "en" in self.texts else self.languages[0])
        lengths = list(map(len, self._column(pivot)))
        doubts = {}
        for code, texts in self.texts.items():
            counts = Counter(texts)
            ratios = [len(text) / length for text, length in zip(texts, lengths, strict=True)]
            usual = statistics.median(ratios)
            reasons = {}
            for key, text, ratio in zip(self.ids, texts, ratios, strict=True):
                if not any(map(str.isalpha, text)):
                    reasons[key] = "no letters"
                elif counts[text] > 1:
                    reasons[key] = "same text twice"
                elif not usual / _FACTOR <= ratio <= usual * _FACTOR:
                    reasons[key] = "too short" if ratio < usual else "too long"
            if reasons:
                doubts[code] = reasons
        return doubts

    def comparable(self, first: str, second: str) -> list[int]:
        """Return the positions of the texts that differ between two languages and are doubtful in neither.

        :raises XlError: If a language is missing.
        """
        compared = ["en"] if "en" in self.texts else []
        doubts = self.only([*compared, first, second]).doubtful()
        bad = {*doubts.get(first, ()), *doubts.get(second, ())}
        rows = zip(self.ids, self._column(first), self._column(second), strict=True)
        return [number for number, (key, one, other) in enumerate(rows) if key not in bad and one != other]

    def _column(self, language: str) -> tuple[str, ...]:
        if language not in self.texts:
            raise no_language(self.name, language, self.languages)
        return self.texts[language]


def load_sentences(name_or_path: str | Path, languages: Sequence[str] | None = None) -> Sentences:
    """Load parallel sentences.

    :param name_or_path: "udhr" (ships with the package), "sib200" (looked up in `$XL_DATA/sib200`, then on the hub), a
        CSV file with a row per text and a column per language, or a folder of `<language>.tsv` files. Files may be
        gzipped.
    :param languages: Tags, codes or English names to keep, in this order; by default all languages of the data.
    :raises XlError: If the data could not be loaded, a language is missing, or the texts are not parallel.
    """
    name = str(name_or_path)
    wanted = None if languages is None else language_codes(languages)
    path = Path(name).expanduser()
    if name == "udhr":
        return _from_table(name, *read_shipped(BUILTIN / "sentences/udhr.csv.gz", ("id",), wanted), wanted)
    if name == "sib200":
        folder = local_folder(name)
        return _align(name, _read_folder(folder, name, wanted) if folder else _read_hub(wanted))
    if path.is_dir():
        label = path.resolve().name
        return _check_scripts(_align(label, _read_folder(path, label, wanted)))
    if path.is_file():
        label = Path(path.name.removesuffix(".gz")).stem
        return _check_scripts(_from_table(label, *read_table(path, (*_IDS, *_TOPICS)), wanted))
    raise unknown("parallel sentences", name, [*NAMES, "a folder", "a CSV file"])


def _from_table(name: str, header: list[str], rows: list[list[str]], wanted: Sequence[str] | None) -> Sentences:
    has_ids = header[0] in _IDS
    titles = ["", *header[1:]] if has_ids else header
    topic = next((position for position, title in enumerate(titles) if title in _TOPICS), None)
    notes = ("", *_TOPICS)
    columns = language_columns(name, titles, notes, wanted)
    ids = [row[0] if has_ids else str(number) for number, row in enumerate(rows, 1)]
    topics = ["" if topic is None else row[topic].strip() for row in rows]
    for code in wanted or ():
        if code not in columns:
            raise no_language(name, code, list(columns))
    texts = {code: [row[columns[code]] for row in rows] for code in wanted or columns}
    return _align(name, {code: list(zip(ids, topics, column, strict=True)) for code, column in texts.items()})


def _read_folder(folder: Path, name: str, wanted: Sequence[str] | None) -> dict[str, Rows]:
    paths: dict[str, Path] = {}
    for path in sorted([*folder.glob("*.tsv"), *folder.glob("*.tsv.gz")]):
        title = path.name.removesuffix(".gz").removesuffix(".tsv")
        code = language_code(title)
        if code is None:
            raise XlError(f"{name}: {title!r} of {path.name} is not a language; name files by tag, such as en.tsv")
        if code in paths:
            raise XlError(f"{name} has two files for {code}: {paths[code].name} and {path.name}; keep one")
        paths[code] = path
    if not paths:
        raise XlError(f"{name} has no <language>.tsv (each may end in .gz)")
    for code in wanted or ():
        if code not in paths:
            raise no_language(name, code, list(paths))
    return {code: _read_tsv(paths[code]) for code in wanted or paths}


def _read_tsv(path: Path) -> Rows:
    """Read a file with the columns id (or index_id) and text, and perhaps topic (or category)."""
    try:
        header, *rows = csv.reader(read_text(path).rstrip("\n").split("\n"), delimiter="\t", strict=True)
    except (csv.Error, ValueError) as error:
        raise XlError(f"{path.name} cannot be read as tab-separated values ({error}); is a quote missing?") from None
    position = {title: number for number, title in enumerate(header)}
    key = next((title for title in _IDS if title in position), None)
    if key is None or "text" not in position:
        raise XlError(f"{path.name} has the columns {', '.join(header)[:80]}; it needs id and text")
    topic = next((title for title in _TOPICS if title in position), None)
    for number, row in enumerate(rows, 1):
        if len(row) != len(header):
            raise XlError(f"{path.name} row {number} has {len(row)} cells, the header {len(header)}; quote it")
    return [(row[position[key]], row[position[topic]] if topic else "", row[position["text"]]) for row in rows]


def _read_hub(wanted: Sequence[str] | None) -> dict[str, Rows]:
    with_flores = [code for code, language in LANGUAGES.items() if language.flores]
    texts = {}
    for code in wanted or with_flores:
        if code not in with_flores:
            raise no_language("sib200", code, with_flores)
        rows = [
            (str(row["index_id"]), row["category"], row["text"])
            for split in ("train", "validation", "test")
            for row in load_hub(SIB200, LANGUAGES[code].flores, split, None)
        ]
        texts[code] = sorted(rows, key=lambda row: int(row[0]))
    return texts


def _align(name: str, by_language: dict[str, Rows]) -> Sentences:
    """Check that every language has the same ids and a text for each."""
    first, reference = next(iter(by_language.items()))
    ids = [key for key, _, _ in reference]
    for code, rows in by_language.items():
        _check_ids(name, f"{name} is not parallel in {first} and {code}", ids, [key for key, _, _ in rows])
        for key, _, text in rows:
            if not text.strip():
                raise XlError(f"{name}: row {key!r} has no text in {code}; fill or drop it")
    texts = {code: tuple(text.strip() for _, _, text in rows) for code, rows in by_language.items()}
    return Sentences(name, tuple(ids), texts, tuple(topic for _, topic, _ in reference))


def _check_ids(name: str, problem: str, expected: Sequence[str], ids: Sequence[str]) -> None:
    key, count = Counter(ids).most_common(1)[0] if ids else ("", 0)
    if not ids or "" in ids:
        raise XlError(f"{name} has {'a row without an id' if ids else 'no rows'}; each text needs an id of its own")
    if count > 1:
        raise XlError(f"{name}: {count} rows have the id {key!r}; ids must differ")
    if len(ids) != len(expected):
        raise XlError(f"{problem}: {len(expected)} texts against {len(ids)}; use the same ids in the same order")
    for one, other in zip(expected, ids, strict=True):
        if one != other:
            raise XlError(
                f"{problem}: one has {one!r} where the other has {other!r}; use the same ids in the same order"
            )


def _check_scripts(data: Sentences) -> Sentences:
    """Return the data if their texts are in the scripts of their languages."""
    for code, texts in data.texts.items():
        script = LANGUAGES[code].script
        wrong = [key for key, is_right in zip(data.ids, are_in_script(texts, script), strict=True) if not is_right]
        if wrong:
            count = f"{len(wrong)} of {len(texts)} texts in {code} have hardly a letter of its script {script}"
            raise XlError(f"{data.name}: {count}, the first is row {wrong[0]!r}; check the column or its tag")
    return data
