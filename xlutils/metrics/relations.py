"""Relations between meanings: whether a space keeps them apart, and keeps them the same in two languages.

All vectors have unit length. A row is an item, and the same item in all tables.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xlutils.metrics.ranking import TOLERANCE

_DIGITS = 6  # of cosines that are ranked; the rest is rounding
Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


def antonym_margin(word: np.ndarray, translation: np.ndarray, antonym: np.ndarray) -> Floats:
    """Return how much nearer each word is to its translation than to the translated antonym, float64 [n].

    The same margin serves whenever a text has a right and a wrong partner: a sentence and its distractor, or a word in
    context and the translations of its senses.

    :param word: Unit vectors, float [n, dim]; `translation` and `antonym` likewise, in another language or the same.
    """
    one, right, wrong = (np.asarray(side, np.float64) for side in (word, translation, antonym))
    return np.asarray(np.vecdot(one, right) - np.vecdot(one, wrong))


def told_apart(margins: ArrayLike) -> Floats:
    """Return 1 for each margin above 0, 0.5 for a tie, 0 below, float64 [n]; a coin has a mean of 0.5."""
    values = np.asarray(margins, np.float64)
    return np.where(np.isnan(values), np.nan, (1 + np.sign(values) * (np.abs(values) > TOLERANCE)) / 2)


def opposites_told_apart(own: Sequence[np.ndarray], others: Sequence[np.ndarray]) -> Floats:
    """Return how often a word of n pairs of opposites is nearer to its translation than to the translated opposite.

    :param own: Unit vectors of the first and of the second words, float [n, dim] each; `others` in another language.
    :return: The mean of four comparisons, either word in either language, float64 [n].
    """
    wins = [
        told_apart(antonym_margin(words[side], translations[side], translations[1 - side]))
        for words, translations in ((own, others), (others, own))
        for side in (0, 1)
    ]
    return np.asarray(np.mean(wins, axis=0))


def comparisons(right: ArrayLike, wrong: ArrayLike) -> Floats:
    """Return 1 where a right score is above a wrong one, 0.5 for a tie, 0 below, float64 [n, m]; the mean is AUC."""
    return told_apart(np.subtract.outer(np.asarray(right, np.float64), np.asarray(wrong, np.float64)))


def category_scores(words: np.ndarray, members: np.ndarray, category_of: Numbers) -> Floats:
    """Return the mean cosine of each word with the members of each category, float64 [n, categories].

    The translation of a word is left out of its category.

    :param words: Unit vectors, float [n, dim].
    :param members: The same words in another language.
    :param category_of: Number of each word's category, int [n]; each category has two words or more.
    :raises ValueError: If a category has one word.
    """
    counts = np.bincount(category_of)
    if counts.min(initial=2) < 2:
        raise ValueError("a category needs two words: one to ask about and one to compare with")
    cosines = np.asarray(words, np.float64) @ np.asarray(members, np.float64).T
    np.fill_diagonal(cosines, 0)
    is_member = category_of[:, None] == np.arange(len(counts))
    return np.asarray(cosines @ is_member / (counts - is_member))


def found_first(scores: np.ndarray, right: ArrayLike) -> Floats:
    """Return the chance that the right column of each row comes first, over all orders of ties, float64 [n].

    :param scores: float [n, columns].
    :param right: Column of each row, int [n], or which columns are right, bool [n, columns].
    """
    table, chosen = np.asarray(scores, np.float64), np.asarray(right)
    is_right = chosen if chosen.ndim == 2 else chosen[:, None] == np.arange(table.shape[1])
    is_best = table >= table.max(axis=1, keepdims=True) - TOLERANCE
    return np.asarray((is_best & is_right).sum(axis=1) / is_best.sum(axis=1))


@dataclass(frozen=True)
class RelationalAffinity:
    """How alike the steps of a relation are in all languages; a step leads from one word of a pair to the other.

    :param same: Mean cosine of the steps of one pair in two languages, float64 [n].
    :param other: Mean cosine of the steps of each pair with those of other pairs in other languages, float64 [n]. It is
        above 0 if the relation is one direction, whatever the words.
    """

    same: Floats
    other: Floats


def relational_affinity(first: np.ndarray, second: np.ndarray) -> RelationalAffinity:
    """Compare the steps of a relation between languages.

    :param first: Unit vectors, float [n, languages, dim], n pairs in at least two languages; `second` likewise, the
        other word of each pair. A word that equals its partner has a step of length 0, which is like nothing.
    """
    steps = np.asarray(second, np.float64) - np.asarray(first, np.float64)
    lengths = np.linalg.norm(steps, axis=2, keepdims=True)
    steps = np.divide(steps, lengths, out=np.zeros_like(steps), where=lengths > TOLERANCE)
    count, languages = steps.shape[:2]
    by_language = steps.sum(axis=0)
    own = _cross(steps.sum(axis=1), (steps**2).sum(axis=(1, 2)))
    pairs = languages * (languages - 1)
    total = steps.sum(axis=1) @ by_language.sum(axis=0) - np.einsum("nld,ld->n", steps, by_language)
    return RelationalAffinity(own / pairs, (total - own) / max((count - 1) * pairs, 1))


def _cross(sums: Floats, squares: Floats) -> Floats:
    """Return the sum of the products of different vectors from their sum and the sum of their squares."""
    return np.asarray((sums**2).sum(axis=1) - squares)


def analogies(first: np.ndarray, second: np.ndarray, in_first: np.ndarray, in_second: np.ndarray) -> dict[str, Floats]:
    """Ask in one language and answer in another what c is to, as a is to b.

    The question goes through all other pairs (a, b), in one language; c and the answer are in the other. "offset" adds
    b - a to c (3CosAdd); "excluding" also leaves c and the translations of a and b out of the candidates, as is usual;
    "alone" leaves out the same words and searches with c alone, so that it shows what the exclusion does by itself.

    :param first: Unit vectors, float [n, dim], at least two pairs; `second` likewise, their partners.
    :param in_first: The same words in the other language, float [n, dim]; `in_second` likewise.
    :return: Share of the questions about each pair that found its second word first, float64 [n], by method.
    """
    first, second, in_first, in_second = (np.asarray(side, np.float64) for side in (first, second, in_first, in_second))
    count = len(first)
    candidates = np.concatenate([in_first, in_second])
    alone, steps = in_first @ candidates.T, (second - first) @ candidates.T
    hits: dict[str, Floats] = {method: np.zeros(count) for method in ("offset", "excluding", "alone")}
    questions = np.arange(count - 1)
    for pair in range(count):
        others = np.delete(np.arange(count), pair)
        answers = np.full(count - 1, count + pair)
        plain = np.tile(alone[pair], (count - 1, 1))
        added = plain + steps[others]
        hits["offset"][pair] = found_first(added, answers).mean()
        for scores in (plain, added):
            scores[:, pair] = scores[questions, others] = scores[questions, count + others] = -np.inf
        hits["excluding"][pair] = found_first(added, answers).mean()
        hits["alone"][pair] = found_first(plain, answers).mean()
    return hits


def neighbour_weights(vectors: np.ndarray, k: int) -> Floats:
    """Return how surely each other vector is among the k nearest of each, float64 [n, n], over all orders of ties.

    :param vectors: Unit vectors, float [n, dim], more than k.
    :raises ValueError: If k is not between 1 and n - 1.
    """
    count = len(vectors)
    if not 1 <= k < count:
        raise ValueError(f"k = {k} must be between 1 and {count - 1}, one less than the number of words")
    cosines = np.asarray(vectors, np.float64) @ np.asarray(vectors, np.float64).T
    np.fill_diagonal(cosines, -np.inf)
    last = -np.partition(-cosines, k - 1, axis=1)[:, k - 1, None]
    above, level = cosines > last + TOLERANCE, np.abs(cosines - last) <= TOLERANCE
    return np.asarray(above + level * (k - above.sum(axis=1, keepdims=True)) / level.sum(axis=1, keepdims=True))


def neighbourhood_overlap(a: np.ndarray, b: np.ndarray, k: int) -> Floats:
    """Return the Jaccard index of the k nearest words of each word in two languages, float64 [n].

    Ties are broken at random in each language by itself, so that vectors which are all the same stand at chance.

    :param a: Unit vectors, float [n, dim]; `b` likewise, the same words in another language.
    """
    return jaccard(neighbour_weights(a, k), neighbour_weights(b, k))


def jaccard(a: np.ndarray, b: np.ndarray) -> Floats:
    """Return the Jaccard index of each row's neighbours in two languages, float64 [n]; see `neighbour_weights`."""
    shared = (a * b).sum(axis=1)
    return np.asarray(shared / (a.sum(axis=1) + b.sum(axis=1) - shared))


