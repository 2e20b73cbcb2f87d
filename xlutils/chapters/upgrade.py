"""Chapter 8: questions go to a newer model, while the index keeps the vectors of the old one."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from xlutils.chapters.atlas_values import encode_all
from xlutils.chapters.few_shot import interval_over_draws
from xlutils.datasets.languages import no_language
from xlutils.datasets.parallel import ParallelQA
from xlutils.metrics.maps import Method, fit_map
from xlutils.metrics.ranking import complete_at, gold_ranks, ndcg_at_1
from xlutils.models.encoder import Encoder
from xlutils.results.record import Record, describe_dataset, describe_model
from xlutils.results.rows import metric_table

SIZES = (25, 100, 500, 2000, 4000)  # texts that a map is fitted on
WAYS: tuple[Method, ...] = ("procrustes", "ridge")
KINDS = ("questions", "passages")  # texts that a map is fitted on
OLD, NEW = "", "new"
TIMED = 200  # passages
Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]
Space = Mapping[str, Mapping[str, np.ndarray]]  # vectors of a model by kind of text and language, [n, dim]
Values = dict[tuple[str, str], Floats]  # of each question, by metric and language, [questions]


def study_upgrade(
    old: Encoder,
    new: Encoder,
    data: ParallelQA,
    pivot: str = "en",
    seed: int = 42,
    draws: int = 5,
    sizes: Sequence[int] = SIZES,
    ways: Sequence[Method] = WAYS,
    timed: int = TIMED,
) -> Record:
    """Let a new model search an index of the old one through maps that were fitted on other texts.

    Maps are fitted on texts about one half of the passages, and tested on the questions and passages of the other half;
    then the halves change places. The texts are those of the pivot, or of all languages in equal parts; the vectors of
    the new model are the source, those of the old model the target. "within/first" is the share of questions that find
    their passage first among those of their own language, "across/first" among those of the pivot, "within/recall@10"
    among the first ten. The share of what the new model finds in an index of its own is "within/first/of-new", and
    "within/first/of-old" likewise.

    :return: Metrics by language, in the states "" (the old model alone), "new" (everything encoded anew) and such as
        "ridge, pivot questions, 100 texts". The timing has the processor time of `timed` passages by each model.
    :raises XlError: If the pivot is missing.
    """
    if pivot not in data.languages:
        raise no_language(data.name, pivot, data.languages)
    started = time.perf_counter()
    roles = ((data.queries, "query"), (data.passages, "passage"))
    spaces = [dict(zip(KINDS, [encode_all(model, *role) for role in roles], strict=True)) for model in (old, new)]
    encoded = time.perf_counter()
    half_of = np.random.default_rng(seed).permutation(len(data.passage_ids)) % 2
    halves = {"passages": half_of, "questions": half_of[data.gold]}
    values = {OLD: [_values(spaces[0], spaces[0], data.gold, halves, pivot)]}
    values[NEW] = [_values(spaces[1], spaces[1], data.gold, halves, pivot)]
    whose = {"pivot": [pivot], "all": list(data.languages)}
    for (who, codes), kind, size, way in itertools.product(whose.items(), KINDS, sizes, ways):
        if -(-size // len(codes)) <= min(np.bincount(halves[kind])):
            tries = []
            for draw in range(draws):
                asked = {code: np.zeros((len(data.gold), old.dim), np.float32) for code in data.languages}
                for half in (0, 1):
                    rows = _drawn(np.flatnonzero(halves[kind] != half), codes, size, [seed, draw])
                    one = fit_map(_gathered(spaces[1][kind], rows), _gathered(spaces[0][kind], rows), way, seed)
                    tested = halves["questions"] == half
                    for code, vectors in asked.items():
                        vectors[tested] = one.apply(spaces[1]["questions"][code][tested])
                tries.append(_values({"questions": asked}, spaces[0], data.gold, halves, pivot))
            values[f"{way}, {who} {kind}, {size} texts"] = tries
    seconds = {"encode": encoded - started, "measure": time.perf_counter() - encoded}
    sample = [*itertools.chain(*zip(*data.passages.values(), strict=True))][:timed]
    seconds |= {name: _seconds(model, sample) for name, model in (("old", old), ("new", new))}
    params = {"pivot": pivot, "seed": seed, "draws": draws, "mapped": list(data.languages), "timed": len(sample)}
    params |= {"target": describe_model(old), "passages": len(half_of)}
    rows_of = metric_table([*_rows(values, data.gold, seed)])
    timing = {name: round(value, 3) for name, value in seconds.items()}
    about = describe_model(new), describe_dataset(data, len(data.query_ids))
    return Record("production", *about, params, rows_of, timing, variant=f"upgrade.onto-{old.name}")


def _drawn(rows: Numbers, codes: Sequence[str], size: int, seed: list[int]) -> dict[str, Numbers]:
    """Draw texts in equal parts from each language, other ones in each; larger draws contain the smaller ones."""
    shares = [size // len(codes) + (number < size % len(codes)) for number in range(len(codes))]
    orders = [np.random.default_rng([*seed, number]).permutation(rows) for number in range(len(codes))]
    return {code: order[:share] for code, order, share in zip(codes, orders, shares, strict=True)}


def _gathered(vectors: Mapping[str, np.ndarray], rows: Mapping[str, Numbers]) -> np.ndarray:
    return np.concatenate([vectors[code][part] for code, part in rows.items()])


def _values(asked: Space, index: Space, gold: Numbers, halves: Mapping[str, Numbers], pivot: str) -> Values:
    """Search for the passage of each question among those of its half, in its language and in the pivot."""
    values: Values = {}
    for code, half in itertools.product(asked["questions"], (0, 1)):
        questions, passages = (np.flatnonzero(halves[kind] == half) for kind in KINDS)
        places = np.searchsorted(passages, gold[questions])
        for name, searched in (("within", code), ("across", pivot))[: 1 + (code != pivot)]:
            ranks = gold_ranks(asked["questions"][code][questions], index["passages"][searched][passages], places)
            for metric, found in (("first", ndcg_at_1(ranks)), ("recall@10", complete_at(10, ranks))):
                values.setdefault((f"{name}/{metric}", code), np.zeros(len(gold)))[questions] = found
    return values


def _rows(values: Mapping[str, Sequence[Values]], gold: Numbers, seed: int) -> Iterator[dict[str, object]]:
    """Yield means over questions with intervals from draws of passages, and of the texts that a map was fitted on."""
    of_passage = np.eye(gold.max() + 1)[gold]  # [questions, passages]
    for state, (metric, code) in itertools.product(values, values[OLD][0]):
        sums = np.stack([one[metric, code] for one in values[state]]) @ of_passage
        wholes = {"": of_passage.sum(axis=0)}
        if metric.endswith("first"):
            others = {one: f"/of-{title}" for one, title in ((OLD, "old"), (NEW, "new")) if one != state}
            wholes |= {suffix: values[one][0][metric, code] @ of_passage for one, suffix in others.items()}
        for suffix, whole in wholes.items():
            if whole.any():
                low, high = interval_over_draws(sums, seed, whole)
                key = {"kind": "language", "language": code, "metric": metric + suffix, "state": state}
                yield {**key, "value": sums.sum(axis=1).mean() / whole.sum(), "low": low, "high": high}


def _seconds(encoder: Encoder, texts: Sequence[str]) -> float:
    """Return the processor time that a model takes for texts, none of them from the store."""
    started = time.process_time()
    replace(encoder, cached=False).encode(texts, "passage")
    return time.process_time() - started
