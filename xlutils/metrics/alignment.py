"""Concept alignment: how close together the words of a single concept are across languages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlutils.metrics.neighbours import csls, share_of_nearest
from xlutils.metrics.uncertainty import bootstrap, bootstrap_ci

WEIGHTS = {"intra": 0.3, "nearest": 0.3, "retrieval": 0.4}
_GRADES = ((0.8, "Excellent"), (0.6, "Good"), (0.4, "Moderate"))
Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class ConceptAlignment:
    """How close together the words of each concept are; n words of c concepts in L languages.

    Values by concept are NaN where a concept has no pair of words in two languages.

    :param concepts: c ids, in order of first appearance.
    :param languages: L codes, in order of first appearance.
    :param vectors: float32 [n, dim]: the vectors of the words.
    :param concept_of: int [n]: number of each word's concept.
    :param language_of: int [n]: number of each word's language.
    :param similarity: float64 [c, L, L]: mean cosine between a concept's words in two languages; NaN on
        the diagonal and where a word is missing.
    :param different: float64 [c]: mean cosine between the words of a concept and those of other concepts
        in other languages.
    :param word_nearest: float64 [n]: share of each word's k nearest others that are of its concept.
    :param k: Number of nearest neighbours.
    :param hits: float64 [c, L, L]: share of the concept's words in the row's language whose nearest word
        in the column's language is of the same concept; NaN like `similarity`.
    :param centroid_distance: float64 [L, L]: 1 - cosine of the mean vectors of two languages.
    :param missing: For each language the number of concepts without a word in it.
    """

    concepts: tuple[str, ...]
    languages: tuple[str, ...]
    vectors: NDArray[np.float32]
    concept_of: Numbers
    language_of: Numbers
    similarity: Floats
    different: Floats
    word_nearest: Floats
    k: int
    hits: Floats
    centroid_distance: Floats
    missing: dict[str, int]

    @property
    def intra(self) -> Floats:
        """Mean cosine over the language pairs, by concept: float64 [c]."""
        return mean_without_nan(self.similarity, (1, 2))

    @property
    def gap(self) -> Floats:
        """How much nearer a translation is than an unrelated word, by concept: float64 [c]."""
        return self.intra - self.different

    @property
    def nearest(self) -> Floats:
        """Mean share of the k nearest words that are of the same concept, by concept: float64 [c]."""
        return np.bincount(self.concept_of, self.word_nearest) / np.bincount(self.concept_of)

    @property
    def nearest_by_language(self) -> Floats:
        """The same by language: float64 [L]."""
        return np.bincount(self.language_of, self.word_nearest) / np.bincount(self.language_of)

    @property
    def retrieval(self) -> Floats:
        """Mean retrieval accuracy over the ordered language pairs, by concept: float64 [c]."""
        return mean_without_nan(self.hits, (1, 2))

    @property
    def retrieval_matrix(self) -> Floats:
        """Retrieval accuracy from each language (row) into each other one: float64 [L, L]."""
        return mean_without_nan(self.hits, 0)

    @property
    def overall(self) -> Floats:
        """Weighted score, by concept: float64 [c]."""
        return np.asarray(sum(weight * getattr(self, name) for name, weight in WEIGHTS.items()))

    def by_concept(self) -> dict[str, Floats]:
        """Return the values that have one number per concept, under their names in records."""
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
        pairs = [
            (self.concepts[row], self.languages[a], self.languages[b], float(self.similarity[row, a, b]))
            for row, a, b in np.argwhere((self.similarity < threshold) & upper)
        ]
        return sorted(pairs, key=lambda pair: (pair[3], pair[:3]))


def quality(score: float) -> str:
    """Grade a score: Excellent above 0.8, Good above 0.6, Moderate above 0.4, otherwise Poor."""
    return next((grade for limit, grade in _GRADES if score > limit), "Poor")


def concept_alignment(
    embeddings: np.ndarray, concepts: Sequence[str], languages: Sequence[str], k: int = 3
) -> ConceptAlignment:
    """Measure how close together the words of each concept are across languages.

    :param embeddings: Unit vectors, float [n, dim], one per word.
    :param concepts: n concept ids.
    :param languages: n language codes.
    :param k: Number of nearest neighbours.
    :return: Values by concept; every aggregate is a mean of them.
    :raises ValueError: If there are fewer than two concepts or languages, or fewer than k other vectors.
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
    members = _by_language(language_of)
    found = [share_of_nearest(vectors, vectors[rows], concept_of, concept_of[rows]) for rows in members]
    return ConceptAlignment(
        concepts=ids,
        languages=codes,
        vectors=vectors,
        concept_of=concept_of,
        language_of=language_of,
        similarity=_similarity(sums, counts),
        different=_different(sums, counts),
        word_nearest=share_of_nearest(vectors, vectors, concept_of, concept_of, k, own=np.arange(len(vectors))),
        k=k,
        hits=_hits(np.stack(found, axis=1), concept_of, language_of),
        centroid_distance=_centroid_distance(sums),
        missing={code: int((counts[:, number] == 0).sum()) for number, code in enumerate(codes)},
    )


