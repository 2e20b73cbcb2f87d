"""Nearest neighbours through FAISS, with ties counted fairly.

Identical words have identical vectors, and which of them a search returns first is an accident. Where a tie decides,
the expected value over all orders is taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xlutils.metrics.blocks import blocks
from xlutils.metrics.ranking import TOLERANCE, gold_ranks, ndcg_at_1
from xlutils.metrics.uncertainty import bootstrap

_BLOCK = 1024  # queries whose neighbours are compared at a time
_WIDTH = 16  # neighbours looked at first; more where a tie goes on beyond them
_LEAST = 0.01  # mean cosine of a neighbourhood; below it the margin would magnify noise, and below 0 turn around


def nearest(
    queries: np.ndarray, documents: np.ndarray, k: int, own: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Find the k nearest documents of each query, exactly, by dot product.

    :param queries: float32 [q, dim].
    :param documents: float32 [n, dim].
    :param own: Position of each query among the documents, int [q], if it is not to be its own neighbour.
    :return: Scores float32 [q, k], in falling order, and positions int64 [q, k]; fewer columns if there are fewer.
    """
    import faiss

    width = min(k + (own is not None), len(documents))  # one more: the query itself
    scores, places = faiss.knn(queries, documents, width, metric=faiss.METRIC_INNER_PRODUCT)
    if own is not None:
        scores[places == own[:, None]] = -np.inf
        order = np.argsort(-scores, axis=1, kind="stable")[:, :-1]
        scores, places = (np.take_along_axis(table, order, axis=1) for table in (scores, places))
    return scores, places


def share_of_nearest(
    queries: np.ndarray,
    documents: np.ndarray,
    group_of_query: np.ndarray,
    group_of_document: np.ndarray,
    k: int = 1,
    own: np.ndarray | None = None,
) -> np.ndarray:
    """Return the share of each query's k nearest documents that are of its group, over all orders of ties.

    :param group_of_query: int [q], such as numbers of concepts.
    :param group_of_document: int [n]; there are at least k documents besides the query itself.
    :param own: As in `nearest`.
    :return: float64 [q].
    """
    others = len(documents) - (own is not None)

    def share(rows: np.ndarray, width: int) -> np.ndarray:
        scores, places = nearest(queries[rows], documents, width, None if own is None else own[rows])
        last = scores[:, k - 1, None]
        above, level = scores > last + TOLERANCE, np.abs(scores - last) <= TOLERANCE
        same = group_of_document[places] == group_of_query[rows, None]
        chance = (k - above.sum(axis=1)) / level.sum(axis=1)
        shares: np.ndarray = ((above & same).sum(axis=1) + chance * (level & same).sum(axis=1)) / k
        unfinished = level[:, -1] & (width < others)
        if unfinished.any():
            shares[unfinished] = share(rows[unfinished], min(4 * width, others))
        return shares

    width = min(max(k + 1, _WIDTH), others)
    rows = np.arange(len(queries))
    return np.concatenate([np.zeros(0), *(share(rows[block], width) for block in blocks(len(rows), _BLOCK))])


