"""Linear maps from one space of vectors to another, fitted on pairs of texts.

Closed forms come first: means, the orthogonal map of Schönemann (1966) and ridge regression. A multilingual space is
nearly aligned already, so a map that is fitted on few pairs should change little: "shrunk" ones are drawn towards the
identity, by as much as the pairs themselves ask for.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from xlutils.metrics.geometry import unit_rows

Method = Literal["shift", "procrustes", "procrustes-shrunk", "ridge", "ridge-shrunk", "low-rank"]
METHODS: tuple[Method, ...] = get_args(Method)
_STRENGTHS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0, 100.0)  # of a ridge, in units of the strongest direction
_LEANS = (0.01, 0.03, 0.1, 0.3, 1.0, 10.0)  # of a rotation
_FOLDS = 2
_RANK = 16
_FILE = "map.safetensors"
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LinearMap:
    """A map of vectors: times a matrix, plus an offset, then to unit length.

    :param matrix: float32 [dim, new dim].
    :param offset: float32 [new dim].
    :param method: How it was fitted.
    :param strength: How much it was drawn towards the identity, or towards zero; 0 for not at all.
    :param pairs: Number of pairs that it was fitted on.
    """

    matrix: NDArray[np.float32]
    offset: NDArray[np.float32]
    method: str = "identity"
    strength: float = 0.0
    pairs: int = 0

    def apply(self, vectors: np.ndarray) -> NDArray[np.float32]:
        """Map unit vectors, float [n, dim]: unit vectors, float32 [n, new dim].

        :raises ValueError: If they have other dimensions than the vectors that the map was fitted on.
        """
        if vectors.shape[-1] != len(self.matrix):
            raise ValueError(f"the map takes vectors of {len(self.matrix)} dimensions, not {vectors.shape[-1]}")
        return unit_rows(vectors @ self.matrix + self.offset)

    def partly(self, share: float) -> LinearMap:
        """Return the way from no map at all, with a share of 0, to this one, with a share of 1."""
        matrix = share * self.matrix + (1 - share) * identity(len(self.matrix), len(self.offset)).matrix
        return replace(self, matrix=matrix.astype(np.float32), offset=np.float32(share) * self.offset)

    def save(self, folder: str | Path) -> Path:
        """Write the map into a folder, and return the path of its file."""
        from safetensors.numpy import save_file

        path = Path(folder) / _FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        about = {name: getattr(self, name) for name in ("method", "strength", "pairs")}
        tensors = {"matrix": np.ascontiguousarray(self.matrix), "offset": self.offset}
        save_file(tensors, path, {"about": json.dumps(about)})  # one entry: several are written in any order
        return path


def load_map(folder: str | Path) -> LinearMap:
    """Read a map that was saved into a folder."""
    from safetensors import safe_open

    path = Path(folder) / _FILE
    if not path.is_file():
        raise FileNotFoundError(f"no map in {folder}: {_FILE} is missing")
    with safe_open(path, framework="numpy") as file:
        about = json.loads(file.metadata()["about"])
        return LinearMap(file.get_tensor("matrix"), file.get_tensor("offset"), **about)


def identity(dim: int, new_dim: int | None = None) -> LinearMap:
    """Return the map that changes nothing; vectors of other dimensions are cut, or filled up with zeros."""
    new_dim = dim if new_dim is None else new_dim
    return LinearMap(np.eye(dim, new_dim, dtype=np.float32), np.zeros(new_dim, np.float32))


def fit_map(source: np.ndarray, target: np.ndarray, method: Method = "ridge-shrunk", seed: int = 42) -> LinearMap:
    """Fit a map that takes each vector to its partner.

    - shift: no matrix; the mean of one side is moved onto that of the other;
    - procrustes: orthogonal;
    - procrustes-shrunk: orthogonal, drawn towards the identity;
    - ridge: any matrix, drawn towards zero;
    - ridge-shrunk: any matrix, drawn towards the identity;
    - low-rank: procrustes-shrunk, and a ridge of a few dimensions on what is left.

    How much to draw is chosen on the pairs: each one is predicted by a map that was fitted without it.

    :param source: Unit vectors, float [n, dim].
    :param target: Their partners, float [n, new dim].
    :param seed: Seed of the parts into which the pairs are split.
    :raises ValueError: If there is no pair, or one where a matrix is fitted, or if a map cannot be drawn towards the
        identity because there is none between the dimensions.
    """
    if method not in METHODS:
        raise ValueError(f"a map is fitted by one of {', '.join(METHODS)}, not {method}")
    if len(source) != len(target) or len(source) < (1 if method == "shift" else 2):
        raise ValueError(
            f"{method} needs pairs, at least {1 if method == 'shift' else 2}: got {len(source)} and {len(target)}"
        )
    dims = source.shape[1], target.shape[1]
    if dims[0] != dims[1] and method not in ("procrustes", "ridge"):
        raise ValueError(f"{method} needs equal dimensions, not {dims[0]} and {dims[1]}: use ridge or procrustes")
    here, there = source.mean(axis=0, dtype=np.float64), target.mean(axis=0, dtype=np.float64)
    one, other = source - here, target - there
    strength = 0.0
    if method == "shift":
        matrix = np.eye(*dims)
    elif method == "procrustes":
        matrix = rotation(one, other)
    elif method == "procrustes-shrunk":
        strength = _best_strength(one, other, seed)
        matrix = rotation(one, other, strength)
    elif method == "low-rank":
        strength = _best_strength(one, other, seed)
        matrix = rotation(one, other, strength)
        rest, _ = ridge(one, other - one @ matrix)
        strongest = np.linalg.svd(one @ rest, full_matrices=False)[2][:_RANK]
        matrix = matrix + rest @ strongest.T @ strongest
    else:
        base = np.eye(*dims) if method == "ridge-shrunk" else np.zeros(dims)
        rest, strength = ridge(one, other - one @ base)
        matrix = base + rest
    offset = there - here @ matrix
    return LinearMap(matrix.astype(np.float32), offset.astype(np.float32), method, strength, len(source))


def rotation(one: np.ndarray, other: np.ndarray, strength: float = 0.0) -> Floats:
    """Return the orthogonal matrix that takes vectors nearest to their partners (Procrustes), float64 [dim, new dim].

    :param one: Centred vectors, float [n, dim]; `other` likewise, [n, new dim].
    :param strength: Weight of no rotation at all, in units of the strongest direction that the pairs share.
    """
    product = np.asarray(one, np.float64).T @ other
    if strength:
        product = product + strength * np.linalg.norm(product, 2) * np.eye(*product.shape)
    left, _, right = np.linalg.svd(product, full_matrices=False)
    return np.asarray(left @ right)


def ridge(one: np.ndarray, other: np.ndarray) -> tuple[Floats, float]:
    """Return the matrix that predicts vectors from others with a ridge, and how strong it is.

    The strength is the one whose predictions are best when each pair is left out in turn, which has a closed form.

    :param one: Centred vectors, float [n, dim]; `other` likewise, [n, new dim].
    """
    left, values, right = np.linalg.svd(np.asarray(one, np.float64), full_matrices=False)
    largest = values[0]  # 0 if all sources are the same
    known = values > max(1e-9 * largest, 1e-12)  # the rest is rounding
    left, values, right = left[:, known], values[known], right[known]
    inside = left.T @ other
    errors = []
    for strength in _STRENGTHS:
        kept = values**2 / (values**2 + strength * largest**2)
        leverage = left**2 @ kept + 1 / len(one)  # the mean is estimated, too
        residuals = (other - left @ (kept[:, None] * inside)) / np.maximum(1 - leverage, 1e-9)[:, None]
        errors.append((residuals**2).sum())
    best = _strongest_of_best(_STRENGTHS, errors)
    weights = values / (values**2 + best * largest**2)
    return np.asarray(right.T @ (weights[:, None] * inside)), best


def _best_strength(one: np.ndarray, other: np.ndarray, seed: int) -> float:
    """Return the strength whose rotations, fitted on one half of the pairs, predict the other half best."""
    part_of = np.random.default_rng(seed).permutation(len(one)) % _FOLDS
    errors = np.zeros(len(_LEANS))
    for part in range(_FOLDS):
        fitted, tested = part_of != part, part_of == part
        here, there = one[fitted].mean(axis=0), other[fitted].mean(axis=0)
        for number, strength in enumerate(_LEANS):
            matrix = rotation(one[fitted] - here, other[fitted] - there, strength)
            errors[number] += ((other[tested] - there - (one[tested] - here) @ matrix) ** 2).sum()
    return _strongest_of_best(_LEANS, errors)


def _strongest_of_best(strengths: Sequence[float], errors: Sequence[float] | Floats) -> float:
    """Return the strength with the smallest error, and the strongest of those that only rounding tells apart."""
    level = (1 + 1e-9) * min(errors)
    return max(strength for strength, error in zip(strengths, errors, strict=True) if error <= level)
