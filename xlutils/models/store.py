"""The embedding store: vectors on disk, so that no text is encoded twice.

There is one SQLite file per *space*: everything that decides what a vector means (model, revision, prompt, length,
dtype, library versions). SQLite gives transactions that survive a kill, locks between processes, and files that can be
copied. A checksum in every row detects damaged bytes. The journal is the rollback one, not WAL, because caches also
live on network drives.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import platformdirs

from xlutils.errors import XlError

logger = logging.getLogger(__name__)

_PARTS = ("embeddings", "models")  # folders of the caches
_KEYS_PER_QUERY = 10_000  # below SQLite's limit of 32,766 variables in a statement
_LOCK_SECONDS = 120.0
_SAVE_SECONDS = 1.0  # at most this much work is lost when a process is killed
_SCAN_SHARE = 3  # a request for more than a third of the file reads all of it
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS space (description TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS vectors (digest BLOB PRIMARY KEY, checksum INTEGER NOT NULL, vector BLOB NOT NULL)",
)
Row = tuple[bytes, int, bytes]  # digest of the text, checksum, vector
Write = Callable[[Sequence[str], np.ndarray], None]


def cache_folder() -> Path:
    """Return the folder of the caches: `XL_CACHE`, or else the user's cache folder."""
    return Path(os.environ.get("XL_CACHE") or platformdirs.user_cache_dir("xlutils"))


def describe_cache() -> list[str]:
    """Return the folder of the caches, the size of each, and that of each file of vectors, as lines of text."""
    folder = cache_folder()
    lines = [f"caches in {folder}"]
    lines += [f"  {part:11} {_size(folder / part) / 1e6:10,.1f} MB" for part in _PARTS]
    files = sorted((folder / "embeddings").glob("*.sqlite"))
    return lines + [f"    {path.stat().st_size / 1e6:10,.1f} MB  {path.name}" for path in files]


def clear_cache() -> int:
    """Delete the cached vectors and models, and return how many bytes that freed.

    :raises XlError: If something could not be deleted.
    """
    freed = 0
    for folder in (cache_folder() / part for part in _PARTS):
        freed += _size(folder)
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            raise XlError(f"could not delete {folder}; is another process using it?")
    return freed


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _checksum(digest: bytes, blob: bytes) -> int:
    return zlib.crc32(blob, int.from_bytes(digest[:4]))  # seeded, so that a row under a wrong key is noticed


class EmbeddingStore:
    """Vectors of one space, read and written by text.

    :param space: Everything that decides what a vector means; any JSON-like mapping with a "model" key.
    :param folder: Where the file goes; `<XL_CACHE>/embeddings` by default.
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
        :return: Vectors, float32 [n, dim], and a boolean mask [n] of the texts that are stored; the rows of the
            others are zero. Damaged rows count as not stored.
        """
        digests = [_digest(text) for text in texts]
        places = {digest: place for place, digest in enumerate(dict.fromkeys(digests))}
        vectors, is_stored = np.zeros((len(places), dim), np.float32), np.zeros(len(places), bool)
        damaged = 0
        try:
            for digest, checksum, blob in self._rows(list(places)):
                place = places.get(digest)
                if place is None:
                    continue
                if len(blob) != 4 * dim or checksum != _checksum(digest, blob):
                    damaged += 1
                    continue
                vectors[place] = np.frombuffer(blob, np.float32)
                is_stored[place] = True
        except sqlite3.DatabaseError as error:
            self._set_aside(error)
            vectors[:], is_stored[:] = 0, False
        if damaged:
            logger.warning("embedding store: %d damaged vectors in %s, encoding them again", damaged, self.path.name)
        if len(places) == len(digests):
            return vectors, is_stored
        rows = [places[digest] for digest in digests]
        return vectors[rows], is_stored[rows]

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
            self._set_aside(error)
            self._insert(rows)

    @contextmanager
    def writing(self) -> Iterator[Write]:
        """Collect vectors and write them about once a second, and at the end, even after a failure.

        :return: A function that takes texts and their vectors, like `write`.
        """
        texts: list[str] = []
        batches: list[np.ndarray] = []
        saved_at = time.monotonic()

        def save() -> None:
            if texts:
                self.write(texts, np.concatenate(batches))
                texts.clear()
                batches.clear()

        def add(more_texts: Sequence[str], vectors: np.ndarray) -> None:
            nonlocal saved_at
            texts.extend(more_texts)
            batches.append(vectors)
            if time.monotonic() - saved_at > _SAVE_SECONDS:
                save()
                saved_at = time.monotonic()

        try:
            yield add
        finally:
            save()

    def _rows(self, digests: list[bytes]) -> Iterator[Row]:
        """Yield the rows of these digests, and perhaps of others."""
        if not self.path.exists():
            return
        with closing(self._connect()) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'vectors'").fetchone():
                return  # the process that made the file was killed before its first commit
            columns = "SELECT digest, checksum, vector FROM vectors"
            largest_rowid = connection.execute("SELECT max(rowid) FROM vectors").fetchone()[0] or 0
            if len(digests) > largest_rowid / _SCAN_SHARE:  # reading in file order is faster than many look-ups
                yield from connection.execute(columns)
                return
            for start in range(0, len(digests), _KEYS_PER_QUERY):
                keys = digests[start : start + _KEYS_PER_QUERY]
                yield from connection.execute(f"{columns} WHERE digest IN ({','.join('?' * len(keys))})", keys)

    def _insert(self, rows: list[Row]) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            hint = "set XL_CACHE to one you may write"
            raise XlError(f"cannot create the folder {self.folder} ({error.strerror}); {hint}") from error
        with closing(self._connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            for statement in _SCHEMA:
                connection.execute(statement)
            if connection.execute("SELECT count(*) FROM space").fetchone()[0] == 0:
                connection.execute("INSERT INTO space VALUES (?)", (self.description,))
            connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)
            connection.execute("COMMIT")

    def _connect(self) -> sqlite3.Connection:
        is_read_only = self.path.exists() and not os.access(self.path, os.W_OK)
        uri = f"{self.path.absolute().as_uri()}?mode={'ro' if is_read_only else 'rwc'}"
        connection = sqlite3.connect(uri, uri=True, timeout=_LOCK_SECONDS, isolation_level=None)
        connection.execute("PRAGMA page_size = 16384")  # ten vectors of 384 floats in a page
        return connection

    def _set_aside(self, error: sqlite3.DatabaseError) -> None:
        """Rename a damaged file, so that a new one takes its place.

        :raises XlError: If the error is another one than damage.
        """
        code = error.sqlite_errorcode & 0xFF  # the low byte is the primary code
        if code not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise self._explain(code, error) from error
        for leftover in (self.path.with_name(self.path.name + "-journal"), self.path):
            if leftover.exists():
                leftover.replace(leftover.with_name(leftover.name + ".damaged"))
        logger.warning("embedding store: %s is damaged (%s), encoding its texts again", self.path.name, error)

    def _explain(self, code: int, error: sqlite3.DatabaseError) -> XlError:
        store = f"the embedding store in {self.folder}"
        if code == sqlite3.SQLITE_FULL:
            hint = "free some or set XL_CACHE to another disk (what was stored before is safe)"
            return XlError(f"no space left for {store}; {hint}")
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
            return XlError(f"cannot write {store}; set XL_CACHE to a folder you may write")
        return XlError(f"{store} failed: {error}; check the disk or set XL_CACHE to another one")
