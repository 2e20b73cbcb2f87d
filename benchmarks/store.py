"""The embedding store against a plain array file: 100,000 vectors of 384 dimensions.

The array file is the physical limit: it has no keys, no checksums, no transactions, and cannot be shared by two
writers.

    python benchmarks/store.py
"""

from __future__ import annotations

import os
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from common import Line, added_mib, growth, in_turn, run, timed, times_the_limit

from xlutils.models.store import EmbeddingStore

AREA = "Embedding store"
COUNT, DIM, BATCH, REPEATS = 100_000, 384, 1000, 3
SIZES = (12_500, 25_000, 50_000, 100_000)


def measure() -> list[Line]:
    """Measure writing and reading."""
    texts = [f"text number {number}" for number in range(COUNT)]
    vectors = np.random.default_rng(0).standard_normal((COUNT, DIM)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        return _measure_in(Path(folder), texts, vectors)


def _measure_in(folder: Path, texts: list[str], vectors: np.ndarray) -> list[Line]:
    store, plain = EmbeddingStore({"model": "benchmark"}, folder), folder / "plain.npy"
    sample = texts[:: COUNT // 1000]
    writing = in_turn(partial(write, store, texts, vectors), partial(write_plainly, plain, vectors), 1)
    reading = in_turn(lambda: store.read(texts, DIM), lambda: np.load(plain), REPEATS)
    sampling = in_turn(lambda: store.read(sample, DIM), lambda: np.load(plain), REPEATS)
    times = [min(timed(partial(store.read, texts[:size], DIM)) for _ in range(REPEATS)) for size in SIZES]
    added = added_mib(lambda: store.read(texts, DIM))
    stored, is_stored = store.read(texts, DIM)
    if not is_stored.all() or not np.array_equal(stored, vectors):
        raise SystemExit("the store returned something else than was written")
    size = vectors.nbytes / (1 << 20)
    note = f"the vectors, {size:.0f} MiB, are the same; time grows as vectors^{growth(SIZES, times):.2f}"
    label = f"write them in {COUNT // BATCH} transactions"
    return [
        times_the_limit(AREA, f"read {COUNT:,} vectors", "numpy.load", reading, mib=added, note=note),
        times_the_limit(AREA, "read 1,000 of them", "numpy.load of all", sampling),
        times_the_limit(AREA, label, "numpy.save and a flush to the disk", writing),
    ]


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


if __name__ == "__main__":
    run(measure, __doc__)
