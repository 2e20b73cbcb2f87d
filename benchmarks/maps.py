"""Maps of 116 languages against bare decompositions of their vectors, and thirty seconds."""

from __future__ import annotations

import sys

import numpy as np
from common import Line, compare, in_turn, run, timed, unit_vectors

from xlutils.metrics.maps import Method, fit_map

AREA = "Maps of all languages"
LANGUAGES, PAIRS, DIM = 116, 649, 512
FEW = 8  # languages timed in turn with the decompositions
METHODS: tuple[Method, ...] = ("procrustes", "ridge-shrunk")


def decompose(spaces: list[np.ndarray]) -> None:
    """Decompose what a rotation needs: one square matrix per language."""
    for space in spaces[1:]:
        np.linalg.svd(np.asarray(space, np.float64).T @ spaces[0])


def measure() -> list[Line]:
    """Compare a few languages with the decompositions and, unless asked for a --short run, all with thirty seconds."""
    rng = np.random.default_rng(0)
    short = "--short" in sys.argv
    spaces = [unit_vectors(rng, PAIRS, DIM) for _ in range(FEW if short else LANGUAGES)]
    lines = []
    for method in METHODS:

        def fit(part: list[np.ndarray], method: Method = method) -> None:
            for space in part[1:]:
                fit_map(space, part[0], method)

        pairs = in_turn(lambda: fit(spaces[:FEW]), lambda: decompose(spaces[:FEW]), 5)
        lines.append(compare(AREA, _size(FEW, method), "the bare decomposition", pairs, is_limit=True))
        if not short:
            seconds = timed(lambda: fit(spaces))
            lines.append(Line(AREA, _size(LANGUAGES, method), "thirty seconds", (seconds / 30,), True, 1, seconds))
    return lines


def _size(languages: int, method: str) -> str:
    return f"{method}, {languages} languages, {PAIRS} pairs, {DIM} dimensions"


if __name__ == "__main__":
    run("maps", measure)
