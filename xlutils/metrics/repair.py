"""Repairs that need no training: vectors in, better aligned vectors out.

Centring and the removal of language components follow Libovický et al. (2020, arXiv:2004.05160), Yang et al.
(2021, arXiv:2109.04727: LIR) and Xie et al. (2022, arXiv:2401.05792: LSAR), rotations are those of `maps`, and CSLS
follows Conneau et al. (2018, arXiv:1710.04087). All take and return vectors of unit length by language; means and
directions are computed from vectors of the same kind, `fitted_on`, which may be the vectors to repair.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from xlutils.metrics.geometry import unit_rows
from xlutils.metrics.maps import rotation
from xlutils.metrics.neighbours import csls_documents, csls_queries

_LEAN = 0.01  # weight of no rotation at all, in units of the strongest direction
Spaces = Mapping[str, np.ndarray]  # by language, float32 [n, dim]


def centre(spaces: Spaces, fitted_on: Spaces) -> dict[str, np.ndarray]:
    """Subtract the mean of each language from its vectors."""
    return {code: unit_rows(vectors - fitted_on[code].mean(axis=0)) for code, vectors in spaces.items()}


def remove_components(spaces: Spaces, fitted_on: Spaces) -> dict[str, np.ndarray]:
    """Remove the strongest direction of each language from its vectors (LIR)."""
    return {code: _without(vectors, _directions(fitted_on[code])[:1]) for code, vectors in spaces.items()}


def remove_language_space(spaces: Spaces, fitted_on: Spaces) -> dict[str, np.ndarray]:
    """Remove the directions in which the means of two or more languages differ from all vectors (LSAR)."""
    means = np.stack([vectors.mean(axis=0) for vectors in fitted_on.values()])
    directions = _directions(means - means.mean(axis=0))[: len(means) - 1]
    return {code: _without(vectors, directions) for code, vectors in spaces.items()}


def _directions(vectors: np.ndarray) -> np.ndarray:
    """Return the orthogonal directions of vectors, the strongest first: [directions, dim]."""
    return np.asarray(np.linalg.svd(vectors, full_matrices=False)[2])


def _without(vectors: np.ndarray, directions: np.ndarray) -> np.ndarray:
    return unit_rows(vectors - vectors @ directions.T @ directions)


def rotate(spaces: Spaces, pairs: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, np.ndarray]:
    """Move each language onto English: mean onto mean, then by the best rotation (Procrustes).

    Directions about which the pairs say nothing are not rotated.

    :param spaces: Vectors by language; English, and languages without pairs, stay as they are.
    :param pairs: For each language, vectors of its texts and of their English translations, [n, dim] each.
    """
    return {code: _move(vectors, *pairs[code]) if code in pairs else vectors for code, vectors in spaces.items()}


def _move(vectors: np.ndarray, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    here, there = source.mean(axis=0, dtype=np.float64), target.mean(axis=0, dtype=np.float64)
    return unit_rows((vectors - here) @ rotation(source - here, target - there, _LEAN) + there)


def with_hubness(
    queries: Spaces, passages: Spaces, asked: np.ndarray, k: int = 10
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Add a dimension with which the dot product ranks passages as CSLS does; see `neighbours.csls_documents`.

    :param asked: Sample of queries with which the nearness of passages is measured, [n, dim].
    """
    return (
        {code: csls_queries(vectors) for code, vectors in queries.items()},
        {code: csls_documents(vectors, asked, k) for code, vectors in passages.items()},
    )
