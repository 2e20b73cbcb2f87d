"""Lexicons: a CSV with a row per concept and a column per language."""

from __future__ import annotations

import csv
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from xlutils.datasets.files import BUILTIN, builtin_names, content_hash
from xlutils.datasets.languages import language_code, language_codes
from xlutils.errors import XlError, unknown

logger = logging.getLogger(__name__)
_NOTES = ("concept", "category")
_REMARKS = ("note", "notes", "comment", "source")  # columns that nobody takes for a language
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
        kept = [numbers[concept] for concept in concepts]
        cells = {language: tuple(column[number] for number in kept) for language, column in self.cells.items()}
        return Lexicon(self.name, tuple(concepts), tuple(self.categories[number] for number in kept), cells)


def load_lexicon(name_or_path: str | Path, languages: Sequence[str] | None = None) -> Lexicon:
    """Load a lexicon that ships with the package, or your own CSV.

    :param name_or_path: Such as "everyday", or a path ending in .csv.
    :param languages: Codes or English names to keep, in this order; by default all languages of the file.
    :raises XlError: If the name is unknown, a language is missing, or the file is not a lexicon.
    """
    name = str(name_or_path)
    shipped = builtin_names("lexicons", ".csv")
    path = BUILTIN / "lexicons" / f"{name}.csv" if name in shipped else Path(name).expanduser()
    if not path.is_file():
        if path.suffix.lower() == ".csv":
            raise XlError(f"no file {name}; check the path (it is looked up from {Path.cwd().name}/)")
        raise unknown("lexicon", name, shipped)
    codes = None if languages is None else language_codes(languages)
    lexicon = _read_csv(path, codes)
    if codes is None:
        return lexicon
    for code in codes:
        if code not in lexicon.cells:
            raise XlError(f"{lexicon.name} has no language {code}; it has {', '.join(lexicon.languages)}")
    return replace(lexicon, cells={code: lexicon.cells[code] for code in codes})


def _read_csv(path: Path, wanted: Sequence[str] | None) -> Lexicon:
    header, rows = _read_table(path)
    first = header[0].lower()
    if first in _IDS and "concept" not in header and first not in (wanted or ()):
        header[0] = "concept"  # `id` is the code of Indonesian too, but not in the place of the ids
    columns = _language_columns(path.name, header, wanted)
    cells = {code: tuple(_alternatives(row[column]) for row in rows) for code, column in columns.items()}
    for code, column in cells.items():
        if not any(column):
            raise XlError(f"{path.name}: the column {code} is empty; fill it or delete it")
    notes = {note: [row[header.index(note)].strip() for row in rows] for note in _NOTES if note in header}
    concepts = notes["concept"] if "concept" in notes else _name_concepts(next(iter(cells.values())))
    _check_concepts(path.name, concepts)
    return Lexicon(path.stem, tuple(concepts), tuple(notes.get("category", [""] * len(rows))), cells)


def _read_table(path: Path) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows, without comments and empty lines."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")  # splitlines() would also split at U+2028
    except UnicodeDecodeError:
        raise XlError(f"{path.name} is not UTF-8; save it again as CSV UTF-8") from None
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    if len(numbered) < 2:
        raise XlError(f"{path.name} has no concepts; it needs a header line and a line per concept")
    try:
        header, *rows = csv.reader([line for _, line in numbered], strict=False)
        _mention_comments(path.name, lines[numbered[0][0] :], len(header))
    except csv.Error as error:
        raise XlError(f"{path.name} cannot be read as CSV ({error}); is a quote missing?") from None
    for (number, _), row in zip(numbered[1:], rows, strict=False):
        if len(row) != len(header):
            cells = f"{len(row)} cells, the header {len(header)}"
            raise XlError(f"{path.name} line {number} has {cells}; quote a cell that contains a comma")
    titles = [cell.strip() for cell in header]
    return [title.lower() if title.lower() in _NOTES else title for title in titles], rows


def _mention_comments(file: str, lines: list[str], width: int) -> None:
    """Mention lines that are left out as comments although they look like rows."""
    likely = [line for line in lines if line.startswith("#") and len(next(csv.reader([line]))) == width > 1]
    if likely:
        logger.warning("%s: rows that begin with # are left out as comments: %.40s ...", file, likely[0])


def _check_concepts(file: str, concepts: list[str]) -> None:
    concept, count = Counter(concepts).most_common(1)[0]
    if count > 1 and concept:
        raise XlError(f"{file}: {count} rows have the concept {concept!r}; give each row its own id")
    if "" in concepts:
        raise XlError(f"{file}: data row {concepts.index('') + 1} has no concept id; fill the column or delete it")


def _language_columns(file: str, header: list[str], wanted: Sequence[str] | None) -> dict[str, int]:
    columns: dict[str, int] = {}
    known = (*_NOTES, *_REMARKS)
    unknown_titles = [title for title in header if language_code(title) is None and title.lower() not in known]
    for position, title in enumerate(header):
        code = language_code(title)
        if code in columns:
            raise XlError(f"{file} has two columns for {code}: {header[columns[code]]} and {title}; keep one")
        if code and title not in _NOTES:
            columns[code] = position
    if not columns:
        hint = "; its cells seem to be separated by something other than commas" if len(header) == 1 else ""
        raise XlError(
            f"{file} has no language column: {', '.join(header)[:80]!r}; name each column by ISO code or "
            f"English name, such as en or Chinese{hint}"
        )
    if unknown_titles and wanted:
        logger.warning("%s: columns that are not used: %s", file, ", ".join(unknown_titles)[:80])
    elif unknown_titles:
        hint = "rename it by ISO code or English name, or delete it, or name the languages to use"
        raise XlError(f"{file}: the column {unknown_titles[0]!r} is not a language; {hint}")
    return columns


def _alternatives(cell: str) -> Alternatives:
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
