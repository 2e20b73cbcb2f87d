"""The embedding store: vectors on disk, so that no text is encoded twice.

One SQLite file per *space* (everything that decides what a vector means: model, revision, prompt,
length, dtype, library versions). SQLite gives transactions that survive a kill, locks between
processes and a file that can be copied; a checksum on every row adds what it lacks, the detection of
damaged bytes. The rollback journal is kept (not WAL) because caches also live on network drives.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import platformdirs

from xlutils.errors import XlError

logger = logging.getLogger(__name__)

_KEYS_PER_QUERY = 10_000  # below SQLite's limit of 32,766 variables a statement
_LOCK_SECONDS = 120.0
_SCAN_SHARE = 3  # a request for more than a third of the file reads it all
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS space (description TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS vectors (digest BLOB PRIMARY KEY, checksum INTEGER NOT NULL, vector BLOB NOT NULL)",
)


def cache_folder() -> Path:
    """Return the folder of the caches: `XL_CACHE`, else the user's cache folder."""
    return Path(os.environ.get("XL_CACHE") or platformdirs.user_cache_dir("xlutils"))


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _checksum(digest: bytes, blob: bytes) -> int:
    return zlib.crc32(blob, int.from_bytes(digest[:4]))  # seeded, so that a row under a wrong key is noticed


class EmbeddingStore:
    """Vectors of one space, read and written by text.

    :param space: Everything that decides what a vector means; any JSON-like mapping with a "model" key.
    :param folder: Where the file goes; `<XL_CACHE>/embeddings` when left out.
    """

    def __init__(self, space: Mapping[str, object], folder: Path | None = None) -> None:
        self.description = json.dumps(space, sort_keys=True, ensure_ascii=False)
        self.folder = Path(folder) if folder else cache_folder() / "embeddings"
        name = re.sub(r"[^A-Za-z0-9.-]+", "_", str(space["model"]))[-60:]
        key = hashlib.sha256(self.description.encode()).hexdigest()[:16]
        self.path = self.folder / f"{name}-{key}.sqlite"

    def read(self, texts: Sequence[str], dim: int) -> tuple[np.ndarray, np.ndarray]:
        """Look up texts.

        :param texts: n texts.
        :param dim: Length of a vector.
        :return: Vectors, float32 [n, dim], and a boolean mask [n] of the texts that were found;
            rows of the others are zero. Damaged rows count as not found.
        """
        digests = [_digest(text) for text in texts]
        places = {digest: place for place, digest in enumerate(dict.fromkeys(digests))}
        content, width = bytearray(4 * dim * len(places)), 4 * dim
        found = np.zeros(len(places), bool)
        damaged = 0
        if self.path.exists():
            try:
                with closing(self._connect()) as connection:
                    for digest, checksum, blob in _select(connection, list(places)):
                        place = places.get(digest)
                        if place is None:
                            continue
                        if len(blob) == width and checksum == _checksum(digest, blob):
                            found[place] = True
                            content[place * width : (place + 1) * width] = blob
                        else:
                            damaged += 1
            except sqlite3.DatabaseError as error:
                self._set_aside_or_raise(error)
                found[:] = False
        if damaged:
            logger.warning("embedding store: %d damaged vectors in %s, encoding them again", damaged, self.path.name)
        vectors = np.frombuffer(content, np.float32).reshape(len(places), dim)
        vectors[~found] = 0
        if len(places) < len(digests):  # a text is asked for twice
            rows = [places[digest] for digest in digests]
            return vectors[rows], found[rows]
        return vectors, found

    def write(self, texts: Sequence[str], vectors: np.ndarray) -> None:
        """Store vectors, all or none; on return they are on disk.

        :param texts: n texts.
        :param vectors: Their vectors, float32 [n, dim].
        :raises XlError: If the disk is full or the folder cannot be written.
        """
        rows = []
        for text, vector in zip(texts, np.ascontiguousarray(vectors, np.float32), strict=True):
            digest, blob = _digest(text), vector.tobytes()
            rows.append((digest, _checksum(digest, blob), blob))
        try:
            self._insert(rows)
        except sqlite3.DatabaseError as error:
            self._set_aside_or_raise(error)
            self._insert(rows)

    def _insert(self, rows: list[tuple[bytes, int, bytes]]) -> None:
        with _explained(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        with closing(self._connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            for statement in _SCHEMA:
                connection.execute(statement)
            if connection.execute("SELECT count(*) FROM space").fetchone()[0] == 0:
                connection.execute("INSERT INTO space VALUES (?)", (self.description,))
            connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)
            connection.execute("COMMIT")

    def _connect(self) -> sqlite3.Connection:
        read_only = self.path.exists() and not os.access(self.path, os.W_OK)
        uri = f"{self.path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
        connection = sqlite3.connect(uri, uri=True, timeout=_LOCK_SECONDS, isolation_level=None)
        connection.execute("PRAGMA page_size = 16384")  # ten vectors of 384 floats a page
        return connection

    def _set_aside_or_raise(self, error: sqlite3.DatabaseError) -> None:
        """Move a damaged file out of the way; every other failure becomes one clear line."""
        code = error.sqlite_errorcode & 0xFF  # the low byte is the primary code
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            for leftover in (self.path.with_name(self.path.name + "-journal"), self.path):
                if leftover.exists():
                    leftover.replace(leftover.with_name(leftover.name + ".damaged"))
            logger.warning("embedding store: %s is damaged (%s), encoding its texts again", self.path.name, error)
            return
        where = f"the embedding store in {self.folder}"
        if code == sqlite3.SQLITE_FULL:
            raise XlError(
                f"no space left for {where}; free some or set XL_CACHE to another disk (what was stored before is safe)"
            ) from error
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
            raise XlError(f"cannot write {where}; set XL_CACHE to a folder you may write") from error
        raise XlError(f"{where} failed: {error}; check the disk or set XL_CACHE to another one") from error


def _select(connection: sqlite3.Connection, digests: list[bytes]) -> Iterator[tuple[bytes, int, bytes]]:
    """Yield digest, checksum and vector of rows, one at a time: of all that are asked for, perhaps of others too."""
    if connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'vectors'").fetchone()[0] == 0:
        return  # the process that made the file was killed before its first commit
    columns = "SELECT digest, checksum, vector FROM vectors"
    largest_rowid = connection.execute("SELECT max(rowid) FROM vectors").fetchone()[0] or 0
    if len(digests) > largest_rowid / _SCAN_SHARE:  # a scan in file order beats many look-ups
        yield from connection.execute(columns)
        return
    for start in range(0, len(digests), _KEYS_PER_QUERY):
        keys = digests[start : start + _KEYS_PER_QUERY]
        yield from connection.execute(f"{columns} WHERE digest IN ({','.join('?' * len(keys))})", keys)


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise XlError(
            f"cannot make the folder {folder} ({error.strerror}); set XL_CACHE to one you may write"
        ) from error
