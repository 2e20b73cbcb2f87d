"""Figures of chapter 2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from xlutils.plots.style import COLOURS, MARKERS, use_style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ARROW = 0.02  # length of the arrow from an upper bound


def tier_chart(means: pd.DataFrame, reported: pd.DataFrame, lines: Sequence[float], title: str) -> Figure:
    """Draw the affinity of each model: measured ones solid with intervals, reported ones hollow.

    :param means: A row a measured model: value, low, high.
    :param reported: Columns item, value, low, high; a range where there is no value, a bound where the range
        has one end.
    :param lines: The lines between tiers.
    :param title: The question the figure answers.
    :return: The figure.
    """
    import matplotlib.pyplot as plt

    use_style()
    names = [*means.index, *(f"{item} (reported)" for item in reported["item"])]
    figure, axis = plt.subplots(figsize=(8, 0.38 * len(names) + 1.4))
    for line in lines:
        axis.axvline(line, color="black", linewidth=1, linestyle="--")
        axis.annotate(f"{line:.2f}", (line, 1), (2, 2), xycoords=("data", "axes fraction"), fontsize=8,
                      textcoords="offset points")  # fmt: skip
    for place, (_, row) in enumerate(means.iterrows()):
        axis.hlines(place, row["low"], row["high"], color=COLOURS[0], linewidth=4, alpha=0.4)
        axis.plot(row["value"], place, "o", color=COLOURS[0])
    for place, (value, low, high) in enumerate(reported[["value", "low", "high"]].to_numpy(float), len(means)):
        if np.isfinite(value):
            axis.plot(value, place, "o", markerfacecolor="none", color="black")
        elif np.isfinite(low):
            axis.plot([low, high], [place, place], "|-", linewidth=1, markersize=9, color="black")
        else:
            axis.plot(high, place, "|", markersize=9, color="black")
            axis.annotate("", (high - _ARROW, place), (high, place), arrowprops={"arrowstyle": "->"})
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.set_xlim(left=axis.get_xlim()[0] - _ARROW)
    axis.set_xlabel("mean Semantic Affinity\nsolid: measured, with 95% interval; hollow: reported")
    axis.grid(axis="x", alpha=0.3)
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    plt.close(figure)
    return figure


def affinity_heatmap(table: pd.DataFrame, title: str, centre: float = 0.5) -> Figure:
    """Draw a table of affinities: blue above the value of unrelated words, orange below.

    :param table: Rows and columns with names; NaN stays blank.
    :param title: The question the figure answers.
    :param centre: The affinity that unrelated words have.
    :return: The figure.
    """
    import matplotlib.pyplot as plt
    from matplotlib.colors import LinearSegmentedColormap

    use_style()
    values = table.to_numpy(float)
    # as dark at both ends as the figures on it allow, and told apart in grey by the sign in front
    colours = LinearSegmentedColormap.from_list("affinity", [COLOURS[1], "white", COLOURS[0]])
    size = (0.95 * values.shape[1] + 2.8, 0.42 * values.shape[0] + 1.5)
    figure, axis = plt.subplots(figsize=size)
    reach = 0.35
    axis.imshow(values, cmap=colours, vmin=centre - reach, vmax=centre + reach, aspect="auto")
    for row, column in np.ndindex(*values.shape):
        value = values[row, column]
        if np.isfinite(value):
            dark = value > centre + 0.6 * reach
            axis.text(column, row, f"{value:.2f}", ha="center", va="center", color="white" if dark else "black")
    axis.set_xticks(range(values.shape[1]), list(table.columns))
    axis.set_yticks(range(values.shape[0]), list(table.index))
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    plt.close(figure)
    return figure


def disturbance_curves(table: pd.DataFrame, strengths: Mapping[str, str], title: str) -> Figure:
    """Draw how measures move when a space is disturbed, a panel a disturbance.

    :param table: Columns question, strength, measure, value, low, high.
    :param strengths: For each question what its strength is called.
    :param title: The question the figure answers.
    :return: The figure.
    """
    import matplotlib.pyplot as plt

    use_style()
    figure, axes = plt.subplots(1, len(strengths), figsize=(3.1 * len(strengths), 3.4), sharey=True, squeeze=False)
    for axis, (question, strength) in zip(axes[0], strengths.items(), strict=True):
        rows = table[table["question"] == question]
        ticks = list(dict.fromkeys(rows["strength"]))
        for number, (measure, line) in enumerate(rows.groupby("measure", sort=False)):
            _band(axis, line, number, str(measure))
        axis.set_xticks(range(len(ticks)), [f"{tick:g}" for tick in ticks])
        axis.set_xlabel(strength)
        axis.set_title(question, fontsize=10)
        axis.grid(axis="y", alpha=0.3)
    axes[0, 0].set_ylim(-0.02, 1.02)
    axes[0, 0].set_ylabel("value, 95% interval")
    axes[0, 0].legend(frameon=False, fontsize=9, loc="lower left")
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    plt.close(figure)
    return figure


def _band(axis: Axes, line: pd.DataFrame, number: int, label: str) -> None:
    places = range(len(line))
    colour, marker = COLOURS[number], MARKERS[number]
    axis.fill_between(places, line["low"], line["high"], color=colour, alpha=0.2, linewidth=0)
    axis.plot(places, line["value"], color=colour, marker=marker, label=label)
