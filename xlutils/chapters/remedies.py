"""Chapter 3: what helps without training, fitted on other texts than it is tested on."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlutils.chapters.outcomes import Exam, Values, group_means, mean_rows
from xlutils.chapters.retrieval import RetrievalStudy
from xlutils.chapters.wording import with_margin
from xlutils.datasets.scenarios import PIVOT, Scenario
from xlutils.metrics.ranking import Ranks, complete_at, gold_ranks, max_at_r, ndcg_at_1, ranks_of_scores
from xlutils.metrics.remedies import REMEDIES, Fit, Remedy, Rescore
from xlutils.metrics.repair import Spaces
from xlutils.results.record import Record, describe_dataset, write_record
from xlutils.results.rows import Key, metric_table, rows_of

AS_PUBLISHED = "as published"
CHANGE = ", change"  # ends the state of a paired difference from the model as published
_DRAWS = 4  # samples of texts to fit on in each half; a question is tested with one of them
_KINDS = ("mono-same", "multi")
NOTHING = Remedy("neither", sees_pool=True)  # the model as published
LEAST_GAIN, LEAST_COST = 1.0, 0.005  # points of Complete@K, and of NDCG@1, that anybody would notice


@dataclass(frozen=True)
class RemedyStudy:
    """One model after each remedy.

    :param before: The model as published.
    :param values: Values per question by name of the remedy, float64 [n] each.
    :param seconds: Time to change the vectors of a thousand questions.
    """

    before: RetrievalStudy
    values: dict[str, Values]
    seconds: dict[str, float]

    def record(self, seed: int) -> Record:
        """Return the record: means after every remedy, and their paired differences from the model as published."""
        exam, base = self.before.exam, self.values[AS_PUBLISHED]
        columns = {}
        for name, values in self.values.items():
            for key, column in values.items():
                if not key.pool or key.metric.startswith(("complete@", "max@r")):
                    columns[key._replace(state=name)] = column
                if not key.pool and name != AS_PUBLISHED:
                    columns[key._replace(state=name + CHANGE)] = column - base[key]
        params = {"protocol": exam.protocol, "k": exam.k, "seed": seed, "draws": _DRAWS}
        params |= {"passages": len(exam.data.passage_ids), **self.before.reading.facts}
        dataset = describe_dataset(exam.data, len(exam.data.query_ids))
        table = metric_table(mean_rows(columns, exam.data.gold, seed))
        return Record("remedies", self.before.model, dataset, params, table, self.seconds, exam.protocol)


def study_remedies(study: RetrievalStudy, names: Iterable[str] = REMEDIES, seed: int = 42) -> RemedyStudy:
    """Measure a model after each remedy, in one language and in pools of English and one more.

    :param study: The model as published.
    :param names: Some of `REMEDIES`; those for which the data have too few texts are left out.
    :param seed: Seed of the halves and of the samples to fit on.
    """
    before = study.again(exam=study.exam.only(_KINDS))
    wanted = {AS_PUBLISHED: NOTHING, **{name: REMEDIES[name] for name in names}}
    values, seconds = {}, {}
    for name, remedy in wanted.items():
        if has_enough(before.exam, remedy):
            values[name], seconds[name] = _measure(before, remedy, seed)
    return RemedyStudy(before, values, seconds)


def has_enough(exam: Exam, remedy: Remedy) -> bool:
    """Whether an exam has enough texts to fit a remedy on some and test it with others."""
    texts = exam.data.passage_ids if remedy.reindex else exam.data.query_ids
    return 2 * remedy.texts * (1 + remedy.reindex) <= len(texts) and not (remedy.rescore and exam.protocol == "paper")


class Repaired(NamedTuple):
    """What a remedy makes of questions that it was not fitted on, and of all passages.

    :param scenarios: Scenarios in the languages of the vectors.
    :param rows: Positions of the questions, int [q].
    :param queries: Vectors of these questions by language.
    :param seconds: Time to change the vectors of the questions.
    """

    scenarios: list[Scenario]
    rows: NDArray[np.int64]
    queries: Spaces
    passages: Spaces
    seconds: float


def repair(study: RetrievalStudy, remedy: Remedy, seed: int) -> Iterator[Repaired]:
    """Apply a remedy to each group of languages and each part of the questions."""
    groups: dict[tuple[str, ...], list[Scenario]] = {}
    for scenario in study.exam.scenarios:
        groups.setdefault(tuple(dict.fromkeys([PIVOT, *scenario.pool, scenario.query])), []).append(scenario)
    for (rows, fit), (codes, scenarios) in itertools.product(_folds(study, remedy, seed), groups.items()):
        spaces = {code: study.queries[code][rows] for code in codes}, {code: study.passages[code] for code in codes}
        own = Fit(*({code: space[code] for code in codes} for space in fit))
        started = time.perf_counter()
        remedy.move(spaces[0], {}, own)
        seconds = time.perf_counter() - started
        yield Repaired(scenarios, rows, *remedy.move(*spaces, own), seconds)


def _measure(study: RetrievalStudy, remedy: Remedy, seed: int) -> tuple[Values, float]:
    """Return the values per question after a remedy, and the seconds it takes for a thousand questions."""
    exam, columns = study.exam, dict[Key, NDArray[np.float64]]()
    spent, asked = 0.0, 0
    for scenarios, rows, queries, passages, seconds in repair(study, remedy, seed):
        spent, asked = spent + seconds, asked + len(rows) * len(queries)
        for scenario in scenarios:
            ranks = _ranks(exam, scenario, queries[scenario.query], passages, rows, remedy.rescore)
            for key, part in _values(scenario, ranks, exam.k).items():
                columns.setdefault(key, np.full(len(exam.data.gold), np.nan))[rows] = part
    return columns | group_means(columns, exam.scenarios), round(1000 * spent / asked, 5)


def _folds(study: RetrievalStudy, remedy: Remedy, seed: int) -> Iterator[tuple[NDArray[np.int64], Fit]]:
    """Yield positions of questions to test, and texts to fit on that are of other passages."""
    gold, queries, passages = study.exam.data.gold, study.queries, study.passages
    if remedy.sees_pool:
        yield np.arange(len(gold)), Fit(queries, passages)
        return
    draws = np.random.default_rng(seed)
    place = draws.permutation(len(study.exam.data.passage_ids))  # of each passage; its parity is its half
    count = _DRAWS if remedy.texts else 1
    for half in range(2):
        here = np.flatnonzero(place[gold] % 2 == half)
        others = [np.flatnonzero(place[gold] % 2 != half), np.flatnonzero(place % 2 != half)]
        for part in range(count):
            rows = here[place[gold][here] // 2 % count == part]
            fitted = []
            for spaces, positions in zip((queries, passages), others, strict=True):
                order, size = draws.permutation(positions), remedy.texts or len(positions)
                first, last = order[:size], order[-size:]  # English, and the other languages
                fitted.append({code: vectors[first if code == PIVOT else last] for code, vectors in spaces.items()})
            if remedy.texts == 0:  # all of the half, in one order, so that translations can be paired
                fitted = [{c: v[at] for c, v in s.items()} for s, at in zip((queries, passages), others, strict=True)]
            yield rows, Fit(*fitted)


def _ranks(
    exam: Exam, scenario: Scenario, asked: np.ndarray, passages: Spaces, rows: np.ndarray, rescore: Rescore | None
) -> Ranks:
    """Return the ranks of the golds of some questions."""
    pool = exam.pool(scenario)
    documents = np.concatenate([passages[code] for code in scenario.pool])
    if rescore:
        asked = rescore(asked @ documents.T, pool.language_of, scenario.pool.index(scenario.query))
        return ranks_of_scores(asked, pool.gold[rows])
    return gold_ranks(asked, documents, pool.gold[rows], pool.weights, device=exam.device)


def _values(scenario: Scenario, ranks: Ranks, k: int) -> Values:
    key = Key(scenario.group, "", "+".join(scenario.pool), scenario.query)
    values = {"ndcg@1": ndcg_at_1(ranks), "max@r": max_at_r(ranks)}
    if scenario.kind == "multi":
        own = scenario.pool.index(scenario.query)
        lead = ranks.expected()[:, [own]] - np.delete(ranks.expected(), own, axis=1)
        values |= {f"complete@{k}": 100 * complete_at(k, ranks), "own-first": (1 - np.sign(lead[:, 0])) / 2}
    return {key._replace(metric=metric): column for metric, column in values.items()}


def run_remedies(studies: Iterable[RetrievalStudy], records_dir: str | Path, seed: int) -> list[Path]:
    """Measure models after every remedy, write a record of each model, and return the paths.

    :param studies: The models as they came; without a pool of English and one more language there is nothing to do.
    """
    return [
        write_record(records_dir, study_remedies(study, seed=seed).record(seed))
        for study in studies
        if any(scenario.group == "multi" for scenario in study.exam.scenarios)
    ]


def remedy_table(record: Mapping[str, Any]) -> pd.DataFrame:
    """Return what each remedy needs, gains and costs, one row per remedy, from the record of one model."""
    complete = f"complete@{record['params']['k']}"
    columns = {
        complete.capitalize(): (Key("multi", complete), "", 1),
        "first place": (Key("multi", "ndcg@1"), CHANGE, 3),
        "one language": (Key("mono-same", "ndcg@1"), CHANGE, 3),
    }
    rows = {}
    for name in (name for name in (AS_PUBLISHED, *REMEDIES) if name in record["timing"]):
        remedy = REMEDIES.get(name)
        rows[name] = {"knows": remedy.needs, "new index": "yes" if remedy.reindex else "no"} if remedy else {}
        for heading, (key, state, digits) in columns.items():
            rows[name][heading] = _cell(record, key._replace(state=name + state), digits)
    table = pd.DataFrame.from_dict(rows, orient="index", columns=[*columns, "knows", "new index"])
    return table.fillna("").rename_axis("remedy")


def _cell(record: Mapping[str, Any], key: Key, digits: int) -> str:
    """Return a value and half the width of its interval."""
    found = rows_of(record["metrics"], key)
    if found.empty:
        return ""
    return with_margin(*found[["value", "low", "high"]].iloc[0], digits=digits)


def split_states(table: pd.DataFrame) -> pd.DataFrame:
    """Turn the states of a record of remedies into the name of the remedy, and before, after or change."""
    done, is_change = table["state"].str.removesuffix(CHANGE), table["state"].str.endswith(CHANGE)
    states = np.select([done == AS_PUBLISHED, is_change], ["before", "change"], "after")
    return table.assign(done=done, state=states)


def gains(record: Mapping[str, Any], metric: str, kind: str = "multi") -> pd.DataFrame:
    """Return how a metric differs from the model as published, one row per remedy: value, low and high."""
    metrics = record["metrics"]
    is_change = (metrics[["kind", "metric", "pool"]] == [kind, metric, ""]).all(axis=1) & metrics["state"].str.endswith(
        CHANGE
    )
    rows = metrics[is_change]
    return pd.DataFrame(rows.set_index(rows["state"].str.removesuffix(CHANGE))[["value", "low", "high"]])


def verdicts(record: Mapping[str, Any]) -> pd.Series:
    """Say of each remedy whether it completes more questions, and whether it costs anything at the first place.

    Both count only if the whole interval is beyond `LEAST_GAIN` or `LEAST_COST`.
    """
    complete = gains(record, f"complete@{record['params']['k']}")
    costs = [gains(record, "ndcg@1", kind)["high"] < -LEAST_COST for kind in _KINDS]
    words = {}
    for name, row in complete.iterrows():
        effect = "helps" if row["low"] > LEAST_GAIN else "harms" if row["high"] < -LEAST_GAIN else "unclear"
        is_costly = any(cost.get(name, False) for cost in costs)
        words[name] = f"{effect}, costs" if is_costly else effect
    return pd.Series(words, dtype=str)
