"""CSV files with a column per language: the lexicons and the parallel sentences."""

from __future__ import annotations

import csv
import logging
from collections.abc import Sequence
from pathlib import Path

from xlutils.datasets.files import read_text
from xlutils.datasets.languages import language_code, no_language
from xlutils.errors import XlError

logger = logging.getLogger(__name__)
_REMARKS = ("note", "notes", "comment", "source")  # columns that nobody takes for a language


def read_table(path: Path, notes: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """Return the titles and the rows of a CSV file, without comments and empty lines.

    :param notes: Titles of columns that are not languages, in small letters; titles that are one of them are returned
        in small letters.
    :raises XlError: If the file is not UTF-8 or not CSV, or a row has too many cells or too few.
    """
    lines = read_text(path).split("\n")  # splitlines() would also split at U+2028
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    if len(numbered) < 2:
        raise XlError(f"{path.name} has no rows; it needs a header line and a line per row")
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
    return [title.lower() if title.lower() in notes else title for title in titles], rows


def read_shipped(path: Path, notes: Sequence[str], wanted: Sequence[str] | None) -> tuple[list[str], list[list[str]]]:
    """Return the titles and the rows of a shipped file that has a line per column, which compresses better.

    :param notes: Titles of the lines that come first and are not languages.
    :param wanted: Languages to read, in this order; by default all of them.
    :raises XlError: If a language is missing.
    """
    lines = read_text(path).rstrip("\n").split("\n")
    first = len(notes)
    by_language = {line.split(",", 1)[0]: line for line in lines[first:]}
    for code in wanted or ():
        if code not in by_language:
            raise no_language(path.name.split(".")[0], code, list(by_language))
    kept = [*lines[:first], *(by_language[code] for code in wanted or by_language)]
    columns = list(csv.reader(kept))
    return [column[0] for column in columns], [
        list(row) for row in zip(*(column[1:] for column in columns), strict=True)
    ]


def language_columns(
    file: str, header: list[str], notes: Sequence[str], wanted: Sequence[str] | None
) -> dict[str, int]:
    """Return the position of each language's column.

    :param file: Name of the file, for messages.
    :param header: The titles.
    :param notes: Titles of columns that are not languages.
    :param wanted: Languages that were named, if any; then other columns are only mentioned.
    :raises XlError: If there is no language, one has two columns, or a column is neither a language nor a note.
    """
    columns: dict[str, int] = {}
    known = (*notes, *_REMARKS)
    unknown_titles = [title for title in header if title.lower() not in known and language_code(title) is None]
    for position, title in enumerate(header):
        code = None if title in known else language_code(title)
        if code in columns:
            raise XlError(f"{file} has two columns for {code}: {header[columns[code]]} and {title}; keep one")
        if code:
            columns[code] = position
    if not columns:
        hint = "; its cells seem to be separated by something other than commas" if len(header) == 1 else ""
        raise XlError(
            f"{file} has no language column: {', '.join(header)[:80]!r}; name each column by tag or "
            f"English name, such as en or Chinese{hint}"
        )
    if unknown_titles and wanted:
        logger.warning("%s: columns that are not used: %s", file, ", ".join(unknown_titles)[:80])
    elif unknown_titles:
        hint = "rename it by tag or English name, or delete it, or name the languages to use"
        raise XlError(f"{file}: the column {unknown_titles[0]!r} is not a language; {hint}")
    return columns


def _mention_comments(file: str, lines: list[str], width: int) -> None:
    """Mention lines that are left out as comments although they look like rows."""
    likely = [line for line in lines if line.startswith("#") and len(next(csv.reader([line]))) == width > 1]
    if likely:
        logger.warning("%s: rows that begin with # are left out as comments: %.40s ...", file, likely[0])
