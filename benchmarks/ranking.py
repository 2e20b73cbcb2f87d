"""Exact ranks against the bare product, full searches and sorts, in a pool of a million, and in shards.

python benchmarks/ranking.py
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import faiss
import numpy as np
import torch
from common import Line, added_mib, growth, in_turn, run, timed, times_as_fast, times_the_limit

from xlutils.metrics.ranking import Ranks, gold_ranks, max_at_r
from xlutils.metrics.sharded import gold_ranks_of_shards

AREA = "Ranking"
QUERIES, DIM = 2_000, 384
SOME = 200  # queries that the slow peers are asked, their time scaled to all
SHARDS, PER_SHARD = 4, 250_000


def make_vectors(count: int, seed: int) -> np.ndarray:
    """Make unit vectors, float32 [count, DIM]."""
    vectors = np.random.default_rng(seed).standard_normal((count, DIM), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def make_gold(size: int) -> np.ndarray:
    """Draw a document for each query."""
    return np.random.default_rng(2).integers(size, size=QUERIES)


def bare_product(queries: np.ndarray, documents: np.ndarray) -> None:
    """Multiply and keep nothing: the least that any exact method must do."""
    out = np.empty((len(queries), 4096), np.float32)
    for start in range(0, len(documents), 4096):
        part = documents[start : start + 4096]
        np.matmul(queries, part.T, out=out[:, : len(part)])


def in_memory() -> list[Line]:
    """Hold the kernel against the product and the peers, at 100,000 documents."""
    queries, documents, gold = make_vectors(QUERIES, 0), make_vectors(100_000, 1), make_gold(100_000)

    def ours() -> Ranks:
        return gold_ranks(queries, documents, gold)

    ours()  # threads and buffers are there
    pairs = in_turn(ours, lambda: bare_product(queries, documents), 7)
    what = f"{QUERIES:,} queries, 100,000 documents"
    added = added_mib(ours)
    lines = [
        times_the_limit(AREA, what, "the bare matrix product", pairs, 1.2),
        Line(AREA, what, "1 GiB of memory", (added / 1024,), True, 1, mib=added),
    ]
    index = faiss.IndexFlatIP(DIM)
    index.add(documents)
    some, tensor = queries[:SOME], torch.from_numpy(documents)
    peers: dict[str, tuple[float | None, Callable[[], np.ndarray]]] = {
        "faiss, IndexFlatIP.search(k=N)": (15, lambda: index.search(some, len(documents))[1]),
        "numpy.argsort": (None, lambda: np.argsort(-(some @ documents.T), axis=1)),
        "torch.topk(k=N)": (
            None,
            lambda: torch.topk(torch.from_numpy(some) @ tensor.T, len(documents)).indices.numpy(),
        ),
    }
    mine = max_at_r(gold_ranks(some, documents, gold[:SOME]))
    for name, (promise, search) in peers.items():
        order: list[np.ndarray] = []
        times = [(timed(ours), timed(lambda: order.append(search())) * QUERIES / SOME) for _ in range(3)]  # noqa: B023
        theirs = np.argmax(order[0] == gold[:SOME, None], axis=1) + 1
        note = f"ranks differ by at most {np.abs(mine - theirs).max():.1f}; it was asked {SOME} queries"
        lines.append(times_as_fast(AREA, what, name, times, promise, note=note))
    return lines


def in_files() -> list[Line]:
    """Rank in a pool of a million that stays in files, in one process and on two workers."""
    from distributed import Client, LocalCluster

    queries, total = make_vectors(QUERIES, 0), SHARDS * PER_SHARD
    gold = make_gold(total)
    with tempfile.TemporaryDirectory() as folder:
        whole = np.lib.format.open_memmap(str(Path(folder, "all.npy")), "w+", np.float32, (total, DIM))
        shards = [str(Path(folder, f"{number}.npy")) for number in range(SHARDS)]
        for number, shard in enumerate(shards):
            part = make_vectors(PER_SHARD, number + 1)
            np.save(shard, part)
            whole[number * PER_SHARD : (number + 1) * PER_SHARD] = part
        documents = np.load(Path(folder, "all.npy"), mmap_mode="r")
        sizes = (50_000, 100_000, 250_000, 500_000, total)
        times = [min(timed(lambda: gold_ranks(queries, documents[:size], gold % size)) for _ in range(2))  # noqa: B023
                 for size in sizes]  # fmt: skip
        pairs = in_turn(lambda: gold_ranks(queries, documents, gold), lambda: bare_product(queries, documents), 3)
        added = added_mib(lambda: gold_ranks(queries, documents, gold))
        what = f"{QUERIES:,} queries, {total:,} documents in files"
        note = f"time grows as documents^{growth(sizes, times):.2f}"
        first = times_the_limit(AREA, what, "the bare matrix product", pairs, mib=added, note=note)
        one = gold_ranks(queries, documents, gold)
        workers = max((os.cpu_count() or 1) // 2, 2)
        options = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None}
        with LocalCluster(**options) as cluster, Client(cluster) as client:
            added_up = gold_ranks_of_shards(queries, shards, gold, client)
            if not (np.array_equal(one.above, added_up.above) and np.array_equal(one.level, added_up.level)):
                raise SystemExit("the counts of the shards differ from those of the whole pool")
            sharded = in_turn(lambda: gold_ranks_of_shards(queries, shards, gold, client),
                              lambda: gold_ranks(queries, documents, gold), 3)  # fmt: skip
    peer, note = "the same pool in one process", "the counts are the same"
    return [first, times_as_fast(AREA, f"{SHARDS} shards on {workers} Dask workers", peer, sharded, note=note)]


def measure() -> list[Line]:
    """Measure all."""
    return [*in_memory(), *in_files()]


if __name__ == "__main__":
    run(measure, __doc__)
