"""Chapter 8: what smaller vectors cost each language, and whether some languages pay more than others."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlutils.chapters.atlas import LEAST, copies
from xlutils.chapters.atlas_values import encode_all
from xlutils.chapters.map_ways import found, names_of
from xlutils.chapters.remedies import CHANGE
from xlutils.datasets.languages import LANGUAGES
from xlutils.datasets.lexicon import Lexicon
from xlutils.datasets.parallel import ParallelQA
from xlutils.datasets.scenarios import PIVOT
from xlutils.errors import XlError
from xlutils.metrics.alignment import mean_without_nan
from xlutils.metrics.compression import WAYS, Shrinker, full_size
from xlutils.metrics.ranking import ndcg_at_1, norm_by_query, ranks_of_scores
from xlutils.metrics.uncertainty import bootstrap_means
from xlutils.metrics.unequal import loss_slope
from xlutils.models.catalogue import find_card
from xlutils.models.encoder import Encoder
from xlutils.results.record import Record, describe_dataset, describe_model
from xlutils.results.rows import metric_table

VARIANT, ACCURACY, NORM = "smaller", "accuracy", "max@r_norm/per-query"
CAUSES = ("strength", "latin", "learned")  # of which a loss may depend
LOST, SHARE = "lost", "share"
WANTED = 10  # documents that a search is to return
Floats = NDArray[np.float64]
Tables = dict[str, Floats]  # values of items in languages, [n, L], by state


def study_names(
    encoder: Encoder,
    lexicon: Lexicon,
    pivot: str = PIVOT,
    seed: int = 42,
    states: Sequence[str] = tuple(WAYS),
    lighter: Mapping[str, Encoder] | None = None,
) -> Record:
    """Measure how often names find each other across languages when their vectors are made smaller.

    Half of the things are calibrated on, and say how strong a language is; the other half is tested. Metrics by
    language: "accuracy" in each state, its paired change from vectors that were not made smaller, and "strength". For
    all languages: "strength/share" is the slope of the share that is lost on strength, "latin/lost" the difference
    that Latin script makes to the accuracy that is lost, and so on; with "/p" their p-values.

    :param states: Some of `WAYS`, which begin with "".
    :param lighter: The same model with lighter weights by state, such as `load_model(name, dtype="int8")`.
    """
    texts = names_of(lexicon, lexicon.languages)
    copied, count = copies(texts), len(lexicon.concepts)
    is_tested = np.random.default_rng(seed).permutation(count) % 2 == 1
    tested, strong = dict[str, NDArray[np.int64]](), dict[str, NDArray[np.int64]]()
    for code in (code for code in lexicon.languages if code != pivot and code not in copied):
        shared = np.array(lexicon.comparable(code, pivot), np.int64)
        parts = shared[is_tested[shared]], shared[~is_tested[shared]]
        if min(map(len, parts)) >= LEAST:
            tested[code], strong[code] = parts
    codes = list(tested)
    if len(codes) < 2:
        raise XlError(f"{lexicon.name}: fewer than two languages have {2 * LEAST} names; give more of them")
    started = time.perf_counter()
    used = {code: texts[code] for code in (pivot, *codes)}
    spaces = encode_all(encoder, used, "word")
    encoded = time.perf_counter()
    calibration = {code: spaces[code][_calibrated(used[code], is_tested)] for code in used}
    strength = np.array([found(spaces[code][strong[code]], spaces[pivot][strong[code]]).mean() for code in codes])
    tables = {}
    for state in states:
        if WAYS[state].dims < encoder.dim:
            tables[state] = _accuracies(Shrinker(WAYS[state], calibration), spaces, pivot, tested, count)
    for state, model in (lighter or {}).items():
        plain = Shrinker(WAYS[""], calibration)
        tables[state] = _accuracies(plain, encode_all(model, used, "word"), pivot, tested, count)
    rows = [*_measured(ACCURACY, tables, codes, seed), *_sizes(tables, encoder.dim)]
    rows.append(pd.DataFrame({"kind": "language", "language": codes, "metric": "strength", "value": strength}))
    rows.append(pd.DataFrame(_slopes(tables, _causes(encoder.name, codes, strength), seed)))
    params: dict[str, object] = {"pivot": pivot, "seed": seed, "calibrated": int((~is_tested).sum()), "copies": copied}
    seconds = {"encode": round(encoded - started, 3), "measure": round(time.perf_counter() - encoded, 3)}
    about = describe_model(encoder), describe_dataset(lexicon, count)
    params |= _described(lighter)
    return Record("production", *about, params, metric_table(pd.concat(rows)), seconds, _variant(lighter))


def study_passages(
    encoder: Encoder,
    data: ParallelQA,
    seed: int = 42,
    states: Sequence[str] = tuple(WAYS),
    lighter: Mapping[str, Encoder] | None = None,
) -> Record:
    """Measure Max@R in pools of English and another language when documents are made smaller, as `study_names`.

    Half of the passages are calibrated on and the others are tested, then the other way round. A value is the mean of
    the question in both languages.
    """
    codes = [code for code in data.languages if code != PIVOT]
    if PIVOT not in data.languages or not codes:
        raise XlError(f"{data.name}: needs English and another language")
    started = time.perf_counter()
    models = {"": encoder, **(lighter or {})}
    sides = {
        state: (encode_all(model, data.queries, "query"), encode_all(model, data.passages, "passage"))
        for state, model in models.items()
    }
    encoded = time.perf_counter()
    count = len(data.passage_ids)
    is_second = np.random.default_rng(seed).permutation(count) % 2 == 1
    kept = [*(state for state in states if WAYS[state].dims < encoder.dim), *(lighter or {})]
    tables = {state: np.zeros((len(data.gold), len(codes))) for state in kept}
    for is_tested in (is_second, ~is_second):
        asked, size = np.flatnonzero(is_tested[data.gold]), int(is_tested.sum())
        place = (np.cumsum(is_tested) - 1)[data.gold[asked]]
        golds = np.stack([place, place + size], axis=1)
        for state, table in tables.items():
            queries, passages = sides.get(state, sides[""])
            calibration = {code: passages[code][~is_tested] for code in data.languages}
            shrinker = Shrinker(WAYS.get(state, WAYS[""]), calibration)
            for number, code in enumerate(codes):
                pool = {language: passages[language][is_tested] for language in (PIVOT, code)}
                for language in pool:
                    scores = shrinker.scores(queries[language][asked], language, pool, WANTED)
                    table[asked, number] += norm_by_query(ranks_of_scores(scores, golds), 2 * size, 2) / 2
    rows = pd.concat([*_measured(NORM, tables, codes, seed, data.gold), *_sizes(tables, encoder.dim)])
    pools = [int(2 * half.sum()) for half in (is_second, ~is_second)]
    params = {"seed": seed, "passages": count, "pool": pools, **_described(lighter)}
    seconds = {"encode": round(encoded - started, 3), "measure": round(time.perf_counter() - encoded, 3)}
    about = describe_model(encoder), describe_dataset(data, len(data.query_ids))
    return Record("production", *about, params, metric_table(rows), seconds, _variant(lighter))


def _variant(lighter: Mapping[str, Encoder] | None) -> str:
    return f"{VARIANT}-weights" if lighter else VARIANT


def _described(lighter: Mapping[str, Encoder] | None) -> dict[str, object]:
    return {"lighter": {state: describe_model(model) for state, model in lighter.items()}} if lighter else {}


def _calibrated(texts: Sequence[str], is_tested: NDArray[np.bool_]) -> list[int]:
    """Return the rows of texts that are not tested, nor spelled like a tested one."""
    seen = {text.casefold() for text, is_out in zip(texts, is_tested, strict=True) if is_out}
    return [row for row, text in enumerate(texts) if text and not is_tested[row] and text.casefold() not in seen]


def _accuracies(
    shrinker: Shrinker,
    spaces: Mapping[str, np.ndarray],
    pivot: str,
    tested: Mapping[str, NDArray[np.int64]],
    count: int,
) -> Floats:
    """Return how often names are found first, mean of both directions, [things, languages]; NaN if not tested."""
    table = np.full((count, len(tested)), np.nan)
    for number, (code, rows) in enumerate(tested.items()):
        golds, values = np.arange(len(rows))[:, None], []
        for asked, other in ((code, pivot), (pivot, code)):
            scores = shrinker.scores(spaces[asked][rows], asked, {other: spaces[other][rows]}, WANTED)
            values.append(ndcg_at_1(ranks_of_scores(scores, golds)))
        table[rows, number] = np.mean(values, axis=0)
    return table


def _measured(
    metric: str, tables: Tables, codes: Sequence[str], seed: int, clusters: NDArray[np.int64] | None = None
) -> Iterator[pd.DataFrame]:
    """Yield the means of each state and their paired changes, one row per language."""
    for state, table in tables.items():
        cases = {state: table} | ({f"{state}{CHANGE}": table - tables[full_size(state)]} if state else {})
        for name, values in cases.items():
            low, high = bootstrap_means(values, seed, clusters)
            about = {"kind": "language", "language": codes, "metric": metric, "state": name}
            yield pd.DataFrame({**about, "value": mean_without_nan(values, 0), "low": low, "high": high})


def _sizes(tables: Tables, dim: int) -> Iterator[pd.DataFrame]:
    rows = [{"metric": "bytes", "state": state, "value": WAYS[state].bytes(dim)} for state in tables if state in WAYS]
    yield pd.DataFrame(rows).assign(kind="all")


def _causes(name: str, codes: Sequence[str], strength: Floats) -> dict[str, Floats]:
    card = find_card(name)
    learned = [card.learned(code) is not False if card else True for code in codes]
    latin = [LANGUAGES[code].script == "Latn" for code in codes]
    causes = dict(zip(CAUSES, (strength, np.array(latin, float), np.array(learned, float)), strict=True))
    return {cause: values for cause, values in causes.items() if np.ptp(values) > 0}


def _slopes(tables: Tables, causes: Mapping[str, Floats], seed: int) -> Iterator[dict[str, object]]:
    for state, table in tables.items():
        for cause, values in causes.items() if full_size(state) != state else ():
            before = tables[full_size(state)]
            used = np.isfinite(before).any(axis=1)
            for kind in (LOST, SHARE):
                slope = loss_slope(before[used], table[used], values, share=kind == SHARE, seed=seed)
                about = {"kind": "all", "state": state}
                interval = {"value": slope.mean, "low": slope.low, "high": slope.high}
                yield {**about, "metric": f"{cause}/{kind}", **interval}
                yield {**about, "metric": f"{cause}/{kind}/p", "value": slope.p_value}
