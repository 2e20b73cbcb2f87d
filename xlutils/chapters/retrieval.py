"""Chapter 3: mixed-language retrieval of one or more models, as records and as tables."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xlutils.chapters import outcomes as metrics
from xlutils.chapters.outcomes import Exam, Outcome, Protocol, Values, Vectors
from xlutils.chapters.tables import each_model
from xlutils.chapters.wording import language_names, with_interval
from xlutils.datasets.languages import language_code
from xlutils.datasets.scenarios import PIVOT
from xlutils.metrics.neighbours import margin_accuracy
from xlutils.models.catalogue import find_card
from xlutils.models.encoder import Encoder, Reading
from xlutils.results.record import Record, describe_dataset, describe_model, tabulate_records, write_record
from xlutils.results.rows import Key, metric_table

PROTOCOLS: tuple[Protocol, ...] = ("paper", "unique")
MINING = Key("mining", "margin-accuracy")  # questions of two languages that find their translations
ASKED = {True: "asked in English", False: "asked in the other language"}
_FEWEST_TEXTS = 500  # a speed measured on fewer texts means nothing


@dataclass(frozen=True)
class RetrievalStudy:
    """Mixed-language retrieval of one model.

    :param model: Name, revision, source and fingerprint of the model.
    :param exam: What it was asked.
    :param queries: Vectors of the questions by language, float32 [n, dim]; `passages` likewise, [m, dim].
    :param outcomes: Outcomes by name of the scenario.
    :param seconds: Time to encode and to measure, and texts per second unless most vectors came from the store.
    :param reading: What the model does not see of the texts.
    :param further: Vectors of the passages of `exam.more` by language.
    """

    model: dict[str, str]
    exam: Exam
    queries: Vectors
    passages: Vectors
    outcomes: dict[str, Outcome]
    seconds: dict[str, float]
    reading: Reading = field(default_factory=Reading)
    further: Vectors = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.model["name"]

    def values(self) -> Values:
        """Return every metric that is a mean over questions, float64 [n] each."""
        return metrics.all_values(self.outcomes, self.exam.k) | self.mined()

    def mined(self) -> Values:
        """Return how often each question and its translation find each other by margin, as `margin_accuracy` does.

        Questions are shorter than passages and harder to tell apart, which leaves room between good models.

        :return: The values of each language with English, and their mean.
        """
        if PIVOT not in self.queries or len(self.queries) == 1:
            return {}
        english, others = self.queries[PIVOT], {code: self.queries[code] for code in self.queries if code != PIVOT}
        pools = {MINING._replace(pool=f"{PIVOT}+{code}"): margin_accuracy(english, others[code]) for code in others}
        return {**pools, MINING: np.mean(list(pools.values()), axis=0)}

    def table(self, seed: int) -> pd.DataFrame:
        """Return every metric with its 95% interval, as rows of a record."""
        gold = self.exam.data.gold
        table = metrics.mean_rows(self.values(), gold, seed)
        norms = metrics.norm_rows(table, self.outcomes)
        return metric_table(pd.concat([table, norms, metrics.intruder_rows(self.outcomes, gold, seed)]))

    def items(self) -> pd.DataFrame:
        """Return the values per question: one row per question and scenario."""
        data, frames = self.exam.data, []
        for name, outcome in self.outcomes.items():
            about = {"question": data.query_ids, "passage": data.gold, "scenario": name}
            values = outcome.values(self.exam.k) | outcome.intruders()
            columns = {"/".join(filter(None, (key.metric, key.language))): values[key] for key in values}
            frames.append(pd.DataFrame(about | {name: column.astype(np.float32) for name, column in columns.items()}))
        for key, column in self.mined().items():
            about = {"question": data.query_ids, "passage": data.gold, "scenario": f"{key.kind}/{key.pool}"}
            if key.pool:
                frames.append(pd.DataFrame(about | {key.metric: column.astype(np.float32)}))
        return pd.concat(frames, ignore_index=True)

    def record(self, seed: int) -> Record:
        """Return the record of this measurement."""
        exam = self.exam
        dataset = describe_dataset(exam.data, len(exam.data.query_ids))
        params = {"protocol": exam.protocol, "k": exam.k, "scenarios": list(self.outcomes), "seed": seed}
        params |= {"passages": len(exam.data.passage_ids), **self.reading.facts}
        table = self.table(seed)
        return Record("mixed-retrieval", self.model, dataset, params, table, self.seconds, exam.protocol)

    def again(self, **changes: Any) -> RetrievalStudy:
        """Measure again with another model, exam, or vectors of queries and passages; what is left out stays."""
        study = replace(self, **changes)
        return replace(study, outcomes=study.exam.rank(study.queries, study.passages))


def study_retrieval(encoder: Encoder, exam: Exam) -> RetrievalStudy:
    """Measure one model.

    :raises XlError: If a pool is too small.
    """
    started, pace = time.perf_counter(), replace(encoder.pace)
    asked = dict.fromkeys(scenario.query for scenario in exam.scenarios)
    pooled = dict.fromkeys(language for scenario in exam.scenarios for language in scenario.pool)
    queries = {language: encoder.encode(exam.data.queries[language], role="query") for language in asked}
    passages = {language: encoder.encode(exam.data.passages[language], role="passage") for language in pooled}
    more = exam.more.passages if exam.more else {}
    further = {language: encoder.encode(more[language], role="passage") for language in more}
    encoded = time.perf_counter()
    outcomes = exam.rank(queries, passages)
    seconds = {"encode": round(encoded - started, 3), "measure": round(time.perf_counter() - encoded, 3)}
    new_texts = encoder.pace.texts - pace.texts
    if new_texts >= _FEWEST_TEXTS:
        seconds["texts-per-second"] = round(new_texts / max(encoder.pace.seconds - pace.seconds, 1e-6), 1)
    texts = {code: [*exam.data.queries[code], *exam.data.passages[code]] for code in {**asked, **pooled}}
    reading = encoder.look_at(texts)
    return RetrievalStudy(describe_model(encoder), exam, queries, passages, outcomes, seconds, reading, further)


def run_retrieval(
    models: Sequence[str], exam: Exam, load: Callable[[str], Encoder], records_dir: str | Path, seed: int
) -> tuple[dict[str, RetrievalStudy], dict[str, str], list[Path]]:
    """Measure models one after the other and write a record of each.

    :param load: Loads a model by name.
    :return: Studies by model; reasons by model that could not be measured; paths of the records.
    :raises XlError: If a pool is too small, or no model could be measured.
    """
    for scenario in exam.scenarios:
        exam.pool_size(scenario)
    paths = []

    def measure(name: str) -> RetrievalStudy:
        study = study_retrieval(load(name), exam)
        paths.append(write_record(records_dir, study.record(seed), study.items()))
        return study

    studies, failures = each_model(models, measure)
    return {study.name: study for study in studies.values()}, failures, paths


def read_results(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Read records of this chapter into one table, one row per metric.

    :return: The columns of `tabulate_records`, the variant as protocol; for a pair with English also the names of
        target, the other language, and question, that of the question, and asked.
    """
    table = tabulate_records(paths).rename(columns={"variant": "protocol"})
    target = table["pool"].str.removeprefix(f"{PIVOT}+")
    table["target"] = target.mask(target == PIVOT, table["query"]).map(language_names)
    table["question"] = table["query"].map(language_names)
    table["asked"] = (table["query"] == PIVOT).map(ASKED)
    return table


