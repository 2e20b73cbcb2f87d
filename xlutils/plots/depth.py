"""How far down a list one must read, before and after something was done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from xlutils.plots.retrieval import places_axis
from xlutils.plots.style import COLOURS, MARKERS, use_style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def depth_chart(states: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """Draw Max@R of several states: a row a language, a mark a state, joined by a line.

    :param states: By name, in the order in which they come about: value, low, high; the index names the row.
    :param title: The question the figure answers.
    :return: The figure.
    """
    import matplotlib.pyplot as plt

    use_style()
    rows = list(next(iter(states.values())).index)
    places = range(len(rows))
    values = [table.reindex(rows) for table in states.values()]
    figure, axis = plt.subplots(figsize=(7.5, 0.42 * len(rows) + 1.5))
    least, most = ([each(table["value"][row] for table in values) for row in rows] for each in (min, max))
    axis.hlines(places, least, most, color="#999999", linewidth=1)
    for number, (name, table) in enumerate(zip(states, values, strict=True)):
        axis.hlines(places, table["low"], table["high"], linewidth=4, alpha=0.4, color=COLOURS[number], zorder=3)
        axis.plot(table["value"], places, MARKERS[number], markersize=7, label=name, color=COLOURS[number], zorder=3)
    places_axis(axis)
    axis.set_yticks(places, rows)
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.set_xlabel("passages to read until both right ones are seen (Max@R), 95% interval")
    axis.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside lower left", ncols=len(states), frameon=False, fontsize=9)
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    plt.close(figure)
    return figure
