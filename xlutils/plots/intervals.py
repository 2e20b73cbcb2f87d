"""Values with their intervals, one below the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from xlutils.plots.style import COLOURS, use_style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_intervals(axis: Axes, rows: pd.DataFrame) -> None:
    """Draw values with their intervals.

    :param axis: Where to draw.
    :param rows: A row a value: value, low, high; the index holds the labels.
    """
    places = np.arange(len(rows))
    axis.hlines(places, rows["low"], rows["high"], color=COLOURS[0], linewidth=3, alpha=0.4)
    axis.plot(rows["value"], places, "o", color=COLOURS[0])
    axis.set_yticks(places, [name or "all" for name in rows.index])
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.set_xlabel("value, 95% interval")
    axis.grid(axis="x", alpha=0.3)


def interval_chart(tables: dict[str, pd.DataFrame], label: str, title: str) -> Figure:
    """Draw a panel for each table, side by side, rows in the order of the first.

    :param tables: By heading: a row a value, with columns value, low, high.
    :param label: What the values are.
    :param title: The question the figure answers.
    :return: The figure.
    """
    import matplotlib.pyplot as plt

    use_style()
    longest = max(map(len, tables.values()))
    columns = min(len(tables), 3)
    rows = -(-len(tables) // columns)
    size = (3 * columns + 1.5, rows * (0.28 * longest + 1.1) + 0.3)
    figure, axes = plt.subplots(rows, columns, figsize=size, sharex=True, sharey=True, squeeze=False)
    order = next(iter(tables.values())).index
    for axis, (heading, table) in zip(axes.flat, tables.items(), strict=False):
        draw_intervals(axis, table.reindex(order))
        axis.set_title(heading)
        axis.set_xlabel(f"{label}, 95% interval")
    for axis in axes.flat[len(tables) :]:
        axis.set_visible(False)
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    plt.close(figure)
    return figure
