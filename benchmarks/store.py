"""The embedding store against a plain array file: 100,000 vectors of 384 dimensions.

The array file is the physical limit: it has no keys, no checksums, no transactions, and cannot be
shared by two writers.

    python benchmarks/store.py
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from xlutils.store import EmbeddingStore

COUNT, DIM, BATCH, REPEATS = 100_000, 384, 1000, 5


def seconds(work: Callable[[], object]) -> float:
    """Median time of a few runs."""
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def main() -> None:
    """Print a table of times and ratios."""
    texts = [f"text number {number}" for number in range(COUNT)]
    vectors = np.random.default_rng(0).standard_normal((COUNT, DIM)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        store = EmbeddingStore({"model": "benchmark"}, Path(folder))
        started = time.perf_counter()
        for start in range(0, COUNT, BATCH):
            store.write(texts[start : start + BATCH], vectors[start : start + BATCH])
        writing = time.perf_counter() - started
        plain = Path(folder, "plain.npy")
        rows = [
            ("store: read all", seconds(lambda: store.read(texts, DIM))),
            ("store: read 1,000", seconds(lambda: store.read(texts[:: COUNT // 1000], DIM))),
            (f"store: write in {COUNT // BATCH} transactions", writing),
            ("numpy.save", seconds(lambda: np.save(plain, vectors))),
            ("numpy.load", seconds(lambda: np.load(plain))),
        ]
        found, there = store.read(texts, DIM)
        if not there.all() or not np.array_equal(found, vectors):
            raise SystemExit("the store returned something else than was written")
    load = dict(rows)["numpy.load"]
    print(f"{'':32}{'seconds':>9}{'x numpy.load':>14}")
    for name, took in rows:
        print(f"{name:32}{took:9.3f}{took / load:14.1f}")


if __name__ == "__main__":
    main()
