"""The embedding store against a plain array file: 100,000 vectors of 384 dimensions.

The array file is the physical limit: it has no keys, no checksums, no transactions, and cannot be
shared by two writers.

    python benchmarks/store.py
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from common import Line, added_mib, growth, in_turn, run, timed, times_the_limit

from xlutils.store import EmbeddingStore

AREA = "Embedding store"
COUNT, DIM, BATCH, REPEATS = 100_000, 384, 1000, 5
SIZES = (12_500, 25_000, 50_000, 100_000)


def measure() -> list[Line]:
    """Measure writing and reading."""
    texts = [f"text number {number}" for number in range(COUNT)]
    vectors = np.random.default_rng(0).standard_normal((COUNT, DIM)).astype(np.float32)
    some = texts[:: COUNT // 1000]
    with tempfile.TemporaryDirectory() as folder:
        store = EmbeddingStore({"model": "benchmark"}, Path(folder))
        plain = Path(folder, "plain.npy")

        def write_all() -> None:
            for start in range(0, COUNT, BATCH):
                store.write(texts[start : start + BATCH], vectors[start : start + BATCH])

        writing = (timed(write_all), timed(lambda: np.save(plain, vectors)))
        all_pairs = in_turn(lambda: store.read(texts, DIM), lambda: np.load(plain), REPEATS)
        some_pairs = in_turn(lambda: store.read(some, DIM), lambda: np.load(plain), REPEATS)
        reading = [min(timed(partial(store.read, texts[:size], DIM)) for _ in range(3)) for size in SIZES]
        added = added_mib(lambda: store.read(texts, DIM))
        found, there = store.read(texts, DIM)
        if not there.all() or not np.array_equal(found, vectors):
            raise SystemExit("the store returned something else than was written")
    size = vectors.nbytes / (1 << 20)
    note = f"the vectors, {size:.0f} MiB, are the same; time grows as vectors^{growth(SIZES, reading):.2f}"
    return [
        times_the_limit(AREA, f"read {COUNT:,} vectors", "numpy.load", all_pairs, mib=added, note=note),
        times_the_limit(AREA, "read 1,000 of them", "numpy.load of all", some_pairs),
        times_the_limit(AREA, f"write them in {COUNT // BATCH} transactions", "numpy.save", [writing]),
    ]  # fmt: skip


if __name__ == "__main__":
    run(measure, __doc__)
