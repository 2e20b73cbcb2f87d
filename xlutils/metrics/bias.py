"""Whose documents come first: measures of language bias in a pool of several languages.

The share of a language among the intruders follows the English inclination of Hong et al. (2025), the
preference rate and the four outcomes of the first place follow MLAIRE (Jang et al., 2026, arXiv:2605.07249),
the test of fairness follows PEER (Yang et al., 2024, arXiv:2405.00978).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xlutils.metrics.counting import TOLERANCE

OUTCOMES = ("right-own", "right-other", "wrong-own", "wrong-other")
_BLOCK_BYTES = 1 << 26
_MOST_RANKED = 20_000  # documents; above it the fairness test, which sorts, is left out


@dataclass(frozen=True)
class LanguageBias:
    """What each query meets; q queries, L languages of the pool. Ties are averaged over all orders.

    :param intruders: Wrong documents above the last gold, by language, float64 [q, L].
    :param first: How likely each of `OUTCOMES` is for the first place, float64 [q, 4]: right or wrong
        document, in the query's own language or another one.
    :param own_first: How likely the gold in the query's language stands before all other golds, float64 [q];
        NaN where the pool holds no document in that language.
    :param fairness: p-value of the Kruskal-Wallis test that wrong documents of all languages are ranked
        alike, float64 [q]; NaN for pools too large to sort.
    """

    intruders: np.ndarray
    first: np.ndarray
    own_first: np.ndarray
    fairness: np.ndarray


def language_bias(
    queries: np.ndarray, documents: np.ndarray, language_of: np.ndarray, gold: np.ndarray, own: int | None
) -> LanguageBias:
    """Measure whose documents come first. A pool without copies: each document once.

    :param queries: float32 [q, dim], all of one language.
    :param documents: float32 [n, dim].
    :param language_of: Language number of each document, int [n].
    :param gold: Positions of the golds, int [q, L]: one in each language, in the order of the numbers.
    :param own: Number of the queries' language; None if it is not in the pool.
    """
    languages = gold.shape[1]
    parts = []
    step = max(_BLOCK_BYTES // (4 * len(documents)), 1)
    for start in range(0, len(queries), step):
        some = slice(start, start + step)
        scores = queries[some] @ documents.T
        parts.append(
            (
                _intruders(scores, gold[some], language_of),
                _first(scores, gold[some], language_of, own),
                _own_first(scores, gold[some], own),
                _fairness(scores, gold[some], language_of, languages),
            )
        )
    return LanguageBias(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _intruders(scores: np.ndarray, gold: np.ndarray, language_of: np.ndarray) -> np.ndarray:
    of_gold = np.take_along_axis(scores, gold, axis=1)
    last = of_gold.min(axis=1, keepdims=True)
    golds = (of_gold <= last + TOLERANCE).sum(axis=1, keepdims=True)  # in the group of the last one
    weight = np.where(scores > last + TOLERANCE, 1.0, golds / (golds + 1) * (scores >= last - TOLERANCE))
    np.put_along_axis(weight, gold, 0.0, axis=1)
    return np.stack([weight[:, language_of == number].sum(axis=1) for number in range(gold.shape[1])], axis=1)


def _first(scores: np.ndarray, gold: np.ndarray, language_of: np.ndarray, own: int | None) -> np.ndarray:
    top = scores >= scores.max(axis=1, keepdims=True) - TOLERANCE
    right = np.zeros_like(top)
    np.put_along_axis(right, gold, True, axis=1)
    of_own = np.zeros(len(language_of), bool) if own is None else language_of == own
    counts = [(top & kind & language).sum(axis=1) for kind in (right, ~right) for language in (of_own, ~of_own)]
    first: np.ndarray = np.stack(counts, axis=1) / top.sum(axis=1, keepdims=True)
    return first


def _own_first(scores: np.ndarray, gold: np.ndarray, own: int | None) -> np.ndarray:
    if own is None:
        return np.full(len(scores), np.nan)
    of_gold = np.take_along_axis(scores, gold, axis=1)
    best = of_gold >= of_gold.max(axis=1, keepdims=True) - TOLERANCE
    chance: np.ndarray = best[:, own] / best.sum(axis=1)
    return chance


def _fairness(scores: np.ndarray, gold: np.ndarray, language_of: np.ndarray, languages: int) -> np.ndarray:
    """Kruskal-Wallis test of each row, on the documents that are not gold: p-values, float64 [q]."""
    from scipy.stats import chi2, rankdata

    wrong = len(language_of) - languages
    if len(language_of) > _MOST_RANKED or languages < 2 or wrong < languages:
        return np.full(len(scores), np.nan)
    keep = np.ones(scores.shape, bool)
    np.put_along_axis(keep, gold, False, axis=1)
    rows = np.round(scores[keep].reshape(len(scores), wrong), 6)  # equal texts have equal ranks
    spoken = np.broadcast_to(language_of, scores.shape)[keep].reshape(rows.shape)
    lowest, highest = (rankdata(rows, method, axis=1) for method in ("min", "max"))  # of the group of equals
    ranks, equals = (lowest + highest) / 2, highest - lowest + 1.0
    statistic = np.zeros(len(rows))
    for number in range(languages):
        own = spoken == number
        statistic += np.where(own, ranks, 0).sum(axis=1) ** 2 / own.sum(axis=1)
    statistic = 12 / (wrong * (wrong + 1)) * statistic - 3 * (wrong + 1)
    same = (equals**2).sum(axis=1) - wrong  # the sum of t^3 - t over all groups of t equals
    untied = 1 - same / (wrong**3 - wrong)
    p_values: np.ndarray = np.where(
        untied > 0, chi2.sf(statistic / np.where(untied > 0, untied, 1), languages - 1), 1.0
    )
    return p_values
