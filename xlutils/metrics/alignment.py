"""Concept alignment: how close together the words of a single concept are across languages."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlutils.metrics.neighbours import csls_documents, csls_queries, share_of_nearest

WEIGHTS = {"intra": 0.3, "nearest": 0.3, "retrieval": 0.4}
GRADES = ((0.9, "Excellent"), (0.8, "Good"), (0.5, "Moderate"))  # they give the concept study's own labels
Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class ConceptAlignment:
    """How close together the words of each concept are; n words of c concepts in L languages.

    Values by concept are NaN where a concept has no pair of words in two languages; every aggregate is a mean of them.

    :param concepts: c ids, in order of first appearance; `languages` likewise, L codes.
    :param vectors: float32 [n, dim]: the vectors of the words.
    :param concept_of: int [n]: number of each word's concept; `language_of` likewise.
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
        return group_means(self.word_nearest, self.concept_of)

    @property
    def nearest_by_language(self) -> Floats:
        """The same by language: float64 [L]."""
        return group_means(self.word_nearest, self.language_of)

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
    """Return a label for a cosine or a score: Excellent above 0.9, Good above 0.8, Moderate above 0.5, else Poor."""
    return next((grade for limit, grade in GRADES if score > limit), "Poor")


def concept_alignment(
    embeddings: np.ndarray, concepts: Sequence[str], languages: Sequence[str], k: int = 3
) -> ConceptAlignment:
    """Measure how close together the words of each concept are across languages.

    :param embeddings: Unit vectors, float [n, dim], one for each of the n words.
    :param k: Number of nearest neighbours.
    :raises ValueError: If there are fewer than two concepts or languages, or fewer than k other vectors.
    """
    vectors = np.ascontiguousarray(embeddings, np.float32)
    (ids, concept_of), (codes, language_of) = number_names(concepts), number_names(languages)
    if len(ids) < 2 or len(codes) < 2:
        raise ValueError(f"needs two concepts and two languages, got {len(ids)} and {len(codes)}")
    if not 1 <= k < len(vectors):
        raise ValueError(f"k is {k}, but a word has {len(vectors) - 1} others; take a k from 1 to {len(vectors) - 1}")
    sums = _cell_sums(vectors, concept_of, language_of)
    counts = _cell_sums(np.ones(len(vectors)), concept_of, language_of)
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
        hits=_retrieve(vectors, concept_of, language_of),
        centroid_distance=centroid_distances(sums.sum(axis=0)),
        missing=dict(zip(codes, (counts == 0).sum(axis=0).tolist(), strict=True)),
    )


def csls_retrieval(alignment: ConceptAlignment) -> Floats:
    """Measure retrieval by CSLS instead of cosine, so that hubs lose their advantage: `hits`, float64 [c, L, L]."""
    return _retrieve(alignment.vectors, alignment.concept_of, alignment.language_of, by_csls=True)


def mean_without_nan(values: Floats, axis: int | tuple[int, ...]) -> Floats:
    """Return the mean of the values that are not NaN; NaN where there is none."""
    return np.asarray(np.ma.filled(np.ma.masked_invalid(values).mean(axis=axis), np.nan))


def number_names(names: Sequence[str]) -> tuple[tuple[str, ...], Numbers]:
    """Return the distinct names in order of first appearance, and the number of each name among them."""
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return tuple(numbers), np.array([numbers[name] for name in names])


def words_by_language(language_of: Numbers) -> list[Numbers]:
    """Return the positions of the words of each language."""
    return [np.flatnonzero(language_of == number) for number in range(language_of.max() + 1)]


def group_means(values: np.ndarray, group_of: Numbers) -> Floats:
    """Return the mean of the values of each group."""
    return np.bincount(group_of, values) / np.bincount(group_of)


def _cell_sums(values: np.ndarray, concept_of: Numbers, language_of: Numbers) -> Floats:
    """Add up the values of the words of each concept in each language: float64 [c, L, ...]."""
    sums = np.zeros((concept_of.max() + 1, language_of.max() + 1, *values.shape[1:]))
    np.add.at(sums, (concept_of, language_of), values)
    return sums


def _pairs(counts: Floats) -> Floats:
    """Return the number of pairs of words of each concept in two languages, [c, L, L]; 0 on the diagonal."""
    return counts[:, :, None] * counts[:, None, :] * ~np.eye(counts.shape[1], dtype=bool)


def _similarity(sums: Floats, counts: Floats) -> Floats:
    """Return the mean cosine of the pairs: the product of the sums of two languages is the sum of all products."""
    pairs = _pairs(counts)
    return np.where(pairs > 0, sums @ sums.transpose(0, 2, 1) / np.maximum(pairs, 1), np.nan)


def _retrieve(vectors: np.ndarray, concept_of: Numbers, language_of: Numbers, *, by_csls: bool = False) -> Floats:
    """Let the words of each language search for their concept among those of each other language: `hits` [c, L, L]."""
    members = words_by_language(language_of)
    found = np.zeros((len(vectors), len(members)))
    for a, b in itertools.permutations(range(len(members)), 2):
        asked, searched = members[a], members[b]
        queries, documents = vectors[asked], vectors[searched]
        if by_csls:
            queries, documents = csls_queries(queries), csls_documents(documents, queries)
        found[asked, b] = share_of_nearest(queries, documents, concept_of[asked], concept_of[searched])
    counts = _cell_sums(np.ones(len(found)), concept_of, language_of)
    sums = _cell_sums(found, concept_of, language_of)
    return np.where(_pairs(counts) > 0, sums / np.maximum(counts, 1)[:, :, None], np.nan)


def _different(sums: Floats, counts: Floats) -> Floats:
    """Return the mean cosine of a concept's words with all words of other concepts in other languages, in one pass."""
    everything, of_concept = sums.sum(axis=0), sums.sum(axis=1)
    products = np.einsum("cld,ld->c", sums, everything.sum(axis=0) - everything)
    products -= np.einsum("cd,cd->c", of_concept, of_concept) - np.einsum("cld,cld->c", sums, sums)  # its own
    pairs = counts @ (counts.sum() - counts.sum(axis=0)) - _pairs(counts).sum(axis=(1, 2))
    with np.errstate(invalid="ignore"):
        return np.asarray(products / pairs)


def centroid_distances(sums: Floats) -> Floats:
    """Return the distance between the mean vectors of languages, [..., L, L], from the sums of their words."""
    with np.errstate(invalid="ignore"):  # a bootstrap draw may hold no word of a language
        means = sums / np.linalg.norm(sums, axis=-1, keepdims=True)
    return np.asarray(1 - means @ np.swapaxes(means, -1, -2))
