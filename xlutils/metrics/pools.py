"""Pools of two languages as systems have them: small or large, without translations, and with little of one language.

A pool is drawn around its questions, so that their gold passages are in it. Over all pools of a kind every question is
asked equally often.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from xlutils.metrics.ranking import Ranks, log_choose

Positions = NDArray[np.int64]


def first_in_pool(ranks: Ranks, total: int, size: int) -> NDArray[np.float64]:
    """Return how often a gold comes first in a pool of itself and others drawn at random: data of any size compare.

    Where s of n documents score higher than the gold and t as high as it, itself included, it comes first in
    (C(n - s, m) - C(n - s - t, m)) / (t C(n - 1, m - 1)) of the pools of m documents.

    :param ranks: One gold for each query.
    :param total: Number of documents, n.
    :param size: Number of documents in a pool, m.
    :return: The share over all pools and all orders of ties, float64 [q].
    :raises ValueError: If a query has several golds, or a pool is larger than all documents.
    """
    if ranks.above.shape[1] != 1 or not 1 <= size <= total:
        raise ValueError(f"one gold for each query, and pools of 1 to {total} documents, not of {size}")
    above, level = ranks.above[:, 0], ranks.level[:, 0]
    pools = log_choose(total - 1, size - 1)
    left, after = (np.exp(log_choose(count, size) - pools) for count in (total - above, total - above - level))
    return np.asarray((left - after) / level)


class Pool(NamedTuple):
    """A pool of two languages, and who asks.

    :param held: Positions of the passages in the first and in the second language.
    :param asked: Positions of the questions, int [q].
    :param gold: Places of their gold passages in the pool, which begins with the first language, int [q, golds].
    """

    held: tuple[Positions, Positions]
    asked: Positions
    gold: Positions


def small_pools(order: Positions, gold: Positions, size: int, more: int = 0) -> list[Pool]:
    """Return pools of some of the passages in both languages.

    :param order: Positions of all passages, in random order.
    :param gold: Position of the gold passage of each question.
    :param size: Passages from `order` in each pool.
    :param more: Further passages, without questions, whose positions follow those of `order`.
    """
    others = np.arange(len(order), len(order) + more)
    parts = ((np.concatenate([passages, others]), asked) for passages, asked in _parts(order, gold, size))
    return [_pool(passages, passages, asked, gold) for passages, asked in parts]


def untranslated_pools(order: Positions, gold: Positions) -> list[Pool]:
    """Return two pools that hold each passage in one of the languages only, the second one in the other."""
    one, other = order[::2], order[1::2]
    everyone = np.arange(len(gold))
    return [_pool(one, other, everyone, gold), _pool(other, one, everyone, gold)]


def uneven_pools(order: Positions, gold: Positions, times: int, rare: int, *, is_translated: bool) -> list[Pool]:
    """Return pools with a fraction of the passages of one language.

    :param times: How many times as many passages the other language has.
    :param rare: Which language has few, 0 or 1.
    :param is_translated: Whether a gold passage is there in both languages, or in the other one only.
    """
    parts = list(_parts(order, gold, -(-len(order) // times)))
    shift = 0 if is_translated else len(parts) // 2  # the last part overlaps with the first one
    pools = []
    for number, (passages, _) in enumerate(parts):
        held = (passages, order) if rare == 0 else (order, passages)
        pools.append(_pool(*held, parts[number - shift][1], gold))
    return pools


def _parts(order: Positions, gold: Positions, size: int) -> Iterator[tuple[Positions, Positions]]:
    """Yield some passages after the other, and the questions about them; the last ones are filled up from the first."""
    part_of = np.argsort(order) // size
    for number in range(-(-len(order) // size)):
        passages = order[np.arange(number * size, (number + 1) * size) % len(order)]
        yield passages, np.flatnonzero(part_of[gold] == number)


def _pool(first: Positions, second: Positions, asked: Positions, gold: Positions) -> Pool:
    places = np.full((2, max(first.max(), second.max(), gold.max()) + 1), -1)
    places[0, first] = np.arange(len(first))
    places[1, second] = np.arange(len(second)) + len(first)
    golds = places[:, gold[asked]].T
    return Pool((first, second), asked, golds[golds >= 0].reshape(len(asked), -1) if len(asked) else golds)
