"""Chapter 7: a linear map within one model, as alignment and as repair: what it needs, gains and costs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from xlutils.chapters.atlas_values import encode_all
from xlutils.chapters.few_shot import interval_over_draws
from xlutils.chapters.map_costs import cost_rows, dial_rows, opposite_rows, unseen_antonyms
from xlutils.chapters.map_ways import (
    COSTS,
    LEARNED,
    LEAST,
    PUBLISHED,
    WAYS,
    Split,
    found,
    mapped,
    names_of,
    own_neighbours,
    self_learned,
    split_names,
)
from xlutils.chapters.relations import encode_pairs
from xlutils.datasets.lexicon import Lexicon
from xlutils.datasets.relations import TextPairs
from xlutils.metrics.learned_maps import suggested_pairs
from xlutils.metrics.maps import LinearMap, fit_map
from xlutils.models.encoder import Encoder
from xlutils.results.record import Record, describe_dataset, describe_model
from xlutils.results.rows import metric_table

SIZES = (5, 25, 100, 500, 1000)  # pairs that a map is fitted on


@dataclass(frozen=True, eq=False)
class MapStudy:
    """One model and the maps of some of its languages onto the pivot.

    :param encoder: The model.
    :param lexicon: Names of things.
    :param params: As the record says them.
    :param vectors: Vectors by language, float32 [n, dim]; NaN where a thing has no name.
    :param splits: What maps are fitted and tested on, by language.
    :param maps: Maps onto the pivot by language, ridge-shrunk, fitted on all pairs that are not tested.
    :param metrics: Rows of the record.
    :param seconds: Time spent on encoding and on measuring.
    """

    encoder: Encoder
    lexicon: Lexicon
    params: Mapping[str, Any]
    vectors: Mapping[str, np.ndarray]
    splits: Mapping[str, Split]
    maps: Mapping[str, LinearMap]
    metrics: pd.DataFrame
    seconds: Mapping[str, float]

    def record(self) -> Record:
        """Return the record of this measurement."""
        about = describe_model(self.encoder), describe_dataset(self.lexicon, len(self.lexicon.concepts))
        variant = "" if self.params["everything"] else "live"
        return Record("maps", *about, self.params, self.metrics, self.seconds, variant=variant)


def study_maps(
    encoder: Encoder,
    lexicon: Lexicon,
    relations: TextPairs | None,
    languages: Sequence[str],
    pivot: str = "en",
    seed: int = 42,
    draws: int = 5,
    sizes: Sequence[int] = SIZES,
    ways: Sequence[str] = WAYS,
    *,
    everything: bool = True,
) -> MapStudy:
    """Map languages onto the pivot in several ways, and measure what that gains and costs.

    Every map is fitted on some names of things and tested on others; the fitted ones are drawn anew several times, and
    larger draws contain the smaller ones.

    :param relations: Pairs of related words, of which the antonyms are used; None for none.
    :param languages: Languages to map.
    :param everything: Whether this is the whole experiment, or a part of it that the page runs.
    """
    texts = names_of(lexicon, (pivot, *languages))
    started = time.perf_counter()
    vectors = encode_all(encoder, texts, "word")
    opposites = encode_pairs(encoder, relations) if relations else {}
    encoded = time.perf_counter()
    once = [way for way in ways if way in COSTS]
    rows, splits, maps = [], {}, {}
    for code in languages:
        split = splits[code] = split_names(lexicon, code, pivot, seed)
        space, pivots = vectors[code], vectors[pivot]
        pairs, tested = ((space[part], pivots[part]) for part in (split.fitted, split.tested))
        maps[code] = fit_map(*pairs, seed=seed)
        words = {side: [texts[side][row] for row in split.tested] for side in (pivot, code)}
        parts = [_curve(space, pivots, split, ways, sizes, draws, seed), dial_rows(maps[code], tested, seed)]
        parts.append(cost_rows(once, pairs, tested, words, code, pivot, seed))
        seen = {texts[side][row].casefold() for side in (pivot, code) for row in split.fitted}
        antonyms = unseen_antonyms(relations, code, pivot, seen) if relations else []
        if len(antonyms) >= LEAST:
            sides = [(opposites[code][side][antonyms], opposites[pivot][side][antonyms]) for side in (0, 1)]
            parts.append(opposite_rows(once, pairs, (sides[0], sides[1]), seed))
        rows += [{"kind": "language", "language": code, **row} for part in parts for row in part]
    seconds = {"encode": round(encoded - started, 3), "measure": round(time.perf_counter() - encoded, 3)}
    params = {"pivot": pivot, "seed": seed, "draws": draws, "mapped": list(languages), "everything": everything}
    return MapStudy(encoder, lexicon, params, vectors, splits, maps, metric_table(rows), seconds)


def _curve(
    one: np.ndarray,
    other: np.ndarray,
    split: Split,
    ways: Sequence[str],
    sizes: Sequence[int],
    draws: int,
    seed: int,
) -> Iterator[dict[str, Any]]:
    """Yield the accuracy of every way with every number of pairs."""
    orders = [np.random.default_rng([seed, draw]).permutation(split.fitted) for draw in range(draws)]
    tested = one[split.tested], other[split.tested]
    values = {PUBLISHED: found(*tested)[None]}
    if LEARNED in ways:
        pool = one[split.fitted], other[split.fitted]
        values["own neighbours, 0 pairs"] = found(*self_learned(pool, own_neighbours(*pool), tested, seed))[None]
        hints = suggested_pairs(*pool)  # as for spaces that have nothing in common: no rotation is drawn anywhere
        values["profiles, 0 pairs"] = found(*self_learned(pool, hints, tested, seed, strength=0))[None]
    for way in ways:
        for size in (size for size in sizes if size <= len(split.fitted)):
            tries = []
            for order in orders:
                pairs, pool = ((one[part], other[part]) for part in (order[:size], order[size:]))
                tries.append(found(*mapped(way, pairs, tested, pool, seed)))
            values[f"{way}, {size} pairs"] = np.stack(tries)
    for state, table in values.items():
        low, high = interval_over_draws(table, seed)
        yield {"metric": "accuracy", "value": table.mean(), "low": low, "high": high, "state": state}
