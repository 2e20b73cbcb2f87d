"""Chapter 7: what a map costs: neighbours within the language, Semantic Affinity, and opposites."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from xlutils.chapters.atlas_values import affinities
from xlutils.chapters.map_ways import NEIGHBOURS, PUBLISHED, Floats, Side, found, mapped, measured
from xlutils.chapters.remedies import CHANGE
from xlutils.datasets.relations import TextPairs
from xlutils.metrics.maps import LinearMap
from xlutils.metrics.relations import jaccard, neighbour_weights, opposites_told_apart

SHARES = tuple(step / 10 for step in range(11))  # of a map that is applied


def dial_rows(whole: LinearMap, tested: Side, seed: int) -> Iterator[dict[str, Any]]:
    """Yield what is found across languages and kept within, from no map to the whole map."""
    texts, pivots = tested
    before = neighbour_weights(texts, NEIGHBOURS)
    for share in SHARES:
        moved = whole.partly(share).apply(texts)
        kept = jaccard(before, neighbour_weights(moved, NEIGHBOURS))
        for metric, values in (("across", found(moved, pivots)), ("within", kept)):
            yield {"metric": metric, **measured(values, seed), "state": f"share {share:g}"}


def cost_rows(
    ways: Sequence[str],
    pairs: Side,
    tested: Side,
    words: Mapping[str, Sequence[str]],
    code: str,
    pivot: str,
    seed: int,
) -> Iterator[dict[str, Any]]:
    """Yield what maps do to the tested words.

    "kept": share of the nearest neighbours within the language that a map left in place; "overlap": of those that are
    the same as in the pivot; "sa": Semantic Affinity.

    :param ways: Maps that are fitted once, on all pairs.
    :param words: The tested words of the language and of the pivot.
    """
    before, of_pivot = (neighbour_weights(side, NEIGHBOURS) for side in tested)
    rows = {code: np.arange(len(tested[0]))}
    overlap, affinity = {}, {}
    for way in (PUBLISHED, *ways):
        here, there = mapped(way, pairs, tested, seed=seed)
        after = neighbour_weights(here, NEIGHBOURS)
        overlap[way] = jaccard(after, of_pivot)
        affinity[way] = affinities({pivot: there, code: here}, words, pivot, rows)[:, 1]
        if way:
            yield {"metric": "kept", **measured(jaccard(before, after), seed), "state": way}
    yield from _with_changes("overlap", overlap, seed)
    yield from _with_changes("sa", affinity, seed)


def opposite_rows(ways: Sequence[str], pairs: Side, words: tuple[Side, Side], seed: int) -> Iterator[dict[str, Any]]:
    """Yield how often a word is nearer to its translation than to the translated antonym, after each map.

    :param words: The first and the second words of pairs of antonyms, each in the language and the pivot.
    """
    values = {}
    for way in (PUBLISHED, *ways):
        first, second = (mapped(way, pairs, sides, seed=seed) for sides in words)
        values[way] = opposites_told_apart((first[0], second[0]), (first[1], second[1]))
    yield from _with_changes("antonyms", values, seed)


def _with_changes(metric: str, values: Mapping[str, Floats], seed: int) -> Iterator[dict[str, Any]]:
    """Yield the mean after each map, and its paired difference from the model as published."""
    for way, table in values.items():
        yield {"metric": metric, **measured(table, seed), "state": way}
        if way:
            yield {"metric": metric, **measured(table - values[PUBLISHED], seed), "state": way + CHANGE}


def unseen_antonyms(relations: TextPairs, code: str, pivot: str, seen: set[str]) -> list[int]:
    """Return the pairs of antonyms, none of whose words a map was fitted on."""
    if not {code, pivot} <= {*relations.languages}:
        return []
    columns = [column[tag] for column in (relations.first, relations.second) for tag in (code, pivot)]
    rows = relations.rows("antonym", code, pivot)
    return [row for row in rows if not any(column[row].casefold() in seen for column in columns)]