def crowding(one: np.ndarray, other: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean cosine of each unit vector with its k nearest on the other side: float64 [n] and [m].

    :param one: float32 [n, dim]; `other` likewise, [m, dim].
    """
    forward, backward = (nearest(a, b, k)[0].mean(axis=1, dtype=float) for a, b in ((one, other), (other, one)))
    return forward, backward


def csls_queries(queries: np.ndarray) -> np.ndarray:
    """Add a dimension of ones, for scores with `csls_documents`: float32 [q, dim + 1]."""
    return np.column_stack([queries, np.ones(len(queries), np.float32)])


def csls_documents(documents: np.ndarray, asked: np.ndarray, k: int = 10) -> np.ndarray:
    """Add a dimension with which the dot product ranks as CSLS does, so that hubs lose their advantage.

    CSLS (Conneau et al., 2018) is twice the cosine minus the mean cosine of the query, and of the document, with its
    k nearest on the other side. The query's part changes no order and is left out.

    :param documents: Unit vectors, float32 [n, dim].
    :param asked: Queries that the nearness of documents is measured with, unit vectors, float32 [m, dim].
    :return: float32 [n, dim + 1], scaled so that scores stay in [-1, 1].
    """
    crowd = nearest(documents, asked, k)[0].mean(axis=1)
    return np.asarray(np.column_stack([2 * documents, -crowd]) / 3, np.float32)


def hubness(vectors: np.ndarray, k: int) -> np.ndarray:
    """Count how often each vector is among the k nearest of another one, over all orders of ties: float64 [n].

    :param vectors: float32 [n, dim], more than k of them.
    """
    counts = np.zeros(len(vectors))
    for rows in blocks(len(vectors), _BLOCK):
        scores = vectors[rows] @ vectors.T
        np.put_along_axis(scores, np.arange(len(vectors))[rows, None], -np.inf, axis=1)  # not its own neighbour
        last = np.partition(scores, -k, axis=1)[:, -k, None]
        above, level = scores > last + TOLERANCE, np.abs(scores - last) <= TOLERANCE
        chance = (k - above.sum(axis=1)) / level.sum(axis=1)
        counts += above.sum(axis=0) + chance @ level
    return counts


def skewness(counts: np.ndarray) -> float:
    """Return the skewness of the counts of `hubness`.

    :return: Near 0 if all vectors are about equally popular, far above 1 if a few hubs are everybody's neighbour;
        0 if all counts are the same.
    """
    return float(_skewness(np.ones((1, len(counts))), counts, np.arange(len(counts)))[0])


def skewness_interval(counts: np.ndarray, concept_of: np.ndarray, seed: int = 42) -> tuple[float, float]:
    """Return the 95% interval of the skewness of the counts of `hubness`.

    :param counts: How often each word is a neighbour, int [n].
    :param concept_of: Number of each word's concept, int [n].
    """
    low, high = bootstrap(lambda times: _skewness(times, counts, concept_of), concept_of.max() + 1, seed=seed)
    return float(low), float(high)


def _skewness(times: np.ndarray, counts: np.ndarray, concept_of: np.ndarray) -> np.ndarray:
    """Return the skewness of the counts of the words of drawn concepts, from sums of powers: [draws]."""
    centred = counts - counts.mean()
    sums = (times @ np.bincount(concept_of, centred**power) for power in range(4))
    number, first, second, third = sums
    mean, square, cube = first / number, second / number, third / number
    variance = square - mean**2
    with np.errstate(divide="ignore", invalid="ignore"):
        skew = (cube - 3 * mean * square + 2 * mean**3) / variance**1.5
    return np.where(variance > 1e-12, skew, 0.0)


@dataclass(frozen=True)
class PairScores:
    """How well n pairs of translations find each other.

    :param forward: Chance that the first word of a pair finds the second first, over all orders of ties, float64 [n].
    :param backward: The same from the second to the first.
    :param strictly_best: Whether a pair is nearer than any other pairing of either word, bool [n]; the mean is the
        MEXA score (Kargaran et al., 2024).
    """

    forward: np.ndarray
    backward: np.ndarray
    strictly_best: np.ndarray


def pair_scores(one: np.ndarray, other: np.ndarray) -> PairScores:
    """Let every unit vector, float [n, dim], search for its partner, the vector in the same row of the other table."""
    one, other = np.asarray(one, np.float32), np.asarray(other, np.float32)
    partners = np.arange(len(one))
    ranks = gold_ranks(one, other, partners), gold_ranks(other, one, partners)
    alone = [(direction.above + direction.level == 1)[:, 0] for direction in ranks]
    return PairScores(ndcg_at_1(ranks[0]), ndcg_at_1(ranks[1]), alone[0] & alone[1])


def margin_scores(a: np.ndarray, b: np.ndarray, k: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Let each text and its translation search for each other by margin.

    The ratio margin of a pair (Artetxe and Schwenk, 2019) is its cosine divided by the mean cosine of both texts with
    their k nearest neighbours on the other side. A text that is near to everything is no longer everybody's partner.

    :param a: Unit vectors, float [n, dim]; `b` likewise, the translation of each text in the same row.
    :return: Chance that a text finds its translation first, over all orders of ties, and that the translation finds
        the text, float64 [n] each. xSIM, the error rate from `a` to `b`, is one minus the mean of the first.
    :raises ValueError: If the tables differ in shape, or k is below 1.
    """
    if a.shape != b.shape or k < 1:
        raise ValueError(f"texts {a.shape} and translations {b.shape} must have one shape, and k = {k} be at least 1")
    a, b = np.asarray(a, np.float32), np.asarray(b, np.float32)
    crowd_a, crowd_b = crowding(a, b, k)
    cosines = np.einsum("nd,nd->n", a, b, dtype=np.float64)
    margins = cosines / np.maximum((crowd_a + crowd_b) / 2, _LEAST)
    above, level = np.zeros((2, 2, len(a)))  # for each text, then for each translation
    for rows in blocks(len(a), _BLOCK):
        scores = a[rows] @ b.T
        crowds = np.maximum((crowd_a[rows, None] + crowd_b) / 2, _LEAST)
        of_text = scores - margins[rows, None] * crowds  # cosine beyond what makes the margin of the right pair
        of_translation = scores - margins * crowds
        above[0, rows] = (of_text > TOLERANCE).sum(axis=1)
        level[0, rows] = (np.abs(of_text) <= TOLERANCE).sum(axis=1)
        above[1] += (of_translation > TOLERANCE).sum(axis=0)
        level[1] += (np.abs(of_translation) <= TOLERANCE).sum(axis=0)
    forward, backward = np.where(above == 0, 1 / np.maximum(level, 1), 0.0)
    return forward, backward


def margin_accuracy(a: np.ndarray, b: np.ndarray, k: int = 4) -> np.ndarray:
    """Return how often each text and its translation find each other first by margin: the mean of `margin_scores`.

    :return: 1 where both find each other first, 0.5 where one of them does, and the expected value over all orders of
        ties, float64 [n]; its mean is the accuracy of mining.
    """
    return np.asarray(np.mean(margin_scores(a, b, k), axis=0))
