"""Exact ranks against the bare product, a full search, and the same pool in shards.

python benchmarks/ranking.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import faiss
import numpy as np
from common import Line, added_mib, in_turn, run, timed, times_as_fast, times_the_limit

from xlutils.metrics.ranking import gold_ranks, max_at_r
from xlutils.metrics.sharded import gold_ranks_of_shards

AREA = "Ranking"
QUERIES, DOCUMENTS, DIM = 2_000, 100_000, 384
SOME = 100  # queries that FAISS is asked; its time is scaled to all
SHARDS = 4


def make_vectors(count: int, seed: int) -> np.ndarray:
    """Make unit vectors, float32 [count, DIM]."""
    vectors = np.random.default_rng(seed).standard_normal((count, DIM), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def bare_product(queries: np.ndarray, documents: np.ndarray) -> None:
    """Multiply in blocks and keep nothing: the least that any exact method must do."""
    out = np.empty((len(queries), 4096), np.float32)
    for start in range(0, len(documents), 4096):
        block = documents[start : start + 4096]
        np.matmul(queries, block.T, out=out[:, : len(block)])


def in_memory(queries: np.ndarray, documents: np.ndarray, gold: np.ndarray) -> list[Line]:
    """Compare with the product and with FAISS."""
    what = f"{QUERIES:,} queries, {DOCUMENTS:,} documents"
    pairs = in_turn(lambda: gold_ranks(queries, documents, gold), lambda: bare_product(queries, documents), 7)
    added = added_mib(lambda: gold_ranks(queries, documents, gold))
    index = faiss.IndexFlatIP(DIM)
    index.add(documents)
    order = index.search(queries[:SOME], DOCUMENTS)[1]
    theirs = np.argmax(order == gold[:SOME, None], axis=1) + 1
    apart = np.abs(max_at_r(gold_ranks(queries[:SOME], documents, gold[:SOME])) - theirs).max()
    searches = [
        (
            timed(lambda: gold_ranks(queries, documents, gold)),
            timed(lambda: index.search(queries[:SOME], DOCUMENTS)) * QUERIES / SOME,
        )
        for _ in range(3)
    ]
    note = f"ranks differ by at most {apart:.1f}; FAISS was asked {SOME} queries"
    return [
        times_the_limit(AREA, what, "the bare matrix product", pairs, 1.5),
        Line(AREA, what, "1 GiB of memory", (added / 1024,), True, 1, mib=added),
        times_as_fast(AREA, what, "faiss, IndexFlatIP.search(k=N)", searches, 15, note=note),
    ]


def in_shards(queries: np.ndarray, documents: np.ndarray, gold: np.ndarray) -> Line:
    """Compare shards on two Dask workers with one process."""
    from distributed import Client, LocalCluster

    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with tempfile.TemporaryDirectory() as folder, LocalCluster(**options) as cluster, Client(cluster) as client:
        shards = [str(Path(folder, f"{number}.npy")) for number in range(SHARDS)]
        for shard, part in zip(shards, np.array_split(documents, SHARDS), strict=True):
            np.save(shard, part)
        one, sharded = gold_ranks(queries, documents, gold), gold_ranks_of_shards(queries, shards, gold, client)
        pairs = in_turn(
            lambda: gold_ranks_of_shards(queries, shards, gold, client), lambda: gold_ranks(queries, documents, gold), 3
        )
    note = f"counts differ by at most {np.abs(one.above - sharded.above).max():.0f}"
    return times_as_fast(AREA, f"{SHARDS} shards on 2 Dask workers", "the same pool in one process", pairs, note=note)


def measure() -> list[Line]:
    """Measure everything."""
    queries, documents = make_vectors(QUERIES, 0), make_vectors(DOCUMENTS, 1)
    gold = np.random.default_rng(2).integers(DOCUMENTS, size=QUERIES)
    return [*in_memory(queries, documents, gold), in_shards(queries, documents, gold)]


if __name__ == "__main__":
    run(measure, __doc__)
