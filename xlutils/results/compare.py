"""Two models, item by item: from the records and items of both, without the models."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from xlutils.errors import XlError
from xlutils.metrics.uncertainty import bootstrap_means
from xlutils.results.record import find_records, read_items, read_record

_KEYS = ("concept", "question", "scenario", "side")
_SHOWN = ("sa_value", "overall", "nn_accuracy", "retrieval_accuracy", "max@r", "complete@10", "ndcg@1")
_ITEM_METRICS = ("sa_value", "overall", "max@r")  # by which items are put in order


@dataclass(frozen=True)
class Pair:
    """Records of two models on the same data, measured alike.

    :param one: Path of the first model's record.
    :param other: Path of the second's.
    """

    one: Path
    other: Path

    @property
    def name(self) -> str:
        """What was measured: experiment and data."""
        return f"{self.one.parent.parent.name}/{self.one.stem}"


def find_pairs(records_dir: str | Path, one: str, other: str) -> list[Pair]:
    """List what was measured of both models in the same way.

    :param records_dir: Top folder of the records.
    :param one: A model by its name in records.
    :param other: Another one.
    :raises XlError: If there is nothing.
    """
    folders = [name.replace("/", "__") for name in (one, other)]
    paths: dict[str, dict[tuple[str, str], Path]] = {}
    for path in find_records(records_dir):
        paths.setdefault(path.parent.name, {})[path.parent.parent.name, path.name] = path
    for name, folder in zip((one, other), folders, strict=True):
        if folder not in paths:
            raise XlError(f"no record of {name}; there are records of {', '.join(sorted(paths)) or 'no model'}")
    first, second = (paths[folder] for folder in folders)
    pairs = [Pair(path, second[what]) for what, path in first.items() if what in second]
    alike = [pair for pair in pairs if _way(pair.one) == _way(pair.other)]
    if not alike:
        raise XlError(f"{one} and {other} have no record of the same data, measured in the same way")
    return alike


def _way(path: Path) -> tuple[object, ...]:
    content = read_record(path)
    settings = {name: value for name, value in content["params"].items() if name in ("protocol", "k", "distance")}
    return content["dataset"]["sha256"], content["dataset"]["languages"], sorted(settings.items())


def both_items(pair: Pair) -> pd.DataFrame:
    """Put the items of both models side by side: a row an item, with each metric twice and its change.

    :return: The keys, and a column (metric, "one" | "other" | "change") for each metric.
    """
    tables = [read_items(path) for path in (pair.one, pair.other)]
    keys = [name for name in (*_KEYS, "passage") if all(name in table for table in tables)]
    numbers = [set(table.select_dtypes("number").columns) - set(keys) for table in tables]
    metrics = [name for name in tables[0].columns if name in numbers[0] & numbers[1]]
    one, other = (table.set_index(keys)[metrics] for table in tables)
    joined = pd.concat({"one": one, "other": other}, axis=1, join="inner").swaplevel(axis=1)
    for metric in metrics:
        joined[metric, "change"] = joined[metric, "other"] - joined[metric, "one"]
    return joined.sort_index(axis=1)


def change_table(pair: Pair, seed: int = 42) -> pd.DataFrame:
    """Tabulate the means of both models and their paired difference, with intervals.

    Questions on one passage depend on each other, so whole passages are drawn.

    :return: A row a metric, in scenarios where there are any: one, other, change, low, high.
    """
    items = both_items(pair)
    groups = [name for name in ("scenario", "side") if name in items.index.names]
    parts = items.groupby(level=groups, sort=False) if groups else [("", items)]
    rows = {}
    for group, part in parts:
        clusters = part.index.get_level_values("passage").to_numpy() if "passage" in part.index.names else None
        names = list(dict.fromkeys(part.columns.get_level_values(0)))
        changes = np.stack([part[name, "change"].to_numpy(float) for name in names], axis=1)
        low, high = bootstrap_means(changes, seed, clusters)
        prefix = "/".join(str(each) for each in (group if isinstance(group, tuple) else (group,)) if each)
        for place, name in enumerate(names):
            means = [float(part[name, side].mean()) for side in ("one", "other", "change")]
            rows[f"{prefix}/{name}".lstrip("/")] = (*means, low[place], high[place])
    return pd.DataFrame.from_dict(rows, orient="index", columns=["one", "other", "change", "low", "high"]).dropna()


def changed_most(pair: Pair, count: int = 5) -> pd.DataFrame:
    """List the concepts or questions that changed most, by the mean over all scenarios.

    :return: A row an item, the largest change first: one, other, change.
    """
    items = both_items(pair)
    there = items.columns.get_level_values(0)
    metric = next((name for name in _ITEM_METRICS if name in there), there[0])
    key = next(name for name in ("concept", "question") if name in items.index.names)
    means = pd.DataFrame(items[metric])[["one", "other", "change"]].groupby(level=key).mean().dropna()
    return means.sort_values("change", key=abs, ascending=False, kind="stable").head(count)


def headline(table: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows that people ask for first, if there are any of them."""
    kept = table[[str(name).rsplit("/", 1)[-1] in _SHOWN for name in table.index]]
    return kept if len(kept) else table
