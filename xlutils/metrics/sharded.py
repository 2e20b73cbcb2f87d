"""Exact ranks in a pool that no single machine holds: each shard is counted where it lies, and the counts add up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from xlutils.metrics.counting import count_scores
from xlutils.metrics.ranking import Ranks, Ties, check_golds, check_level, gold_scores, resolve_ties

if TYPE_CHECKING:
    from distributed import Client


def gold_ranks_of_shards(
    queries: np.ndarray,
    shards: Sequence[str],
    gold: ArrayLike,
    client: Client,
    ties: Ties = "expected",
    memory_mib: int = 512,
) -> Ranks:
    """Find where the gold documents of each query stand among the documents of all shards.

    :param queries: float32 [q, dim].
    :param shards: Files that every worker of the cluster can read (`.npy`, float32 [n, dim]); documents are
        numbered through all of them, in this order.
    :param gold: Positions of the golds, int [q] or [q, g].
    :param client: A Dask client; its workers map the files and send back counts, not documents.
    :param ties: As in `gold_ranks`.
    :param memory_mib: Bound on the memory that a worker uses for a shard.
    :return: The ranks that `gold_ranks` gives for the shards put together.
    :raises ValueError: If shapes do not fit, a gold is out of range or given twice, or vectors are far too long.
    """
    shapes = client.gather(client.map(_shape, shards))
    for shard, shape in zip(shards, shapes, strict=True):
        if shape[1:] != queries.shape[1:]:
            raise ValueError(f"queries have {queries.shape[1]} dimensions, {shard} holds an array of {shape}")
    ends = np.cumsum([shape[0] for shape in shapes])
    golds = check_golds(gold, len(queries), int(ends[-1]) if shards else 0)
    positions, places = np.unique(golds, return_inverse=True)
    parts = np.split(positions, np.searchsorted(positions, ends[:-1]))
    rows = [part - start for part, start in zip(parts, (0, *ends[:-1]), strict=True)]
    vectors = np.concatenate(client.gather(client.map(_rows, shards, rows)))
    thresholds = gold_scores(queries, vectors, places.reshape(golds.shape))
    asked = client.scatter(queries, broadcast=True)
    counts = client.gather(client.map(_count, shards, queries=asked, thresholds=thresholds, memory_mib=memory_mib))
    above, level = np.sum(counts, axis=0)
    check_level(level)
    return resolve_ties(above, level, ties)


def _shape(shard: str) -> tuple[int, ...]:
    shape: tuple[int, ...] = np.load(shard, mmap_mode="r").shape
    return shape


def _rows(shard: str, rows: np.ndarray) -> np.ndarray:
    return np.array(np.load(shard, mmap_mode="r")[rows])


def _count(shard: str, queries: np.ndarray, thresholds: np.ndarray, memory_mib: int) -> tuple[np.ndarray, np.ndarray]:
    return count_scores(queries, np.load(shard, mmap_mode="r"), thresholds, memory_mib=memory_mib)
