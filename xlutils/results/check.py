"""What a record must satisfy before it is published: valid, possible, in its place, and consistent with its items."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from xlutils.errors import XlError
from xlutils.results.record import Record, find_records, read_items, read_record, record_path

_SHARES = (
    "sa|mrr|ndcg@1|own-first|some-first|fairness|overall|nn_accuracy|retrieval_accuracy|csls_retrieval|retrieval|"
    "language_probe|first/(right|wrong)-(own|other)|intruders/[a-z]{2}"
)
_RANGES = (  # of a metric by the end of its name
    (re.compile(rf"(^|/)({_SHARES})$"), 0.0, 1.0),
    (re.compile(r"(^|/)(complete@\d+|max@r_norm/(per-query|mean-rank))$"), 0.0, 100.0),
    (re.compile(r"(^|/)(max@r|rank/[a-z]{2})$"), 1.0, math.inf),
    (re.compile(r"(^|/)(similarity|intra_concept|silhouette_\w+|random-cosine)$"), -1.0, 1.0),
)
_CHANGES = re.compile(r"^change/|/[a-z]{2}-[a-z]{2}/max@r$")  # differences may have any sign
_TEXT_COLUMNS = {"question", "concept", "category", "scenario", "side"}
_MEANS = ("max@r", "mrr", "ndcg@1", "own-first", "complete@10", "intra_concept", "nn_accuracy", "retrieval_accuracy")
_METRICS = {name: name for name in (*_MEANS, "overall", "csls_retrieval")} | {"sa_value": "sa"}  # by column of items
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
    record = Record(content["experiment"], content["model"], content["dataset"], {}, {}, variant=variant)
    place = record_path(path.parents[2], record)
    if place != path:
        where = "/".join(place.parts[-3:])
        raise XlError(f"{'/'.join(path.parts[-3:])}: this is a record for {where}; move it there")
    for metric, value in content["metrics"].items():
        _check_range(path.name, "metrics", metric, [value])
    for metric, bounds in content["ci95"].items():
        _check_range(path.name, "ci95", metric, bounds)
    if content["items"]:
        if content["items"] != path.stem + ".parquet" or not path.with_name(content["items"]).is_file():
            raise XlError(f"{path.name}: its per-item values, {content['items']}, are not next to it")
        _check_items(path, content)


def _check_range(name: str, group: str, metric: str, values: Iterable[float]) -> None:
    if _CHANGES.search(metric):
        return
    for pattern, low, high in _RANGES:
        if pattern.search(metric) and not all(low - _SLACK <= value <= high + _SLACK for value in values):
            raise XlError(f"{name}: {group}.{metric} is {values}, outside of {low:g} to {high:g}")


def _check_items(path: Path, content: dict[str, Any]) -> None:
    """Check the texts of the items, and that the metrics are their means."""
    items = read_items(path)
    foreign = set(items.select_dtypes(exclude="number").columns) - _TEXT_COLUMNS
    if foreign:
        raise XlError(f"{path.name}: its items have a text column {sorted(foreign)[0]}; items hold numbers and ids")
    for column in _TEXT_COLUMNS & set(items.columns):
        if items[column].astype(str).str.len().max() > _LONGEST_ID:
            raise XlError(f"{path.name}: its items hold long texts in {column}; texts of a data set are not published")
    groups = [column for column in ("side", "scenario") if column in items]
    for names, part in items.groupby(groups, sort=False) if groups else [((), items)]:
        for column in part.columns.intersection(list(_METRICS)):
            metric, mean = "/".join([*map(str, names), _METRICS[column]]), float(part[column].mean())
            value = content["metrics"].get(metric)
            if value is not None and not _agree(value, mean):
                raise XlError(f"{path.name}: metrics.{metric} is {value}, but the mean of its items is {mean:.6g}")


def _agree(value: float, mean: float) -> bool:
    return math.isnan(mean) or math.isclose(value, mean, rel_tol=_SLACK, abs_tol=_SLACK)
