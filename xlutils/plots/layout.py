"""Where the words of a map go: vectors laid out on a plane."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlutils.metrics.geometry import first_equal

LARGEST = 20_000  # words; more would take minutes and show as one blot
_LANDMARKS = 500  # points laid out with all their distances, the others among them; all 1,500 would take ten seconds
_FEWEST = 11  # points that PHATE needs to find neighbourhoods


def map_method(count: int) -> str:
    """Return the method that lays out so many points here: PHATE if it is installed, else PCA."""
    return "PHATE" if count >= _FEWEST and importlib.util.find_spec("phate") else "PCA"


def map_2d(vectors: NDArray[np.floating], seed: int = 42) -> NDArray[np.float64]:
    """Lay unit vectors, float [n, dim], out on a plane by PHATE or PCA: float64 [n, 2], centred, within [-1, 1].

    PHATE keeps neighbourhoods and the paths between them. Its licence is the GPL, so it is an extra.
    """
    from sklearn.decomposition import PCA

    data = np.asarray(vectors, np.float64)
    points = _phate(data, seed) if map_method(len(data)) == "PHATE" else PCA(2).fit_transform(data)
    points = points - points.mean(axis=0)
    return np.asarray(points / np.abs(points).max(), np.float64)


def _phate(data: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    import phate

    options = {"knn_dist": "cosine", "mds_solver": "smacof", "n_landmark": _LANDMARKS, "random_state": seed}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its dependencies warn of their own future
        return np.asarray(phate.PHATE(n_jobs=1, verbose=0, **options).fit_transform(data))


@dataclass(frozen=True)
class WordMap:
    """Words on a plane.

    :param words: n words; `concepts` and `languages` are theirs.
    :param points: float64 [n, 2].
    :param left_out: Number of words that were too many to show.
    """

    words: tuple[str, ...]
    concepts: tuple[str, ...]
    languages: tuple[str, ...]
    points: NDArray[np.float64]
    left_out: int

    @property
    def note(self) -> str:
        """How the map was made, in one line."""
        count = len(np.unique(self.points, axis=0))
        method = map_method(count)
        landmarks = f" from {_LANDMARKS} landmarks" if method == "PHATE" and count > _LANDMARKS else ""
        missing = "" if method == "PHATE" else f" (PHATE needs {_FEWEST} words and `pip install 'xlutils[maps]'`)"
        sample = f"; {self.left_out:,} words of other concepts are left out" if self.left_out else ""
        return f"laid out by {method}{landmarks}{missing}{sample}"

    def lines(self) -> NDArray[np.float64]:
        """Return lines from the first word of each concept to its others: [3 * lines, 2], NaN after each line."""
        first: dict[str, int] = {}
        pairs = [(first.setdefault(concept, row), row) for row, concept in enumerate(self.concepts)]
        gap = np.full(2, np.nan)
        corners = [(self.points[start], self.points[end], gap) for start, end in pairs if start != end]
        return np.array(corners, float).reshape(-1, 2)


def map_words(rows: Sequence[tuple[str, str, str]], vectors: NDArray[np.floating], seed: int = 42) -> WordMap:
    """Lay words out on a plane; words that have the same vector share one point.

    If there are more than `LARGEST`, a sample of the concepts is shown.

    :param rows: n rows of (concept, language, word).
    :param vectors: Their vectors, float [n, dim].
    :param seed: Seed of the layout and of the sample.
    """
    concepts = list(dict.fromkeys(concept for concept, _, _ in rows))
    if len(rows) > LARGEST:
        count = max(int(LARGEST / len(rows) * len(concepts)), 1)
        concepts = [concepts[place] for place in np.random.default_rng(seed).permutation(len(concepts))[:count]]
    shown = set(concepts)
    kept = [place for place, (concept, _, _) in enumerate(rows) if concept in shown]
    distinct, point_of_word = np.unique(first_equal(vectors[kept]), return_inverse=True)
    points = map_2d(vectors[kept][distinct], seed)
    names, languages, words = zip(*(rows[place] for place in kept), strict=True)
    return WordMap(words, names, languages, points[point_of_word], len(rows) - len(kept))
