"""How well translations sit together, at the level of single concepts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Discriminability:
    """How near a concept's words are to each other and to all the others, across languages.

    :param concepts: c ids, in order of first appearance.
    :param same: float64 [c]: mean cosine between the words of a concept in two languages; NaN where
        a concept has words in one language only.
    :param different: float64 [c]: mean cosine between a word of the concept and the words of other
        concepts in other languages.
    """

    concepts: tuple[str, ...]
    same: np.ndarray
    different: np.ndarray

    @property
    def gap(self) -> np.ndarray:
        """How much nearer a translation is than an unrelated word, by concept: float64 [c]."""
        gap: np.ndarray = self.same - self.different
        return gap


def discriminability(embeddings: np.ndarray, concepts: Sequence[str], languages: Sequence[str]) -> Discriminability:
    """Compare, for each concept, its own words in other languages with the words of other concepts.

    The sum of all dot products between two sets of vectors is the dot product of their sums, so one
    pass over the data is enough and no n x n matrix is built.

    :param embeddings: Unit vectors, float [n, dim].
    :param concepts: n concept ids.
    :param languages: n language codes.
    :return: Values by concept.
    """
    vectors = np.asarray(embeddings, np.float64)
    ids = tuple(dict.fromkeys(concepts))
    row = {concept: number for number, concept in enumerate(ids)}
    column = {language: number for number, language in enumerate(dict.fromkeys(languages))}
    place = np.array([row[concept] for concept in concepts]), np.array([column[language] for language in languages])

    sums = np.zeros((len(ids), len(column), vectors.shape[1]))  # of the words of a concept in a language
    np.add.at(sums, place, vectors)
    counts = np.zeros((len(ids), len(column)))
    np.add.at(counts, place, 1)

    of_concept, of_language = sums.sum(axis=1), sums.sum(axis=0)
    elsewhere = of_language.sum(axis=0) - of_language  # words of all other languages, by language
    same = np.square(of_concept).sum(axis=1) - np.square(sums).sum(axis=(1, 2))
    every = np.einsum("cld,ld->c", sums, elsewhere)
    same_pairs = np.square(counts.sum(axis=1)) - np.square(counts).sum(axis=1)
    every_pairs = counts @ (len(vectors) - counts.sum(axis=0))
    with np.errstate(invalid="ignore"):  # 0 / 0: no such pair, hence NaN
        return Discriminability(ids, same / same_pairs, (every - same) / (every_pairs - same_pairs))
