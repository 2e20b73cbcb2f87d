"""Exact ranks of gold documents without sorting, and the measures made from them.

The rank of a document is one more than the number of documents that score higher. So for each query the
score of its gold is taken first, and then all documents stream by and are counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from xlutils.metrics.counting import TOLERANCE, count_scores

Ties = Literal["expected", "optimistic", "pessimistic"]


@dataclass(frozen=True)
class Ranks:
    """Where the gold documents of each query stand; q queries, g golds each.

    A gold stands somewhere in a group of documents that score the same. With ties "expected" every order of
    that group is equally likely, and metrics are expectations over them.

    :param above: Number of documents that score higher than the gold, float64 [q, g].
    :param level: Number of documents that score the same, the gold included, float64 [q, g].
    """

    above: np.ndarray
    level: np.ndarray

    def worst(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Describe the group of the lowest gold: documents above it, its size, golds in it; float64 [q] each."""
        return self._group(self.above.max(axis=1))

    def best(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Describe the group of the highest gold in the same way."""
        return self._group(self.above.min(axis=1))

    def expected(self) -> np.ndarray:
        """Take the expected rank of each gold, float64 [q, g]."""
        ranks: np.ndarray = self.above + (self.level + 1) / 2
        return ranks

    def _group(self, above: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        there = self.above == above[:, None]
        return above, np.where(there, self.level, 0).max(axis=1), there.sum(axis=1).astype(float)


def gold_ranks(
    queries: np.ndarray,
    documents: np.ndarray,
    gold: ArrayLike,
    weights: ArrayLike | None = None,
    ties: Ties = "expected",
    exclude: ArrayLike | None = None,
    memory_mib: int = 512,
    device: str = "cpu",
) -> Ranks:
    """Find where the gold documents of each query stand among all documents.

    :param queries: float32 [q, dim].
    :param documents: float32 [n, dim], in memory or mapped from a file; the score is the dot product.
    :param gold: Positions of the golds, int [q] or [q, g], all different within a query.
    :param weights: How often each document is in the pool, int [n]: identical documents are given once, with
        a weight. Only one of the copies of a gold is gold. All 1 by default.
    :param exclude: Positions of documents that are not in the pool of a query, int [q] or [q, e], with all their
        copies.
    :param ties: "expected", or the golds first ("optimistic") or last ("pessimistic") among equal scores.
    :param memory_mib: Bound on the memory used besides the inputs.
    :param device: "cpu", or "cuda" to count on a GPU.
    :return: The ranks.
    :raises ValueError: If shapes do not fit, a gold is out of range or given twice, or vectors are far too long.
    """
    if queries.shape[1] != documents.shape[1]:
        raise ValueError(f"queries have {queries.shape[1]} dimensions, documents {documents.shape[1]}")
    golds = check_golds(gold, len(queries), len(documents))
    thresholds = gold_scores(queries, documents, golds)
    above, level = count_scores(queries, documents, thresholds, weights, memory_mib, device)
    check_level(level)
    if exclude is not None:
        _take_out(
            check_golds(exclude, len(queries), len(documents)), queries, documents, thresholds, weights, above, level
        )
    return resolve_ties(above, level, ties)


def check_golds(gold: ArrayLike, queries: int, documents: int) -> np.ndarray:
    """Bring golds into the shape [q, g], and refuse what cannot be."""
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


def check_level(level: np.ndarray) -> None:
    """Refuse counts in which a gold is not even level with itself."""
    if (level < 1).any():
        raise ValueError("a gold does not reach its own score within rounding; give vectors of unit length")


def gold_scores(queries: np.ndarray, documents: np.ndarray, golds: np.ndarray) -> np.ndarray:
    """Score each gold; golds of a query that score the same get one common score, float32 [q, g]."""
    scores = np.stack([_products(queries, documents[column]) for column in golds.T], axis=1)
    order = np.argsort(scores, axis=1)
    ranked = np.take_along_axis(scores, order, axis=1)
    for column in range(1, ranked.shape[1]):
        same = ranked[:, column] - ranked[:, column - 1] <= TOLERANCE
        ranked[same, column] = ranked[same, column - 1]
    np.put_along_axis(scores, order, ranked, axis=1)
    return scores.astype(np.float32)


def _products(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Multiply row by row, float64 [n]: in float32 a gold might not reach its own score."""
    products: np.ndarray = np.einsum("qd,qd->q", a, b, dtype=np.float64)
    return products


def _take_out(
    excluded: np.ndarray,
    queries: np.ndarray,
    documents: np.ndarray,
    thresholds: np.ndarray,
    weights: ArrayLike | None,
    above: np.ndarray,
    level: np.ndarray,
) -> None:
    """Take the excluded documents of each query out of its counts."""
    for column in excluded.T:
        scores = _products(queries, documents[column])[:, None]
        copies = 1 if weights is None else np.asarray(weights)[column][:, None]
        higher, lower = scores > thresholds + TOLERANCE, scores >= thresholds - TOLERANCE
        above -= copies * higher
        level -= copies * (lower & ~higher)
    np.maximum(above, 0, out=above)  # at the edge of a tie a document may have been counted on the other side
    np.maximum(level, 1, out=level)


def resolve_ties(above: np.ndarray, level: np.ndarray, ties: Ties) -> Ranks:
    """Put golds first or last among equals, or leave the tie for the metrics to average over."""
    if ties == "expected":
        return Ranks(above, level)
    same = above[:, :, None] == above[:, None, :]
    golds = same.sum(axis=2)
    place = np.tril(same, -1).sum(axis=2)  # golds of the same group that come before
    first = above if ties == "optimistic" else above + level - golds
    return Ranks(first + place, np.ones_like(level))


def max_at_r(ranks: Ranks) -> np.ndarray:
    """Take the rank at which the last gold of each query is found (Hong et al., 2025): float64 [q].

    Among t equal documents that start after s others, the last of g golds stands at s + (t + 1) g / (g + 1)
    on average.
    """
    above, level, golds = ranks.worst()
    last: np.ndarray = above + (level + 1) * golds / (golds + 1)
    return last


def complete_at(k: int, ranks: Ranks) -> np.ndarray:
    """Say how likely all golds of each query are among the first k: float64 [q].

    :param k: Number of places looked at.
    :param ranks: Where the golds stand.
    """
    if k < 1:
        raise ValueError(f"k is {k}; it must be at least 1")
    above, level, golds = ranks.worst()
    free = np.clip(k - above, 0, level)  # places for the group of the last gold
    chance = np.ones(len(above))
    for taken in range(int(golds.max(initial=0))):  # g golds in the free places, of t: a product of g shares
        share = np.maximum(free - taken, 0) / np.maximum(level - taken, 1)
        chance = np.where(taken < golds, chance * share, chance)
    return chance


def max_at_r_norm(
    ranks: Ranks, pool_size: int, relevant: int, average: Literal["mean-rank", "per-query"] = "per-query"
) -> float:
    """Put Max@R on a scale from 0 (the last place) to 100 (the golds come first), logarithmically.

    :param ranks: Where the golds stand.
    :param pool_size: Number of documents in the pool.
    :param relevant: Number of golds of a query.
    :param average: "per-query": the mean of each query's value, as the formula of Hong et al. (2025) says;
        "mean-rank": the value of the mean rank, as their tables have it.
    """
    if average == "per-query":
        return float(norm_by_query(ranks, pool_size, relevant).mean())
    return float(norm_of_log(np.log2(max_at_r(ranks).mean()), pool_size, relevant))


def norm_by_query(ranks: Ranks, pool_size: int, relevant: int) -> np.ndarray:
    """Max@R on the logarithmic scale for each query, expected over ties: float64 [q]."""
    groups = np.stack(ranks.worst(), axis=1)
    distinct, which = np.unique(groups, axis=0, return_inverse=True)
    logs = np.array([_mean_log_of_last(*map(int, group)) for group in distinct])
    return norm_of_log(logs[which], pool_size, relevant)


def ndcg_at_1(ranks: Ranks) -> np.ndarray:
    """Say how likely the first document is gold, which NDCG@1 comes to: float64 [q]."""
    above, level, golds = ranks.best()
    return np.where(above == 0, golds / level, 0.0)


def mrr(ranks: Ranks) -> np.ndarray:
    """Take one over the rank of the first gold, expected over ties: float64 [q]."""
    groups = np.stack(ranks.best(), axis=1)
    distinct, which = np.unique(groups, axis=0, return_inverse=True)
    inverse = np.array([_mean_inverse_of_first(*map(int, group)) for group in distinct])
    return inverse[which]


def norm_of_log(log_rank: ArrayLike, pool_size: int | np.ndarray, relevant: int) -> np.ndarray:
    """Put log2 of a rank on the scale from 0 (the last place) to 100 (the golds come first).

    :param log_rank: float [...].
    :param pool_size: Number of documents in the pool.
    :param relevant: Number of golds of a query.
    """
    size = np.asarray(pool_size)
    if (size <= relevant).any():
        raise ValueError(f"a pool of {size.min()} with {relevant} golds leaves nothing to rank")
    norm: np.ndarray = 100 * (np.log2(size) - log_rank) / (np.log2(size) - np.log2(relevant))
    return norm


@cache
def _mean_log_of_last(above: int, level: int, golds: int) -> float:
    """Mean of log2 of the place of the last of some golds among equal documents."""
    places = np.arange(golds, level + 1)
    return float(_chance_of_last(places, level, golds) @ np.log2(above + places))


@cache
def _mean_inverse_of_first(above: int, level: int, golds: int) -> float:
    """Mean of one over the place of the first of some golds among equal documents."""
    places = np.arange(1, level - golds + 2)
    return float(_chance_of_last(level + 1 - places, level, golds) @ (1 / (above + places)))


def _chance_of_last(places: np.ndarray, level: int, golds: int) -> np.ndarray:
    """How likely the last of g golds stands at place j among t: C(j - 1, g - 1) / C(t, g)."""
    from scipy.special import gammaln

    def log_choose(n: np.ndarray, k: int) -> np.ndarray:
        logs: np.ndarray = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
        return logs

    chances: np.ndarray = np.exp(log_choose(places - 1, golds - 1) - log_choose(np.array(level), golds))
    return chances