def rsa(a: np.ndarray, b: np.ndarray) -> float:
    """Return the rank correlation of the cosines within two languages (representational similarity analysis).

    :param a: Unit vectors, float [n, dim], at least three; `b` likewise, the same words in another language.
    :return: Spearman's correlation over pairs of words; 0 if all cosines of a language are equal.
    """
    return float(np.vdot(rank_matrix(a), rank_matrix(b)))


def rank_matrix(vectors: np.ndarray) -> Floats:
    """Return the ranks of the cosines of all pairs, float64 [n, n]: centred, 0 on the diagonal, of length 1."""
    from scipy.stats import rankdata

    count = len(vectors)
    cosines = np.asarray(vectors, np.float64) @ np.asarray(vectors, np.float64).T
    upper = np.triu_indices(count, 1)
    ranks = rankdata(cosines[upper].round(_DIGITS))
    table = np.zeros((count, count))
    table[upper] = ranks - ranks.mean()
    return _of_length_1(table + table.T)


def linear_cka(a: np.ndarray, b: np.ndarray) -> float:
    """Return the linear centred kernel alignment of two languages (Kornblith et al., 2019), in [0, 1].

    :param a: Vectors, float [n, dim]; `b` likewise, the same words in another language, in other dimensions if need be.
    """
    return float(np.vdot(kernel_matrix(a), kernel_matrix(b)))


