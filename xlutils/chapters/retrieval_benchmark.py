"""Chapter 3: many models on one set of parallel questions, and their records as one table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from xlutils.chapters.outcomes import Protocol, pool_size
from xlutils.chapters.retrieval import RetrievalStudy, centring_change, study_retrieval
from xlutils.chapters.wording import write_table
from xlutils.datasets.parallel import ParallelQA
from xlutils.datasets.scenarios import PIVOT, Scenario
from xlutils.errors import XlError
from xlutils.models.encoder import Encoder
from xlutils.models.sentence_transformer import pick_device
from xlutils.results.record import tabulate_records, write_record

ASKED = {True: "asked in English", False: "asked in the other language"}
_SHORT = {ASKED[True]: "English", ASKED[False]: "other"}  # in tables


@dataclass(frozen=True)
class RetrievalBenchmark:
    """What came out for each model.

    :param studies: By name of the model, where it could be measured.
    :param failures: By name of the model, why it could not.
    :param paths: The records.
    """

    studies: dict[str, RetrievalStudy]
    failures: dict[str, str]
    paths: tuple[Path, ...]

    def first(self) -> RetrievalStudy:
        """Return the study of the first model that could be measured.

        :raises XlError: If there is none, with the reason of the first.
        """
        if not self.studies:
            raise XlError(f"no model could be measured: {next(iter(self.failures.values()))}")
        return next(iter(self.studies.values()))

    def reasons(self) -> pd.DataFrame:
        """List what could not be measured, and why."""
        return pd.DataFrame(list(self.failures.items()), columns=["model", "reason"])


def run_retrieval(
    models: Sequence[str],
    data: ParallelQA,
    scenarios: Sequence[Scenario],
    load: Callable[[str], Encoder],
    protocol: Protocol,
    k: int,
    device: str,
    records_dir: str | Path,
    seed: int,
) -> RetrievalBenchmark:
    """Measure models, one in memory at a time, and write each record at once.

    A model that cannot be had, or does not fit, is noted with its reason, and the rest goes on.

    :param models: Names.
    :param data: Questions and passages in all languages of the scenarios.
    :param scenarios: Pools and languages of queries.
    :param load: Loads a model by its name.
    :param protocol: "paper" or "unique".
    :param k: Places that Complete@K looks at.
    :param device: "auto", "cpu", "cuda" or "mps": where documents are counted.
    :param records_dir: Where the records go.
    :param seed: Seed of the intervals.
    :raises XlError: If a pool is too small.
    """
    counted_on = pick_device(device)
    for scenario in scenarios:
        pool_size(data, scenario, protocol, k)
    studies, failures, paths = {}, {}, []
    for name in models:
        try:
            study = study_retrieval(load(name), data, scenarios, protocol, k, counted_on)
        except XlError as error:
            failures[name] = str(error)
            continue
        study = replace(study, changes=centring_change(study))
        studies[study.name] = study
        paths.append(write_record(records_dir, study.record(seed), study.items()))
    return RetrievalBenchmark(studies, failures, tuple(paths))


def read_results(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Put records of this chapter in one table.

    :param paths: JSON files.
    :return: A row a metric: model, dataset, protocol, kind, pool, query, metric, value, low, high. Means over the
        scenarios of a group have the kind "mean" and the group for pool; what a repair changes, "change" and its name.
    """
    table = tabulate_records(paths)
    names = [split_metric(name) for name in table["metric"]]
    parts = pd.DataFrame(names, columns=["kind", "pool", "query", "metric"], index=table.index)
    about = table[["model", "dataset", "variant"]].rename(columns={"variant": "protocol"})
    return pd.concat([about, parts, table[["value", "low", "high"]].astype(float)], axis=1)


def split_metric(name: str) -> tuple[str, str, str, str]:
    """Take the name of a metric apart: kind, pool, language of the queries, metric; see `read_results`."""
    kind, pool, rest = name.split("/", 2)
    query, metric = ("", rest) if kind in ("mean", "change") else rest.split("/", 1)
    return kind, pool, query, metric


def by_target(results: pd.DataFrame, kind: str, metric: str) -> pd.DataFrame:
    """Pick one metric of the pairs with English.

    :param results: What `read_results` returned.
    :param kind: "mono-cross", "multi" or "multi-1".
    :param metric: Such as "max@r".
    :return: A row a model, target language and language of the queries: model, target, asked, value, low, high.
    """
    rows = results[(results["kind"] == kind) & (results["metric"] == metric)]
    found = []
    for model, pool, query, *numbers in rows[["model", "pool", "query", "value", "low", "high"]].to_numpy():
        spoken = {*pool.split("+"), query}
        if PIVOT in spoken and len(spoken) == 2 and "-" not in query:
            (target,) = spoken - {PIVOT}
            found.append((model, target, ASKED[query == PIVOT], *numbers))
    return pd.DataFrame(found, columns=["model", "target", "asked", "value", "low", "high"])


def by_model(results: pd.DataFrame, kind: str, metric: str) -> dict[str, pd.DataFrame]:
    """Pick one metric of the pairs with English: for each model what `by_target` returns."""
    rows = by_target(results, kind, metric)
    return {str(model): part for model, part in rows.groupby("model", sort=False)}


def bias_table(results: pd.DataFrame) -> pd.DataFrame:
    """Write preference rate, test of fairness and gap of ranks: a row a model, target and language of the queries."""
    columns = {"own language first": ("own-first", 2), "fairness p": ("fairness", 2), "gap of ranks": ("rank-gap", 1)}
    return _pair_table(results, columns)


