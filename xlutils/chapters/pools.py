"""Chapter 3: remedies in pools that grow, that hold no translations, or little of one language."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlutils.chapters.outcomes import Values
from xlutils.chapters.remedies import (
    AS_PUBLISHED,
    LEAST_COST,
    LEAST_GAIN,
    NOTHING,
    RemedyStudy,
    Repaired,
    gains,
    has_enough,
    repair,
)
from xlutils.chapters.retrieval import RetrievalStudy
from xlutils.datasets.languages import LANGUAGES
from xlutils.datasets.parallel import ParallelQA, load_parallel
from xlutils.datasets.scenarios import PIVOT, Scenario
from xlutils.errors import XlError
from xlutils.metrics.pools import Pool, small_pools, uneven_pools, untranslated_pools
from xlutils.metrics.ranking import Ranks, complete_at, ndcg_at_1, ranks_of_scores
from xlutils.metrics.remedies import REMEDIES, Remedy
from xlutils.results.record import describe_dataset, write_record
from xlutils.results.rows import Key

Pools = list[tuple[str, Pool]]  # with the kind that rows of a record have
GROWN = ("interleaved", "query side, 32 questions", "both sides")
SHAPED = ("interleaved", "scores by language", "query side, 32 questions", "both sides, 32 texts")
TIMES = 10  # passages in the frequent language for each one in the rare language
_SIZE = "pool-"  # begins the kind of a pool of so many passages


def study_pools(study: RetrievalStudy, seed: int) -> RemedyStudy:
    """Measure a model in pools of every kind, as published and after each remedy for which there are enough texts.

    Values are averaged over pairs of English with another language. If further passages join the largest pool, pools
    grow only in the pairs of languages that these are in.
    """
    exam, further = study.exam.only(("multi",)), study.further
    passages = {c: np.concatenate([v, further[c]]) if c in further else v for c, v in study.passages.items()}
    enlarged = replace(study, exam=exam, passages=passages)
    order = np.random.default_rng([seed, 1]).permutation(len(exam.data.passage_ids))
    shaped = _shaped(order, exam.data.gold)
    growing = _growing(order, exam.data.gold, len(further.get(PIVOT, ())))

    def pools_for(scenario: Scenario) -> Pools:
        return shaped + growing if not further or set(scenario.pool) <= set(further) else shaped

    remedies = {name: REMEDIES.get(name, NOTHING) for name in (AS_PUBLISHED, *GROWN, *SHAPED)}
    enough = {name: remedy for name, remedy in remedies.items() if has_enough(exam, remedy)}
    values = {name: _values(enlarged, remedy, pools_for, seed) for name, remedy in enough.items()}
    return RemedyStudy(study, values, {})


def _growing(order: NDArray[np.int64], gold: NDArray[np.int64], more: int) -> Pools:
    """Return pools of an eighth of the passages, a quarter, a half, all, and all with more of other data."""
    sizes = [-(-len(order) // parts) for parts in (8, 4, 2, 1)]
    pools = [(f"{_SIZE}{2 * size}", pool) for size in sizes for pool in small_pools(order, gold, size)]
    largest = small_pools(order, gold, len(order), more) if more else []
    return pools + [(f"{_SIZE}{2 * (len(order) + more)}", pool) for pool in largest]


def _shaped(order: NDArray[np.int64], gold: NDArray[np.int64]) -> Pools:
    pools = [("untranslated", pool) for pool in untranslated_pools(order, gold)]
    for rare in (0, 1):
        both, one = (uneven_pools(order, gold, TIMES, rare, is_translated=there) for there in (True, False))
        pools += [("uneven", pool) for pool in both] + [("uneven-alone", pool) for pool in one]
    return pools


def _values(study: RetrievalStudy, remedy: Remedy, pools_for: Callable[[Scenario], Pools], seed: int) -> Values:
    """Return the mean values of each question over all pools of a kind."""
    exam, totals = study.exam, dict[Key, NDArray[np.float64]]()  # sums and numbers of values, [2, questions]
    for part in repair(study, remedy, seed):
        for scenario in part.scenarios:
            for kind, pool in pools_for(scenario):
                asked, ranks = _rank(part, scenario, pool, remedy)
                columns = {f"complete@{exam.k}": 100 * complete_at(exam.k, ranks), "ndcg@1": ndcg_at_1(ranks)}
                for metric, column in columns.items():
                    total = totals.setdefault(Key(kind, metric), np.zeros((2, len(exam.data.gold))))
                    total[:, asked] += [column, np.ones(len(asked))]
    return {key: total / count for key, (total, count) in totals.items()}


def _rank(part: Repaired, scenario: Scenario, pool: Pool, remedy: Remedy) -> tuple[NDArray[np.int64], Ranks]:
    """Return those questions of a part that a pool is asked, and the ranks of their golds."""
    is_here = np.isin(pool.asked, part.rows)
    asked = pool.asked[is_here]
    queries = part.queries[scenario.query][np.searchsorted(part.rows, asked)]
    documents = [part.passages[code][held] for code, held in zip(scenario.pool, pool.held, strict=True)]
    scores = queries @ np.concatenate(documents).T
    if remedy.rescore:
        language_of = np.repeat([0, 1], [len(vectors) for vectors in documents])
        scores = remedy.rescore(scores, language_of, scenario.pool.index(scenario.query))
    return asked, ranks_of_scores(scores, pool.gold[is_here])


def run_pools(studies: Iterable[RetrievalStudy], records_dir: str | Path, seed: int) -> list[Path]:
    """Measure models in pools of every kind, write a record of each model, and return the paths.

    :param studies: The models as they came; nothing is done under the protocol "paper", whose pools hold copies, or
        without a pool of English and one more language.
    """
    paths = []
    for study in studies:
        exam, more = study.exam, study.exam.more
        if exam.protocol == "unique" and exam.only(("multi",)).scenarios:
            record = study_pools(study, seed).record(seed)
            about = {"distractors": describe_dataset(more, len(more.passage_ids))} if more else {}
            variant = f"{exam.protocol}+{more.name}" if more else exam.protocol
            changes: dict[str, Any] = {"params": {**record.params, **about}, "variant": variant}
            paths.append(write_record(records_dir, replace(record, experiment="pools", **changes)))
    return paths


def load_distractors(name: str, languages: Sequence[str]) -> ParallelQA | None:
    """Load other data, whose passages join the largest pool, in English and those of the languages that they have.

    :param name: As for `load_parallel`; empty for none.
    :raises XlError: If they have none of the languages.
    """
    if not name:
        return None
    load_parallel(name, [PIVOT])
    codes = []
    for code in languages:
        with contextlib.suppress(XlError):
            load_parallel(name, [code])
            codes.append(code)
    if not codes:
        raise XlError(f"distractors: {name} has none of {', '.join(languages)}; name other data")
    return load_parallel(name, [PIVOT, *codes])


def growth(record: Mapping[str, Any]) -> pd.DataFrame:
    """Return Complete@K by size of the pool: columns remedy, passages, value, low, high."""
    metrics = record["metrics"]
    is_wanted = (metrics["metric"] == f"complete@{record['params']['k']}") & metrics["kind"].str.startswith(_SIZE)
    rows = metrics[is_wanted & metrics["state"].isin([AS_PUBLISHED, *GROWN])].rename(columns={"state": "remedy"})
    rows["passages"] = rows["kind"].str.removeprefix(_SIZE).astype(int)
    return pd.DataFrame(rows[["remedy", "passages", "value", "low", "high"]])


def about_growth(record: Mapping[str, Any]) -> str:
    """Say what was asked in the pools of `growth`, and what these hold."""
    data, params = record["dataset"], record["params"]
    more = params.get("distractors")
    names = ", ".join(LANGUAGES[code].name for code in (more or data)["languages"] if code != PIVOT)
    text = f"{data['name']}: {data['size']:,} questions about {params['passages']} passages (K = {params['k']})"
    text = f"{text}, in pools of English with {names}"
    return f"{text}; the largest holds {more['size']} more passages of {more['name']}" if more else text


def shape_table(record: Mapping[str, Any]) -> pd.DataFrame:
    """Return how each remedy changes pools without translations, and with little of one language, with a verdict.

    A remedy helps or harms only if the whole interval is beyond `LEAST_GAIN` or `LEAST_COST`.
    """
    k = record["params"]["k"]
    complete, first = (f"complete@{k}", LEAST_GAIN, 1), ("ndcg@1", LEAST_COST, 2)
    columns = {
        f"no translations: first {k}": ("untranslated", *complete),
        "no translations: first place": ("untranslated", *first),
        f"{TIMES} to 1, both there: Complete@{k}": ("uneven", *complete),
        f"{TIMES} to 1, both there: first place": ("uneven", *first),
        f"{TIMES} to 1, one there: first place": ("uneven-alone", *first),
    }
    table = pd.DataFrame(columns=list(columns), dtype=str).rename_axis("remedy")
    for heading, (kind, metric, least, digits) in columns.items():
        for name, change in gains(record, metric, kind).iterrows():
            if name in SHAPED:
                table.loc[name, heading] = _judged(*change, least=least, digits=digits)
    return table


def _judged(value: float, low: float, high: float, *, least: float, digits: int) -> str:
    effect = "helps" if low > least else "harms" if high < -least else "unclear"
    return f"{effect} {round(value, digits) + 0.0:+.{digits}f} ± {(high - low) / 2:.{digits}f}"
