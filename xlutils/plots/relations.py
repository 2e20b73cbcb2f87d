"""Which phenomena a model tells apart in which languages."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from xlutils.plots.matrices import BLUE, NUMBERS, draw_heatmap
from xlutils.plots.style import COLOURS, panels

CHANCE = 0.5


def phenomenon_maps(values: Mapping[str, pd.DataFrame], lows: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """Draw how often each phenomenon is told apart in each language, one panel per model.

    :param values: By model: rows are phenomena, columns are languages; NaN, where a language lacks one, stays blank.
    :param lows: Lower ends of their intervals; a cell that does not beat a coin is hatched.
    """
    first = next(iter(values.values()))
    size = (0.5 * first.shape[1], 0.34 * first.shape[0])
    margin = (0.075 * max(map(len, first.index)) + 0.4, 1.2)
    figure, axes = panels(title, values, size, columns=1, margin=margin)
    colours = sns.blend_palette([COLOURS[1], "white", BLUE], as_cmap=True)
    for axis, (model, table) in zip(axes, values.items(), strict=True):
        limits = {"vmin": 0, "vmax": 1}
        draw_heatmap(axis, table, cmap=colours, annot=True, fmt=".2f", annot_kws=NUMBERS, **limits)
        for row, column in zip(*((lows[model] <= CHANCE) & table.notna()).to_numpy().nonzero(), strict=True):
            cell = Rectangle((column, row), 1, 1, fill=False, hatch="////", edgecolor="#00000033", linewidth=0)
            axis.add_patch(cell)
    return figure
