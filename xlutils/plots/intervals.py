"""Dots with their intervals, one row per name: scores, changes, tiers and ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator, StrMethodFormatter

from xlutils.plots.style import COLOURS, MARKERS, SMALL, panels, rank_axis, shared_legend

SCORES = {  # by their names in records; figures and tables show these
    "intra_concept": "cosine of translations",
    "nn_accuracy": "nearest neighbours",
    "retrieval_accuracy": "retrieval",
    "overall": "overall score",
    "discriminability": "discriminability gap",
    "csls_retrieval": "retrieval by CSLS",
    "language_probe": "language probe",
    "hub_skewness": "skewness of hubs",
    "silhouette_concept": "silhouette by concept",
    "silhouette_language": "silhouette by language",
}
_LABEL = 32  # characters in a line of a label
_ARROW = 0.02  # length of the arrow from an upper bound, in affinity


def draw_intervals(
    axis: Axes, table: pd.DataFrame, order: Sequence[str], series: Sequence[str] = ("",), dodge: float = 0
) -> None:
    """Draw each value as a dot on the bar of its interval; reported values are hollow.

    :param table: Columns value, low, high and, optionally, series and reported (bool); the index names the row.
    :param order: Names of the rows, from top to bottom.
    :param series: Names of the series, each with a colour and a marker of its own.
    :param dodge: Distance between the first and the last series of a row; a row is 1 high.
    """
    rows = table.assign(series=table.get("series", series[0]), reported=table.get("reported", False))
    rows = rows.astype({"value": float, "low": float, "high": float})
    numbers = rows["series"].map(list(series).index).to_numpy()
    last = len(series) - 1
    places = rows.index.map(list(order).index) + dodge * (numbers - last / 2) / max(last, 1)
    axis.hlines(places, rows["low"], rows["high"], [COLOURS[number] for number in numbers], linewidth=4, alpha=0.4)
    for number, name in enumerate(series):
        for hollow, style in ((False, "full"), (True, "none")):
            chosen = (numbers == number) & (rows["reported"] == hollow)
            look: dict[str, Any] = {"color": COLOURS[number], "fillstyle": style, "markersize": 5, "label": name}
            if chosen.any():  # else the legend would show a solid mark for what was only reported
                axis.plot(rows["value"][chosen], places[chosen], MARKERS[number], **look)
    axis.set_yticks(range(len(order)), [fill(name or "all", _LABEL) for name in order])
    axis.set_ylim(len(order) - 0.5, -0.5)
    axis.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))


def _interval_panels(
    tables: Mapping[str, pd.DataFrame],
    label: str,
    title: str,
    *,
    series: Sequence[str] = ("",),
    dodge: float = 0,
    height: float = 0.3,
    columns: int = 3,
    sharex: bool = True,
    line: float | None = None,
) -> tuple[Figure, list[Axes]]:
    """Draw values with their intervals, one panel per table; the panels share their rows.

    :param tables: By heading; the columns, `series` and `dodge` are those of `draw_intervals`.
    :param height: Height of a row, in inches.
    :param columns: Most panels side by side.
    :param sharex: Whether the panels share one scale.
    :param line: A value to mark.
    """
    order = list(dict.fromkeys(name for table in tables.values() for name in table.index))
    labels = 0.075 * min(max(map(len, order), default=0), _LABEL) + 0.4
    size = (2.6, height * len(order) + 0.75)
    xlabel, margin = f"{label}, 95% interval", (labels, 0.7)
    figure, axes = panels(
        title, tables, size, columns=columns, margin=margin, xlabel=xlabel, sharex=sharex, sharey=True
    )
    for axis, table in zip(axes, tables.values(), strict=True):
        if line is not None:
            axis.axvline(line, color="black", linewidth=1, linestyle="--", zorder=0)
        draw_intervals(axis, table, order, series, dodge)
    return figure, axes


def interval_chart(tables: Mapping[str, pd.DataFrame], label: str, title: str) -> Figure:
    """Draw values with their intervals, one panel per table.

    :param tables: By heading: columns value, low, high; the index names the row.
    :param label: What the values are.
    """
    return _interval_panels(tables, label, title)[0]


def change_panels(tables: Mapping[str, pd.DataFrame], title: str, columns: int = 3) -> Figure:
    """Draw paired changes with their intervals, one panel per measure, each with its own scale and a line at zero.

    :param tables: By measure: columns value, low, high; the index names the row.
    :param columns: Panels beside each other.
    """
    return _interval_panels(tables, "paired change", title, columns=columns, sharex=False, line=0)[0]


def model_comparison(table: pd.DataFrame, metrics: Sequence[str], title: str) -> Figure:
    """Draw the scores of several models with their intervals, one panel per score.

    :param table: Columns model, metric, value, low, high and reported (bool).
    """
    by_model = table.set_index("model")
    tables = {SCORES.get(metric, metric): by_model[by_model["metric"] == metric] for metric in metrics}
    return _interval_panels(tables, "score", title, columns=2 if len(metrics) == 4 else 3, sharex=False)[0]


def tier_chart(means: pd.DataFrame, reported: pd.DataFrame, lines: Sequence[float], title: str) -> Figure:
    """Draw the affinity of each model between the lines that separate the tiers.

    :param means: One row per measured model: value, low, high.
    :param reported: Columns item, value, low, high: a value, a range, or a bound where only `high` is known.
    :param lines: Affinities that separate the tiers.
    """
    published = reported.assign(reported=True).set_index(reported["item"] + " (reported)")
    ranges = published[published["value"].isna()]
    dots = pd.concat([means.assign(reported=False), published.assign(low=np.nan, high=np.nan)])
    figure, (axis,) = _interval_panels({"": dots}, "mean Semantic Affinity (hollow: reported)", title, columns=1)
    for line in lines:
        axis.axvline(line, color="black", linewidth=1, linestyle="--")
        axis.annotate(f"{line:.2f}", (line, 1), (2, 2), ("data", "axes fraction"), "offset points", fontsize=SMALL)
    for name, row in ranges.iterrows():
        _draw_range(axis, list(dots.index).index(name), row["low"], row["high"])
    axis.set_xlim(left=axis.get_xlim()[0] - _ARROW)
    return figure


def _draw_range(axis: Axes, place: int, low: float, high: float) -> None:
    """Draw a reported range with its ends, or an arrow down from an upper bound."""
    ends = [low, high] if np.isfinite(low) else [high]
    axis.plot(ends, [place] * len(ends), "|-", color=COLOURS[0], linewidth=1, markersize=9)
    if len(ends) == 1:
        arrow = {"arrowstyle": "->", "color": COLOURS[0]}
        axis.annotate("", (high - _ARROW, place), (high, place), arrowprops=arrow)


def asked_chart(
    tables: Mapping[str, pd.DataFrame],
    label: str,
    title: str,
    *,
    row: str = "target",
    log: bool = False,
    line: float | None = None,
) -> Figure:
    """Draw a measure for questions in English and in the other language, one panel per table.

    :param tables: By heading: columns asked, value, low, high, the one named by `row` and, optionally, reported (bool).
    :param label: What the values are.
    :param row: Column that names the row of a value.
    :param log: Whether the axis is logarithmic.
    :param line: A value to mark, such as what chance would give.
    """
    rows = {heading: table.rename(columns={"asked": "series"}).set_index(row) for heading, table in tables.items()}
    asked = sorted({name for table in rows.values() for name in table["series"]})
    columns = 2 if len(tables) == 4 else 3
    figure, axes = _interval_panels(rows, label, title, series=asked, dodge=0.32, columns=columns, line=line)
    for axis in axes if log else ():
        rank_axis(axis)
    shared_legend(figure)
    return figure


def gap_chart(tables: Mapping[str, pd.DataFrame], label: str, title: str) -> Figure:
    """Draw gaps, which may have any sign and size, on one scale that is logarithmic beyond 1, with a line at zero.

    :param tables: By heading: columns series, value, low and high; the index names the row.
    :param label: What the values are.
    """
    series = list(dict.fromkeys(name for table in tables.values() for name in table["series"]))
    figure, axes = _interval_panels(tables, label, title, series=series, dodge=0.4, height=0.4, line=0)
    for axis in axes:
        axis.set_xscale("symlog", linthresh=1, linscale=0.6)
        axis.margins(x=0.08)
        axis.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.xaxis.set_minor_locator(NullLocator())
    shared_legend(figure)
    return figure


def series_chart(table: pd.DataFrame, label: str, title: str) -> Figure:
    """Draw several series in one panel, one row per name; reported values are hollow.

    :param table: Columns series, value, low, high and reported (bool); the index names the row.
    :param label: What the values are.
    """
    series = list(dict.fromkeys(table["series"]))
    options: dict[str, Any] = {"series": series, "dodge": 0.62, "height": 0.52, "columns": 1}
    figure, (axis,) = _interval_panels({"": table}, label, title, **options)
    for place in range(1, table.index.nunique()):
        axis.axhline(place - 0.5, color="#CCCCCC", linewidth=0.6, zorder=0)
    shared_legend(figure, columns=3)
    return figure


def depth_chart(states: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """Draw Max@R in several states of a model, one row per language, its states joined by a line.

    :param states: By name, in the order in which they came about: columns value, low, high; the index names the row.
    """
    table = pd.concat([table.assign(series=name) for name, table in states.items()])
    label = "passages to read until both gold passages are seen (Max@R)"
    figure, (axis,) = _interval_panels({"": table}, label, title, series=list(states), columns=1)
    values = table.groupby(level=0, sort=False)["value"]
    axis.hlines(range(len(values)), values.min(), values.max(), color="#999999", linewidth=1, zorder=0)
    rank_axis(axis)
    shared_legend(figure)
    return figure
