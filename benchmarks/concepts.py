"""Concept alignment against the loop over pairs, and at a size where no n x n matrix fits.

python benchmarks/concepts.py
"""

from __future__ import annotations

import numpy as np
from common import Line, added_mib, growth, run, timed, times_as_fast

from xlutils.metrics.alignment import concept_alignment

AREA = "Concept alignment"
LANGUAGES, DIM = 5, 384
LOOPED = 20  # words that the loop is timed on; its time is scaled to all
SIZES = (1_000, 5_000, 20_000)


def make_words(concepts: int) -> tuple[np.ndarray, list[str], list[str]]:
    """Make unit vectors of which a concept's words share a direction: float32 [concepts * languages, dim]."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((concepts, 1, DIM), np.float32)
    vectors = (centres + rng.standard_normal((concepts, LANGUAGES, DIM), np.float32)).reshape(-1, DIM)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = [f"c{number}" for number in range(concepts) for _ in range(LANGUAGES)]
    return vectors, ids, [f"l{number}" for _ in range(concepts) for number in range(LANGUAGES)]


def loop_over_pairs(vectors: np.ndarray, concepts: list[str], languages: list[str]) -> None:
    """Compare each word with each other one, as one would write it down first; for some of the words."""
    for i in range(LOOPED):
        scores = []
        best: dict[str, tuple[float, str]] = {}
        for j in range(len(vectors)):
            if j != i:
                score = float(np.dot(vectors[i], vectors[j]))
                scores.append((score, concepts[j]))
                if score > best.get(languages[j], (-2.0, ""))[0]:
                    best[languages[j]] = (score, concepts[j])
        sorted(scores, reverse=True)[:3]


def measure() -> list[Line]:
    """Measure at each size."""
    lines, times = [], []
    for concepts in SIZES:
        words = make_words(concepts)
        scale = len(words[0]) / LOOPED
        repeats = 3 if concepts < SIZES[-1] else 1
        pairs = [(timed(lambda: concept_alignment(*words)), timed(lambda: loop_over_pairs(*words)) * scale)  # noqa: B023
                 for _ in range(repeats)]  # fmt: skip
        times.append(min(ours for ours, _ in pairs))
        what = f"{concepts:,} concepts, {LANGUAGES} languages"
        note = f"the loop was timed on {LOOPED} words"
        if concepts == SIZES[-1]:
            note += f"; time grows as size^{growth(SIZES, times):.2f}"
        lines.append(times_as_fast(AREA, what, "a loop over pairs", pairs, 10, note=note))
    added = added_mib(lambda: concept_alignment(*words))
    return [*lines, Line(AREA, what, "2 GiB of memory", (added / 2048,), True, 1, mib=added)]


if __name__ == "__main__":
    run(measure, __doc__)
