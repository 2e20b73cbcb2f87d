"""Semantic Affinity in closed form against all pairs (scipy's pdist), and against one pass over the data.

python benchmarks/affinity.py
"""

from __future__ import annotations

import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from common import Line, added_mib, growth, in_turn, run, timed, times_as_fast, times_the_limit
from scipy.spatial.distance import pdist

from xlutils.metrics.affinity import semantic_affinity

AREA = "Semantic Affinity"
LANGUAGES, DIM = 8, 768
Spaces = dict[str, np.ndarray]


@dataclass(frozen=True)
class Table:
    """A lexicon with one word a cell."""

    concepts: tuple[str, ...]
    cells: dict[str, tuple[tuple[str, ...], ...]]


def make_table(concepts: int) -> Table:
    """Make the words of so many concepts."""
    cells: dict[str, tuple[tuple[str, ...], ...]]
    cells = {code: tuple((f"{code} {row}",) for row in range(concepts)) for code in codes()}
    return Table(tuple(f"c{row}" for row in range(concepts)), cells)


def make_spaces(concepts: int) -> Spaces:
    """Make vectors of which a concept's words share a direction: float32 [concepts, dim] a language."""
    rng = np.random.default_rng(0)
    meaning = rng.standard_normal((concepts, DIM), np.float32)
    return {code: meaning + rng.standard_normal((concepts, DIM), np.float32) for code in codes()}


def codes() -> list[str]:
    """Name the languages."""
    return [f"l{number}" for number in range(LANGUAGES)]


def lengths(spaces: Spaces) -> None:
    """Pass over all vectors once."""
    for space in spaces.values():
        for start in range(0, len(space), 10_000):
            np.linalg.norm(space[start : start + 10_000], axis=1)


def against_all_pairs() -> Line:
    """Hold the closed form against pdist, a language at a time."""
    spaces, table = make_spaces(4_000), make_table(4_000)
    intra, pairs = [], []
    for space in spaces.values():
        ours = statistics.median(timed(lambda: semantic_affinity(spaces, table)) for _ in range(5))
        theirs = timed(lambda space=space: intra.append(pdist(space, "cosine").mean()))  # type: ignore[misc]
        pairs.append((ours, theirs * LANGUAGES))
    inter = np.mean([pdist(words, "cosine").mean() for words in np.stack(list(spaces.values()), axis=1)])
    difference = abs(semantic_affinity(spaces, table).sa - 1 / (1 + inter / np.mean(intra)))
    note = f"the results differ by {difference:.0e}; the time of pdist is that of a language times {LANGUAGES}"
    return times_as_fast(AREA, "4,000 concepts, 8 languages", "scipy's pdist", pairs, 500, note=note)


def against_one_pass() -> list[Line]:
    """Hold time and memory against the data themselves."""
    sizes, times = (5_000, 10_000, 20_000, 40_000), []
    for size in sizes:
        spaces, table = make_spaces(size), make_table(size)
        times.append(min(timed(lambda: semantic_affinity(spaces, table)) for _ in range(3)))  # noqa: B023
    pairs = in_turn(lambda: semantic_affinity(spaces, table), lambda: lengths(spaces), 7)
    added, held = added_mib(lambda: semantic_affinity(spaces, table)), sum(s.nbytes for s in spaces.values()) / 2**20
    what = f"{sizes[-1]:,} concepts, 8 languages"
    note = f"time grows as size^{growth(sizes, times):.2f}"
    return [
        times_the_limit(AREA, what, "one pass of numpy's norm", pairs, 5, note=note),
        Line(AREA, what, "the memory of the vectors", (1 + added / held,), True, 1.5, mib=added),
    ]


def streamed() -> Line:
    """Measure vectors that lie in files."""
    count = 100_000
    with tempfile.TemporaryDirectory() as folder:
        rng = np.random.default_rng(0)
        spaces: Spaces = {}
        for code in codes():
            np.save(Path(folder, code), rng.standard_normal((count, DIM), np.float32))
            spaces[code] = np.load(Path(folder, f"{code}.npy"), mmap_mode="r")
        table = make_table(count)
        pairs = in_turn(lambda: semantic_affinity(spaces, table), lambda: lengths(spaces), 3)
        added = added_mib(lambda: semantic_affinity(spaces, table))
        size = sum(space.nbytes for space in spaces.values()) / 2**30
    note = f"vectors of {size:.1f} GiB stay in their files"
    return times_the_limit(AREA, f"{count:,} concepts, 8 languages", "one pass of numpy's norm over the same files",
                           pairs, mib=added, note=note)  # fmt: skip


def measure() -> list[Line]:
    """Measure all."""
    return [against_all_pairs(), *against_one_pass(), streamed()]


if __name__ == "__main__":
    run(measure, __doc__)
