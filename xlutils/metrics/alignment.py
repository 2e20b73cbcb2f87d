"""How well translations sit together, at the level of single concepts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xlutils.metrics.neighbours import Neighbours, find_csls_neighbours, find_neighbours

WEIGHTS = {"intra": 0.3, "nearest": 0.3, "retrieval": 0.4}
_WORDS = ((0.8, "Excellent"), (0.6, "Good"), (0.4, "Moderate"))
_WIDTH = 16  # neighbours kept in each language: enough for k, for CSLS, and for most ties
_BLOCK = 4096  # concepts at a time


@dataclass(frozen=True)
class ConceptAlignment:
    """How well the words of each concept sit together; c concepts, L languages.

    Values by concept are NaN where a concept has no pair of words in two languages.

    :param concepts: c ids, in order of first appearance.
    :param languages: L codes, in order of first appearance.
    :param similarity: float64 [c, L, L]: mean cosine between a concept's words in two languages; NaN on
        the diagonal and where a word is missing.
    :param different: float64 [c]: mean cosine between the words of a concept and those of other concepts
        in other languages.
    :param word_nearest: float64 [n]: for each word the share of its k nearest others that are of its concept.
    :param concept_of: int [n]: number of each word's concept.
    :param k: Number of nearest neighbours.
    :param hits: float64 [c, L, L]: share of the concept's words in the row's language whose nearest vector
        in the column's language is of the same concept; NaN like `similarity`.
    :param centroid_distance: float64 [L, L]: 1 - cosine of the mean vectors of two languages.
    :param missing: For each language the number of concepts without a word in it.
    :param neighbours: The lists behind it.
    """

    concepts: tuple[str, ...]
    languages: tuple[str, ...]
    similarity: np.ndarray
    different: np.ndarray
    word_nearest: np.ndarray
    concept_of: np.ndarray
    k: int
    hits: np.ndarray
    centroid_distance: np.ndarray
    missing: dict[str, int]
    neighbours: Neighbours

    @property
    def intra(self) -> np.ndarray:
        """Mean cosine over the language pairs, by concept: float64 [c]."""
        return mean_without_nan(self.similarity, (1, 2))

    @property
    def gap(self) -> np.ndarray:
        """How much nearer a translation is than an unrelated word, by concept: float64 [c]."""
        gap: np.ndarray = self.intra - self.different
        return gap

    @property
    def nearest(self) -> np.ndarray:
        """Mean share of the k nearest that are of the same concept, by concept: float64 [c]."""
        return _mean_by(self.concept_of, self.word_nearest)

    @property
    def nearest_by_language(self) -> np.ndarray:
        """The same by language: float64 [L]."""
        return _mean_by(self.neighbours.language_of, self.word_nearest)

    @property
    def retrieval(self) -> np.ndarray:
        """Mean retrieval accuracy over the ordered language pairs, by concept: float64 [c]."""
        return mean_without_nan(self.hits, (1, 2))

    @property
    def retrieval_matrix(self) -> np.ndarray:
        """Retrieval accuracy from each language (row) into each other one: float64 [L, L]."""
        return mean_without_nan(self.hits, 0)

    @property
    def overall(self) -> np.ndarray:
        """The weighted score, by concept: float64 [c]."""
        score: np.ndarray = (
            WEIGHTS["intra"] * self.intra + WEIGHTS["nearest"] * self.nearest + WEIGHTS["retrieval"] * self.retrieval
        )
        return score

    def by_concept(self) -> dict[str, np.ndarray]:
        """All values that have one number a concept, under their names in records."""
        return {
            "intra_concept": self.intra,
            "nn_accuracy": self.nearest,
            "retrieval_accuracy": self.retrieval,
            "overall": self.overall,
            "discriminability": self.gap,
        }

    def misaligned(self, threshold: float) -> list[tuple[str, str, str, float]]:
        """List the pairs of translations below a similarity, worst first: (concept, language, language, cosine)."""
        upper = np.triu(np.ones(self.similarity.shape[1:], bool), 1)
        found = np.argwhere((self.similarity < threshold) & upper)
        pairs = [
            (self.concepts[c], self.languages[a], self.languages[b], float(self.similarity[c, a, b]))
            for c, a, b in found
        ]
        return sorted(pairs, key=lambda pair: (pair[3], pair[:3]))


def quality(score: float) -> str:
    """Put a score into a word: Excellent above 0.8, Good above 0.6, Moderate above 0.4, else Poor."""
    return next((word for limit, word in _WORDS if score > limit), "Poor")


def concept_alignment(
    embeddings: np.ndarray, concepts: Sequence[str], languages: Sequence[str], k: int = 3
) -> ConceptAlignment:
    """Measure how well the words of each concept sit together across languages.

    :param embeddings: Unit vectors, float [n, dim], one a word.
    :param concepts: n concept ids.
    :param languages: n language codes.
    :param k: Number of nearest neighbours.
    :return: Values by concept; every aggregate is a mean of them.
    :raises ValueError: If there are fewer than two concepts or languages, or k other vectors.
    """
    vectors = np.ascontiguousarray(embeddings, np.float32)
    ids, codes = tuple(dict.fromkeys(concepts)), tuple(dict.fromkeys(languages))
    if len(ids) < 2 or len(codes) < 2:
        raise ValueError(f"needs two concepts and two languages, got {len(ids)} and {len(codes)}")
    if not 1 <= k < len(vectors):
        raise ValueError(f"k is {k}, but a word has {len(vectors) - 1} others; take a k from 1 to {len(vectors) - 1}")
    concept_of, language_of = _numbers(concepts, ids), _numbers(languages, codes)
    sums = np.zeros((len(ids), len(codes), vectors.shape[1]))  # of the words of a concept in a language
    counts = np.zeros((len(ids), len(codes)))
    np.add.at(sums, (concept_of, language_of), vectors)
    np.add.at(counts, (concept_of, language_of), 1)
    similarity = _similarity(sums, counts)
    neighbours = find_neighbours(vectors, language_of, max(k + 1, _WIDTH))
    return ConceptAlignment(
        ids,
        codes,
        similarity,
        _different(sums, counts),
        _nearest(neighbours, concept_of, k),
        concept_of,
        k,
        _hits(neighbours, concept_of, counts),
        _centroid_distance(sums),
        {code: int((counts[:, number] == 0).sum()) for number, code in enumerate(codes)},
        neighbours,
    )


def csls_retrieval(alignment: ConceptAlignment, concepts: Sequence[str]) -> np.ndarray:
    """Measure retrieval by CSLS instead of by cosine, so that hubs lose their advantage.

    :param alignment: What `concept_alignment` returned.
    :param concepts: The n concept ids that it was given.
    :return: Like `ConceptAlignment.hits`, float64 [c, L, L].
    """
    concept_of = _numbers(concepts, alignment.concepts)
    hits = np.full_like(alignment.hits, np.nan)
    language_of = alignment.neighbours.language_of
    for source in range(len(alignment.languages)):
        for target in range(len(alignment.languages)):
            if source != target:
                pair = find_csls_neighbours(alignment.neighbours, source, target)
                order = np.concatenate([np.flatnonzero(language_of == number) for number in (source, target)])
                hits[:, source, target] = _pair_hits(pair, concept_of[order], 0, 1, len(alignment.concepts))
    return hits


def _numbers(values: Sequence[str], known: tuple[str, ...]) -> np.ndarray:
    number = {value: position for position, value in enumerate(known)}
    return np.array([number[value] for value in values])


def _similarity(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mean cosine between the words of two cells: the dot product of their sums over the number of pairs."""
    similarity = np.full((len(sums), sums.shape[1], sums.shape[1]), np.nan)
    for start in range(0, len(sums), _BLOCK):
        block, count = sums[start : start + _BLOCK], counts[start : start + _BLOCK]
        with np.errstate(invalid="ignore"):
            similarity[start : start + _BLOCK] = (block @ block.transpose(0, 2, 1)) / (
                count[:, :, None] * count[:, None, :]
            )
    similarity[:, np.arange(sums.shape[1]), np.arange(sums.shape[1])] = np.nan
    return similarity


