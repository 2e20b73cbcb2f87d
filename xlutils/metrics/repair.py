"""Repairs that need no training: vectors in, better aligned vectors out.

Centring and the removal of language components follow Libovický et al. (2020, arXiv:2004.05160), Yang et al.
(2021, arXiv:2109.04727: LIR) and Xie et al. (2022, arXiv:2401.05792: LSAR), orthogonal maps Schönemann (1966),
CSLS Conneau et al. (2018, arXiv:1710.04087). All take and return vectors by language.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from xlutils.metrics.geometry import unit_rows

_LEAN = 0.01  # weight of no rotation at all, in units of the strongest direction
Spaces = Mapping[str, np.ndarray]  # by language, float32 [n, dim]


def centre(spaces: Spaces, fitted_on: Spaces) -> dict[str, np.ndarray]:
    """Subtract from each language its mean.

    :param spaces: Vectors of unit length.
    :param fitted_on: Vectors of the same kind that give the means; may be `spaces` itself.
    :return: Vectors of unit length.
    """
    return {code: unit_rows(vectors - fitted_on[code].mean(axis=0)) for code, vectors in spaces.items()}


def remove_components(spaces: Spaces, fitted_on: Spaces, count: int = 1) -> dict[str, np.ndarray]:
    """Remove from each language the directions in which its vectors lie most (LIR).

    :param spaces: Vectors of unit length.
    :param fitted_on: Vectors of the same kind that give the directions.
    :param count: Number of directions.
    """
    repaired = {}
    for code, vectors in spaces.items():
        directions = np.linalg.svd(fitted_on[code], full_matrices=False)[2][:count]
        repaired[code] = unit_rows(vectors - vectors @ directions.T @ directions)
    return repaired


def remove_language_space(spaces: Spaces, fitted_on: Spaces, count: int | None = None) -> dict[str, np.ndarray]:
    """Remove from all vectors the directions in which the means of the languages differ (LSAR).

    :param spaces: Vectors of unit length.
    :param fitted_on: Vectors of the same kind that give the means; two languages at least.
    :param count: Number of directions; one less than there are languages by default, which is all of them.
    """
    means = np.stack([vectors.mean(axis=0) for vectors in fitted_on.values()])
    directions = np.linalg.svd(means - means.mean(axis=0), full_matrices=False)[2][: count or len(means) - 1]
    return {code: unit_rows(vectors - vectors @ directions.T @ directions) for code, vectors in spaces.items()}


def rotate(spaces: Spaces, pairs: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, np.ndarray]:
    """Move each language onto English: from its mean to the English one, then by the best rotation (Procrustes).

    In the many directions on which a few hundred pairs say nothing, nothing is rotated.

    :param spaces: Vectors of unit length; English, and a language without pairs, stay as they are.
    :param pairs: By language: vectors of texts in it and of their translations into English, [n, dim] each.
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
    """Add a dimension with which the dot product ranks documents as CSLS does: near everything counts as far.

    CSLS is twice the cosine less the mean cosine of each side with its k nearest; the query's own part changes
    no order.

    :param queries: Vectors of unit length.
    :param passages: Vectors of unit length.
    :param asked: Sample of queries to measure the nearness of passages with, [n, dim].
    :param k: Number of nearest queries; no more than there are.
    :return: Queries and passages, [n, dim + 1], scaled so that scores stay in [-1, 1].
    """
    longer = {code: _append(vectors, np.ones(len(vectors))) for code, vectors in queries.items()}
    lowered = {}
    for code, vectors in passages.items():
        nearest = np.partition(vectors @ asked.T, -k, axis=1)[:, -k:].mean(axis=1)
        lowered[code] = _append(2 * vectors, -nearest)
    return longer, {code: vectors / 3 for code, vectors in lowered.items()}


def _append(vectors: np.ndarray, column: np.ndarray) -> np.ndarray:
    return np.column_stack([vectors, column]).astype(np.float32)
