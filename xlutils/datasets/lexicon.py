"""Lexicons: a CSV with a row per concept and a column per language."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from xlutils.datasets.files import BUILTIN, builtin_names, content_hash
from xlutils.datasets.languages import language_code, language_codes
from xlutils.errors import XlError, unknown

_NOTES = ("concept", "category")
Alternatives = tuple[str, ...]


@dataclass(frozen=True)
class Lexicon:
    """Concepts and their words.

    :param name: Name in records: a shipped one, or the stem of the file.
    :param concepts: n ids, all different.
    :param categories: n categories, "" where none is given.
    :param cells: For each language n tuples of alternatives; an empty tuple is a missing word.
    """

    name: str
    concepts: tuple[str, ...]
    categories: tuple[str, ...]
    cells: dict[str, tuple[Alternatives, ...]]

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages, in the order of the columns or of the request."""
        return tuple(self.cells)

    @property
    def sha256(self) -> str:
        """Hash of the concepts and words held here."""
        return content_hash([self.concepts, self.categories, self.cells])

    def words(self, language: str) -> list[str]:
        """List the distinct words of a language, in order of appearance."""
        return list(dict.fromkeys(word for cell in self.cells[language] for word in cell))

    def rows(self) -> list[tuple[str, str, str]]:
        """List every word as (concept, language, word), concept by concept."""
        return [
            (concept, language, word)
            for number, concept in enumerate(self.concepts)
            for language, column in self.cells.items()
            for word in column[number]
        ]

    def shared_words(self) -> list[tuple[str, str, tuple[str, ...]]]:
        """List the words that stand for several concepts in one language: (language, word, concepts)."""
        shared = []
        for language, column in self.cells.items():
            users: dict[str, list[str]] = {}
            for concept, cell in zip(self.concepts, column, strict=True):
                for word in cell:
                    users.setdefault(word, []).append(concept)
            shared += [(language, word, tuple(names)) for word, names in users.items() if len(names) > 1]
        return shared

    def same_spellings(self) -> int:
        """Count the pairs of translations that are spelled alike, which any model gets right."""
        count = 0
        for row in range(len(self.concepts)):
            words = [word for column in self.cells.values() for word in column[row]]
            count += sum(words.count(word) * (words.count(word) - 1) // 2 for word in set(words))
        return count

    def only(self, concepts: Sequence[str]) -> Lexicon:
        """Keep some concepts, in the order given.

        :raises XlError: If one of them is not here.
        """
        rows = {concept: row for row, concept in enumerate(self.concepts)}
        for concept in concepts:
            if concept not in rows:
                raise unknown(f"concept of {self.name}", concept, self.concepts)
        kept = [rows[concept] for concept in concepts]
        return replace(
            self,
            concepts=tuple(concepts),
            categories=tuple(self.categories[row] for row in kept),
            cells={language: tuple(column[row] for row in kept) for language, column in self.cells.items()},
        )


def load_lexicon(name_or_path: str | Path, languages: Sequence[str] | None = None) -> Lexicon:
    """Load a lexicon that ships with the package, or your own CSV.

    :param name_or_path: Such as "everyday", or a path ending in .csv.
    :param languages: Codes or English names to keep, in this order; all of the file's when left out.
    :return: The lexicon.
    :raises XlError: On an unknown name, a missing language, or a file that is no lexicon.
    """
    name = str(name_or_path)
    shipped = builtin_names("lexicons", ".csv")
    path = BUILTIN / "lexicons" / f"{name}.csv" if name in shipped else Path(name).expanduser()
    if not path.is_file():
        if path.suffix.lower() == ".csv":
            raise XlError(f"no file {name}; check the path (it is looked up from {Path.cwd().name}/)")
        raise unknown("lexicon", name, shipped)
    lexicon = _read_csv(path)
    if languages is None:
        return lexicon
    codes = language_codes(languages)
    for code in codes:
        if code not in lexicon.cells:
            raise XlError(f"{lexicon.name} has no language {code}; it has {', '.join(lexicon.languages)}")
    return replace(lexicon, cells={code: lexicon.cells[code] for code in codes})


def _read_csv(path: Path) -> Lexicon:
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")  # splitlines() would also cut at U+2028
    except UnicodeDecodeError:
        raise XlError(f"{path.name} is not UTF-8; save it again as CSV UTF-8") from None
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    if len(numbered) < 2:
        raise XlError(f"{path.name} holds no concept; it needs a header line and a line per concept")
    table = list(csv.reader([line for _, line in numbered], strict=False))
    header, rows = [cell.strip() for cell in table[0]], table[1:]
    columns = _language_columns(path.name, header)
    for (number, _), row in zip(numbered[1:], rows, strict=False):
        if len(row) != len(header):
            raise XlError(
                f"{path.name} line {number} has {len(row)} cells, the header {len(header)}; "
                "quote a cell that holds a comma"
            )
    cells = {code: tuple(_alternatives(row[column]) for row in rows) for code, column in columns.items()}
    for code, cell in cells.items():
        if not any(cell):
            raise XlError(f"{path.name}: the column {code} is empty; fill it or delete it")
    notes = {note: [row[header.index(note)].strip() for row in rows] if note in header else None for note in _NOTES}
    concepts = notes["concept"] or _name_concepts(next(iter(cells.values())))
    repeated = [concept for concept, count in Counter(concepts).items() if count > 1]
    if repeated:
        raise XlError(
            f"{path.name}: concept {repeated[0]!r} stands in {concepts.count(repeated[0])} rows; "
            "give each row its own id"
        )
    if "" in concepts:
        raise XlError(f"{path.name}: data row {concepts.index('') + 1} has no concept id; fill the column or delete it")
    categories = notes["category"] or [""] * len(rows)
    return Lexicon(path.stem, tuple(concepts), tuple(categories), cells)


def _language_columns(file: str, header: list[str]) -> dict[str, int]:
    columns: dict[str, int] = {}
    for position, title in enumerate(header):
        code = language_code(title)
        if code in columns:
            raise XlError(f"{file} has two columns for {code}: {header[columns[code]]} and {title}; keep one")
        if code and title not in _NOTES:
            columns[code] = position
    if not columns:
        hint = "; its cells look separated by something else than commas" if len(header) == 1 else ""
        raise XlError(
            f"{file} has no language column: {', '.join(header)[:80]!r}; name each column by ISO code or "
            f"English name, such as en or Chinese{hint}"
        )
    return columns


def _alternatives(cell: str) -> Alternatives:
    return tuple(dict.fromkeys(word.strip() for word in cell.split("|") if word.strip()))


def _name_concepts(column: tuple[Alternatives, ...]) -> list[str]:
    """Ids for a file without a column of them: the first word, numbered where it comes again."""
    seen: Counter[str] = Counter()
    names = []
    for row, cell in enumerate(column, 1):
        word = cell[0] if cell else f"row {row}"
        seen[word] += 1
        names.append(word if seen[word] == 1 else f"{word} ({seen[word]})")
    return names
