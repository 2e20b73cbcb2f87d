"""Two-dimensional maps of vectors."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xlutils.metrics.geometry import first_equal

LARGEST = 20_000  # words; more would take minutes and show as one blot
_LANDMARKS = 500  # points laid out with all their distances, the others among them; with all, 1,500 take ten seconds
_FEWEST = 11  # points that PHATE needs to find neighbourhoods


def map_method(count: int) -> str:
    """Say how `map_2d` lays out so many points here: by PHATE where it is installed, else by PCA."""
    return "PHATE" if count >= _FEWEST and importlib.util.find_spec("phate") else "PCA"


def map_2d(vectors: np.ndarray, seed: int = 42) -> np.ndarray:
    """Lay vectors out on a plane.

    PHATE keeps neighbourhoods and the way between them. It is under the GPL and so an extra; without it the
    two main directions (PCA) are taken.

    :param vectors: Unit vectors, float [n, dim].
    :param seed: Seed of PHATE.
    :return: float64 [n, 2], centred, within [-1, 1].
    """
    data = np.asarray(vectors, np.float64)
    if map_method(len(data)) == "PHATE":
        import phate

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its dependencies warn of their own future
            operator = phate.PHATE(
                knn_dist="cosine", mds_solver="smacof", n_landmark=_LANDMARKS, random_state=seed, n_jobs=1, verbose=0
            )
            points = operator.fit_transform(data)
    else:
        centred = data - data.mean(axis=0)
        left, scale, _ = np.linalg.svd(centred, full_matrices=False)
        points = left[:, :2] * scale[:2]
        points *= np.sign(points[np.abs(points).argmax(axis=0), [0, 1]])  # a direction has no sign of its own
    points = points - points.mean(axis=0)
    scaled: np.ndarray = points / np.abs(points).max()
    return scaled


@dataclass(frozen=True)
class WordMap:
    """Words on a plane.

    :param words: n words.
    :param concepts: Their concepts.
    :param languages: Their languages.
    :param points: float64 [n, 2].
    :param left_out: Number of words that were too many to show.
    """

    words: tuple[str, ...]
    concepts: tuple[str, ...]
    languages: tuple[str, ...]
    points: np.ndarray
    left_out: int

    @property
    def note(self) -> str:
        """How the map was made, in one line."""
        count = len(np.unique(self.points, axis=0))
        method = map_method(count)
        landmarks = f" from {_LANDMARKS} landmarks" if method == "PHATE" and count > _LANDMARKS else ""
        missing = "" if method == "PHATE" else " (PHATE needs eleven words and `pip install 'xlutils[maps]'`)"
        sample = f"; {self.left_out:,} words of other concepts are left out" if self.left_out else ""
        return f"laid out by {method}{landmarks}{missing}{sample}"

    def lines(self) -> np.ndarray:
        """Lines from the first word of each concept to its others: float64 [3 * lines, 2], NaN after each line."""
        first: dict[str, int] = {}
        ends = [(first.setdefault(concept, row), row) for row, concept in enumerate(self.concepts)]
        joined = np.array([ends_ for ends_ in ends if ends_[0] != ends_[1]], int).reshape(-1, 2)
        gaps = np.full((len(joined), 1, 2), np.nan)
        lines: np.ndarray = np.concatenate([self.points[joined], gaps], axis=1).reshape(-1, 2)
        return lines


def map_words(
    rows: Sequence[tuple[str, str, str]], vectors: np.ndarray, seed: int = 42, largest: int = LARGEST
) -> WordMap:
    """Lay words out on a plane; words that have the same vector are one point.

    :param rows: n rows of (concept, language, word).
    :param vectors: Their vectors, float [n, dim].
    :param seed: Seed of the layout, and of the choice of concepts where there are too many.
    :param largest: Most words to lay out; above it a sample of the concepts is shown.
    """
    concepts = dict.fromkeys(concept for concept, _, _ in rows)
    share = largest / len(rows)
    if share < 1:
        chosen = np.random.default_rng(seed).permutation(len(concepts))[: max(int(share * len(concepts)), 1)]
        names = list(concepts)
        concepts = dict.fromkeys(names[place] for place in sorted(chosen))
    kept = [place for place, (concept, _, _) in enumerate(rows) if concept in concepts]
    distinct, point_of = np.unique(first_equal(vectors[kept]), return_inverse=True)
    points = map_2d(vectors[kept][distinct], seed)
    return WordMap(
        tuple(rows[place][2] for place in kept),
        tuple(rows[place][0] for place in kept),
        tuple(rows[place][1] for place in kept),
        points[point_of],
        len(rows) - len(kept),
    )
