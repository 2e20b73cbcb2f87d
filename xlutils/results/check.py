"""What a record must satisfy before it is published: valid, possible, in its place, and consistent with its items."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from xlutils.errors import XlError
from xlutils.results.record import Record, find_records, read_items, read_record, record_path
from xlutils.results.rows import metric_label

_METRICS_BY_RANGE = {
    (0.0, 1.0): (
        "sa sa_pairs misaligned overall nn_accuracy retrieval_accuracy csls_retrieval retrieval language_probe "
        "mrr ndcg@1 own-first margin-accuracy some-first fairness intruders "
        "first/right-own first/right-other first/wrong-own first/wrong-other "
        "accuracy found found-back xsim others own-above script-above same-as-pivot worst-decile gini "
        "gini-speakers ceiling across within kept same read mended broken"
    ),
    (0.0, 100.0): "complete@ max@r_norm/per-query max@r_norm/mean-rank",  # complete@ with any K
    (1.0, math.inf): "max@r rank place",
    (-1.0, 1.0): "similarity intra_concept silhouette_concept silhouette_language random-cosine",
}
_RANGES = {metric: limits for limits, metrics in _METRICS_BY_RANGE.items() for metric in metrics.split()}
_CHANGES = ("change", "against all weights", "against training alone")  # ends of states whose values may have any sign
_TEXT_COLUMNS = {"question", "concept", "category", "scenario", "side", "language", "item"}
_MEANS = (
    "max@r",
    "mrr",
    "ndcg@1",
    "own-first",
    "complete@10",
    "intra_concept",
    "nn_accuracy",
    "retrieval_accuracy",
    "margin-accuracy",
)
_METRICS = {name: name for name in (*_MEANS, "overall", "csls_retrieval")}  # by column of items
_METRICS |= {"sa_value": "sa", "sa_pairs_value": "sa_pairs", "found": "found", "found_back": "found-back"}
_LONGEST_ID = 120  # characters
_SLACK = 1e-4  # items are stored as float32


def check_records(folder: str | Path) -> int:
    """Check all records of a folder.

    :return: How many there are.
    :raises XlError: Naming the first invalid record, and what is wrong with it.
    """
    paths = find_records(folder)
    for path in paths:
        check_published(path)
    return len(paths)


def check_published(path: Path) -> None:
    """Check one record, its place and its items."""
    content = read_record(path)
    variant = path.stem[len(content["dataset"]["name"]) + 1 :]
    record = Record(
        content["experiment"], content["model"], content["dataset"], {}, content["metrics"], variant=variant
    )
    place = record_path(path.parents[2], record)
    if place != path:
        where = "/".join(place.parts[-3:])
        raise XlError(f"{'/'.join(path.parts[-3:])}: this is a record for {where}; move it there")
    for row in content["metrics"].to_dict("records"):
        _check_range(path.name, row)
    if content["items"]:
        if content["items"] != path.stem + ".parquet" or not path.with_name(content["items"]).is_file():
            raise XlError(f"{path.name}: its per-item values, {content['items']}, are not next to it")
        _check_items(path, content)


def _check_range(name: str, row: Mapping[Any, Any]) -> None:
    metric = "complete@" if row["metric"].startswith("complete@") else row["metric"]
    if row["state"].endswith(_CHANGES) or metric not in _RANGES:
        return
    least, most = _RANGES[metric]
    for column in ("value", "low", "high"):  # a bound that is missing is NaN, which fails neither comparison
        if row[column] < least - _SLACK or row[column] > most + _SLACK:
            raise XlError(
                f"{name}: {column} of {metric_label(row)} is {row[column]:g}, outside of {least:g} to {most:g}"
            )


def _check_items(path: Path, content: dict[str, Any]) -> None:
    """Check the texts of the items, and that the metrics are their means."""
    items = read_items(path)
    foreign = set(items.select_dtypes(exclude="number").columns) - _TEXT_COLUMNS
    if foreign:
        raise XlError(f"{path.name}: its items have a text column {sorted(foreign)[0]}; items hold numbers and ids")
    for column in _TEXT_COLUMNS & set(items.columns):
        if items[column].astype(str).str.len().max() > _LONGEST_ID:
            raise XlError(f"{path.name}: its items hold long texts in {column}; texts of a data set are not published")
    both = _metrics_of_scenarios(content["metrics"]).merge(_means(items), on=["state", "scenario", "metric"])
    for row in both.to_dict("records"):
        if not math.isclose(row["value"], row["mean"], rel_tol=_SLACK, abs_tol=_SLACK):
            raise XlError(
                f"{path.name}: {metric_label(row)} is {row['value']}, but the mean of its items is {row['mean']:.6g}"
            )


def _metrics_of_scenarios(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return the metrics with the scenario that items call them by; it is empty for the whole data set."""
    kinds = metrics["kind"].replace(["no-english", "wide", "third"], "multi")
    scenarios = (kinds + "/" + metrics["pool"] + "/" + metrics["query"]).str.rstrip("/")
    scenarios = scenarios.mask(metrics["kind"] == "language", metrics["language"])
    return metrics.assign(scenario=scenarios.mask(metrics["kind"] == "all", ""))


def _means(items: pd.DataFrame) -> pd.DataFrame:
    """Return the means of the items as columns state, scenario, metric and mean, without those that are NaN."""
    keys = {"state": items.get("side", ""), "scenario": items.get("scenario", items.get("language", ""))}
    columns = items.columns.intersection(list(_METRICS))
    means = items[columns].rename(columns=_METRICS).assign(**keys).groupby(list(keys)).mean()
    return means.melt(ignore_index=False, var_name="metric", value_name="mean").dropna().reset_index()
