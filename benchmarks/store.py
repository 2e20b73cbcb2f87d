"""The embedding store against a plain array file: 100,000 vectors of 384 dimensions.

The file is the limit: it has no keys, no checksums and no transactions, and two writers cannot share it.
"""

from __future__ import annotations

import os
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from common import Line, added_mib, compare, in_turn, run

from xlutils.models.store import EmbeddingStore

COUNT, DIM, BATCH, REPEATS = 100_000, 384, 1000, 3


def write(store: EmbeddingStore, texts: list[str], vectors: np.ndarray) -> None:
    """Write all vectors in transactions of a thousand."""
    for start in range(0, COUNT, BATCH):
        store.write(texts[start : start + BATCH], vectors[start : start + BATCH])


def write_plainly(path: Path, vectors: np.ndarray) -> None:
    """Write all vectors to an array file, and flush it to the disk as the store does."""
    with path.open("wb") as file:
        np.save(file, vectors)
        file.flush()
        os.fsync(file.fileno())


def measure() -> list[Line]:
    """Measure writing and reading."""
    texts = [f"text number {number}" for number in range(COUNT)]
    sample = texts[:: COUNT // 1000]
    vectors = np.random.default_rng(0).standard_normal((COUNT, DIM)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        store, plain = EmbeddingStore({"model": "benchmark"}, Path(folder)), Path(folder, "plain.npy")
        writing = in_turn(partial(write, store, texts, vectors), partial(write_plainly, plain, vectors), 1)
        reading = in_turn(lambda: store.read(texts, DIM), lambda: np.load(plain), REPEATS)
        sampling = in_turn(lambda: store.read(sample, DIM), lambda: np.load(plain), REPEATS)
        added = added_mib(lambda: store.read(texts, DIM))
        stored, is_stored = store.read(texts, DIM)
    if not is_stored.all() or not np.array_equal(stored, vectors):
        raise SystemExit("the store returned something else than was written")
    note = f"the vectors, {vectors.nbytes / (1 << 20):.0f} MiB, are the same"
    against_limit = partial(compare, "Embedding store", is_limit=True)
    return [
        against_limit(f"read {COUNT:,} vectors", "numpy.load", reading, mib=added, note=note),
        against_limit("read 1,000 of them", "numpy.load of all", sampling),
        against_limit(f"write them in {COUNT // BATCH} transactions", "numpy.save and a flush to the disk", writing),
    ]


if __name__ == "__main__":
    run("store", measure)
