"""Two models compared item by item, from their records and without the models."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from xlutils.errors import XlError
from xlutils.metrics.uncertainty import bootstrap_means
from xlutils.models.weights import name_of
from xlutils.results.record import find_records, read_items, read_record

_KEYS = ("concept", "question", "scenario", "side", "passage", "language", "item")  # columns that identify an item
_SIDES = ["one", "other", "change"]
_SHOWN = (
    "sa_value",
    "overall",
    "nn_accuracy",
    "retrieval_accuracy",
    "max@r",
    "complete@10",
    "ndcg@1",
    "margin-accuracy",
    "found",
)
_ITEM_METRICS = ("sa_value", "overall", "max@r")  # the metrics that items are ordered by


class Pair(NamedTuple):
    """The records of two models on the same data, measured in the same way."""

    one: Path
    other: Path

    @property
    def name(self) -> str:
        """Experiment and data."""
        return f"{self.one.parent.parent.name}/{self.one.stem}"


def find_pairs(records_dir: str | Path, one: str, other: str) -> list[Pair]:
    """List what was measured of both models in the same way.

    :param records_dir: Top folder of the records.
    :param one: A model by its name in records, or its folder.
    :param other: Another one.
    :raises XlError: If there is nothing to compare.
    """
    by_model: dict[str, dict[tuple[str, str], Path]] = {}
    for path in find_records(records_dir):
        by_model.setdefault(path.parent.name, {})[path.parent.parent.name, path.name] = path
    one, other = name_of(one), name_of(other)
    for model in (one, other):
        if model.replace("/", "__") not in by_model:
            raise XlError(f"no record of {model}; there are records of {', '.join(sorted(by_model)) or 'no model'}")
    first, second = (by_model[model.replace("/", "__")] for model in (one, other))
    pairs = [Pair(path, second[what]) for what, path in first.items() if what in second]
    alike = [pair for pair in pairs if _setup(pair.one) == _setup(pair.other) and read_record(pair.one)["items"]]
    if not alike:
        raise XlError(f"{one} and {other} have no record of the same data, measured in the same way")
    return alike


def _setup(path: Path) -> tuple[Any, ...]:
    content = read_record(path)
    settings = [content["params"].get(name) for name in ("protocol", "k", "distance", "pivot")]
    return content["dataset"]["sha256"], content["dataset"]["languages"], settings


def both_items(pair: Pair) -> pd.DataFrame:
    """Put the items of both models next to each other, one row per item.

    :return: A column (metric, "one" | "other" | "change") for each metric; the index identifies the item.
    """
    one, other = map(read_items, pair)
    keys = [name for name in _KEYS if name in one and name in other]
    numbers = one.select_dtypes("number").columns.intersection(other.select_dtypes("number").columns, sort=False)
    metrics = [name for name in numbers if name not in keys]
    tables = [table.set_index(keys)[metrics] for table in (one, other)]
    joined = pd.concat(tables, axis=1, keys=_SIDES[:2], join="inner").swaplevel(axis=1)
    for metric in metrics:
        joined[metric, "change"] = joined[metric, "other"] - joined[metric, "one"]
    return joined.sort_index(axis=1)


def change_table(pair: Pair, seed: int = 42) -> pd.DataFrame:
    """Tabulate the means of both models and their paired difference with its interval, one row per metric.

    Questions about the same passage depend on each other, and so do the languages of an item of an atlas, so the
    bootstrap draws whole passages and items.

    :return: Columns one, other, change, low, high; metrics are named by scenario and side where there are any.
    """
    items = both_items(pair)
    groups = [name for name in ("scenario", "side") if name in items.index.names]
    parts = items.groupby(level=groups, sort=False) if groups else [((), items)]
    rows = {}
    for group, part in parts:
        metrics = list(part.columns.unique(0))
        whole = next((name for name in ("passage", "item") if name in part.index.names), None)
        clusters = part.index.get_level_values(whole).to_numpy() if whole else None
        changes = np.stack([part[metric, "change"].to_numpy(float) for metric in metrics], axis=1)
        bounds = zip(*bootstrap_means(changes, seed, clusters), strict=True)
        prefix = [group] if isinstance(group, str) else [str(name) for name in group]
        for metric, (low, high) in zip(metrics, bounds, strict=True):
            means = [float(part[metric, side].mean()) for side in _SIDES]
            rows["/".join([*prefix, metric])] = (*means, low, high)
    return pd.DataFrame.from_dict(rows, orient="index", columns=[*_SIDES, "low", "high"]).dropna()


def changed_most(pair: Pair, count: int = 5) -> pd.DataFrame:
    """List the concepts, questions or languages that changed most on average, the largest change first.

    :return: Columns one, other, change.
    """
    items = both_items(pair)
    metrics = items.columns.unique(0)
    metric = next((name for name in _ITEM_METRICS if name in metrics), metrics[0])
    key = next(name for name in ("concept", "question", "language") if name in items.index.names)
    means = pd.DataFrame(items[metric])[_SIDES].groupby(level=key).mean().dropna()
    return means.sort_values("change", key=abs, ascending=False, kind="stable").head(count)


def comparison_text(pair: Pair, *, everything: bool = False) -> str:
    """Return a comparison as lines of text: means, paired changes with intervals, and the items that changed most.

    :param pair: The records.
    :param everything: Whether to show every metric of every scenario.
    """
    table = change_table(pair)
    lines = [f"  {'metric':40} {'first':>10} {'second':>10}   second - first (95% interval)"]
    is_asked_for = [everything or str(name).rsplit("/", 1)[-1] in _SHOWN for name in table.index]
    for name, row in (table[is_asked_for] if any(is_asked_for) else table).iterrows():
        change, low, high = (f"{number:.3f}" for number in row[["change", "low", "high"]].round(3) + 0.0)  # no "-0.000"
        lines.append(f"  {name:40} {row['one']:10.3f} {row['other']:10.3f}   {change} ({low} to {high})")
    lines.append("  changed most:")
    for name, row in changed_most(pair).iterrows():
        lines.append(f"    {name:38} {row['one']:10.3f} {row['other']:10.3f}   {row['change']:+.3f}")
    return "\n".join(lines)
