"""The pool of all languages against the bare product, four minutes and two gibibytes."""

from __future__ import annotations

import sys

import numpy as np
from common import Line, added_mib, compare, in_turn, run, timed, unit_vectors

from xlutils.metrics.atlas import pool_of_all
from xlutils.metrics.blocks import in_threads

AREA = "Pool of all languages"
LANGUAGES, TEXTS, ASKED, DIM = 205, 1_004, 251, 384
FEW = 20  # languages timed in turn with the product; both grow with the square of their number


def multiply(spaces: dict[str, np.ndarray], asked: np.ndarray) -> None:
    """Multiply the queries of each language with the texts of all languages and keep nothing."""

    def multiply_language(language: str) -> None:
        queries = spaces[language][asked]
        for space in spaces.values():
            np.matmul(space, queries.T)

    in_threads(multiply_language, spaces)


def measure() -> list[Line]:
    """Compare a few languages with the product and, unless asked for a --short run, all with limits of the machine."""
    rng = np.random.default_rng(0)
    count = FEW if "--short" in sys.argv else LANGUAGES
    spaces = {f"l{number}": unit_vectors(rng, TEXTS, DIM) for number in range(count)}
    scripts = {language: language[-1] for language in spaces}
    asked = rng.permutation(TEXTS)[:ASKED]
    few = dict(list(spaces.items())[:FEW])

    pairs = in_turn(lambda: pool_of_all(few, "l0", scripts, asked), lambda: multiply(few, asked), 7)
    lines = [compare(AREA, _size(FEW), "the bare matrix product", pairs, is_limit=True, promise=1.5)]
    if count == LANGUAGES:
        seconds = timed(lambda: pool_of_all(spaces, "l0", scripts, asked))
        added = added_mib(lambda: pool_of_all(spaces, "l0", scripts, asked))
        held = sum(space.nbytes for space in spaces.values()) / (1 << 20)
        limits = {"four minutes": seconds / 240, "2 GiB of memory, texts included": (held + added) / 2048}
        for peer, ratio in limits.items():
            lines.append(Line(AREA, _size(count), peer, (ratio,), True, 1, seconds, added))
    return lines


def _size(languages: int) -> str:
    return f"{languages} languages, {TEXTS:,} texts each, {ASKED} asked"


if __name__ == "__main__":
    run("atlas", measure)