def pairs_with_english(results: pd.DataFrame, kind: str, metric: str, language: str = "") -> pd.DataFrame:
    """Return the rows of one metric on the pairs with English.

    :param kind: "mono-cross", "multi" or "multi-1".
    """
    is_wanted = results[["kind", "metric", "language"]] == [kind, metric, language]
    return results[is_wanted.all(axis=1) & (results["pool"] != "")]


def by_model(results: pd.DataFrame, kind: str, metric: str, language: str = "") -> dict[str, pd.DataFrame]:
    """Return the rows of one metric on the pairs with English, by model."""
    models = pairs_with_english(results, kind, metric, language).groupby("model", sort=False)
    return {str(model): rows for model, rows in models}


def learned_means(results: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return means over the pairs with English, of all languages and of those that a model learned.

    :return: One row per data set and model. An interval is as wide as those of its pairs are on average, because their
        questions are the same.
    """
    rows = {}
    pairs = pairs_with_english(results, "multi", metric)
    for keys, part in pairs.groupby(["dataset", "model"], sort=False):
        card, names = find_card(str(keys[1])), part["target"].unique()
        unlearned = [name for name in names if card and card.learned(language_code(name) or name) is False]
        learned = part[~part["target"].isin(unlearned)]
        rows[keys] = {
            "all": with_interval(*part[["value", "low", "high"]].mean(), digits=1),
            "learned": with_interval(*learned[["value", "low", "high"]].mean(), digits=1),
            "never learned": ", ".join(unlearned),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["data", "model"])
