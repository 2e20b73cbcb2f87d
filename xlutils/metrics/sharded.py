"""Exact ranks in a pool too large for one machine: each shard is counted where it is stored, and the counts add up."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from xlutils.metrics.ranking import Ranks, check_golds, count_scores, gold_scores

if TYPE_CHECKING:
    from distributed import Client


def gold_ranks_of_shards(queries: np.ndarray, shards: Sequence[str], gold: ArrayLike, client: Client) -> Ranks:
    """Find where the gold documents of each query stand among the documents of all shards.

    :param shards: Files that every worker of the cluster can read (`.npy`, float32 [n, dim]); documents are
        numbered through all of them, in this order.
    :param client: A Dask client; its workers map the files and send back counts, not documents.
    :return: The ranks that `gold_ranks` gives for the shards put together, with the same `queries` and `gold`.
    """
    shapes = client.gather(client.map(lambda shard: _open(shard).shape, shards))
    for shard, shape in zip(shards, shapes, strict=True):
        if shape[1:] != queries.shape[1:]:
            raise ValueError(f"queries have {queries.shape[1]} dimensions, {shard} holds an array of {shape}")
    ends = np.cumsum([0, *(shape[0] for shape in shapes)])
    golds = check_golds(gold, len(queries), int(ends[-1]))
    positions, places = np.unique(golds, return_inverse=True)
    rows = [positions[(positions >= a) & (positions < b)] - a for a, b in itertools.pairwise(ends)]
    vectors = np.concatenate(client.gather(client.map(lambda shard, row: np.array(_open(shard)[row]), shards, rows)))
    thresholds = gold_scores(queries, vectors, places.reshape(golds.shape))
    asked = client.scatter(queries, broadcast=True)
    counts = client.gather(client.map(_count, shards, queries=asked, thresholds=thresholds))
    return Ranks(*np.sum(counts, axis=0))


def _open(shard: str) -> np.ndarray:
    return np.asarray(np.load(shard, mmap_mode="r"))


def _count(shard: str, queries: np.ndarray, thresholds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return count_scores(queries, _open(shard), thresholds)
