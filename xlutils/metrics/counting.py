"""Count the documents that score above a threshold, block by block: the kernel behind exact ranks.

No score is kept and nothing is sorted. Counts add up over blocks, languages, shards and machines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

TOLERANCE = 1e-6  # scores that differ by no more are equal: float32 products are not exact
_MIB = 1 << 20
_QUERIES, _DOCUMENTS = 1024, 2048  # a block of scores that stays in the processor's cache


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


def _blocks(total: int, size: int) -> Iterator[slice]:
    for start in range(0, total, size):
        yield slice(start, min(start + size, total))


def _count_numpy(
    queries: np.ndarray, documents: np.ndarray, rows: np.ndarray | None, thresholds: np.ndarray, memory_mib: int, _: str
) -> tuple[np.ndarray, np.ndarray]:
    total = len(documents) if rows is None else len(rows)
    fit = max(memory_mib * _MIB // (8 * queries.shape[1] + 6 * _QUERIES), 8)  # a block, its copy, and its scores
    size = min(_DOCUMENTS, fit, max(total, 1))
    scores = np.empty((min(_QUERIES, len(queries)), size), np.float32)
    higher, lower = thresholds + np.float32(TOLERANCE), thresholds - np.float32(TOLERANCE)
    above, reached = np.zeros((2, *thresholds.shape))
    for block in _blocks(total, size):
        part = documents[block] if rows is None else documents[rows[block]]
        part = np.ascontiguousarray(part, np.float32)
        for some in _blocks(len(queries), _QUERIES):
            found = scores[: some.stop - some.start, : len(part)]
            np.matmul(queries[some], part.T, out=found)
            for gold in range(thresholds.shape[1]):
                above[some, gold] += _count_true(found > higher[some, gold, None])
                reached[some, gold] += _count_true(found >= lower[some, gold, None])
    return above, reached


def _count_true(matrix: np.ndarray) -> np.ndarray:
    """Count along rows, eight truths to a machine word: int [rows]."""
    rows, columns = matrix.shape
    whole = columns // 8 * 8
    counts: np.ndarray = matrix[:, whole:].sum(axis=1)
    words = np.ascontiguousarray(matrix[:, :whole]).view(np.uint64)
    for block in _blocks(words.shape[1], 255):  # a byte holds no more
        lanes = words[:, block].sum(axis=1, dtype=np.uint64)
        counts += lanes.view(np.uint8).reshape(rows, 8).sum(axis=1, dtype=np.int64)
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
