"""The embedding store against a plain array file: 100,000 vectors of 384 dimensions.

The array file is the physical limit: it has no keys, no checksums, no transactions, and cannot be
shared by two writers.

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
COUNT, DIM, BATCH, REPEATS, WRITES = 100_000, 384, 1000, 5, 3
SIZES = (12_500, 25_000, 50_000, 100_000)


def measure() -> list[Line]:
    """Measure writing and reading."""
    texts = [f"text number {number}" for number in range(COUNT)]
    vectors = np.random.default_rng(0).standard_normal((COUNT, DIM)).astype(np.float32)
    some = texts[:: COUNT // 1000]
    with tempfile.TemporaryDirectory() as folder:
        stores = [EmbeddingStore({"model": f"benchmark {again}"}, Path(folder)) for again in range(WRITES)]
        store, plain = stores[0], Path(folder, "plain.npy")

        def write_all(store: EmbeddingStore) -> None:
            for start in range(0, COUNT, BATCH):
                store.write(texts[start : start + BATCH], vectors[start : start + BATCH])

        def write_plainly() -> None:
            with plain.open("wb") as file:
                np.save(file, vectors)
                file.flush()
                os.fsync(file.fileno())  # on the disk, as what the store has written is

        writing = [(timed(partial(write_all, each)), timed(write_plainly)) for each in stores]
        all_pairs = in_turn(lambda: store.read(texts, DIM), lambda: np.load(plain), REPEATS)
        some_pairs = in_turn(lambda: store.read(some, DIM), lambda: np.load(plain), REPEATS)
        reading = [min(timed(partial(store.read, texts[:size], DIM)) for _ in range(3)) for size in SIZES]
        added = added_mib(lambda: store.read(texts, DIM))
        found, there = store.read(texts, DIM)
        if not there.all() or not np.array_equal(found, vectors):
            raise SystemExit("the store returned something else than was written")
    size = vectors.nbytes / (1 << 20)
    note = f"the vectors, {size:.0f} MiB, are the same; time grows as vectors^{growth(SIZES, reading):.2f}"
    what = f"write them in {COUNT // BATCH} transactions"
    return [
        times_the_limit(AREA, f"read {COUNT:,} vectors", "numpy.load", all_pairs, mib=added, note=note),
        times_the_limit(AREA, "read 1,000 of them", "numpy.load of all", some_pairs),
        times_the_limit(AREA, what, "numpy.save and a flush to the disk", writing),
    ]  # fmt: skip


if __name__ == "__main__":
    run(measure, __doc__)
