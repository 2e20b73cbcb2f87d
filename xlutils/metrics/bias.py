"""Language bias: which language's documents rank first in a pool of several.

The share of a language among the documents ranked above the golds follows the English inclination of Hong et al.
(2025), the preference rate and the four outcomes of the first place follow MLAIRE (Jang et al., 2026,
arXiv:2605.07249), and the test of fairness follows PEER (Yang et al., 2024, arXiv:2405.00978).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xlutils.metrics.blocks import blocks
from xlutils.metrics.ranking import TOLERANCE

OUTCOMES = ("right-own", "right-other", "wrong-own", "wrong-other")
_SCORES = 1 << 24  # scores held in memory at a time
_MOST_RANKED = 20_000  # documents; the fairness test sorts, and is left out above it
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LanguageBias:
    """What comes first for each query; q queries, L languages in the pool. Ties are averaged over all orders.

    :param intruders: Wrong documents above the last gold, by language, float64 [q, L].
    :param first: Chance of each of `OUTCOMES` for the first place, float64 [q, 4]: a right or wrong
        document, in the language of the query or another one.
    :param own_first: Chance that the gold in the language of the query stands before all other golds, float64 [q];
        NaN where the pool holds no document in that language.
    :param fairness: p-value of the Kruskal-Wallis test that wrong documents of all languages are ranked
        alike, float64 [q]; NaN for pools too large to sort, and for pools with copies, which are no independent draws.
    """

    intruders: Floats
    first: Floats
    own_first: Floats
    fairness: Floats


def language_bias(
    queries: np.ndarray,
    documents: np.ndarray,
    language_of: np.ndarray,
    gold: np.ndarray,
    own: int | None,
    weights: ArrayLike | None = None,
) -> LanguageBias:
    """Measure which language's documents, float32 [n, dim], rank first in a pool.

    :param queries: float32 [q, dim], all of one language.
    :param language_of: Language number of each document, int [n].
    :param gold: Positions of the golds, int [q, L]: one in each language, in the order of the numbers.
    :param own: Number of the queries' language; None if it is not in the pool.
    :param weights: How often each document is in the pool, int [n], by default once; only one of the copies of a gold
        is gold, and the others are wrong.
    """
    copies = np.ones(len(documents)) if weights is None else np.asarray(weights, np.float64)
    parts = [
        _bias_of_block(queries[rows] @ documents.T, language_of, gold[rows], own, copies)
        for rows in blocks(len(queries), max(_SCORES // len(documents), 1))
    ]
    return LanguageBias(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _bias_of_block(
    scores: np.ndarray, language_of: np.ndarray, gold: np.ndarray, own: int | None, copies: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    numbers = np.arange(gold.shape[1])
    speaks = (language_of[:, None] == numbers).astype(np.float64)  # [n, L]
    right = np.take_along_axis(scores, gold, axis=1)
    wrong = np.tile(copies, (len(scores), 1))  # wrong documents with each score, [q, n]
    np.put_along_axis(wrong, gold, copies[gold] - 1, axis=1)

    last = right.min(axis=1, keepdims=True)
    golds = (right <= last + TOLERANCE).sum(axis=1, keepdims=True)  # level with the last one
    chance = golds / (golds + 1)  # that a wrong document level with them stands before one of them
    intruders = (wrong * np.where(scores > last + TOLERANCE, 1.0, chance * (scores >= last - TOLERANCE))) @ speaks

    top = scores.max(axis=1, keepdims=True) - TOLERANCE
    is_own = numbers == own
    leaders = [right >= top, (wrong * (scores >= top)) @ speaks]  # right and wrong ones, by language, [q, L]
    first = np.stack([side @ (spoken * 1.0) for side in leaders for spoken in (is_own, ~is_own)], axis=1)

    best = right >= right.max(axis=1, keepdims=True) - TOLERANCE
    own_first = best @ (is_own * 1.0) / best.sum(axis=1) if own is not None else np.full(len(scores), np.nan)
    fairness = _fairness(scores, language_of, gold) if (copies == 1).all() else np.full(len(scores), np.nan)
    return intruders, first / first.sum(axis=1, keepdims=True), own_first, fairness


def _fairness(scores: np.ndarray, language_of: np.ndarray, gold: np.ndarray) -> Floats:
    from scipy.stats import kruskal

    sizes = np.bincount(language_of)
    if len(language_of) > _MOST_RANKED or len(sizes) < 2 or sizes.min() < 2:
        return np.full(len(scores), np.nan)
    keep = np.ones(scores.shape, bool)
    np.put_along_axis(keep, gold, False, axis=1)
    rounded = np.round(scores, 6).astype(np.float64)  # equal texts have equal ranks
    members = [keep & (language_of == number) for number in range(len(sizes))]
    samples = [rounded[chosen].reshape(len(scores), -1) for chosen in members]
    with np.errstate(invalid="ignore", divide="ignore"):
        p_values = kruskal(*samples, axis=1).pvalue
    constant = np.ptp(np.concatenate(samples, axis=1), axis=1) == 0
    return np.where(constant, 1.0, p_values)
