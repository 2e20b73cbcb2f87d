"""Concept alignment against a loop over pairs.

python benchmarks/concepts.py
"""

from __future__ import annotations

import numpy as np
from common import Line, added_mib, run, timed, times_as_fast

from xlutils.metrics.alignment import concept_alignment

AREA = "Concept alignment"
LANGUAGES, DIM = 5, 384
LOOPED = 20  # words that the loop is timed on; its time is scaled to all
SIZES = (1_000, 5_000)


def make_words(concepts: int) -> tuple[np.ndarray, list[str], list[str]]:
    """Make unit vectors that share a direction per concept: float32 [concepts * languages, dim]."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((concepts, 1, DIM), np.float32)
    vectors = (centres + rng.standard_normal((concepts, LANGUAGES, DIM), np.float32)).reshape(-1, DIM)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = [f"c{number}" for number in range(concepts) for _ in range(LANGUAGES)]
    return vectors, ids, [f"l{number}" for _ in range(concepts) for number in range(LANGUAGES)]


def loop_over_pairs(vectors: np.ndarray) -> None:
    """Compare some words with every other one, as one would write it down first."""
    for i in range(LOOPED):
        scores = [(float(np.dot(vectors[i], vectors[j])), j) for j in range(len(vectors)) if j != i]
        sorted(scores, reverse=True)[:3]


def measure() -> list[Line]:
    """Measure at each size."""
    lines = []
    for concepts in SIZES:
        words = make_words(concepts)
        scale = len(words[0]) / LOOPED
        pairs = [
            (timed(lambda: concept_alignment(*words)), timed(lambda: loop_over_pairs(words[0])) * scale)  # noqa: B023
            for _ in range(3)
        ]
        what = f"{concepts:,} concepts, {LANGUAGES} languages"
        note = f"the loop was timed on {LOOPED} words"
        lines.append(times_as_fast(AREA, what, "a loop over pairs", pairs, 10, note=note))
    added = added_mib(lambda: concept_alignment(*words))
    return [*lines, Line(AREA, what, "2 GiB of memory", (added / 2048,), True, 1, mib=added)]


if __name__ == "__main__":
    run(measure, __doc__)
