"""Semantic Affinity against one pass over the data: its time and its memory."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from common import Line, added_mib, compare, in_turn, run

from xlutils.metrics.affinity import semantic_affinity

AREA = "Semantic Affinity"
CONCEPTS, LANGUAGES, DIM = 40_000, 8, 768
BLOCK = 10_000  # vectors whose norms are computed at a time


def pass_once(spaces: dict[str, np.ndarray]) -> None:
    """Compute the norm of every vector."""
    for space in spaces.values():
        for start in range(0, CONCEPTS, BLOCK):
            np.linalg.norm(space[start : start + BLOCK], axis=1)


def measure() -> list[Line]:
    """Compare time and memory with those of the vectors themselves."""
    rng = np.random.default_rng(0)
    meaning = rng.standard_normal((CONCEPTS, DIM), np.float32)
    spaces = {f"l{code}": meaning + rng.standard_normal(meaning.shape, np.float32) for code in range(LANGUAGES)}
    cells = {code: tuple((f"{code} {row}",) for row in range(CONCEPTS)) for code in spaces}
    lexicon = SimpleNamespace(concepts=tuple(map(str, range(CONCEPTS))), cells=cells)
    pairs = in_turn(lambda: semantic_affinity(spaces, lexicon), lambda: pass_once(spaces), 7)
    added = added_mib(lambda: semantic_affinity(spaces, lexicon))
    held = sum(space.nbytes for space in spaces.values()) / (1 << 20)
    what = f"{CONCEPTS:,} concepts, {LANGUAGES} languages"
    return [
        compare(AREA, what, "one pass of numpy's norm", pairs, is_limit=True, promise=5),
        Line(AREA, what, "the memory of the vectors", (1 + added / held,), is_limit=True, promise=1.5, mib=added),
    ]


if __name__ == "__main__":
    run("affinity", measure)
