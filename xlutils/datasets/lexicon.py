"""Lexicons: a CSV with a row per concept and a column per language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from xlutils.datasets.files import BUILTIN, builtin_names, content_hash
from xlutils.datasets.languages import language_codes, no_language
from xlutils.datasets.tables import language_columns, read_shipped, read_table
from xlutils.errors import XlError, unknown

_NOTES = ("concept", "category")
_IDS = ("concept", "concept_id", "id", "key")  # titles of the first column if it names the concepts
Alternatives = tuple[str, ...]


@dataclass(frozen=True)
class Lexicon:
    """Concepts and their words.

    :param name: Name in records: that of a shipped lexicon, or the stem of the file.
    :param concepts: n ids, all different.
    :param categories: n categories, "" where there is none.
    :param cells: For each language n tuples of alternatives; an empty tuple is a missing word.
    """

    name: str
    concepts: tuple[str, ...]
    categories: tuple[str, ...]
    cells: dict[str, tuple[Alternatives, ...]]

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages, in the order of the columns or as requested."""
        return tuple(self.cells)

    @property
    def sha256(self) -> str:
        """Hash of the concepts and words."""
        return content_hash([self.concepts, self.categories, self.cells])

    def words(self, language: str) -> list[str]:
        """Return the distinct words of a language, in order of appearance."""
        return list(dict.fromkeys(word for cell in self.cells[language] for word in cell))

    def rows(self) -> list[tuple[str, str, str]]:
        """Return every word as (concept, language, word), concept by concept."""
        return [
            (concept, language, word)
            for number, concept in enumerate(self.concepts)
            for language, column in self.cells.items()
            for word in column[number]
        ]

    def shared_words(self) -> list[tuple[str, str, tuple[str, ...]]]:
        """Return the words that express several concepts in one language: (language, word, concepts)."""
        shared = []
        for language, column in self.cells.items():
            concepts_of: dict[str, list[str]] = {}
            for concept, cell in zip(self.concepts, column, strict=True):
                for word in cell:
                    concepts_of.setdefault(word, []).append(concept)
            shared += [(language, word, tuple(names)) for word, names in concepts_of.items() if len(names) > 1]
        return shared

    def same_spellings(self) -> int:
        """Count the pairs of translations with the same spelling, which any model gets right."""
        pairs = 0
        for cells in zip(*self.cells.values(), strict=True):
            counts = Counter(word for cell in cells for word in cell)
            pairs += sum(count * (count - 1) // 2 for count in counts.values())
        return pairs

    def comparable(self, first: str, second: str) -> list[int]:
        """Return the positions of the concepts that both languages name, without a spelling in common.

        :raises XlError: If a language is missing.
        """
        pairs = zip(self._spellings(first), self._spellings(second), strict=True)
        return [number for number, (one, other) in enumerate(pairs) if one and other and not one & other]

    def same_as(self, pivot: str) -> dict[str, float]:
        """Return for each other language the share of the concepts that it spells like the pivot.

        The concepts are those that both name; a language without any is left out. Such a name may be a loan word, or
        may have been left untranslated.

        :param pivot: Tag of a language, such as "en".
        :raises XlError: If the pivot is missing.
        """
        theirs, shares = self._spellings(pivot), {}
        for code in self.languages:
            pairs = zip(theirs, self._spellings(code), strict=True)
            same = [bool(one & other) for one, other in pairs if one and other]
            if same and code != pivot:
                shares[code] = sum(same) / len(same)
        return shares

    def _spellings(self, language: str) -> list[set[str]]:
        if language not in self.cells:
            raise no_language(self.name, language, self.languages)
        return [{word.casefold() for word in cell} for cell in self.cells[language]]

    def first_words(self) -> Lexicon:
        """Return the first two languages, the concepts that have words in both, and their first words.

        :raises XlError: If there are fewer than three such concepts.
        """
        cells = {code: self.cells[code] for code in self.languages[:2]}
        kept = [concept for concept, *pair in zip(self.concepts, *cells.values(), strict=True) if all(pair)]
        if len(kept) < 3:
            raise XlError(
                f"{self.name}: {len(kept)} concepts have words in both {' and '.join(cells)}; give at least 3"
            )
        part = self.only(kept)
        return replace(part, cells={code: tuple(cell[:1] for cell in part.cells[code]) for code in cells})

    def only(self, concepts: Sequence[str]) -> Lexicon:
        """Return a lexicon of these concepts, in the order given.

        :raises XlError: If one of them is missing.
        """
        numbers = {concept: number for number, concept in enumerate(self.concepts)}
        for concept in concepts:
            if concept not in numbers:
                raise unknown(f"concept of {self.name}", concept, self.concepts)
        return self.take([numbers[concept] for concept in concepts])

    def take(self, rows: Sequence[int]) -> Lexicon:
        """Return a lexicon of the concepts at some positions, in the order given."""
        cells = {language: tuple(column[row] for row in rows) for language, column in self.cells.items()}
        names, groups = (tuple(column[row] for row in rows) for column in (self.concepts, self.categories))
        return Lexicon(self.name, names, groups, cells)


def lexicon_names() -> list[str]:
    """Return the names of the lexicons that ship with the package."""
    return sorted([*builtin_names("lexicons", ".csv"), *builtin_names("lexicons", ".csv.gz")])


def load_lexicon(name_or_path: str | Path, languages: Sequence[str] | None = None) -> Lexicon:
    """Load a lexicon that ships with the package, or your own CSV.

    :param name_or_path: Such as "everyday", or a path ending in .csv.
    :param languages: Codes or English names to keep, in this order; by default all languages of the file.
    :raises XlError: If the name is unknown, a language is missing, or the file is not a lexicon.
    """
    name = str(name_or_path)
    codes = None if languages is None else language_codes(languages)
    if name in builtin_names("lexicons", ".csv.gz"):
        path = BUILTIN / "lexicons" / f"{name}.csv.gz"
        return _lexicon(path, *read_shipped(path, _NOTES, codes), codes)
    path = BUILTIN / "lexicons" / f"{name}.csv" if name in lexicon_names() else Path(name).expanduser()
    if not path.is_file():
        if path.suffix.lower() == ".csv":
            raise XlError(f"no file {name}; check the path (it is looked up from {Path.cwd().name}/)")
        raise unknown("lexicon", name, lexicon_names())
    return _lexicon(path, *read_table(path, _NOTES), codes)


def _lexicon(path: Path, header: list[str], rows: list[list[str]], wanted: Sequence[str] | None) -> Lexicon:
    first = header[0].lower()
    if first in _IDS and "concept" not in header and first not in (wanted or ()):
        header[0] = "concept"  # `id` is the code of Indonesian too, but not in the place of the ids
    columns = language_columns(path.name, header, _NOTES, wanted)
    cells = {code: tuple(_alternatives(row[column]) for row in rows) for code, column in columns.items()}
    for code, column in cells.items():
        if not any(column):
            raise XlError(f"{path.name}: the column {code} is empty; fill it or delete it")
    notes = {note: [row[header.index(note)].strip() for row in rows] for note in _NOTES if note in header}
    concepts = notes["concept"] if "concept" in notes else _name_concepts(next(iter(cells.values())))
    _check_concepts(path.name, concepts)
    name = Path(path.name.removesuffix(".gz")).stem
    for code in wanted or ():
        if code not in cells:
            raise no_language(name, code, list(cells))
    kept = {code: cells[code] for code in wanted or cells}
    return Lexicon(name, tuple(concepts), tuple(notes.get("category", [""] * len(rows))), kept)


def _check_concepts(file: str, concepts: list[str]) -> None:
    concept, count = Counter(concepts).most_common(1)[0]
    if count > 1 and concept:
        raise XlError(f"{file}: {count} rows have the concept {concept!r}; give each row its own id")
    if "" in concepts:
        raise XlError(f"{file}: data row {concepts.index('') + 1} has no concept id; fill the column or delete it")


def _alternatives(cell: str) -> Alternatives:
    if "|" not in cell:
        word = cell.strip()
        return (word,) if word else ()
    return tuple(dict.fromkeys(word.strip() for word in cell.split("|") if word.strip()))


def _name_concepts(column: tuple[Alternatives, ...]) -> list[str]:
    """Build ids from the first word of each row, numbering those that occur again."""
    seen: Counter[str] = Counter()
    names = []
    for row, cell in enumerate(column, 1):
        word = cell[0] if cell else f"row {row}"
        seen[word] += 1
        names.append(word if seen[word] == 1 else f"{word} ({seen[word]})")
    return names