def main_table(results: pd.DataFrame, k: int) -> pd.DataFrame:
    """Write the measures of the pairs with English: a row a model, target and language of the queries."""
    columns = {f"Complete@{k}": (f"complete@{k}", 1), "Max@R": ("max@r", 1),
               "norm, by query": ("max@r_norm/per-query", 1), "norm of mean": ("max@r_norm/mean-rank", 1)}  # fmt: skip
    return _pair_table(results, columns)


def _pair_table(results: pd.DataFrame, columns: dict[str, tuple[str, int]]) -> pd.DataFrame:
    written = {}
    for heading, (metric, digits) in columns.items():
        rows = by_target(results, "multi", metric)
        rows["asked"] = rows["asked"].map(_SHORT)
        written[heading] = write_table(rows.set_index(["model", "target", "asked"]), digits=digits)
    return _side_by_side(written, ["model", "with", "asked in"])


def mono_table(results: pd.DataFrame) -> pd.DataFrame:
    """Write NDCG@1 and MRR in pools of one language: a row a model and target language."""
    columns = {}
    for heading, metric in (("NDCG@1", "ndcg@1"), ("MRR", "mrr")):
        same = results[(results["kind"] == "mono-same") & (results["metric"] == metric)]
        columns[f"{heading}, same language"] = write_table(same.set_index(["model", "query"]))
        cross = by_target(results, "mono-cross", metric)
        for asked, rows in cross.groupby("asked"):
            columns[f"{heading}, across, {asked}"] = write_table(rows.set_index(["model", "target"]))
    return _side_by_side(columns, ["model", "language"])


def group_table(results: pd.DataFrame, k: int) -> pd.DataFrame:
    """Write means over the scenarios of each group: a row a model and group."""
    means = results[results["kind"] == "mean"]
    columns = {"NDCG@1": ("ndcg@1", 2), "MRR": ("mrr", 2), f"Complete@{k}": (f"complete@{k}", 1),
               "Max@R norm": ("max@r_norm/per-query", 1), "own language first": ("own-first", 2)}  # fmt: skip
    written = {}
    for heading, (metric, digits) in columns.items():
        rows = means[means["metric"] == metric].set_index(["model", "pool"])
        written[heading] = write_table(rows, digits=digits)
    return _side_by_side(written, ["model", "scenarios"])


def protocol_table(results: pd.DataFrame) -> pd.DataFrame:
    """Write means over all pairs with English and both languages of queries: a row a model and protocol."""
    means = results[(results["kind"] == "mean") & (results["pool"] == "multi")]
    columns = {"Max@R": "max@r", "norm of mean": "max@r_norm/mean-rank", "norm, by query": "max@r_norm/per-query"}
    written = {
        heading: write_table(means[means["metric"] == metric].set_index(["model", "protocol"]), digits=1)
        for heading, metric in columns.items()
    }
    return _side_by_side(written, ["model", "protocol"])


def centring_table(results: pd.DataFrame, k: int) -> pd.DataFrame:
    """Write what it changes to subtract from each language its mean: a row a model."""
    changes = results[(results["kind"] == "change") & (results["pool"] == "centring")]
    columns = {f"Complete@{k}": f"complete@{k}", "Max@R": "max@r"}
    written = {
        f"change of {heading}": write_table(changes[changes["metric"] == metric].set_index("model"), digits=1)
        for heading, metric in columns.items()
    }
    return _side_by_side(written, ["model"])


def _side_by_side(columns: dict[str, pd.Series], names: list[str]) -> pd.DataFrame:
    """Put columns into one table, rows in the order in which they come, blank where a column has none."""
    order = list(dict.fromkeys(key for column in columns.values() for key in column.index))
    if not order:
        return pd.DataFrame(columns=list(columns))
    return pd.DataFrame(columns).reindex(order).fillna("").rename_axis(index=names)


def hardest_questions(study: RetrievalStudy, scenario: Scenario, count: int = 3, shown: int = 2) -> pd.DataFrame:
    """Show the questions whose golds are found last, with what came before them.

    :param study: What was measured.
    :param scenario: One of its scenarios.
    :param count: Number of questions.
    :param shown: Number of documents shown of those above the golds.
    :return: A row a document: question, place, language, text; the golds are marked.
    """
    if scenario.name not in study.outcomes:
        return pd.DataFrame()
    values = study.outcomes[scenario.name].values(study.k)["max@r"]
    documents = np.concatenate([study.passages[code] for code in scenario.pool])
    texts = [text for code in scenario.pool for text in study.data.passages[code]]
    spoken = np.repeat(scenario.pool, len(study.data.passage_ids))
    rows = []
    for question in np.argsort(-values, kind="stable")[:count]:
        order = np.argsort(-(documents @ study.queries[scenario.query][question]), kind="stable")
        right = order % len(study.data.passage_ids) == study.data.gold[question]
        places = [*np.flatnonzero(~right)[:shown], *np.flatnonzero(right)]
        for place in sorted(places):
            mark = "right" if right[place] else "wrong"
            text = study.data.queries[scenario.query][question]
            rows.append((text, int(place) + 1, mark, spoken[order[place]], texts[order[place]]))
    table = pd.DataFrame(rows, columns=["question", "place", "passage", "language", "begins"])
    table["begins"] = table["begins"].str[:70] + " ..."
    return table.set_index(["question", "place"])