def csls_retrieval(alignment: ConceptAlignment) -> Floats:
    """Measure retrieval by CSLS instead of cosine, so that hubs lose their advantage: `hits`, float64 [c, L, L]."""
    concept_of, language_of = alignment.concept_of, alignment.language_of
    members = _by_language(language_of)
    found = np.zeros((len(concept_of), len(members)))
    for a, b in np.argwhere(~np.eye(len(members), dtype=bool)):
        asked = alignment.vectors[members[a]]
        queries, documents = csls(asked, alignment.vectors[members[b]], asked)
        found[members[a], b] = share_of_nearest(queries, documents, concept_of[members[a]], concept_of[members[b]])
    return _hits(found, concept_of, language_of)


def nearest_interval(alignment: ConceptAlignment, seed: int = 42) -> tuple[Floats, Floats]:
    """Return the 95% interval of `ConceptAlignment.nearest_by_language`: low and high, float64 [L] each.

    Here and below whole concepts are drawn, since their words depend on each other; the neighbours stay as found.
    """
    shares, concept_of = alignment.word_nearest, alignment.concept_of
    bounds = [
        bootstrap_ci(shares[rows], seed=seed, clusters=concept_of[rows]) for rows in _by_language(alignment.language_of)
    ]
    low, high = np.array(bounds).T
    return low, high


def centroid_interval(alignment: ConceptAlignment, seed: int = 42) -> tuple[Floats, Floats]:
    """Return the 95% interval of `ConceptAlignment.centroid_distance`: low and high, float64 [L, L] each.

    Chance moves each mean in its own direction, so measured distances are too large. Those of bootstrap draws exceed
    the measured one as it exceeds the true one: their interval is mirrored at it, and may lie wholly below it.
    """
    members = _by_language(alignment.language_of)

    def distances(times: Floats) -> Floats:
        sums = [times[:, alignment.concept_of[rows]] @ alignment.vectors[rows] for rows in members]
        return _centroid_distance(np.stack(sums, axis=1)[:, None])

    low, high = bootstrap(distances, len(alignment.concepts), seed=seed)
    measured = alignment.centroid_distance
    return np.maximum(2 * measured - high, 0), np.maximum(2 * measured - low, 0)


def mean_without_nan(values: Floats, axis: int | tuple[int, ...]) -> Floats:
    """Return the mean of the values that are not NaN; NaN where there is none."""
    present = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(present, values, 0).sum(axis=axis) / present.sum(axis=axis))


def _numbers(values: Sequence[str], known: tuple[str, ...]) -> Numbers:
    number = {value: position for position, value in enumerate(known)}
    return np.array([number[value] for value in values])


def _by_language(language_of: Numbers) -> list[Numbers]:
    return [np.flatnonzero(language_of == number) for number in range(language_of.max() + 1)]


def _similarity(sums: Floats, counts: Floats) -> Floats:
    """Mean cosine between the words of two cells: the dot product of their sums over the number of pairs."""
    pairs = counts[:, :, None] * counts[:, None, :] * ~np.eye(sums.shape[1], dtype=bool)
    products = sums @ sums.transpose(0, 2, 1)
    return np.asarray(np.divide(products, pairs, out=np.full(pairs.shape, np.nan), where=pairs > 0))


def _different(sums: Floats, counts: Floats) -> Floats:
    """Mean cosine of a concept's words with all words of other concepts in other languages, in one pass."""
    all_products = np.einsum("cld,ld->c", sums, sums.sum(axis=(0, 1)) - sums.sum(axis=0))
    of_concept = sums.sum(axis=1)
    own_products = np.einsum("cd,cd->c", of_concept, of_concept) - np.einsum("cld,cld->c", sums, sums)
    all_pairs = counts @ (counts.sum() - counts.sum(axis=0))
    own_pairs = np.square(counts.sum(axis=1)) - np.square(counts).sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray((all_products - own_products) / (all_pairs - own_pairs))


def _hits(found: Floats, concept_of: Numbers, language_of: Numbers) -> Floats:
    """Mean of `found` [n, L] over the words of each cell, float64 [c, L, L]; NaN where a word is missing."""
    counts = np.zeros((concept_of.max() + 1, found.shape[1]))
    np.add.at(counts, (concept_of, language_of), 1)
    hits = np.zeros((*counts.shape, found.shape[1]))
    np.add.at(hits, (concept_of, language_of), found)
    possible = (counts[:, :, None] > 0) & (counts[:, None, :] > 0) & ~np.eye(counts.shape[1], dtype=bool)
    return np.where(possible, hits / np.maximum(counts, 1)[:, :, None], np.nan)


def _centroid_distance(sums: Floats) -> Floats:
    """Distance between the mean vectors of languages: [..., L, L] from sums by concept [..., c, L, dim]."""
    means = sums.sum(axis=-3)
    with np.errstate(invalid="ignore"):  # a bootstrap draw may hold no word of a language
        means /= np.linalg.norm(means, axis=-1, keepdims=True)
    return np.asarray(1 - means @ np.swapaxes(means, -1, -2))
