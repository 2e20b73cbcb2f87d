"""Repairs that need no training: vectors in, better aligned vectors out.

Centring and the removal of language components follow Libovický et al. (2020, arXiv:2004.05160), Yang et al.
(2021, arXiv:2109.04727: LIR) and Xie et al. (2022, arXiv:2401.05792: LSAR), orthogonal maps follow Schönemann (1966),
and CSLS follows Conneau et al. (2018, arXiv:1710.04087). All take and return vectors by language.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from xlutils.metrics.geometry import unit_rows
from xlutils.metrics.neighbours import csls

_LEAN = 0.01  # weight of no rotation at all, in units of the strongest direction
Spaces = Mapping[str, np.ndarray]  # by language, float32 [n, dim]


def centre(spaces: Spaces, fitted_on: Spaces) -> dict[str, np.ndarray]:
    """Subtract the mean of each language from its vectors.

    :param spaces: Vectors of unit length.
    :param fitted_on: Vectors of the same kind from which the means are computed; may be `spaces` itself.
    :return: Vectors of unit length.
    """
    return {code: unit_rows(vectors - fitted_on[code].mean(axis=0)) for code, vectors in spaces.items()}


def remove_components(spaces: Spaces, fitted_on: Spaces, count: int = 1) -> dict[str, np.ndarray]:
    """Remove the strongest directions of each language from its vectors (LIR).

    :param spaces: Vectors of unit length.
    :param fitted_on: Vectors of the same kind from which the directions are computed.
    :param count: Number of directions.
    """
    repaired = {}
    for code, vectors in spaces.items():
        directions = np.linalg.svd(fitted_on[code], full_matrices=False)[2][:count]
        repaired[code] = unit_rows(vectors - vectors @ directions.T @ directions)
    return repaired


def remove_language_space(spaces: Spaces, fitted_on: Spaces, count: int | None = None) -> dict[str, np.ndarray]:
    """Remove the directions in which the means of the languages differ from all vectors (LSAR).

    :param spaces: Vectors of unit length.
    :param fitted_on: Vectors of the same kind, in at least two languages, from which the means are computed.
    :param count: Number of directions; by default all of them, one fewer than there are languages.
    """
    means = np.stack([vectors.mean(axis=0) for vectors in fitted_on.values()])
    directions = np.linalg.svd(means - means.mean(axis=0), full_matrices=False)[2][: count or len(means) - 1]
    return {code: unit_rows(vectors - vectors @ directions.T @ directions) for code, vectors in spaces.items()}


def rotate(spaces: Spaces, pairs: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, np.ndarray]:
    """Move each language onto English: mean onto mean, then by the best rotation (Procrustes).

    Directions about which the pairs say nothing are not rotated.

    :param spaces: Vectors of unit length; English, and languages without pairs, stay as they are.
    :param pairs: For each language, vectors of its texts and of their English translations, [n, dim] each.
    :return: Vectors of unit length.
    """
    repaired = {}
    for code, vectors in spaces.items():
        repaired[code] = vectors
        if code in pairs:
            source, target = (side.astype(np.float64) for side in pairs[code])
            here, there = source.mean(axis=0), target.mean(axis=0)
            product = (source - here).T @ (target - there)
            lean = _LEAN * np.linalg.norm(product, 2) * np.eye(len(product))
            left, _, right = np.linalg.svd(product + lean)
            repaired[code] = unit_rows((vectors - here) @ (left @ right) + there)
    return repaired


def with_hubness(
    queries: Spaces, passages: Spaces, asked: np.ndarray, k: int = 10
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Add a dimension with which the dot product ranks documents as CSLS does; see `neighbours.csls`.

    :param queries: Vectors of unit length.
    :param passages: Vectors of unit length.
    :param asked: Sample of queries with which the nearness of passages is measured, [n, dim].
    :param k: Number of nearest queries.
    :return: Queries and passages, [n, dim + 1], scaled so that scores stay in [-1, 1].
    """
    every_query = np.concatenate(list(queries.values()))
    every_passage = np.concatenate(list(passages.values()))
    longer, lowered = csls(every_query, every_passage, asked, k)
    return _split_like(queries, longer), _split_like(passages, lowered)


def _split_like(spaces: Spaces, vectors: np.ndarray) -> dict[str, np.ndarray]:
    ends = np.cumsum([len(space) for space in spaces.values()])
    return dict(zip(spaces, np.split(vectors, ends[:-1]), strict=True))
