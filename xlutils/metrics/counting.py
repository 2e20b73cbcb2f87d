"""Count the documents that score above a threshold, block by block: the kernel behind exact ranks.

No score is kept and nothing is sorted. Counts add up over blocks, languages, shards and machines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from threadpoolctl import ThreadpoolController

TOLERANCE = 5e-6  # scores that differ by no more are equal: float32 products of unit vectors err by 1e-6
_EDGE = np.float32(2e-6)  # as near to the end of that range, a float32 product cannot tell on which side a score is
_MANY = 256  # if more than one score in so many is level, one product in float64 replaces those of single pairs
_MIB = 1 << 20
_QUERIES, _DOCUMENTS = 1024, 1020  # a block of scores that stays near the processor


def count_scores(
    queries: np.ndarray,
    documents: np.ndarray,
    thresholds: np.ndarray,
    weights: ArrayLike | None = None,
    memory_mib: int = 512,
    device: str = "cpu",
) -> tuple[np.ndarray, np.ndarray]:
    """Count the documents that score above, and level with, some scores of each query.

    :param queries: float32 [q, dim].
    :param documents: float32 [n, dim].
    :param thresholds: Scores to compare with, float32 [q, g].
    :param weights: How often each document counts, int [n].
    :param memory_mib: Bound on the memory used besides the inputs.
    :param device: "cpu" or "cuda".
    :return: Weight above and weight level, float64 [q, g] each.
    """
    counter: Callable[..., tuple[np.ndarray, np.ndarray]] = _count_torch if device.startswith("cuda") else _count_numpy
    above, reached = np.zeros((2, *thresholds.shape))
    for weight, rows in _same_weight(weights, len(documents)):
        counts = counter(queries, documents, rows, thresholds, memory_mib, device)
        above += weight * counts[0]
        reached += weight * counts[1]
    return above, reached - above


def _same_weight(weights: ArrayLike | None, count: int) -> Iterator[tuple[int, np.ndarray | None]]:
    """Group documents by weight, so that a group can be counted without multiplying."""
    if weights is None:
        yield 1, None
        return
    given = np.asarray(weights)
    if given.shape != (count,) or given.dtype.kind not in "iu" or (count and given.min() < 1):
        raise ValueError(f"weights must be {count} whole numbers from 1")
    for weight in np.unique(given):
        yield int(weight), np.flatnonzero(given == weight)


@cache
def blas() -> ThreadpoolController:
    """Find the libraries that multiply matrices for NumPy, once: looking for them takes longer than a small count."""
    return ThreadpoolController().select(user_api="blas")


def _blocks(total: int, size: int) -> Iterator[slice]:
    for start in range(0, total, size):
        yield slice(start, min(start + size, total))


def _count_numpy(
    queries: np.ndarray, documents: np.ndarray, rows: np.ndarray | None, thresholds: np.ndarray, memory_mib: int, _: str
) -> tuple[np.ndarray, np.ndarray]:
    """Give each thread its own queries: then comparing and counting run on all cores, as the product does."""
    threads = max((library["num_threads"] for library in blas().info()), default=1)
    width = max(min(_QUERIES, -(-len(queries) // threads)), 1)
    fit = memory_mib * _MIB // threads // (8 * queries.shape[1] + 6 * width)  # documents, a copy, scores and truths
    height = max(min(_DOCUMENTS, fit), 8)
    total = len(documents) if rows is None else len(rows)
    above, reached = np.zeros((2, *thresholds.shape))

    def count(some: slice) -> None:
        asked = np.ascontiguousarray(queries[some].T, np.float32)
        asked_rows = asked.T
        higher, lower = thresholds[some].T + np.float32(TOLERANCE), thresholds[some].T - np.float32(TOLERANCE)
        scores = np.empty((height, asked.shape[1]), np.float32)
        truths = np.empty((2, *scores.shape), bool)
        for block in _blocks(total, height):
            part = np.asarray(documents[block] if rows is None else documents[rows[block]], np.float32)
            found, (surely, perhaps) = scores[: len(part)], truths[:, : len(part)]
            np.matmul(part, asked, out=found)
            for gold in range(len(higher)):
                high, low = higher[gold], lower[gold]
                sure = _count_rows(np.greater(found, high + _EDGE, out=surely))
                np.greater_equal(found, low - _EDGE, out=perhaps)
                near = np.flatnonzero(np.not_equal(surely, perhaps, out=perhaps))
                counts = _count_near(found, part, asked_rows, high, low, near)
                above[some, gold] += sure + counts[0]
                reached[some, gold] += sure + counts[1]

    with blas().limit(limits=1), ThreadPoolExecutor(threads) as pool:
        for _done in pool.map(count, _blocks(len(queries), width)):
            pass
    return above, reached


def _count_near(
    scores: np.ndarray, documents: np.ndarray, queries: np.ndarray, high: np.ndarray, low: np.ndarray, near: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Count among the scores that are level or nearly so, with exact products at an edge.

    So no count depends on how blocks were cut, which on some processors decides the last bits of a float32 product.

    :param scores: float32 products [n, q].
    :param documents: float32 [n, dim].
    :param queries: float32 [q, dim].
    :param high: What is higher is above, [q].
    :param low: What is lower is not level, [q].
    :param near: Which scores, as places in the flat array.
    :return: How many are above, and how many above or level, int64 [q] each.
    """
    rows, columns = np.divmod(near, len(queries))
    ends = high[columns], low[columns]
    if len(near) > scores.size // _MANY:  # as in a collapsed model
        exact = (documents.astype(np.float64) @ queries.T.astype(np.float64)).reshape(-1)[near]
    else:
        exact = scores.reshape(-1)[near].astype(np.float64)
        at_edge = np.flatnonzero((np.abs(exact - ends[0]) <= _EDGE) | (np.abs(exact - ends[1]) <= _EDGE))
        pairs = documents[rows[at_edge]], queries[columns[at_edge]]
        exact[at_edge] = np.einsum("nd,nd->n", *pairs, dtype=np.float64)
    above, reached = (columns[true] for true in (exact > ends[0], exact >= ends[1]))
    return np.bincount(above, minlength=len(queries)), np.bincount(reached, minlength=len(queries))


