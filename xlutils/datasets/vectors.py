"""Vectors of texts that some other system computed: a folder with vectors.npy and texts.csv."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from xlutils.datasets.files import read_text
from xlutils.datasets.languages import language_code, language_codes
from xlutils.errors import XlError, first_line

_ROLES = {"query": "query", "passage": "passage", "document": "passage"}


@dataclass(frozen=True, eq=False)
class VectorTable:
    """Vectors of texts, as some production system computed them.

    :param name: Name of the folder.
    :param vectors: float32 [n, dim], as they are in the file.
    :param keys: For each row its id, language and role, which is "query" or "passage".
    """

    name: str
    vectors: np.ndarray
    keys: Sequence[tuple[str, str, str]]

    @cached_property
    def place(self) -> dict[tuple[str, str, str], int]:
        """Row of each key."""
        return {key: row for row, key in enumerate(self.keys)}


def read_vectors(folder: Path, *, unique: bool = True) -> VectorTable:
    """Read a folder with `vectors.npy`, float [n, dim], and `texts.csv` with the columns id, language and role.

    :param unique: Whether an id may occur once only in a language and role.
    :raises XlError: If a file is missing, they do not fit each other, or a vector is zero or not finite.
    """
    path = folder / "vectors.npy"
    try:
        vectors = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise XlError(f"{folder.name}/vectors.npy cannot be read ({first_line(error)[:80]}); check it") from None
    rows = read_rows(folder / "texts.csv", ("id", "language", "role"))
    if vectors.ndim != 2 or vectors.dtype.kind != "f" or len(vectors) != len(rows):
        shape = f"{vectors.dtype} {list(vectors.shape)}"
        raise XlError(f"{folder.name}/vectors.npy is {shape}; it must be float [{len(rows)}, dim], as texts.csv says")
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
    broken = np.flatnonzero(~np.isfinite(lengths) | (lengths == 0))
    for row in rows:
        if row["role"] not in _ROLES:
            raise XlError(f"{folder.name}/texts.csv: {row['role']!r} is not a role; it must be query or document")
    keys = [(row["id"], row["language"], _ROLES[row["role"]]) for row in rows]
    if len(broken):
        kind = "zero" if lengths[broken[0]] == 0 else "NaN or infinite"
        where = ", ".join(keys[broken[0]])
        raise XlError(f"{folder.name}: the vector of {where} is {kind}, one of {len(broken)}; compute it again")
    key, count = Counter(keys).most_common(1)[0]
    if unique and count > 1:
        raise XlError(f"{folder.name}/texts.csv: {count} rows are {', '.join(key)}; ids must differ in a language")
    return VectorTable(folder.resolve().name, vectors.astype(np.float32), keys)


def read_rows(path: Path, columns: Iterable[str]) -> list[dict[str, str]]:
    """Read a CSV file, whose cells may have line breaks, with its languages as tags.

    :param columns: Titles that it must have, `language` among them.
    :raises XlError: If it has not, a row does not fit the header, or a language is unknown.
    """
    if not path.is_file():
        raise XlError(f"no file {path.name} in {path.parent.name or 'this folder'}; check the path")
    reader = csv.DictReader(io.StringIO(read_text(path), newline=""), strict=True)
    try:
        rows = list(reader)
    except csv.Error as error:
        raise XlError(f"{path.name} cannot be read as CSV ({error}); is a quote missing?") from None
    for column in columns:
        if column not in (reader.fieldnames or ()):
            raise XlError(f"{path.name} has no column {column}; it has {', '.join(reader.fieldnames or ())[:80]}")
    if not rows:
        raise XlError(f"{path.name} has no rows; it needs a header line and a line per text")
    codes = {}
    for number, row in enumerate(rows, 2):
        if None in row or None in row.values():
            raise XlError(f"{path.name}: row {number} has too many or too few cells; quote a cell that has a comma")
        name = row["language"]
        if name not in codes:
            codes[name] = language_code(name) or language_codes([name])[0]
    return [{key: cell.strip() for key, cell in row.items()} | {"language": codes[row["language"]]} for row in rows]
