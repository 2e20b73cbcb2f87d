"""Exact ranks of gold documents without sorting, and the measures made from them.

The rank of a document is one more than the number of documents that score higher. So the score of each gold document is
taken first; then all documents stream by and are counted. Counts add up over blocks, shards and machines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from xlutils.metrics.blocks import blocks, in_threads, thread_count

TOLERANCE = 5e-6  # scores that differ by no more are equal: float32 products of unit vectors err by 1e-6
_QUERIES, _DOCUMENTS = 1024, 1024  # a block of scores that stays near the processor
Floats = NDArray[np.float64]
Group = tuple[Floats, Floats, Floats]  # for each query: documents above a group of equals, its size, golds in it


@dataclass(frozen=True)
class Ranks:
    """Where the gold documents of each query stand; q queries with g golds each.

    A gold stands somewhere in a group of documents that score the same. Every order of that group is equally likely,
    and metrics are expectations over them.

    :param above: Number of documents that score higher than the gold, float64 [q, g].
    :param level: Number of documents that score the same, the gold included, float64 [q, g].
    """

    above: Floats
    level: Floats

    def __post_init__(self) -> None:
        if (self.level < 1).any():
            raise ValueError("a gold does not reach its own score within rounding; give vectors of unit length")

    def expected(self) -> Floats:
        """Return the expected rank of each gold, float64 [q, g]."""
        return self.above + (self.level + 1) / 2


def gold_ranks(
    queries: np.ndarray,
    documents: np.ndarray,
    gold: ArrayLike,
    weights: ArrayLike | None = None,
    exclude: ArrayLike | None = None,
    device: str = "cpu",
) -> Ranks:
    """Find where the gold documents of each query stand among all documents.

    :param queries: float32 [q, dim].
    :param documents: float32 [n, dim], in memory or mapped from a file; the score is the dot product.
    :param gold: Positions of the golds, int [q] or [q, g], all different within a query.
    :param weights: How often each document is in the pool, int [n]; only one of the copies of a gold is gold.
    :param exclude: Position of the document that is not in the pool of a query, with all its copies, int [q].
    :param device: "cpu", or "cuda" to count on a GPU.
    :raises ValueError: If shapes do not fit, a gold is out of range or given twice, or vectors are far too long.
    """
    if queries.shape[1] != documents.shape[1]:
        raise ValueError(f"queries have {queries.shape[1]} dimensions, documents {documents.shape[1]}")
    golds = check_golds(gold, len(queries), len(documents))
    copies = None if weights is None else _check_weights(weights, len(documents))
    thresholds = gold_scores(queries, documents, golds)
    above, level = count_scores(queries, documents, thresholds, copies, device)
    if exclude is None:
        return Ranks(above, level)
    out = check_golds(exclude, len(queries), len(documents))
    score, times = gold_scores(queries, documents, out), 1 if copies is None else copies[out]
    is_above, is_level = score > thresholds + TOLERANCE, np.abs(score - thresholds) <= TOLERANCE
    return Ranks(np.maximum(above - times * is_above, 0), np.maximum(level - times * is_level, 1))


def ranks_of_scores(scores: np.ndarray, golds: NDArray[np.int64]) -> Ranks:
    """Find where the golds of each query stand, from all scores, [q, n]; the golds are those of `gold_ranks`."""
    limits = np.take_along_axis(scores, golds, axis=1)[:, :, None]
    above = (scores[:, None, :] > limits + TOLERANCE).sum(axis=2, dtype=np.float64)
    return Ranks(above, (scores[:, None, :] > limits - TOLERANCE).sum(axis=2) - above)


def count_scores(
    queries: np.ndarray,
    documents: np.ndarray,
    thresholds: np.ndarray,
    weights: np.ndarray | None = None,
    device: str = "cpu",
) -> tuple[Floats, Floats]:
    """Count the documents that score above, and level with, each threshold of a query; arguments as for `gold_ranks`.

    :param thresholds: float32 [q, g].
    :return: Weight above and weight level, float64 [q, g] each.
    """
    on_gpu = device.startswith("cuda")
    put = _sender(device) if on_gpu else lambda array: np.asarray(array, np.float32)

    def count(rows: slice) -> Floats:
        asked = put(queries[rows]).T
        edges = put(np.stack([thresholds[rows].T + TOLERANCE, thresholds[rows].T - TOLERANCE]))
        counts = np.zeros(edges.shape)
        for block in blocks(len(documents), _DOCUMENTS):
            scores = put(documents[block]) @ asked
            times = None if weights is None else put(weights[block])[:, None]
            for side, gold in np.ndindex(counts.shape[:2]):
                reached = scores > edges[side, gold]
                total = (reached if times is None else reached * times).sum(axis=0)
                counts[side, gold] += total.cpu().numpy() if on_gpu else total
        return counts

    width = min(-(-len(queries) // thread_count()), _QUERIES)
    parts = in_threads(count, blocks(len(queries), max(width, 1)))
    above, reached = np.concatenate([np.zeros((2, thresholds.shape[1], 0)), *parts], axis=2).transpose(0, 2, 1)
    return above, reached - above


def _sender(device: str) -> Callable[[np.ndarray], Any]:
    import torch

    return lambda array: torch.from_numpy(np.ascontiguousarray(array, np.float32)).to(device)


def gold_scores(queries: np.ndarray, documents: np.ndarray, golds: np.ndarray) -> NDArray[np.float32]:
    """Score each gold, float32 [q, g]; computed in float64, or a gold might not reach its own score."""
    scores = [np.einsum("qd,qd->q", queries, documents[column], dtype=np.float64) for column in golds.T]
    return np.stack(scores, axis=1).astype(np.float32)


def check_golds(gold: ArrayLike, queries: int, documents: int) -> NDArray[np.int64]:
    """Return golds in the shape [q, g], after refusing impossible ones."""
    golds = np.asarray(gold)
    if golds.ndim == 1:
        golds = golds[:, None]
    if golds.ndim != 2 or len(golds) != queries or golds.shape[1] == 0 or golds.dtype.kind not in "iu":
        raise ValueError(f"gold must hold positions of documents, a row for each of {queries} queries")
    if queries and (golds.min() < 0 or golds.max() >= documents):
        raise ValueError(f"a query has no gold among the {documents} documents")
    if (np.diff(np.sort(golds, axis=1), axis=1) == 0).any():
        raise ValueError("a query has the same gold twice")
    return golds


def _check_weights(weights: ArrayLike, count: int) -> NDArray[np.int64]:
    array = np.asarray(weights)
    if array.shape != (count,) or array.dtype.kind not in "iu" or (count and array.min() < 1):
        raise ValueError(f"weights must be {count} whole numbers from 1")
    return array


def max_at_r(ranks: Ranks) -> Floats:
    """Return the rank at which the last gold of each query is found (Hong et al., 2025): float64 [q].

    Among t equal documents that follow s others, the last of g golds stands at s + (t + 1) g / (g + 1) on average.
    """
    above, level, golds = _group(ranks, np.max)
    return above + (level + 1) * golds / (golds + 1)


def complete_at(k: int, ranks: Ranks) -> Floats:
    """Return the chance that all golds of each query are among the first k: float64 [q]."""
    if k < 1:
        raise ValueError(f"k is {k}; it must be at least 1")
    above, level, golds = _group(ranks, np.max)
    free = np.clip(k - above, 0, level)  # places for the group of the last gold
    return np.asarray(np.exp(log_choose(free, golds) - log_choose(level, golds)))


def max_at_r_norm(
    ranks: Ranks, pool_size: int, relevant: int, average: Literal["mean-rank", "per-query"] = "per-query"
) -> float:
    """Put Max@R on a logarithmic scale from 0 (the last place) to 100 (the golds come first).

    :param pool_size: Number of documents in the pool.
    :param relevant: Number of golds of a query.
    :param average: "per-query": the mean of each query's value, as in the formula of Hong et al. (2025);
        "mean-rank": the value of the mean rank, as in their tables.
    """
    if average == "per-query":
        return float(norm_by_query(ranks, pool_size, relevant).mean())
    return float(norm_of_log(np.log2(max_at_r(ranks).mean()), pool_size, relevant))


def norm_by_query(ranks: Ranks, pool_size: int, relevant: int) -> Floats:
    """Return Max@R on the logarithmic scale for each query, expected over ties: float64 [q]."""
    return norm_of_log(_by_group(_mean_log_of_last, _group(ranks, np.max)), pool_size, relevant)


def norm_of_log(log_rank: ArrayLike, pool_size: int, relevant: int) -> Floats:
    """Put log2 of ranks, float [...], on the scale of `max_at_r_norm`."""
    if pool_size <= relevant:
        raise ValueError(f"a pool of {pool_size} with {relevant} golds leaves nothing to rank")
    return np.asarray(100 * (np.log2(pool_size) - log_rank) / np.log2(pool_size / relevant))


def ndcg_at_1(ranks: Ranks) -> Floats:
    """Return the chance that the first document is gold, which is NDCG@1: float64 [q]."""
    above, level, golds = _group(ranks, np.min)
    return np.where(above == 0, golds / level, 0.0)


def mrr(ranks: Ranks) -> Floats:
    """Return one over the rank of the first gold, expected over ties: float64 [q]."""
    return _by_group(_mean_inverse_of_first, _group(ranks, np.min))


def _group(ranks: Ranks, choose: Callable[..., Floats]) -> Group:
    """Return the group of equals that the first (np.min) or last (np.max) gold of each query is in."""
    above = choose(ranks.above, axis=1)
    members = ranks.above == above[:, None]
    return above, np.where(members, ranks.level, 0).max(axis=1), members.sum(axis=1).astype(float)


def _by_group(mean: Callable[[int, int, int], float], group: Group) -> Floats:
    """Apply a function of (documents above, size, golds) to the group of each query, once per distinct group."""
    distinct, which = np.unique(np.stack(group, axis=1), axis=0, return_inverse=True)
    return np.array([mean(*map(int, numbers)) for numbers in distinct])[which]


@cache
def _mean_log_of_last(above: int, level: int, golds: int) -> float:
    """Mean of log2 of the place of the last of g golds, which is place j of t with chance C(j-1, g-1) / C(t, g)."""
    places = np.arange(golds, level + 1)
    chances = np.exp(log_choose(places - 1, golds - 1) - log_choose(level, golds))
    return float(chances @ np.log2(above + places))


@cache
def _mean_inverse_of_first(above: int, level: int, golds: int) -> float:
    """Mean of one over the place of the first of g golds, which is place j of t with chance C(t-j, g-1) / C(t, g)."""
    places = np.arange(1, level - golds + 2)
    chances = np.exp(log_choose(level - places, golds - 1) - log_choose(level, golds))
    return float(chances @ (1 / (above + places)))


def log_choose(total: ArrayLike, taken: ArrayLike) -> Floats:
    """Log of the number of ways to take some of all; minus infinity where that is impossible."""
    total, taken = np.asarray(total, float), np.asarray(taken, float)
    return np.asarray(gammaln(total + 1) - gammaln(taken + 1) - gammaln(total - taken + 1))
