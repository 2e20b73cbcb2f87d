"""Nearest neighbours by language, through FAISS, with ties counted fairly.

Two scores that differ by no more than `TIE` are equal: identical words have identical vectors, and which
of them a search returns first is an accident. Where a tie decides, the expected value over all orders is
taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

TIE = 5e-6  # above the rounding of float32 dot products, far below any difference that means something
_BLOCK = 8192  # queries searched at a time
_RECOUNT_BYTES = 1 << 26


@dataclass(frozen=True)
class Neighbours:
    """The best neighbours of every vector, a list for each language.

    :param vectors: Unit vectors, float32 [n, dim].
    :param language_of: Language number of each vector, int [n].
    :param scores: For each language the best scores among its vectors, float32 [n, width], falling; a
        vector is not its own neighbour. Places that do not exist hold -inf.
    :param ids: Positions of those neighbours, int64 [n, width]; -1 where there is none.
    """

    vectors: np.ndarray
    language_of: np.ndarray
    scores: tuple[np.ndarray, ...]
    ids: tuple[np.ndarray, ...]

    def overall(self) -> tuple[np.ndarray, np.ndarray]:
        """Merge the lists of all languages into one of the same width: scores and ids."""
        width = self.scores[0].shape[1]
        scores, ids = np.concatenate(self.scores, axis=1), np.concatenate(self.ids, axis=1)
        return _best(scores, ids, width)

    def chance_in_top(self, k: int, queries: np.ndarray, golds: np.ndarray, language: int | None) -> np.ndarray:
        """How likely each gold vector is among the k nearest of its query, over all orders of ties.

        :param k: Number of nearest neighbours.
        :param queries: Positions of p queries.
        :param golds: Positions of p gold vectors, each different from its query.
        :param language: Search among the vectors of this language, the gold's own; None for all.
        :return: float64 [p].
        """
        lists = self.overall()[0] if language is None else self.scores[language]
        pool = np.arange(len(self.vectors)) if language is None else np.flatnonzero(self.language_of == language)
        chances = np.zeros(len(queries))
        for part in _blocks(len(queries)):
            query, gold = queries[part], golds[part]
            score = np.einsum("pd,pd->p", self.vectors[query], self.vectors[gold])
            best = lists[query]
            higher = (best > score[:, None] + TIE).sum(axis=1)
            equal = (np.abs(best - score[:, None]) <= TIE).sum(axis=1)
            cut = (best[:, -1] >= score - TIE) & (higher < k)  # the tie may go on beyond the list
            higher[cut], equal[cut] = self._recount(query[cut], score[cut], pool)
            chances[part] = np.clip((k - higher) / np.maximum(equal, 1), 0, 1)
        return chances

    def _recount(self, queries: np.ndarray, scores: np.ndarray, pool: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Count the vectors of a pool above and level with a score, one by one."""
        higher, equal = np.zeros((2, len(queries)), int)
        step = max(_RECOUNT_BYTES // (4 * len(pool)), 1)
        for start in range(0, len(queries), step):
            part = slice(start, start + step)
            all_scores = self.vectors[queries[part]] @ self.vectors[pool].T
            all_scores[pool == queries[part, None]] = -np.inf
            higher[part] = (all_scores > scores[part, None] + TIE).sum(axis=1)
            equal[part] = (np.abs(all_scores - scores[part, None]) <= TIE).sum(axis=1)
        return higher, equal


def find_neighbours(vectors: np.ndarray, language_of: np.ndarray, width: int) -> Neighbours:
    """Search every vector among the vectors of each language, exactly.

    Memory grows with n * width, never with n * n.

    :param vectors: Vectors, float32 [n, dim]; the score is their dot product.
    :param language_of: Language number of each vector, int [n].
    :param width: Neighbours to keep in each language.
    :return: The lists.
    """
    import faiss

    vectors = np.ascontiguousarray(vectors, np.float32)
    all_scores, all_ids = [], []
    for language in range(language_of.max() + 1):
        members = np.flatnonzero(language_of == language)
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(vectors[members])
        scores = np.full((len(vectors), width), -np.inf, np.float32)
        ids = np.full((len(vectors), width), -1)
        for block in _blocks(len(vectors)):
            found, places = index.search(vectors[block], min(width + 1, len(members)))  # one more for itself
            found, places = _without_self(found, members[places], np.arange(block.start, block.stop))
            found, places = found[:, :width], places[:, :width]
            scores[block, : found.shape[1]], ids[block, : found.shape[1]] = found, places
        all_scores.append(scores)
        all_ids.append(ids)
    return Neighbours(vectors, language_of, tuple(all_scores), tuple(all_ids))


def hubness(neighbours: Neighbours, k: int) -> np.ndarray:
    """Count how often each vector is among the k nearest of another one: int [n].

    :param neighbours: Lists of at least width k.
    :param k: Number of nearest neighbours.
    """
    ids = neighbours.overall()[1][:, :k]
    return np.bincount(ids[ids >= 0], minlength=len(neighbours.vectors))


def skewness(counts: np.ndarray) -> float:
    """Skewness of the counts of `hubness`.

    :return: Near 0 when all are about equally popular, far above 1 when a few hubs are everybody's
        neighbour; 0 when all counts are the same.
    """
    centred = counts - counts.mean()
    spread = counts.std()
    return float((centred**3).mean() / spread**3) if spread > 0 else 0.0


def crowding(neighbours: Neighbours, neighbourhood: int = 10) -> np.ndarray:
    """Mean cosine of each vector to its nearest neighbours in each language.

    :param neighbours: Lists of at least width `neighbourhood`.
    :param neighbourhood: Number of neighbours in the mean.
    :return: float32 [n, languages].
    """
    columns = []
    for lists in neighbours.scores:
        there = lists[:, :neighbourhood] > -np.inf
        total = np.where(there, lists[:, :neighbourhood], 0).sum(axis=1)
        columns.append(total / np.maximum(there.sum(axis=1), 1))
    return np.stack(columns, axis=1).astype(np.float32)


def find_csls_neighbours(neighbours: Neighbours, source: int, target: int, neighbourhood: int = 10) -> Neighbours:
    """Search the words of one language among those of another by CSLS instead of by cosine.

    CSLS (Conneau et al., 2018) takes from twice the cosine the mean similarity of both words to their
    nearest neighbours in the other language, so that hubs lose their advantage. The mean of the query
    changes no order; that of the target becomes one more dimension, and plain search does the rest.

    :param neighbours: Lists of at least width `neighbourhood`.
    :param source: Language number of the queries.
    :param target: Language number of the targets.
    :return: Lists over the words of both languages, queries numbered 0, targets numbered 1, in the order
        in which they stand in `neighbours`.
    """
    crowd = crowding(neighbours, neighbourhood)
    rows = [np.flatnonzero(neighbours.language_of == language) for language in (source, target)]
    queries = np.hstack([neighbours.vectors[rows[0]], np.ones((len(rows[0]), 1), np.float32)])
    targets = np.hstack([2 * neighbours.vectors[rows[1]], -crowd[rows[1], source, None]])
    language_of = np.repeat([0, 1], [len(queries), len(targets)])
    return find_neighbours(np.vstack([queries, targets]), language_of, neighbours.scores[0].shape[1])


def _without_self(scores: np.ndarray, ids: np.ndarray, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    own_place = ids == own[:, None]
    return _best(np.where(own_place, -np.inf, scores), np.where(own_place, -1, ids), scores.shape[1])


def _best(scores: np.ndarray, ids: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(-scores, axis=1, kind="stable")[:, :width]
    return np.take_along_axis(scores, order, axis=1), np.take_along_axis(ids, order, axis=1)


def _blocks(count: int) -> Iterator[slice]:
    for start in range(0, count, _BLOCK):
        yield slice(start, min(start + _BLOCK, count))
