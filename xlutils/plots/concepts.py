"""The figures of chapter 1: concepts, languages and pairs of one model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from xlutils.plots.intervals import draw_intervals
from xlutils.plots.matrices import BLUE, NUMBERS, draw_heatmap
from xlutils.plots.style import COLOURS, SMALL, panels

_FEWEST, _MOST = 5, 15  # bars of pairs


def concept_strips(
    concepts: pd.DataFrame, by_category: pd.DataFrame, title: str, label: str = "mean cosine of the words of a concept"
) -> Figure:
    """Draw a value of each concept, one row per category, above its mean and interval.

    :param concepts: One row per concept: concept, category, value; NaN is left out. The worst of a category is named.
    :param by_category: One row per category: value, low, high.
    :param label: What the values are.
    """
    rows = {category: place for place, category in enumerate(by_category.index)}
    xlabel = f"{label}, 95% interval of the mean"
    figure, (axis,) = panels(title, [""], (7, 0.5 * len(rows)), margin=(0.4, 0.9), xlabel=xlabel)
    draw_intervals(axis, by_category, list(rows))
    table = concepts.dropna()
    axis.plot(table["value"], table["category"].map(rows) - 0.2, "o", color="#555555", alpha=0.4, markersize=4)
    for row in table.sort_values("value").drop_duplicates("category").itertuples():
        place = (row.value, rows[row.category] - 0.2)
        axis.annotate(str(row.concept), place, (-3, 4), textcoords="offset points", fontsize=SMALL)
    return figure


def retrieval_heatmap(shares: pd.DataFrame, title: str) -> Figure:
    """Draw how often words of one language find their translation first among the words of another.

    :param shares: Rows are the languages of the queries, columns those searched; the diagonal stays blank.
    """
    side = 0.5 * len(shares)
    figure, (axis,) = panels(title, [""], (side, 0.75 * side), margin=(1.2, 1.4))
    colours = sns.light_palette(BLUE, as_cmap=True)
    look = {"annot": True, "fmt": ".0f", "annot_kws": NUMBERS, "cmap": colours}
    draw_heatmap(axis, 100 * shares, vmin=0, vmax=100, mask=np.eye(len(shares), dtype=bool), **look)
    axis.set(xlabel="language searched", ylabel="language of the query")
    return figure


def pair_bars(cosines: pd.Series, line: float, title: str) -> Figure:
    """Draw the pairs of translations below a cosine, at most 15 of them; if hardly any are, the five lowest.

    :param cosines: By name of the pair, lowest first.
    :param line: A cosine to mark.
    """
    if cosines.empty:
        return panels(title, [], (6, 1))[0]
    below = int((cosines < line).sum())
    shown = cosines.head(min(max(below, _FEWEST), _MOST))
    figure, (axis,) = panels(title, [""], (6, 0.3 * len(shown) + 0.3), margin=(0.5, 0.9), xlabel="cosine")
    places = range(len(shown))
    axis.barh(places, shown, 0.7, color=COLOURS[4], tick_label=list(shown.index))
    beside: dict[str, Any] = {"textcoords": "offset points", "va": "center", "fontsize": SMALL}
    for place, value in zip(places, shown, strict=True):
        axis.annotate(f"{value:.2f}", (max(value, 0), place), (4, 0), **beside)
    axis.axvline(0, color="black", linewidth=0.8)
    axis.axvline(line, color="black", linewidth=1, linestyle="--")
    axis.set_ylim(len(shown) - 0.5, -0.5)
    if below > len(shown):
        text, corner = f"and {below - len(shown):,} more", ("axes fraction", "offset points")
        axis.annotate(text, (0, 0), (-4, -2), *corner, va="top", ha="right", fontsize=SMALL)
    return figure
