"""Chapter 7: a person marks pairs that belong together or do not, and the map is fitted again with these marks."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlutils.chapters.few_shot import interval_over_draws
from xlutils.chapters.map_ways import Side, Split, found
from xlutils.chapters.maps import MapStudy
from xlutils.datasets.languages import language_code
from xlutils.datasets.tables import read_table
from xlutils.errors import XlError
from xlutils.metrics.geometry import unit_rows
from xlutils.metrics.learned_maps import proposed_pairs
from xlutils.metrics.maps import LinearMap, fit_map
from xlutils.results.record import Record
from xlutils.results.rows import metric_table

COUNTS = (10, 30, 100)  # corrections
REVIEWS = {
    "marks": "worst, marked",
    "partners": "worst, with right partners",
    "random": "random pairs",
}
_BASE = 25  # pairs that the map is fitted on before anybody corrects it
COLUMNS = ("language", "word", "partner", "belongs")
_ANSWERS = {"yes": True, "no": False}
Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


class Correction(NamedTuple):
    """What a person says about a pair of words."""

    language: str
    word: str
    partner: str
    belongs: bool


def read_corrections(path: str | Path) -> list[Correction]:
    """Read a CSV with the columns language, word, partner and belongs (yes or no); rows without an answer are left out.

    :raises XlError: If a column or a word is missing, a language is unknown, an answer is neither, or two rows
        contradict each other.
    """
    name = Path(path).name
    header, rows = read_table(Path(path), COLUMNS)
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        raise XlError(f"{name}: no column {missing[0]}; the columns are {', '.join(COLUMNS)}")
    found_rows: dict[tuple[str, str, str], Correction] = {}
    for number, row in enumerate(rows, 1):
        language, word, partner, answer = (row[header.index(column)].strip() for column in COLUMNS)
        if not answer:
            continue
        if answer.casefold() not in _ANSWERS:
            raise XlError(f"{name}: data row {number} says {answer!r} in the column belongs; write yes or no")
        if not word or not partner:
            raise XlError(f"{name}: data row {number} lacks a word or a partner; fill it or delete the row")
        code = language_code(language)
        if code is None:
            raise XlError(f"{name}: data row {number} names the language {language!r}; write a tag or an English name")
        one = Correction(code, word, partner, _ANSWERS[answer.casefold()])
        before = found_rows.setdefault(one[:3], one)
        if before != one:
            raise XlError(f"{name}: data row {number} says {answer} of {word} and {partner}, another row the opposite")
    return [*found_rows.values()]


def worst_pairs(words: Sequence[str], partners: Sequence[str], mapped: np.ndarray, other: np.ndarray) -> pd.DataFrame:
    """Return the pairs that a map proposes, the least certain first: columns word, partner, margin and belongs.

    The last one is empty, for a person to fill in.

    :param words: Words of a language; `mapped` has their vectors after the map.
    :param partners: Words of the pivot; `other` has their vectors.
    """
    places, margins = proposed_pairs(mapped, other)
    order = np.argsort(margins, kind="stable")
    table = {"word": [words[row] for row in order], "partner": [partners[places[row]] for row in order]}
    return pd.DataFrame({**table, "margin": margins[order].round(3), "belongs": ""})


def corrected(known: Side, right: Side, wrong: Side, seed: int = 42) -> LinearMap:
    """Fit a map on known pairs and on what a person says.

    A pair that does not belong together adds a constraint: the word shall come to lie where it is now, less what it has
    in common with the wrong partner, as seen from the middle of the pivot's words.

    :param known: Unit vectors of the pairs known before, float32 [p, dim] each.
    :param right: Those of pairs that belong together; `wrong`: of pairs that do not.
    """
    source, target = (np.concatenate(sides) for sides in zip(known, right, strict=True))
    if not len(wrong[0]):
        return fit_map(source, target, seed=seed)
    now, middle = fit_map(*known, seed=seed).apply(wrong[0]), known[1].mean(axis=0)
    way = unit_rows(wrong[1] - middle)
    away = unit_rows(now - np.maximum(np.vecdot(now - middle, way), 0)[:, None] * way)
    return fit_map(np.concatenate([source, wrong[0]]), np.concatenate([target, away]), seed=seed)


def study_corrections(study: MapStudy) -> Record:
    """Measure what corrections of a map do to words that nobody looked at, for each language of a study.

    A reviewer who knows the language looks at the pairs that the map is least certain of. Random pairs of the same
    number are the baseline. All states start from a map on the same few pairs.

    :return: Metrics by language: "across", and the shares "mended" and "broken" of what was found before.
    """
    started, params = time.perf_counter(), study.params
    rows = []
    for code, split in study.splits.items():
        sides = study.vectors[code], study.vectors[params["pivot"]]
        parts = _rows(*sides, split, params["draws"], params["seed"])
        rows += [{"kind": "language", "language": code, **row} for row in parts]
    seconds = {"measure": round(time.perf_counter() - started, 3)}
    return replace(study.record(), experiment="map-corrections", metrics=metric_table(rows), timing=seconds)


def _rows(one: np.ndarray, other: np.ndarray, split: Split, draws: int, seed: int) -> Iterator[dict[str, Any]]:
    tested = one[split.tested], other[split.tested]
    values: dict[tuple[str, str], list[Floats]] = {}
    for draw in range(draws):
        order = np.random.default_rng([seed, draw]).permutation(split.fitted)
        base, pool = order[:_BASE], order[_BASE:]
        known = one[base], other[base]
        before = found(fit_map(*known, seed=seed).apply(tested[0]), tested[1])
        values.setdefault(("across", "no corrections"), []).append(before)
        for review in REVIEWS:
            for count in (count for count in COUNTS if count <= len(pool)):
                right, wrong = _reviewed(review, known, one[pool], other[pool], count, seed)
                pairs = [(one[pool[a]], other[pool[b]]) for a, b in (right, wrong)]
                after = found(corrected(known, pairs[0], pairs[1], seed).apply(tested[0]), tested[1])
                state = f"{review}, {count} corrections"
                for metric, value in _changes(before, after):
                    values.setdefault((metric, state), []).append(value)
    for (metric, state), tries in values.items():
        table = np.stack(tries)
        low, high = interval_over_draws(table, seed)
        yield {"metric": metric, "value": table.mean(), "low": low, "high": high, "state": state}


def _changes(before: Floats, after: Floats) -> Iterator[tuple[str, Floats]]:
    yield "across", after
    yield "mended", np.maximum(after - before, 0)
    yield "broken", np.maximum(before - after, 0)


def _reviewed(
    review: str, known: Side, one: np.ndarray, other: np.ndarray, count: int, seed: int
) -> tuple[tuple[Numbers, Numbers], tuple[Numbers, Numbers]]:
    """Return the rows of the pairs that belong, and of those that do not, after a review of some pairs."""
    none = np.zeros(0, np.int64)
    if review == "random":
        return (np.arange(count), np.arange(count)), (none, none)
    places, margins = proposed_pairs(fit_map(*known, seed=seed).apply(one), other)
    worst = np.argsort(margins, kind="stable")[:count]
    belongs = places[worst] == worst
    right = worst if review == "partners" else worst[belongs]
    return (right, right), (worst[~belongs], places[worst[~belongs]])