def _count_rows(truths: np.ndarray) -> np.ndarray:
    """Count the true rows of each column in bytes, 255 at a time: int64 [columns]."""
    counts = np.zeros(truths.shape[1], np.int64)
    for block in _blocks(len(truths), 255):
        counts += truths[block].sum(axis=0, dtype=np.uint8)
    return counts


def _count_torch(
    queries: np.ndarray, documents: np.ndarray, rows: np.ndarray | None, thresholds: np.ndarray, memory_mib: int,
    device: str,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    import torch

    def send(array: np.ndarray) -> Any:
        return torch.from_numpy(np.ascontiguousarray(array, np.float32)).to(device)

    total = len(documents) if rows is None else len(rows)
    size = max(memory_mib * _MIB // (8 * (len(queries) + queries.shape[1])), 1)
    asked, scores = send(queries), send(thresholds)
    above, reached = (torch.zeros(thresholds.shape, dtype=torch.float64, device=device) for _ in range(2))
    allowed = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = False  # ten bits of a product would move ranks
    try:
        for block in _blocks(total, size):
            found = asked @ send(documents[block] if rows is None else documents[rows[block]]).T
            for gold in range(thresholds.shape[1]):
                above[:, gold] += (found > scores[:, gold, None] + TOLERANCE).sum(dim=1)
                reached[:, gold] += (found >= scores[:, gold, None] - TOLERANCE).sum(dim=1)
    finally:
        torch.backends.cuda.matmul.allow_tf32 = allowed
    return above.cpu().numpy(), reached.cpu().numpy()
