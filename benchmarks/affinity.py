"""Semantic Affinity in closed form against all pairs (scipy's pdist), and against one pass over the data.

python benchmarks/affinity.py
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from common import Line, added_mib, in_turn, run, timed, times_as_fast, times_the_limit
from scipy.spatial.distance import pdist

from xlutils.metrics.affinity import semantic_affinity

AREA = "Semantic Affinity"
LANGUAGES, DIM = [f"l{number}" for number in range(8)], 768
Spaces = dict[str, np.ndarray]


def make_words(concepts: int) -> tuple[Spaces, SimpleNamespace]:
    """Make one word per concept and language, whose vectors share a direction per concept."""
    rng = np.random.default_rng(0)
    meaning = rng.standard_normal((concepts, DIM), np.float32)
    spaces = {code: meaning + rng.standard_normal((concepts, DIM), np.float32) for code in LANGUAGES}
    cells = {code: tuple((f"{code} {row}",) for row in range(concepts)) for code in LANGUAGES}
    return spaces, SimpleNamespace(concepts=tuple(map(str, range(concepts))), cells=cells)


def norms(spaces: Spaces) -> None:
    """Pass over all vectors once."""
    for space in spaces.values():
        for start in range(0, len(space), 10_000):
            np.linalg.norm(space[start : start + 10_000], axis=1)


def against_all_pairs() -> Line:
    """Compare the closed form with pdist, one language at a time."""
    spaces, lexicon = make_words(4_000)
    intra, pairs = [], []
    for space in spaces.values():
        ours = timed(lambda: semantic_affinity(spaces, lexicon))
        theirs = timed(lambda space=space: intra.append(pdist(space, "cosine").mean()))  # type: ignore[misc]
        pairs.append((ours, theirs * len(LANGUAGES)))
    inter = np.mean([pdist(words, "cosine").mean() for words in np.stack(list(spaces.values()), axis=1)])
    difference = abs(semantic_affinity(spaces, lexicon).sa - 1 / (1 + inter / np.mean(intra)))
    note = f"the results differ by {difference:.0e}; pdist was timed on one language, its time multiplied by 8"
    return times_as_fast(AREA, "4,000 concepts, 8 languages", "scipy's pdist", pairs, note=note)


def against_one_pass() -> list[Line]:
    """Compare time and memory with those of the data themselves."""
    spaces, lexicon = make_words(40_000)
    pairs = in_turn(lambda: semantic_affinity(spaces, lexicon), lambda: norms(spaces), 7)
    added = added_mib(lambda: semantic_affinity(spaces, lexicon))
    held = sum(space.nbytes for space in spaces.values()) / 2**20
    what = "40,000 concepts, 8 languages"
    return [
        times_the_limit(AREA, what, "one pass of numpy's norm", pairs, 5),
        Line(AREA, what, "the memory of the vectors", (1 + added / held,), True, 1.5, mib=added),
    ]


def measure() -> list[Line]:
    """Measure everything."""
    return [against_all_pairs(), *against_one_pass()]


if __name__ == "__main__":
    run(measure, __doc__)
