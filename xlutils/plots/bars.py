"""Bars: shares that add up to one, and gradients."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from xlutils.plots.style import COLOURS, panels, shared_legend

_SHARES = ((COLOURS[0], ""), (COLOURS[4], "//"), (COLOURS[1], ""), (COLOURS[5], "xx"))  # colour and hatch


def share_bars(tables: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """Draw shares that add up to one as stacked bars, one panel per table.

    :param tables: By heading: a row per bar, a column per share.
    :param title: The question the figure answers.
    """
    longest = max(map(len, tables.values()), default=0)
    size = (3.2, 0.27 * longest + 0.6)
    figure, axes = panels(title, tables, size, margin=(1.2, 0.9), xlabel="share of questions", sharey=True)
    for axis, table in zip(axes, tables.values(), strict=True):
        colours = [colour for colour, _ in _SHARES[: table.shape[1]]]
        table.plot.barh(stacked=True, width=0.8, color=colours, linewidth=0.5, legend=False, ax=axis)
        for bars, (_, hatch) in zip(axis.containers, _SHARES, strict=False):
            for bar in bars:
                bar.set_hatch(hatch)
        axis.set_ylim(len(table) - 0.5, -0.5)
        axis.set_xlim(0, 1)
    shared_legend(figure, columns=2)
    return figure


def gradient_bars(table: pd.DataFrame, title: str) -> Figure:
    """Draw the norm of the gradient of each loss on a logarithmic scale.

    :param table: One row per loss, with the column gradient.
    :param title: The question the figure answers.
    """
    values = table["gradient"]
    label = "norm of the gradient with respect to the vectors of the passages"
    figure, (axis,) = panels(title, [""], (6, 0.35 * len(table) + 0.5), xlabel=label)
    axis.hlines(range(len(table)), values.min() / 3, values, color=COLOURS[0], linewidth=2)
    sns.pointplot(x=values.to_numpy(), y=list(table.index), linestyle="none", color=COLOURS[0], markersize=6, ax=axis)
    for place, value in enumerate(values):
        axis.annotate(f"{value:.2g}", (value, place), (8, 0), textcoords="offset points", va="center")
    axis.set_xscale("log")
    axis.set_xlim(values.min() / 3, values.max() * 4)
    return figure
