"""The sums behind Semantic Affinity: one pass over the vectors of each language, a block at a time."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

_BLOCK = 128  # concepts at a time: a few megabytes, which stay in the processor's cache


class Column:
    """One language: its vectors, and which of them each concept uses."""

    def __init__(self, vectors: np.ndarray, cells: Sequence[tuple[str, ...]], language: str) -> None:
        used = list(itertools.chain.from_iterable(cells))
        count = len(set(used))
        if count < 2:
            raise ValueError(f"language {language} has {count} words; it needs two to have a spread")
        if len(vectors) != count:
            raise ValueError(f"language {language} has {count} distinct words, but {len(vectors)} vectors")
        self.vectors = np.asarray(vectors)
        self.language = language
        self.sizes = np.fromiter(map(len, cells), int, len(cells))
        self.lengths = np.ones(count)  # of the vectors; `fill` finds them
        self.one_word_each = len(used) == len(cells) == count and bool((self.sizes == 1).all())
        if not self.one_word_each:
            numbers = {word: number for number, word in enumerate(dict.fromkeys(used))}
            self.uses = np.array([numbers[word] for word in used])
            self.ends = np.cumsum(self.sizes)
            highest = np.maximum.accumulate(np.concatenate([[-1], self.uses]))
            self.is_new = self.uses > highest[:-1]  # words are numbered in order of appearance

    def fill(self, block: np.ndarray, start: int, stop: int) -> np.ndarray | float:
        """Write what stands for each concept in this language into a block.

        :param block: float64 [stop - start, dim]; it gets the mean unit vector of a concept's alternatives,
            zero where it has none, or, where each concept has its one word, the vectors as they are.
        :return: Sum of the unit vectors of words that are new, [dim]; 0 in the last case.
        """
        if self.one_word_each:
            block[:] = self.vectors[start:stop]
            return 0.0
        sizes = self.sizes[start:stop]
        part = slice(self.ends[start] - sizes[0], self.ends[stop - 1])
        unit = self.vectors[self.uses[part]].astype(np.float64)
        lengths = self.checked(np.sqrt(np.einsum("nd,nd->n", unit, unit)))
        self.lengths[self.uses[part]] = lengths
        unit /= lengths[:, None]
        block[:] = 0
        np.add.at(block, np.repeat(np.arange(len(sizes)), sizes), unit)
        block /= np.maximum(sizes, 1)[:, None]
        new: np.ndarray = self.is_new[part] @ unit
        return new

    def checked(self, lengths: np.ndarray) -> np.ndarray:
        """Refuse vectors of length zero and what is no number."""
        if not (np.isfinite(lengths).all() and (lengths > 0).all()):
            raise ValueError(f"a vector of language {self.language} is zero or not finite")
        return lengths

    def mean_distance(self, total: np.ndarray) -> float:
        """Mean cosine distance over all pairs of distinct words, from the sum of their unit vectors."""
        count = len(self.vectors)
        return float(1 - (total @ total - count) / (count * (count - 1)))

    def spread(self, total: np.ndarray) -> np.ndarray:
        """Say what each concept adds to the mean distance, to first order: float64 [c].

        A word adds twice its own mean distance to the others, less the mean; it counts where it appears first.
        """
        count, concepts = len(self.vectors), len(self.sizes)
        with np.errstate(invalid="ignore"):  # on short vectors OpenBLAS may look at what lies beside them, and complain
            cosines = (self.vectors @ total.astype(self.vectors.dtype)) / self.lengths
        distances = 1 - (cosines - 1) / (count - 1)
        mean = distances.mean()
        first = np.arange(concepts) if self.one_word_each else np.repeat(np.arange(concepts), self.sizes)[self.is_new]
        added = np.bincount(first, distances - mean, minlength=concepts)
        spread: np.ndarray = self.mean_distance(total) + 2 * added * concepts / count
        return spread


def add_range(columns: Sequence[Column], cosines: np.ndarray, first: int, last: int) -> np.ndarray:
    """Fill in the mean cosines of a range of concepts: `cosines[first:last]`.

    :return: For each language the sum of the unit vectors of the words that are new in this range, [L, dim].
    """
    totals = np.zeros((len(columns), columns[0].vectors.shape[1]))
    buffer = np.empty((_BLOCK, *totals.shape))
    half = len(columns) // 2  # a product with itself goes to a routine that is slow on small matrices; a half does not
    halves = (slice(0, half), slice(half, None))
    for start in range(first, last, _BLOCK):
        stop = min(start + _BLOCK, last)
        block = buffer[: stop - start]
        for number, column in enumerate(columns):
            totals[number] += column.fill(block[:, number], start, stop)
        products = cosines[start:stop]
        with np.errstate(invalid="ignore"):  # infinite vectors are refused below, in words
            for rows in halves:
                np.matmul(block[:, rows], block.transpose(0, 2, 1), out=products[:, rows])
        for number, column in enumerate(columns):
            if column.one_word_each:  # the block holds its vectors as they came: their lengths are in the products
                lengths = column.checked(np.sqrt(products[:, number, number]))
                column.lengths[start:stop] = lengths
                totals[number] += (1 / lengths) @ block[:, number]
                products[:, number] /= lengths[:, None]
                products[:, :, number] /= lengths[:, None]
    return totals
