"""Chapter 8: languages that are taught one after the other, and what becomes of the earlier ones."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from xlutils.chapters.adapting import Trained, language_rows, train
from xlutils.chapters.course import ACROSS, WITHIN, Course, Marks
from xlutils.datasets.scenarios import PIVOT
from xlutils.datasets.triples import Triples
from xlutils.errors import XlError
from xlutils.metrics.maps import fit_map
from xlutils.metrics.transfer import backward_changes, forward_changes, mean_of_means
from xlutils.models import load_model
from xlutils.results.record import Record, describe_model
from xlutils.results.rows import metric_table
from xlutils.training.language_maps import LanguageMaps
from xlutils.training.recipe import Recipe

PLAIN, KEEP, REPLAY, MAPS = "training alone", "with keep", "with replay", "maps"
REPLAYED = 0.05  # share of the earlier triples
_MAP_PAIRS = 100  # that each map is fitted on


def study_forgetting(
    model: str,
    recipe: Recipe,
    triples: Mapping[str, Triples],
    course: Course,
    folder: Path,
    seed: int = 42,
) -> Record:
    """Teach a model languages one after the other, in four ways, and measure it before and after each step.

    - training alone: each step continues from the model of the step before, with the triples of one language;
    - with keep: the same with the loss "keep", which holds the texts of a step where they were before it;
    - with replay: the triples of each earlier language that a step repeats are 5 % of its triples;
    - maps: nothing is trained; each language gets a map onto English, fitted on a hundred of its passages.

    States are such as "with keep, 2 languages". The metrics of the kind "all" are "backward/within" and the like, see
    `metrics.transfer`; the state "with keep, against training alone" is the difference between two ways.

    :param model: The model, as for `load_model`.
    :param recipe: Without "keep".
    :param triples: By language, in the order of the steps.
    :param folder: As for `train`.
    """
    codes = list(triples)
    if len(codes) < 2 or set(codes) - set(course.languages) or "keep" in recipe.losses:
        raise XlError("forgetting needs two languages that the exam asks in, and a recipe without keep")
    started = time.perf_counter()
    encoder = load_model(model, device="cpu", dtype="float32")  # as after a training
    encoded = course.encode(encoder)
    before = course.marks(encoded)
    keeping = replace(recipe, losses=(*recipe.losses, "keep"))
    ways = {PLAIN: (recipe, triples), KEEP: (keeping, triples), REPLAY: (recipe, with_replay(triples, seed))}
    marks, facts = {}, {}
    for way, (how, taught) in ways.items():
        cells: list[Trained] = []
        for part in taught.values():
            cells.append(train(model, how, part, course, folder, cells[-1].key if cells else ""))
        marks[way], facts[way] = [before, *(cell.marks for cell in cells)], [dict(cell.facts) for cell in cells]
    maps = LanguageMaps(encoder.name, encoder.fingerprint, {}, PIVOT)
    marks[MAPS] = [before]
    for code, part in triples.items():
        pairs = list({(row.passage_tgt, row.passage_en): None for row in part.rows})[:_MAP_PAIRS]
        sides = [encoder.encode([pair[side] for pair in pairs], "passage") for side in (0, 1)]
        maps = maps.with_map(code, fit_map(sides[0], sides[1], seed=seed))
        marks[MAPS].append(course.marks(encoded, maps))
    rows = [row for way in marks for row in _matrix_rows(course, way, marks[way], seed)]
    rows += [row for metric in (ACROSS, WITHIN) for row in _transfer_rows(course, codes, marks, metric, seed)]
    params = {"order": codes, "seed": seed, "k": 10, "replayed": REPLAYED, "map_pairs": _MAP_PAIRS, "trainings": facts}
    seconds = {"measure": round(time.perf_counter() - started, 3)}
    return Record(
        "production", describe_model(encoder), course.facts, params, metric_table(rows), seconds, "forgetting"
    )


def with_replay(triples: Mapping[str, Triples], seed: int, share: float = REPLAYED) -> dict[str, Triples]:
    """Add to the triples of each language a share of those of every earlier one."""
    result: dict[str, Triples] = {}
    for code, part in triples.items():
        size = {old: round(share * len(triples[old].rows)) for old in result}
        repeated = [row for old in result for row in triples[old].balanced(size[old], seed).rows]
        result[code] = Triples(part.name, (*part.rows, *repeated))
    return result


def _matrix_rows(course: Course, way: str, marks: Sequence[Marks], seed: int) -> Iterator[dict[str, Any]]:
    for step, table in enumerate(marks):
        yield from language_rows(
            course, {name: table[name] for name in (ACROSS, WITHIN)}, f"{way}, {step} languages", seed
        )


def _transfer_rows(
    course: Course, codes: Sequence[str], marks: Mapping[str, Sequence[Marks]], metric: str, seed: int
) -> Iterator[dict[str, Any]]:
    places = [course.languages.index(code) for code in codes]
    for name, changes_of in (("backward", backward_changes), ("forward", forward_changes)):
        changes = {way: changes_of(np.stack([table[metric][:, places] for table in marks[way]])) for way in marks}
        others = [way for way in marks if way != PLAIN]
        changes |= {f"{way}, against {PLAIN}": changes[way] - changes[PLAIN] for way in others}
        for state, values in changes.items():
            value, low, high = mean_of_means(values, course.clusters(metric), seed)
            yield {
                "kind": "all",
                "metric": f"{name}/{metric}",
                "value": value,
                "low": low,
                "high": high,
                "state": state,
            }
