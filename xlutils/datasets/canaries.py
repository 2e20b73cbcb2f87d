"""Canaries: texts in many languages whose right answers are known, so that a loss shows."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xlutils.datasets.files import BUILTIN, content_hash, read_text
from xlutils.datasets.languages import no_language
from xlutils.datasets.lexicon import load_lexicon
from xlutils.datasets.relations import load_relations
from xlutils.datasets.sentences import load_sentences
from xlutils.datasets.vectors import VectorTable, read_rows
from xlutils.errors import XlError

NAME, TEXT, QUESTION, OPPOSITE = "name", "text", "question", "opposite"
PIVOT = "en"  # what other languages are compared with
_GROUPS, _PER_GROUP = 15, 4
Columns = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Canaries:
    """Texts with known answers, aligned across languages by position.

    :param name: Name in records.
    :param ids: n ids, all different.
    :param kinds: What each is: NAME of a thing, TEXT, QUESTION with a document, or word that has an OPPOSITE in the
        next or the last row. Only questions differ from their documents.
    :param groups: Group of things that a name belongs to; "" for others.
    :param queries: For each language its n queries, "" where there is none; `documents` likewise.
    """

    name: str
    ids: tuple[str, ...]
    kinds: tuple[str, ...]
    groups: tuple[str, ...]
    queries: Columns
    documents: Columns

    @property
    def languages(self) -> tuple[str, ...]:
        """Tags of the languages."""
        return tuple(self.queries)

    @property
    def pivot(self) -> str:
        """English, or else the first language: the one that others are compared with."""
        return PIVOT if PIVOT in self.queries else self.languages[0]

    @property
    def sha256(self) -> str:
        """Hash of everything."""
        return content_hash([self.ids, self.kinds, self.groups, dict(self.queries), dict(self.documents)])


def shipped_canaries(languages: Sequence[str] | None = None, seed: int = 42) -> Canaries:
    """Return names of 60 things, the articles of the declaration of human rights, and antonyms where a language has it.

    The things are in 15 groups, such as birds and tools, four in each. Nearly all languages name them, and spell them
    differently from English.

    :param languages: Tags of the languages; English is added. By default all that have names.
    :param seed: Draws the things; records can be compared if they have the same.
    :raises XlError: If a language has no names.
    """
    wanted = languages and list(dict.fromkeys([PIVOT, *languages]))
    chosen = _choose_names(seed)
    lexicon = load_lexicon("cldr", wanted).only(list(chosen))
    codes = lexicon.languages
    texts = {code: [cell[0] if cell else "" for cell in column] for code, column in lexicon.cells.items()}
    ids, groups, kinds = [*chosen], [*chosen.values()], [NAME] * len(chosen)
    for kind, keys, columns in (_articles(codes), _opposites(codes)):
        ids, kinds, groups = [*ids, *keys], [*kinds, *[kind] * len(keys)], [*groups, *[""] * len(keys)]
        texts = {code: [*column, *columns.get(code, [""] * len(keys))] for code, column in texts.items()}
    return Canaries("canaries", tuple(ids), tuple(kinds), tuple(groups), texts, texts)


def _choose_names(seed: int) -> dict[str, str]:
    """Return names with their groups."""
    by_group: dict[str, list[str]] = {}
    for row in csv.DictReader(io.StringIO(read_text(BUILTIN / "canary-names.csv"))):
        by_group.setdefault(row["group"], []).append(row["name"])
    rng = np.random.default_rng(seed)
    groups = rng.permutation(sorted(by_group))[:_GROUPS].tolist()
    return {name: group for group in groups for name in rng.permutation(by_group[group])[:_PER_GROUP].tolist()}


def _articles(codes: Sequence[str]) -> tuple[str, list[str], dict[str, list[str]]]:
    lines = read_text(BUILTIN / "sentences/udhr.csv.gz").split("\n")
    available = {line.split(",", 1)[0] for line in lines}
    data = load_sentences("udhr", [code for code in codes if code in available])
    doubts = data.doubtful()
    texts = {
        code: ["" if key in doubts.get(code, ()) else text for key, text in zip(data.ids, column, strict=True)]
        for code, column in data.texts.items()
    }
    return TEXT, [f"article {key}" for key in data.ids], texts


def _opposites(codes: Sequence[str]) -> tuple[str, list[str], dict[str, list[str]]]:
    pairs = load_relations()
    rows = [row for row, group in enumerate(pairs.groups) if group == "antonym"]
    ids = [f"{pairs.ids[row]}{side}" for row in rows for side in "ab"]
    texts = {}
    for code in set(codes) & set(pairs.languages):
        whole = [(pairs.first[code][row], pairs.second[code][row]) for row in rows]
        texts[code] = [text if all(pair) else "" for pair in whole for text in pair]
    return OPPOSITE, ids, texts


def read_canaries(path: Path, languages: Sequence[str] | None = None) -> Canaries:
    """Read a CSV file with the columns id, language, query and document; rows with one id are translations.

    :param languages: Tags to keep; the pivot is added.
    :raises XlError: If a column, a text or a language is missing, a language is unknown, or a row is repeated.
    """
    rows = read_rows(path, ("id", "language", "query", "document"))
    cells: dict[tuple[str, str], tuple[str, str]] = {}
    for number, row in enumerate(rows, 2):
        key = row["id"], row["language"]
        if key in cells:
            raise XlError(f"{path.name}: the id {key[0]!r} is given twice in {key[1]}; ids must differ in a language")
        if not (row["query"] and row["document"]):
            raise XlError(f"{path.name}: row {number}, {key[0]!r} in {key[1]}, lacks a text; fill it or drop the row")
        cells[key] = row["query"], row["document"]
    return _aligned(path.stem, list(cells), languages, QUESTION, lambda *key: cells.get(key, ("", "")))


def canaries_of(tables: Sequence[VectorTable], languages: Sequence[str] | None = None) -> Canaries:
    """Return what several folders of vectors have in common; ids stand for the texts."""
    common = set.intersection(*(set(table.keys) for table in tables))
    has_queries = any(role == "query" for _, _, role in common)
    keys = [(key, code) for key, code, role in tables[0].keys if role == "passage" and (key, code, role) in common]
    if not keys:
        raise XlError(f"{' and '.join(table.name for table in tables)} have no document in common; use the same ids")

    def text(key: str, code: str) -> tuple[str, str]:
        shown = f"{key} ({code})"
        is_asked = not has_queries or (key, code, "query") in common
        return (shown if (key, code, "passage") in common and is_asked else "",) * 2

    return _aligned(tables[0].name, keys, languages, QUESTION if has_queries else TEXT, text)


def _aligned(
    name: str,
    keys: Sequence[tuple[str, str]],
    languages: Sequence[str] | None,
    kind: str,
    texts_of: Callable[[str, str], tuple[str, str]],
) -> Canaries:
    ids, codes = (list(dict.fromkeys(part)) for part in zip(*keys, strict=True))
    for code in languages or ():
        if code not in codes:
            raise no_language(name, code, codes)
    pivot = PIVOT if PIVOT in codes else codes[0]
    kept = list(dict.fromkeys([pivot, *languages])) if languages else codes
    both = {code: [texts_of(key, code) for key in ids] for code in kept if code in codes}
    queries, documents = ({code: [pair[side] for pair in column] for code, column in both.items()} for side in (0, 1))
    return Canaries(name, tuple(ids), (kind,) * len(ids), ("",) * len(ids), queries, documents)