def kernel_matrix(vectors: np.ndarray) -> Floats:
    """Return the products of all pairs of centred rows, float64 [n, n], of length 1."""
    centred = np.asarray(vectors, np.float64) - np.mean(vectors, axis=0, dtype=np.float64)
    return _of_length_1(centred @ centred.T)


def structure_test(
    a: np.ndarray,
    b: np.ndarray,
    statistic: Callable[[np.ndarray, np.ndarray], float] = lambda a, b: float(np.vdot(a, b)),
    times: int = 199,
    seed: int = 42,
) -> tuple[float, float]:
    """Compare how alike the structures of two languages are with what is left when the words of one are shuffled.

    :param a: Rank matrix, kernel matrix or weights of neighbours, float [n, n]; `b` likewise, in another language.
    :param statistic: What is compared: the sum of products, which makes `rsa` of ranks and `linear_cka` of kernels.
    :return: Mean of the shuffled values, and the share of them that reach the measured one (one-sided p-value).
    """
    rng = np.random.default_rng(seed)
    measured = statistic(a, b) - 1e-12
    orders = (rng.permutation(len(b)) for _ in range(times))
    shuffled = np.array([statistic(a, b[np.ix_(order, order)]) for order in orders])
    return float(shuffled.mean()), float(((shuffled >= measured).sum() + 1) / (times + 1))


def _of_length_1(values: Floats) -> Floats:
    length = np.linalg.norm(values)
    return values / length if length > 1e-9 else np.zeros_like(values)
