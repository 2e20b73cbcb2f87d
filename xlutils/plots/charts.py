"""Curves, clouds and bars: disturbances, ranks, losses, pairs of translations, and shares."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from textwrap import fill
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from numpy.typing import NDArray

from xlutils.plots.style import COLOURS, MARKERS, SMALL, looks, panels, rank_axis, shared_legend

_SHARES = ((COLOURS[0], ""), (COLOURS[4], "//"), (COLOURS[1], ""), (COLOURS[5], "xx"))  # colour and hatch
_LABEL = 30  # characters in a line of a label
_DODGE = 0.035  # distance of two lines of a slope chart, where measures are 1 apart
_LOSSES = {
    "jsd": "Jensen-Shannon divergence",
    "nce": "InfoNCE with the question",
    "nce-passage": "InfoNCE with the passage",
    "triplet": "triplet",
    "mixup": "mixup across languages",
    "keep": "distance from where texts belong",
    "distil": "squared distance from the teacher",
}


def disturbance_curves(table: pd.DataFrame, strengths: Mapping[str, str], title: str) -> Figure:
    """Draw how measures change while the vectors are disturbed, one panel per disturbance.

    :param table: Columns question, strength, measure, value, low, high.
    :param strengths: By question: the label of its strength axis.
    """
    figure, axes = panels(title, strengths, (3.1, 2.6), sharey=True, margin=(0.6, 0.9))
    options = {"dashes": False, "sort": False, **looks(table["measure"])}
    for axis, (question, label) in zip(axes, strengths.items(), strict=True):
        rows = table[table["question"] == question].reset_index(drop=True)
        rows["strength"] = rows["strength"].map("{:g}".format)  # evenly spaced, in the order of the rows
        sns.lineplot(rows, x="strength", y="value", hue="measure", style="measure", ax=axis, **options)
        for measure, line in rows.groupby("measure"):
            colour = options["palette"][measure]
            axis.fill_between(line["strength"], line["low"], line["high"], color=colour, alpha=0.2, linewidth=0)
        axis.set(xlabel=label, ylabel="value, 95% interval", ylim=(-0.02, 1.02))
        axis.grid(axis="y")
    shared_legend(figure)
    return figure


def rank_curves(curves: Mapping[str, Mapping[str, np.ndarray]], title: str) -> Figure:
    """Draw the share of questions whose gold passages are all found within a rank, one panel per language.

    :param curves: By heading, then by name of the line: the rank of the last gold passage of each question, [n];
        lines in pairs, solid and dashed.
    """
    columns = 2 if len(curves) == 4 else 3
    label = "rank of the last gold passage (Max@R)"
    figure, axes = panels(title, curves, (2.4, 2.1), columns=columns, xlabel=label, sharex=True, sharey=True)
    for axis, lines in zip(axes, curves.values(), strict=True):
        for number, (name, ranks) in enumerate(lines.items()):
            dash = "--" if number % 2 else "-"
            sns.ecdfplot(x=ranks, color=COLOURS[number // 2], linestyle=dash, label=name, ax=axis)
        axis.set_ylabel("share of questions")
        axis.grid(axis="y")
        rank_axis(axis)
    shared_legend(figure, columns=2)
    return figure


def growth_curves(tables: Mapping[str, pd.DataFrame], label: str, title: str) -> Figure:
    """Draw a measure by size of the pool, one panel per table and one line per remedy, in bands of 95% intervals.

    :param tables: By heading: columns remedy, passages, value, low, high.
    :param label: What the values are.
    """
    xlabel = "passages in the pool"
    figure, axes = panels(title, tables, (2.9, 2.2), margin=(0.6, 0.9), xlabel=xlabel, sharey=True)
    for axis, table in zip(axes, tables.values(), strict=True):
        for number, (name, line) in enumerate(table.groupby("remedy", sort=False)):
            sizes, colour = line["passages"], COLOURS[number]
            axis.plot(sizes, line["value"], color=colour, marker=MARKERS[number], markersize=5, label=name)
            axis.fill_between(sizes, line["low"], line["high"], color=colour, alpha=0.2, linewidth=0)
        axis.set(ylabel=label, xscale="log")
        ticks = sorted(set(table["passages"]))
        axis.set_xticks(ticks, [f"{size:g}" for size in ticks])
        axis.minorticks_off()
        axis.grid(axis="y")
    shared_legend(figure)
    return figure


def loss_curves(steps: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """Draw each part of the loss during training, one panel per part and one line per training.

    :param steps: By training: one row per step, with `step` and a column for each part.
    """
    table = _stacked(steps, "training")
    parts = [part for part in _LOSSES if part in table]
    headings, columns = [_LOSSES[part] for part in parts], 2 if len(parts) == 4 else 3
    figure, axes = panels(title, headings, (2.4, 2.2), columns=columns, margin=(0.6, 0.9), xlabel="step")
    options = {"dashes": False, "markevery": len(table) // len(steps) // 12 + 1, **looks(steps)}
    for axis, part in zip(axes, parts, strict=True):
        sns.lineplot(table, x="step", y=part, hue="training", style="training", errorbar=None, ax=axis, **options)
        axis.set(ylabel="weighted loss", ylim=(0, 1.08 * table[part].max()))
        axis.grid(axis="y")
    shared_legend(figure)
    return figure


def pair_clouds(pairs: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """Draw pairs of translations by their angle and by their divergence, one cloud per model.

    :param pairs: By model: one row per pair, with cosine and jsd.
    """
    table = _stacked(pairs, "model")
    label = "cosine of a text and its translation"
    figure, (axis,) = panels(title, [""], (6, 3.2), xlabel=label)
    sns.scatterplot(table, x="cosine", y="jsd", hue="model", style="model", alpha=0.7, s=20, ax=axis, **looks(pairs))
    axis.set(ylabel="root of their\nJensen-Shannon divergence", ylim=(0, None))
    axis.grid(axis="y")
    shared_legend(figure)
    return figure


def share_bars(tables: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """Draw shares that add up to one as stacked bars, one panel per table.

    :param tables: By heading: a row per bar, a column per share.
    """
    longest = max(map(len, tables.values()), default=0)
    size = (3.2, 0.27 * longest + 0.6)
    figure, axes = panels(title, tables, size, margin=(1.2, 0.9), sharey=True)
    colours: dict[str, Any] = {"color": [colour for colour, _ in _SHARES]}
    for axis, table in zip(axes, tables.values(), strict=True):
        table.plot.barh(stacked=True, width=0.8, linewidth=0.5, legend=False, ax=axis, **colours)
        for bars, (_, hatch) in zip(axis.containers, _SHARES, strict=False):
            plt.setp(bars, hatch=hatch)
        axis.set(xlim=(0, 1), ylim=(len(table) - 0.5, -0.5), xlabel="share of questions", ylabel="")
    shared_legend(figure, columns=2)
    return figure


def slope_chart(tables: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """Draw a line per table over the same measures, named at its right end, with the intervals of its points.

    :param tables: By name of the line: columns value, low, high; the index names the measure.
    """
    names = [fill(name, _LABEL) for name in tables]
    lines = 1 + max((name.count("\n") for name in names), default=0)
    height = max(0.19 * lines * len(names), 3.0)
    figure, (axis,) = panels(title, [""], (7, height), xlabel="")
    ends = np.array([table["value"].iloc[-1] for table in tables.values()])
    heights = _spread(ends, 1.1 * 0.19 * lines / height)
    for number, (name, table, end) in enumerate(zip(names, tables.values(), heights, strict=True)):
        colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
        places = np.arange(len(table)) + _DODGE * (number - (len(names) - 1) / 2)
        axis.plot(places, table["value"], marker=marker, color=colour, linewidth=1.5, markersize=5)
        axis.vlines(places, table["low"], table["high"], color=colour, linewidth=4, alpha=0.4)
        last = len(table) - 1 + _DODGE * len(names)
        look: dict[str, Any] = {"color": colour, "clip_on": False}
        axis.plot([places[-1], last, last + 0.2], [ends[number], ends[number], end], linewidth=0.8, **look)
        axis.plot(last + 0.2, end, marker=marker, markersize=5, **look)
        text = axis.annotate(name, (last + 0.2, end), (6, 0), textcoords="offset points", va="center", fontsize=SMALL)
        text.set_annotation_clip(False)
    measures = next(iter(tables.values())).index
    axis.set_xticks(range(len(measures)), list(measures))
    axis.set(ylabel="value, 95% interval", ylim=(-0.03, 1.03))
    axis.spines["bottom"].set_bounds(0, len(measures) - 1)
    return figure


def _spread(values: NDArray[np.float64], gap: float) -> NDArray[np.float64]:
    """Return the places nearest to the values that are at least a gap apart, in the same order."""
    from sklearn.isotonic import IsotonicRegression

    order = np.argsort(values, kind="stable")
    steps = gap * np.arange(len(values))
    places = np.empty(len(values))
    places[order] = IsotonicRegression().fit_transform(steps, values[order] - steps) + steps
    return places


def gradient_bars(table: pd.DataFrame, title: str) -> Figure:
    """Draw the norm of the gradient of each loss on a logarithmic scale.

    :param table: One row per loss, with the column gradient.
    """
    values = table["gradient"]
    label = "norm of the gradient with respect to the vectors of the passages"
    figure, (axis,) = panels(title, [""], (6, 0.35 * len(table) + 0.5), xlabel=label)
    axis.plot(values, list(table.index), "o", color=COLOURS[0])  # a bar has no foot on a logarithmic scale
    for name, value in values.items():
        axis.annotate(f"{value:.2g}", (value, str(name)), (6, 0), textcoords="offset points", va="center")
    axis.set(xscale="log", xlim=(values.min() / 3, values.max() * 4), ylim=(len(table) - 0.5, -0.5))
    axis.xaxis.set_major_formatter("{x:g}")
    return figure


def _stacked(tables: Mapping[str, pd.DataFrame], column: str) -> pd.DataFrame:
    """Return the tables as one, with their names in a column; seaborn needs an index without repeats."""
    return pd.concat([table.assign(**{column: name}) for name, table in tables.items()], ignore_index=True)


def prediction_panels(
    tables: Mapping[str, pd.DataFrame], predictors: Mapping[str, str], outcome: str, label: str, title: str
) -> Figure:
    """Draw what came out against what was known before, one row of panels per table and one panel per predictor.

    :param tables: By name: one row per case, with columns for the predictors and the outcome.
    :param predictors: Labels by column.
    :param outcome: Column; `label` says what it is.
    """
    headings = [name for name in tables for _ in predictors]
    size = (3.2, 2.4)
    figure, axes = panels(title, headings, size, margin=(0.6, 0.7), columns=len(predictors), sharey=True)
    cases = itertools.product(tables.values(), predictors.items())
    for axis, (table, (column, name)) in zip(axes, cases, strict=True):
        sns.scatterplot(table, x=column, y=outcome, color=COLOURS[0], alpha=0.5, s=14, linewidth=0, ax=axis)
        axis.set(xlabel=name, ylabel=label)
        axis.grid(axis="y")
    return figure
