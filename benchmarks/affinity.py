"""Semantic Affinity in closed form against all pairs (scipy's pdist), and against one pass over the data.

python benchmarks/affinity.py
"""

from __future__ import annotations

import itertools
import resource
import time
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import pdist

from xlutils.metrics.affinity import semantic_affinity

LANGUAGES, DIM = 8, 768


@dataclass(frozen=True)
class Table:
    """A lexicon with one word a cell."""

    concepts: tuple[str, ...]
    cells: dict[str, tuple[tuple[str, ...], ...]]


def make_data(concepts: int) -> tuple[dict[str, np.ndarray], Table]:
    """Make vectors of which a concept's words share a direction: float32 [concepts, dim] a language."""
    rng = np.random.default_rng(0)
    meaning = rng.standard_normal((concepts, DIM), np.float32)
    codes = [f"l{number}" for number in range(LANGUAGES)]
    spaces = {code: meaning + rng.standard_normal((concepts, DIM), np.float32) for code in codes}
    cells: dict[str, tuple[tuple[str, ...], ...]]
    cells = {code: tuple((f"{code} {row}",) for row in range(concepts)) for code in codes}
    return spaces, Table(tuple(f"c{row}" for row in range(concepts)), cells)


def by_all_pairs(spaces: dict[str, np.ndarray]) -> float:
    """Compute the affinity from every pair of words."""
    intra = np.mean([pdist(space, "cosine").mean() for space in spaces.values()])
    stacked = np.stack(list(spaces.values()), axis=1)
    inter = np.mean([pdist(words, "cosine").mean() for words in stacked])
    return float(1 / (1 + inter / intra))


def peak_mib() -> float:
    """Peak memory of the process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def best_of(repeats: int, work: object) -> float:
    """Shortest of a few times, in seconds."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()  # type: ignore[operator]
        times.append(time.perf_counter() - started)
    return min(times)


def main() -> None:
    """Print times, ratios and memory."""
    print(f"{LANGUAGES} languages, {DIM} dimensions")
    before = peak_mib()
    spaces, table = make_data(40_000)
    held = sum(space.nbytes for space in spaces.values()) / 2**20
    loaded = peak_mib()
    took = best_of(3, lambda: semantic_affinity(spaces, table))
    peak = peak_mib()
    norm = best_of(3, lambda: [np.linalg.norm(space, axis=1) for space in spaces.values()])
    print(f"40,000 concepts: {took:.2f} s; one np.linalg.norm over the same arrays {norm:.2f} s: {took / norm:.1f} x")
    used = peak - before
    print(f"  input {held:,.0f} MiB, peak {used:,.0f} MiB over the start: {used / held:.2f} x the input")
    print(f"  (of which making the data took {loaded - before:,.0f} MiB)")
    del spaces

    spaces, table = make_data(4_000)
    ours = best_of(30, lambda: semantic_affinity(spaces, table))
    started = time.perf_counter()
    expected = by_all_pairs(spaces)
    pairs = time.perf_counter() - started
    difference = abs(semantic_affinity(spaces, table).sa - expected)
    print(f"4,000 concepts: {ours:.3f} s; scipy's pdist {pairs:.1f} s: {pairs / ours:,.0f} x faster")
    print(f"  the two results differ by {difference:.0e}")

    sizes = (2_500, 5_000, 10_000, 20_000)
    times = []
    for size in sizes:
        spaces, table = make_data(size)
        times.append(best_of(3, lambda: semantic_affinity(spaces, table)))  # noqa: B023
    pairs_of = itertools.pairwise(zip(sizes, times, strict=True))
    growth = np.mean([np.log(b[1] / a[1]) / np.log(b[0] / a[0]) for a, b in pairs_of])
    print(f"growth from {sizes[0]:,} to {sizes[-1]:,} concepts: time ~ size^{growth:.2f}")


if __name__ == "__main__":
    main()
