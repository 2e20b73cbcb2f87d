"""Geometry of a space of vectors: whether meaning or language orders it, and how much of it is used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xlutils.metrics.alignment import group_means, number_names
from xlutils.metrics.blocks import blas

_EQUAL = 1e-5  # vectors that differ by less in every number are the same
_FOLDS = 5
_LARGE = 5000  # silhouettes compare every pair; above this many vectors a sample of concepts is taken


@dataclass(frozen=True)
class LanguageProbe:
    """How well a linear classifier recognises the language of a vector.

    :param accuracy: Share of each concept's words whose language was recognised, float64 [c].
    :param chance: Share of the most frequent language, which is the accuracy of guessing.
    """

    accuracy: np.ndarray
    chance: float


def language_probe(
    embeddings: np.ndarray, concepts: Sequence[str], languages: Sequence[str], seed: int = 42
) -> LanguageProbe:
    """Train a logistic regression to name the language, and test it on unseen concepts.

    :param embeddings: Unit vectors, float [n, dim], with n concepts and languages.
    :return: Accuracy by concept, in order of first appearance.
    :raises ValueError: If there is only one concept.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_predict

    vectors, spoken = np.asarray(embeddings, np.float64), np.asarray(languages)
    ids, concept_of = number_names(concepts)
    if len(ids) < 2:
        raise ValueError("the language probe needs two concepts, one to learn from and one to be tested on")
    folds = GroupKFold(min(_FOLDS, len(ids)), shuffle=True, random_state=seed)
    probe = LogisticRegression(C=10.0, max_iter=2000)
    with blas().limit(limits=1):  # products so small that more threads only wait for each other
        guessed = cross_val_predict(probe, vectors - vectors.mean(axis=0), spoken, groups=concept_of, cv=folds)
    chance = np.unique(spoken, return_counts=True)[1].max() / len(spoken)
    return LanguageProbe(group_means(guessed == spoken, concept_of), float(chance))


def silhouettes(
    embeddings: np.ndarray, concepts: Sequence[str], languages: Sequence[str], seed: int = 42
) -> tuple[np.ndarray, np.ndarray]:
    """Measure whether vectors cluster by concept or by language.

    :param embeddings: Unit vectors, float [n, dim], with n concepts and languages.
    :param seed: Seed of the sample of concepts, which is taken if there are more than 5,000 vectors.
    :return: Silhouettes by concept and by language (cosine), float64 [n] each, in [-1, 1]: near 1 for tight
        and separate clusters, near 0 if there are none; NaN for vectors outside the sample.
    """
    from sklearn.metrics import silhouette_samples

    vectors, labels = np.asarray(embeddings), np.array([concepts, languages])
    chosen = np.ones(len(vectors), bool)
    if len(vectors) > _LARGE:
        ids = np.unique(labels[0])
        count = max(int(len(ids) * (_LARGE / len(vectors))), 2)
        chosen = np.isin(labels[0], np.random.default_rng(seed).choice(ids, count, replace=False))
    by_concept, by_language = np.full(labels.shape, np.nan)
    for values, label in ((by_concept, labels[0]), (by_language, labels[1])):
        values[chosen] = silhouette_samples(vectors[chosen], label[chosen], metric="cosine")
    return by_concept, by_language


def first_equal(vectors: np.ndarray) -> np.ndarray:
    """Return for each vector, float [n, dim], the position of the first vector that equals it, int [n].

    Words that a model cannot read become the same unknown token, and so the same vector.
    """
    data = np.asarray(vectors, np.float64)
    direction = np.random.default_rng(0).standard_normal(data.shape[1])
    places = data @ direction  # equal for equal vectors, and very unlikely to be equal by chance for others
    order = np.argsort(places, kind="stable")
    apart = np.diff(places[order]) > _EQUAL * np.abs(direction).sum()
    first = np.arange(len(data))
    for run in np.split(order, np.flatnonzero(apart) + 1):
        waiting = np.sort(run)
        while len(waiting) > 1:
            same = (np.abs(data[waiting] - data[waiting[0]]) < _EQUAL).all(axis=1)
            first[waiting[same]] = waiting[0]
            waiting = waiting[~same]
    return first


def random_cosine(vectors: np.ndarray) -> float:
    """Return the mean cosine of two different vectors, in one pass; near 1 if all are in a narrow cone or one point.

    :param vectors: float32 [n, dim], unit length, at least two.
    """
    count = len(vectors)
    return float((np.sum(vectors.sum(axis=0, dtype=np.float64) ** 2) - count) / (count * (count - 1)))


def translation_gap(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return how much nearer each text is to its translation than to other texts of that language: float64 [n].

    The cosine of a pair, minus the mean cosine of either text with the other side's texts that translate another one.

    :param one: Unit vectors, float [n, dim], at least two; `other` likewise, the translation of each in the same row.
    """
    one, other = np.asarray(one, np.float64), np.asarray(other, np.float64)
    right = np.vecdot(one, other)
    wrong = (one @ other.sum(axis=0) + other @ one.sum(axis=0) - 2 * right) / (2 * (len(one) - 1))
    return np.asarray(right - wrong)


def effective_rank(vectors: np.ndarray) -> float:
    """Return the number of directions really used: exp of the entropy of the spectrum (Roy and Vetterli, 2007).

    :param vectors: float32 [n, dim].
    :return: From 1 (a line through the mean, or one point) to the smaller of n - 1 and dim.
    """
    from scipy.stats import entropy

    centred = vectors - vectors.mean(axis=0, dtype=np.float64)
    spectrum = np.linalg.svd(centred, compute_uv=False)
    if spectrum.sum() <= np.finfo(np.float32).eps * len(spectrum):
        return 1.0
    return float(np.exp(entropy(spectrum)))


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Scale vectors to unit length, float32 [n, dim]; a vector of zeros stays as it is."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(norms > 0, norms, 1), np.float32)
