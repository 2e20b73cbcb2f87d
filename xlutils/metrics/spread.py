"""The words of one language for Semantic Affinity: sums of their vectors, and how far apart they are."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from xlutils.metrics.alignment import number_names

Floats = NDArray[np.float64]


class Column:
    """One language: its vectors, and which of them each concept uses."""

    def __init__(self, vectors: np.ndarray, cells: Sequence[tuple[str, ...]], language: str) -> None:
        words, self.word_of = number_names(list(itertools.chain.from_iterable(cells)))
        if len(words) < 2:
            raise ValueError(f"language {language} has {len(words)} words; it needs two to have a spread")
        if len(vectors) != len(words):
            raise ValueError(f"language {language} has {len(words)} distinct words, but {len(vectors)} vectors")
        self.vectors, self.language = np.asarray(vectors), language
        self.sizes = np.array([len(cell) for cell in cells])
        self.ends = np.concatenate([[0], np.cumsum(self.sizes)])
        self.is_new = np.diff(np.maximum.accumulate(self.word_of), prepend=-1) > 0  # words are numbered as they appear

    def sums(self, rows: slice) -> tuple[Floats, Floats, Floats]:
        """Read the vectors of a block of b concepts.

        :return: Mean unit vector of each concept's words [b, dim], zero where it has none; sum of the unit vectors of
            the words that appear here first [dim]; and the lengths of those words' vectors.
        """
        ends = self.ends[rows.start : rows.stop + 1]
        used = slice(ends[0], ends[-1])
        words = self.word_of[used]
        in_order = len(words) > 0 and bool((np.diff(words) == 1).all())  # then a slice saves a copy
        unit = self.vectors[slice(words[0], words[-1] + 1) if in_order else words].astype(np.float64)
        lengths = np.sqrt(np.vecdot(unit, unit))
        if not (np.isfinite(lengths).all() and (lengths > 0).all()):
            raise ValueError(f"a vector of language {self.language} is zero or not finite")
        unit /= lengths[:, None]
        sizes, is_new = self.sizes[rows], self.is_new[used]
        total, new_lengths = is_new @ unit, lengths[is_new]
        if (sizes == 1).all():
            return unit, total, new_lengths
        weights = 1 / np.repeat(sizes, sizes), np.arange(len(unit)), ends - ends[0]
        return csr_array(weights, shape=(len(sizes), len(unit))) @ unit, total, new_lengths

    def influence(self, total: Floats, lengths: Floats) -> tuple[float, Floats]:
        """Return the mean distance between the distinct words, and each concept's contribution to it [c].

        A word contributes the mean, plus twice the amount by which its own mean distance exceeds it.

        :param total: Sum of the unit vectors of all words, [dim].
        :param lengths: Lengths of all vectors, [words].
        """
        count, concepts = len(lengths), len(self.sizes)
        intra = float(1 - (total @ total - count) / (count * (count - 1)))
        cosines = (self.vectors @ total.astype(self.vectors.dtype)) / lengths
        distances = 1 - (cosines - 1) / (count - 1)
        concept_of = np.repeat(np.arange(concepts), self.sizes)[self.is_new]
        excess = np.bincount(concept_of, distances - distances.mean(), minlength=concepts)
        return intra, intra + 2 * excess * concepts / count
