"""Concept alignment against the loop over pairs, and at a size where no n x n matrix fits.

python benchmarks/concepts.py
"""

from __future__ import annotations

import resource
import time

import numpy as np

from xlutils.metrics.concepts import concept_alignment

LANGUAGES, DIM = 5, 384


def make_words(concepts: int) -> tuple[np.ndarray, list[str], list[str]]:
    """Make unit vectors of which a concept's words share a direction: float32 [concepts * languages, dim]."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((concepts, 1, DIM), np.float32)
    vectors = (centres + rng.standard_normal((concepts, LANGUAGES, DIM), np.float32)).reshape(-1, DIM)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = [f"c{number}" for number in range(concepts) for _ in range(LANGUAGES)]
    return vectors, ids, [f"l{number}" for _ in range(concepts) for number in range(LANGUAGES)]


def loop_over_pairs(vectors: np.ndarray, concepts: list[str], languages: list[str], rows: int) -> float:
    """Time the plain formulation (each word against each other one) for some of the words, in seconds a word."""
    started = time.perf_counter()
    for i in range(rows):
        scores = []
        best: dict[str, tuple[float, str]] = {}
        for j in range(len(vectors)):
            if j != i:
                score = float(np.dot(vectors[i], vectors[j]))
                scores.append((score, concepts[j]))
                if score > best.get(languages[j], (-2.0, ""))[0]:
                    best[languages[j]] = (score, concepts[j])
        sorted(scores, reverse=True)[:3]
    return (time.perf_counter() - started) / rows


def main() -> None:
    """Print times, ratios and peak memory."""
    print(f"{LANGUAGES} languages, {DIM} dimensions")
    print(f"{'concepts':>9}{'words':>9}{'loop, s':>12}{'ours, s':>10}{'ratio':>9}{'added memory, MiB':>19}")
    for concepts in (1_000, 5_000, 20_000):
        vectors, ids, languages = make_words(concepts)
        loop = loop_over_pairs(vectors, ids, languages, rows=20) * len(vectors)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = time.perf_counter()
        concept_alignment(vectors, ids, languages)
        ours = time.perf_counter() - started
        added = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        print(f"{concepts:9,}{len(vectors):9,}{loop:12,.0f}{ours:10.2f}{loop / ours:9,.0f}{added:19,.0f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak of the whole process: {peak:,.0f} MiB; the loop was timed on 20 words and scaled to all")


if __name__ == "__main__":
    main()