def _different(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mean cosine of a concept's words with all words of other concepts in other languages, in one pass."""
    of_language = sums.sum(axis=0)
    every = np.einsum("cld,ld->c", sums, of_language.sum(axis=0) - of_language)
    of_concept = sums.sum(axis=1)
    own = np.einsum("cd,cd->c", of_concept, of_concept) - np.einsum("cld,cld->c", sums, sums)
    every_pairs = counts @ (counts.sum() - counts.sum(axis=0))
    own_pairs = np.square(counts.sum(axis=1)) - np.square(counts).sum(axis=1)
    with np.errstate(invalid="ignore"):
        different: np.ndarray = (every - own) / (every_pairs - own_pairs)
    return different


def _nearest(neighbours: Neighbours, concept_of: np.ndarray, k: int) -> np.ndarray:
    queries, golds = _pairs(concept_of)
    chances = neighbours.chance_in_top(k, queries, golds, None)
    share: np.ndarray = np.bincount(queries, chances, minlength=len(concept_of)) / k
    return share


def _hits(neighbours: Neighbours, concept_of: np.ndarray, counts: np.ndarray) -> np.ndarray:
    languages = counts.shape[1]
    hits = np.full((len(counts), languages, languages), np.nan)
    for source in range(languages):
        for target in range(languages):
            if source != target:
                hits[:, source, target] = _pair_hits(neighbours, concept_of, source, target, len(counts))
    return hits


def _pair_hits(neighbours: Neighbours, concept_of: np.ndarray, source: int, target: int, concepts: int) -> np.ndarray:
    """By concept, the share of its words in one language that find it first in another: float64 [c]."""
    rows = [np.flatnonzero(neighbours.language_of == language) for language in (source, target)]
    order = np.argsort(concept_of[rows[1]], kind="stable")
    targets = rows[1][order]
    size = np.bincount(concept_of[targets], minlength=concepts)
    first = np.concatenate([[0], np.cumsum(size)])
    of_query = size[concept_of[rows[0]]]  # golds of each query
    queries = np.repeat(rows[0], of_query)
    step = np.arange(len(queries)) - np.repeat(np.cumsum(of_query) - of_query, of_query)
    golds = targets[first[concept_of[queries]] + step]
    chances = neighbours.chance_in_top(1, queries, golds, target)
    asked = np.bincount(concept_of[rows[0][of_query > 0]], minlength=concepts)
    with np.errstate(invalid="ignore"):
        share: np.ndarray = np.bincount(concept_of[queries], chances, minlength=concepts) / np.where(
            asked, asked, np.nan
        )
    return share


def _pairs(concept_of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All ordered pairs of different words of one concept."""
    order = np.argsort(concept_of, kind="stable")
    sizes = np.bincount(concept_of)
    starts = np.cumsum(sizes) - sizes
    queries, golds = [], []
    for size in np.unique(sizes[sizes > 1]):
        members = order[starts[sizes == size][:, None] + np.arange(size)]
        one, other = np.nonzero(~np.eye(size, dtype=bool))
        queries.append(members[:, one].ravel())
        golds.append(members[:, other].ravel())
    empty = np.zeros(0, int)
    return np.concatenate([empty, *queries]), np.concatenate([empty, *golds])


def _centroid_distance(sums: np.ndarray) -> np.ndarray:
    means = sums.sum(axis=0)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    distance: np.ndarray = 1 - means @ means.T
    return distance


def _mean_by(group_of: np.ndarray, values: np.ndarray) -> np.ndarray:
    mean: np.ndarray = np.bincount(group_of, values) / np.bincount(group_of)
    return mean


def mean_without_nan(values: np.ndarray, axis: int | tuple[int, ...]) -> np.ndarray:
    """Take the mean without the NaNs; NaN where there is nothing else."""
    there = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        mean: np.ndarray = np.where(there, values, 0).sum(axis=axis) / there.sum(axis=axis)
    return mean
