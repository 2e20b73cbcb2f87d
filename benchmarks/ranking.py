"""Exact ranks against the bare product, faiss's full search and a sort, and in pools that grow to a million.

python benchmarks/ranking.py
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path

import faiss
import numpy as np

from xlutils.metrics.ranking import gold_ranks, max_at_r

QUERIES, DIM = 2_000, 384


def make_vectors(count: int, seed: int) -> np.ndarray:
    """Make unit vectors, float32 [count, DIM]."""
    vectors = np.random.default_rng(seed).standard_normal((count, DIM), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def best_of(repeats: int, work: Callable[[], object]) -> float:
    """Shortest of a few times, in seconds."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def peak_mib(work: Callable[[], object]) -> float:
    """Most memory that arrays take while some work is done, besides those that are there before."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1] / (1 << 20)
    tracemalloc.stop()
    return peak


def main() -> None:
    """Print times, ratios and memory."""
    queries = make_vectors(QUERIES, 0)
    print(f"{QUERIES:,} queries, {DIM} dimensions")
    print(f"{'documents':>10}{'ours, s':>9}{'product, s':>12}{'ratio':>7}{'added MiB':>11}")
    sizes, times = (50_000, 100_000, 250_000, 500_000, 1_000_000), []
    for size in sizes:
        documents = make_vectors(size, 1)
        gold = np.random.default_rng(2).integers(size, size=QUERIES)
        gold_ranks(queries[:8], documents[:1000], gold[:8] % 1000)  # threads and buffers are there
        times.append(best_of(5, lambda: gold_ranks(queries, documents, gold)))  # noqa: B023
        added = peak_mib(lambda: gold_ranks(queries, documents, gold))  # noqa: B023
        product = best_of(5, lambda: bare_product(queries, documents))  # noqa: B023
        print(f"{size:10,}{times[-1]:9.2f}{product:12.2f}{times[-1] / product:7.2f}{added:11,.0f}")
        if size == 100_000:
            compare(queries, documents, gold, times[-1])
    growth = np.polyfit(np.log(sizes), np.log(times), 1)[0]
    print(f"time ~ documents^{growth:.2f}, drawn in {plot(sizes, times, growth)}")


def plot(sizes: Sequence[int], times: Sequence[float], growth: float) -> Path:
    """Draw how time grows with the pool, both axes logarithmic, beside a line that grows in proportion."""
    import matplotlib.pyplot as plt

    path = Path(__file__).parent.parent / "_build" / "benchmarks" / "ranking.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
    axis.loglog(sizes, times, "o", label=f"measured, growing as documents^{growth:.2f}")
    axis.loglog(sizes, times[-1] / sizes[-1] * np.array(sizes), "--", label="in proportion to the pool")
    axis.set(xlabel="Documents in the pool", ylabel="Seconds", title=f"Exact ranks of {QUERIES:,} queries")
    axis.legend()
    figure.savefig(path, dpi=150)
    return path


def bare_product(queries: np.ndarray, documents: np.ndarray) -> None:
    """Multiply and keep nothing: the least that any exact method must do."""
    out = np.empty((len(queries), 4096), np.float32)
    for start in range(0, len(documents), 4096):
        part = documents[start : start + 4096]
        np.matmul(queries, part.T, out=out[:, : len(part)])


def compare(queries: np.ndarray, documents: np.ndarray, gold: np.ndarray, ours: float) -> None:
    """Find the same ranks by full search in faiss and by sorting, some of the queries scaled to all."""
    some = 200
    index = faiss.IndexFlatIP(DIM)
    index.add(documents)
    started = time.perf_counter()
    _, found = index.search(queries[:some], len(documents))
    full = (time.perf_counter() - started) * QUERIES / some
    started = time.perf_counter()
    order = np.argsort(-(queries[:some] @ documents.T), axis=1)
    sort = (time.perf_counter() - started) * QUERIES / some
    ranks = max_at_r(gold_ranks(queries[:some], documents, gold[:some]))
    by_faiss = np.argmax(found == gold[:some, None], axis=1) + 1
    by_sort = np.argmax(order == gold[:some, None], axis=1) + 1
    print(f"  IndexFlatIP.search(k=N) {full:,.1f} s: {full / ours:,.0f} x; argsort {sort:,.1f} s: {sort / ours:,.0f} x")
    print(f"  ranks differ by at most {np.abs(ranks - by_faiss).max():.1f} and {np.abs(ranks - by_sort).max():.1f}")


if __name__ == "__main__":
    main()
