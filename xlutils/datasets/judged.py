"""Pairs of texts in one language that people have judged: Multi-SimLex, XL-WiC and MCL-WiC, from their own files."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xlutils.datasets.files import content_hash, read_text
from xlutils.datasets.text import as_text, parse_json
from xlutils.errors import XlError

_COLUMNS = 9  # of a line of XL-WiC: word, part of speech, four places, two sentences, label
_WORDS = ("Word 1", "Word 2")  # columns of Multi-SimLex, beside one for each annotator
_LABELS = {"1": 1.0, "0": 0.0, "T": 1.0, "F": 0.0}


@dataclass(frozen=True)
class JudgedPairs:
    """n pairs of texts, and how alike in meaning people find them.

    :param name: Name of the file.
    :param first: n words, or sentences with a word; `second` likewise.
    :param scores: Mean rating of each pair; for sentences, 1 if the word means the same in both, else 0.
    """

    name: str
    first: tuple[str, ...]
    second: tuple[str, ...]
    scores: tuple[float, ...]

    @property
    def sha256(self) -> str:
        """Hash of everything."""
        return content_hash([self.first, self.second, self.scores])


def load_judged(path: str | Path) -> JudgedPairs:
    """Read pairs that people have judged.

    :param path: A file as its authors publish it: `ENG-SimLex.csv` and the like of Multi-SimLex; `de_valid.txt`, or
        `de_test_data.txt` beside `de_test_gold.txt`, of XL-WiC; `dev.en-en.data` beside `dev.en-en.gold` of MCL-WiC.
    :raises XlError: If the file is none of these, or its labels are missing.
    """
    file = Path(path).expanduser()
    readers = {".csv": _read_ratings, ".txt": _read_lines, ".data": _read_objects}
    if file.suffix not in readers:
        raise XlError(f"{file.name} is not of Multi-SimLex (.csv), XL-WiC (.txt) or MCL-WiC (.data); name such a file")
    rows = readers[file.suffix](file)
    if len(rows) < 3:
        raise XlError(f"{file.name} has {len(rows)} judged pairs; it takes at least 3")
    first, second, scores = zip(*rows, strict=True)
    return JudgedPairs(file.name, first, second, scores)


def _read_ratings(file: Path) -> list[tuple[str, str, float]]:
    rows = list(csv.DictReader(io.StringIO(read_text(file))))
    titles = list(rows[0]) if rows else []
    ratings = [title for title in titles if title.startswith("Annotator")]
    if not ratings or not {*_WORDS} <= {*titles}:
        raise XlError(f"{file.name} needs the columns Word 1, Word 2 and Annotator 1, ...; it has {titles[:6]}")
    judged = []
    for number, row in enumerate(rows, 2):
        given = [row[title] for title in ratings if row[title]]
        try:
            judged.append((row[_WORDS[0]], row[_WORDS[1]], sum(map(float, given)) / len(given)))
        except (ValueError, ZeroDivisionError):
            raise XlError(f"{file.name} line {number} has no ratings that are numbers; mend or drop it") from None
    return judged


def _read_lines(file: Path) -> list[tuple[str, str, float]]:
    lines = [line.split("\t") for line in read_text(file).splitlines() if line.strip()]
    if lines and len(lines[0]) == _COLUMNS - 1:
        labels = read_text(_beside(file, "_data.txt", "_gold.txt")).split()
        if len(labels) != len(lines):
            raise XlError(f"{file.name} has {len(lines)} lines and its labels {len(labels)}; get both files again")
        lines = [[*line, label] for line, label in zip(lines, labels, strict=True)]
    for number, line in enumerate(lines, 1):
        if len(line) != _COLUMNS:
            raise XlError(f"{file.name} line {number} has {len(line)} columns, not {_COLUMNS}; get the file again")
    return [(line[6], line[7], _label(file, line[8])) for line in lines]


def _read_objects(file: Path) -> list[tuple[str, str, float]]:
    gold = _beside(file, ".data", ".gold")
    tags = {row["id"]: row["tag"] for row in _objects(gold, ("id", "tag"))}
    rows = _objects(file, ("id", "sentence1", "sentence2"))
    for row in rows:
        if row["id"] not in tags:
            raise XlError(f"{gold.name} has no tag for {row['id']}; get both files again")
    return [(row["sentence1"], row["sentence2"], _label(gold, tags[row["id"]])) for row in rows]


def _objects(file: Path, fields: Sequence[str]) -> list[dict[str, str]]:
    rows = parse_json(read_text(file), file.name)
    for number, row in enumerate(rows if isinstance(rows, list) else [None], 1):
        missing = [field for field in fields if not isinstance(row, dict) or field not in row]
        if missing:
            raise XlError(f"{file.name}: object {number} has no field {missing[0]!r}; get the file again")
    return [{field: as_text(row[field], f"{file.name}: {field}") for field in fields} for row in rows]


def _beside(file: Path, ending: str, other: str) -> Path:
    gold = file.with_name(file.name.removesuffix(ending) + other)
    if not gold.is_file():
        raise XlError(f"{file.name} has no labels: put {gold.name} beside it")
    return gold


def _label(file: Path, text: str) -> float:
    if text.strip() not in _LABELS:
        raise XlError(f"{file.name} has the label {text!r}; labels are 1 and 0, or T and F")
    return _LABELS[text.strip()]
