"""Chapter 7: maps between the spaces of two models, as a bridge, as an upgrade, and as an attack."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from xlutils.chapters.atlas_values import encode_all
from xlutils.chapters.few_shot import interval_over_draws
from xlutils.chapters.map_ways import found, measured, names_of, split_names
from xlutils.datasets.lexicon import Lexicon
from xlutils.metrics.learned_maps import self_learned_pairs, suggested_pairs
from xlutils.metrics.maps import LinearMap, fit_map
from xlutils.metrics.ranking import gold_ranks, ndcg_at_1
from xlutils.models.encoder import Encoder
from xlutils.results.record import Record, describe_dataset, describe_model
from xlutils.results.rows import metric_table

SIZES = (25, 100, 500, 900)  # English pairs
Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


def study_spaces(
    source: Encoder,
    target: Encoder,
    lexicon: Lexicon,
    languages: Sequence[str],
    pivot: str = "en",
    seed: int = 42,
    draws: int = 5,
    sizes: Sequence[int] = SIZES,
    *,
    everything: bool = True,
) -> Record:
    """Fit a map from one model's space into another one on words of the pivot alone, and let other languages use it.

    Metrics by language, of names that no map was fitted on: "across", a name in the source's space finds its pivot
    name in the target's space; "same", it finds itself; "read", it finds itself among all names of the language, which
    is what an attacker sees who has the vectors of an unknown model. The states "source" and "target" are the models by
    themselves, without a map; with "0 pairs" the map looked for its pairs itself.

    :param languages: Languages besides the pivot.
    """
    codes = [pivot, *(code for code in languages if code != pivot)]
    texts = names_of(lexicon, codes)
    started = time.perf_counter()
    spaces = [encode_all(encoder, texts, "word") for encoder in (source, target)]
    encoded = time.perf_counter()
    is_tested = np.random.default_rng(seed).permutation(len(lexicon.concepts)) % 3 == 0
    names = [text.casefold() for text in texts[pivot]]
    seen = {name for name, is_asked in zip(names, is_tested, strict=True) if is_asked}
    fitted = np.array([row for row, name in enumerate(names) if name and not is_tested[row] and name not in seen])
    orders = [np.random.default_rng([seed, draw]).permutation(fitted) for draw in range(draws)]
    maps = {
        size: [
            fit_map(spaces[0][pivot][order[:size]], spaces[1][pivot][order[:size]], "ridge", seed) for order in orders
        ]
        for size in sizes
        if size <= len(fitted)
    }
    lone = [space[pivot][fitted] for space in spaces]
    pairs = self_learned_pairs(lone[0], lone[1], suggested_pairs(lone[0], lone[1]))
    maps[0] = [fit_map(lone[0][pairs[:, 0]], lone[1][pairs[:, 1]], "ridge", seed)]
    rows = []
    for code in codes:
        tested = np.flatnonzero(is_tested) if code == pivot else split_names(lexicon, code, pivot, seed).tested
        tested = tested[np.isfinite(spaces[0][code][tested, 0])]
        rows += _of_language(spaces, maps, code, pivot, tested, seed)
    seconds = {"encode": round(encoded - started, 3), "measure": round(time.perf_counter() - encoded, 3)}
    params = {"pivot": pivot, "seed": seed, "draws": draws, "target": describe_model(target), "mapped": codes}
    about = describe_model(source), describe_dataset(lexicon, len(lexicon.concepts))
    variant = f"onto-{target.name}" + ("" if everything else ".live")
    return Record("map-spaces", *about, params, metric_table(rows), seconds, variant=variant)


def _of_language(
    spaces: Sequence[dict[str, np.ndarray]],
    maps: dict[int, list[LinearMap]],
    code: str,
    pivot: str,
    tested: Numbers,
    seed: int,
) -> list[dict[str, object]]:
    """Return the rows of one language."""
    source, target = spaces
    key = {"kind": "language", "language": code}
    rows: list[dict[str, object]] = []
    if code != pivot:
        for state, space in (("source", source), ("target", target)):
            values = found(space[code][tested], space[pivot][tested])
            rows.append({**key, "metric": "across", **measured(values, seed), "state": state})
    named = np.flatnonzero(np.isfinite(target[code][:, 0]))
    gold = np.searchsorted(named, tested)
    for size, draws in maps.items():
        moved = [one.apply(source[code][tested]) for one in draws]
        values_of = {
            "same": [found(side, target[code][tested]) for side in moved],
            "read": [ndcg_at_1(gold_ranks(side, target[code][named], gold)) for side in moved],
        }
        if code != pivot:
            values_of["across"] = [found(side, target[pivot][tested]) for side in moved]
        for metric, tries in values_of.items():
            table = np.stack(tries)
            low, high = interval_over_draws(table, seed)
            state = f"{size} pairs"
            rows.append({**key, "metric": metric, "value": table.mean(), "low": low, "high": high, "state": state})
    return rows
