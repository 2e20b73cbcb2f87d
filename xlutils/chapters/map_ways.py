"""Chapter 7: the ways of mapping a language onto another one, and the texts to fit and to test them on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlutils.chapters.atlas import first_texts
from xlutils.datasets.languages import no_language
from xlutils.datasets.lexicon import Lexicon
from xlutils.errors import XlError
from xlutils.metrics.geometry import unit_rows
from xlutils.metrics.learned_maps import mutual_pairs, self_learned_pairs
from xlutils.metrics.maps import fit_map
from xlutils.metrics.neighbours import crowding, pair_scores
from xlutils.metrics.repair import centre
from xlutils.metrics.uncertainty import bootstrap_ci

PUBLISHED, CENTRED, BOTH, CSLS, LEARNED = (
    "",
    "centred",
    "ridge-shrunk and centred",
    "ridge-shrunk with CSLS",
    "self-learning",
)
WAYS = (
    *("centred", "shift", "procrustes", "procrustes-shrunk", "ridge", "ridge-shrunk", "low-rank"),
    *(BOTH, CSLS, LEARNED),
)
COSTS = WAYS[:7]  # maps that are fitted once
NEIGHBOURS = 10
LEAN = 0.1  # of rotations that start from few pairs
LEAST = 20  # texts to fit on, and to test on
Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]
Side = tuple[np.ndarray, np.ndarray]  # vectors of a language and of the pivot; one row is one meaning


@dataclass(frozen=True, eq=False)
class Split:
    """Names of things in one language and the pivot: those that maps are fitted on, and those they are tested on.

    :param fitted: Positions of names; none of them is spelled like a tested one in either language.
    :param tested: Positions of names.
    """

    fitted: Numbers
    tested: Numbers


def names_of(lexicon: Lexicon, codes: Sequence[str]) -> dict[str, Sequence[str]]:
    """Return the first name of each thing in some languages, "" where there is none.

    :raises XlError: If a language is missing.
    """
    for code in codes:
        if code not in lexicon.languages:
            raise no_language(lexicon.name, code, lexicon.languages)
    texts = first_texts(lexicon)
    return {code: texts[code] for code in codes}


def split_names(lexicon: Lexicon, code: str, pivot: str, seed: int) -> Split:
    """Divide the names that a language and the pivot spell differently: a third of them is tested.

    :raises XlError: If there are too few.
    """
    rows = np.array(lexicon.comparable(code, pivot), np.int64)
    is_tested = np.random.default_rng(seed).permutation(len(lexicon.concepts)) % 3 == 0
    tested, rest = rows[is_tested[rows]], rows[~is_tested[rows]]
    words = {side: [cell[0].casefold() if cell else "" for cell in lexicon.cells[side]] for side in (code, pivot)}
    taken = {side: {column[row] for row in tested} for side, column in words.items()}
    fitted = [row for row in rest if all(words[side][row] not in taken[side] for side in taken)]
    if min(len(tested), len(fitted)) < LEAST:
        raise XlError(f"{lexicon.name}: {code} and {pivot} share {len(rows)} names, too few to fit and test a map")
    return Split(np.array(fitted, np.int64), tested)


def found(one: np.ndarray, other: np.ndarray) -> Floats:
    """Return how often each text finds its translation first, and is found by it: float64 [n]."""
    scores = pair_scores(one, other)
    return np.asarray((scores.forward + scores.backward) / 2)


def mapped(way: str, pairs: Side, tested: Side, pool: Side | None = None, seed: int = 42) -> Side:
    """Return the tested texts of a language, and of the pivot, after a map that was fitted on pairs.

    :param way: One of `WAYS`, or "" for no map.
    :param pairs: Unit vectors of a language and of the pivot, float32 [p, dim] each; those in one row are a pair.
    :param tested: Unit vectors, float32 [n, dim] each.
    :param pool: For self-learning: more texts of both sides, which nobody has paired.
    """
    texts, pivots = tested
    if way == PUBLISHED:
        return tested
    if way == CENTRED:
        moved = centre({"one": texts, "other": pivots}, {"one": pairs[0], "other": pairs[1]})
        return moved["one"], moved["other"]
    if way == LEARNED:
        one, other = (np.concatenate(sides) for sides in zip(pairs, pool or (pairs[0][:0],) * 2, strict=True))
        rows = np.arange(len(pairs[0]))
        return self_learned((one, other), np.stack([rows, rows], axis=1), tested, seed)
    if way in (BOTH, CSLS):
        result = fit_map(*pairs, seed=seed).apply(texts)
        return _both_centred(result, pivots, pairs[1]) if way == BOTH else _with_csls(result, pivots)
    return fit_map(*pairs, way, seed).apply(texts), pivots  # type: ignore[arg-type]


def own_neighbours(one: np.ndarray, other: np.ndarray) -> Numbers:
    """Return the pairs that the model itself suggests: mutual neighbours after centring, int [pairs, 2]."""
    return mutual_pairs(*(unit_rows(side - side.mean(axis=0)) for side in (one, other)))[0]


def self_learned(pool: Side, seed_pairs: Numbers, tested: Side, seed: int, strength: float = LEAN) -> Side:
    """Return the tested texts after a map on the pairs that self-learning finds among texts that nobody has paired.

    :param strength: How much its rotations are drawn towards the identity.
    """
    pairs = self_learned_pairs(*pool, seed_pairs, strength)
    return fit_map(pool[0][pairs[:, 0]], pool[1][pairs[:, 1]], seed=seed).apply(tested[0]), tested[1]


def _both_centred(one: np.ndarray, other: np.ndarray, fitted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean = fitted.mean(axis=0)
    return unit_rows(one - mean), unit_rows(other - mean)


def _with_csls(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Add two dimensions to both sides, with which the products are those of CSLS, divided by six."""
    crowd_one, crowd_other = crowding(one, other, NEIGHBOURS)
    ones = np.ones_like(crowd_one)
    first = np.column_stack([2 * one, -crowd_one, ones]) / 6
    return first.astype(np.float32), np.column_stack([other, ones, -crowd_other]).astype(np.float32)


def measured(values: Floats, seed: int) -> dict[str, float]:
    """Return the mean of values with its 95% interval, as part of a row of a record."""
    low, high = bootstrap_ci(values, seed=seed)
    return {"value": float(values.mean()), "low": low, "high": high}
