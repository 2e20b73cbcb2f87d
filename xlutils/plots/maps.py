"""Static maps of words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from xlutils.plots.style import COLOURS, MARKERS, use_style

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from xlutils.plots.layout import WordMap


def word_maps(maps: Mapping[tuple[str, str], WordMap], title: str) -> Figure:
    """Draw a panel for each map: a point a word, a grey line from each word to its translation.

    :param maps: By (row heading, column heading).
    :param title: The question the figure answers.
    :return: The figure.
    """
    import matplotlib.pyplot as plt

    use_style()
    rows, columns = (list(dict.fromkeys(key[side] for key in maps)) for side in (0, 1))
    size = (2.5 * len(columns) + 0.4, 2.5 * len(rows) + 0.9)
    figure, axes = plt.subplots(len(rows), len(columns), figsize=size, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for (row, column), each in maps.items():
        _draw(axes[rows.index(row), columns.index(column)], each)
    for place, column in enumerate(columns):
        axes[0, place].set_title(column, fontsize=10)
    for place, row in enumerate(rows):
        axes[place, 0].text(-0.04, 0.5, row, rotation=90, ha="right", va="center", fontsize=9,
                            transform=axes[place, 0].transAxes)  # fmt: skip
    handles: dict[str, Artist] = {}
    for axis in axes.flat:
        handles |= {label: handle for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    figure.legend(
        handles=list(handles.values()), labels=list(handles), loc="outside lower left", ncols=8, frameon=False,
        markerscale=2,
    )  # fmt: skip
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    plt.close(figure)
    return figure


def _draw(axis: Axes, each: WordMap) -> None:
    lines = each.lines()
    axis.plot(lines[:, 0], lines[:, 1], color="grey", linewidth=0.4, alpha=0.35, zorder=1)
    languages = np.array(each.languages)
    for number, language in enumerate(dict.fromkeys(each.languages)):
        own = languages == language
        axis.plot(*each.points[own].T, linestyle="", markersize=2.2, markeredgewidth=0, alpha=0.8, label=language,
                  color=COLOURS[number % len(COLOURS)], marker=MARKERS[number % len(MARKERS)])  # fmt: skip
    axis.set_aspect("equal", adjustable="datalim")
    axis.set_box_aspect(1)
