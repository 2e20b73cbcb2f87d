"""Heatmaps: cosines of words, affinities of models and languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from xlutils.plots.style import COLOURS, SMALL, panels

NUMBERS = {"color": "black", "fontsize": SMALL}  # in the cells
BLUE = "#3B8FC8"  # the darkest blue on which black numbers are still legible
_LETTERS_ACROSS = 60  # in one line of labels below the columns
_DENSE = 20  # columns, whose labels stand upright
_REACH = 0.35  # distance from the centre at which the colours end


def draw_heatmap(axis: Axes, table: pd.DataFrame, **options: Any) -> None:
    """Draw a table as colours, with `sns.heatmap` and its options; cells without a value stay blank."""
    axis.grid(False)
    sns.heatmap(table, cbar=False, ax=axis, **options)
    axis.tick_params(length=0)
    axis.tick_params("y", rotation=0)
    axis.set_ylabel("")
    widest = max(max(map(len, map(str, table.columns)), default=0), 1)
    if widest * table.shape[1] > _LETTERS_ACROSS:
        angle = 90 if table.shape[1] > _DENSE else 40
        plt.setp(axis.get_xticklabels(), rotation=angle, ha="right", va="center", rotation_mode="anchor")


def affinity_heatmap(table: pd.DataFrame, title: str, centre: float = 0.5) -> Figure:
    """Draw a table of affinities: blue above the affinity of unrelated words, orange below.

    :param table: Rows and columns with names; NaN stays blank.
    :param centre: The affinity that unrelated words have.
    """
    size = (0.95 * table.shape[1], 0.42 * table.shape[0])
    margin = (0.075 * max(map(len, table.index)) + 0.4, 0.9)
    figure, (axis,) = panels(title, [""], size, margin=margin)
    colours = sns.blend_palette([COLOURS[1], "white", BLUE], as_cmap=True)
    limits = {"vmin": centre - _REACH, "vmax": centre + _REACH}
    draw_heatmap(axis, table, cmap=colours, annot=True, fmt=".2f", annot_kws=NUMBERS, **limits)
    return figure


def similarity_matrices(
    similarities: Mapping[str, np.ndarray], words: Sequence[str], concepts: Sequence[str], title: str
) -> Figure:
    """Draw the cosines of all pairs of words, one matrix per model: good alignment shows as dark blocks.

    :param similarities: By model: the cosines, float [n, n].
    :param words: n words, the labels of rows and columns.
    :param concepts: n concepts; the words of a concept are next to each other.
    """
    side = 0.17 * len(words)  # one matrix above the other, so that the words stay legible on a page
    figure, axes = panels(title, similarities, (side, side), columns=1, margin=(2, 1.2), sharex=True)
    edges = [row for row in range(1, len(words)) if concepts[row] != concepts[row - 1]]
    for axis, matrix in zip(axes, similarities.values(), strict=True):
        table = pd.DataFrame(matrix, list(words), list(words))
        draw_heatmap(axis, table, vmin=0, vmax=1, cmap="Blues", square=True, xticklabels=True, yticklabels=True)
        axis.hlines(edges, 0, len(words), color="white", linewidth=1.5)
        axis.vlines(edges, 0, len(words), color="white", linewidth=1.5)
    figure.colorbar(axes[0].collections[0], ax=axes, shrink=0.5, label="cosine", pad=0.02)
    return figure


def step_heatmaps(tables: Mapping[str, pd.DataFrame], title: str, digits: int = 1) -> Figure:
    """Draw the scores in each language after each step, one panel per way; the step that taught it is framed.

    :param tables: By way: one row per step, the first before any of them; one column per language, in the same order.
    """
    rows, columns = next(iter(tables.values())).shape
    figure, axes = panels(title, tables, (0.8 * columns, 0.38 * rows), columns=2, margin=(1.6, 0.9), sharey=True)
    values = pd.concat(tables.values()).to_numpy()
    for axis, table in zip(axes, tables.values(), strict=True):
        limits = {"vmin": values.min(), "vmax": values.max()}
        colours = sns.light_palette(BLUE, as_cmap=True)
        draw_heatmap(axis, table, cmap=colours, annot=True, fmt=f".{digits}f", annot_kws=NUMBERS, **limits)
        for language in range(columns):
            axis.add_patch(Rectangle((language, language + 1), 1, 1, fill=False, edgecolor="black", linewidth=1.5))
    return figure
