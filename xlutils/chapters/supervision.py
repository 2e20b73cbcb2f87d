"""Chapter 7: whether a map learns more from names of things or from sentences."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from xlutils.chapters.atlas_values import encode_all
from xlutils.chapters.few_shot import interval_over_draws
from xlutils.chapters.map_ways import CENTRED, Side, found, mapped
from xlutils.chapters.maps import MapStudy
from xlutils.datasets.languages import no_language
from xlutils.datasets.sentences import Sentences
from xlutils.results.record import Record
from xlutils.results.rows import metric_table

SIZES = (25, 100, 500)  # pairs
_WAYS = (CENTRED, "ridge-shrunk")


def study_supervision(study: MapStudy, sentences: Sequence[Sentences]) -> Record:
    """Fit maps on names of things and on sentences, and test each on names and on sentences.

    :param study: Maps on names; half of the sentences of each data set are tested, the other half is fitted on.
    :param sentences: Data sets of parallel sentences; one with fewer than 100 is fitted on, whole, and not tested.
    :return: Metrics by language, "across/names" and such as "across/sib200", in states such as "centred, 25 names".
    """
    started, params = time.perf_counter(), study.params
    pivot, seed, draws, rows = str(params["pivot"]), int(params["seed"]), int(params["draws"]), []
    spaces = {data.name: _encoded(study, data, pivot) for data in sentences}
    for code, split in study.splits.items():
        names = study.vectors[code], study.vectors[pivot]
        fitted, tested = {"names": _part(names, split.fitted)}, {"names": _part(names, split.tested)}
        for name, space in spaces.items():
            sides = space[code], space[pivot]
            whole = np.flatnonzero(np.isfinite(sides[0][:, 0]) & np.isfinite(sides[1][:, 0]))
            order = np.random.default_rng(seed).permutation(whole)
            is_small = len(order) < SIZES[1]
            fitted[name] = _part(sides, order if is_small else order[::2])
            if not is_small:
                tested[name] = _part(sides, order[1::2])
        for asked, sides in tested.items():
            key = {"kind": "language", "language": code, "metric": f"across/{asked}"}
            for state, table in _values(fitted, sides, draws, seed):
                low, high = interval_over_draws(table, seed)
                rows.append({**key, "value": table.mean(), "low": low, "high": high, "state": state})
    seconds = {"measure": round(time.perf_counter() - started, 3)}
    used = {**params, "sentences": {data.name: data.sha256 for data in sentences}}
    return replace(
        study.record(), experiment="map-supervision", params=used, metrics=metric_table(rows), timing=seconds
    )


def _encoded(study: MapStudy, data: Sentences, pivot: str) -> dict[str, np.ndarray]:
    for code in (pivot, *study.splits):
        if code not in data.languages:
            raise no_language(data.name, code, data.languages)
    return encode_all(study.encoder, {code: data.texts[code] for code in (pivot, *study.splits)}, "query")


def _part(sides: Side, rows: np.ndarray) -> Side:
    return sides[0][rows], sides[1][rows]


def _values(
    fitted: Mapping[str, Side], tested: Side, draws: int, seed: int
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield what is found without a map, and after maps on several draws of pairs: float64 [draws, tested] by state."""
    yield "", found(*tested)[None]
    for (kind, pairs), size, way in itertools.product(fitted.items(), SIZES, _WAYS):
        if size <= len(pairs[0]):
            orders = [np.random.default_rng([seed, draw]).permutation(len(pairs[0]))[:size] for draw in range(draws)]
            tries = [found(*mapped(way, _part(pairs, order), tested, seed=seed)) for order in orders]
            yield f"{way}, {size} {kind}", np.stack(tries)
