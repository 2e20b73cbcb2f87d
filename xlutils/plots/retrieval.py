"""Figures of chapter 3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from xlutils.plots.style import COLOURS, MARKERS, empty_figure, use_style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SHIFT = 0.16  # of the two languages of queries, from the middle of a row


def asked_chart(
    tables: Mapping[str, pd.DataFrame],
    label: str,
    title: str,
    *,
    row: str = "target",
    log: bool = False,
    line: float | None = None,
) -> Figure:
    """Draw a measure for queries in English and in the other language: a panel a table, a row a name.

    :param tables: By heading: columns asked, value, low, high, the one named by `row` and, where some values were
        published and not measured, reported (bool): those are drawn hollow.
    :param label: What the values are.
    :param title: The question the figure answers.
    :param row: Column that says in which row a value is drawn.
    :param log: Whether the axis is logarithmic.
    :param line: A value to mark, such as what chance would give.
    :return: The figure.
    """
    import matplotlib.pyplot as plt
    from matplotlib.lines import Line2D

    use_style()
    if not tables:
        return empty_figure(title)
    names = list(dict.fromkeys(name for table in tables.values() for name in table[row]))
    asked = sorted({name for table in tables.values() for name in table["asked"]})
    columns = _columns(len(tables))
    rows = -(-len(tables) // columns)
    size = (2.7 * columns + 1.8, rows * (0.3 * len(names) + 1.0) + 0.7)
    figure, axes = plt.subplots(rows, columns, figsize=size, sharex=True, sharey=True, squeeze=False)
    for axis, (heading, table) in zip(axes.flat, tables.items(), strict=False):
        for number, name in enumerate(asked):
            own = table[table["asked"] == name]
            places = np.array([names.index(each) for each in own[row]]) + (2 * number - 1) * _SHIFT
            _draw_asked(axis, own, places, number)
        if line is not None:
            axis.axvline(line, color="black", linewidth=1, linestyle="--")
        axis.set_title(heading)
        axis.set_xlabel(label)
        axis.grid(axis="x", alpha=0.3)
    if log:
        places_axis(axes[0, 0])
    axes[0, 0].set_yticks(range(len(names)), names)
    axes[0, 0].set_ylim(len(names) - 0.5, -0.5)
    for axis in axes.flat[len(tables) :]:
        axis.set_visible(False)
    keys = [
        Line2D([], [], color=COLOURS[number], marker=MARKERS[number], linestyle="", label=name)
        for number, name in enumerate(asked)
    ]
    figure.legend(handles=keys, loc="outside lower left", ncols=2, frameon=False, fontsize=9)
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    plt.close(figure)
    return figure


def _draw_asked(axis: Axes, rows: pd.DataFrame, places: np.ndarray, number: int) -> None:
    reported = rows["reported"].to_numpy(bool) if "reported" in rows else np.zeros(len(rows), bool)
    axis.hlines(places, rows["low"], rows["high"], color=COLOURS[number], linewidth=3, alpha=0.4)
    for hollow in (False, True):
        fill = "none" if hollow else COLOURS[number]
        axis.plot(rows["value"][reported == hollow], places[reported == hollow], MARKERS[number], markersize=5,
                  markerfacecolor=fill, color=COLOURS[number])  # fmt: skip


def rank_curves(curves: Mapping[str, Mapping[str, np.ndarray]], title: str) -> Figure:
    """Draw for how many questions all golds are found within the first places: a panel a language.

    :param curves: By heading, by name of the line: the rank of each question, float [n].
    :param title: The question the figure answers.
    :return: The figure.
    """
    import matplotlib.pyplot as plt

    use_style()
    if not curves:
        return empty_figure(title)
    columns = _columns(len(curves))
    rows = -(-len(curves) // columns)
    size = (2.6 * columns + 1.4, 2.3 * rows + 1.2)
    figure, axes = plt.subplots(rows, columns, figsize=size, sharex=True, sharey=True, squeeze=False)
    for axis, (heading, lines) in zip(axes.flat, curves.items(), strict=False):
        for number, (name, ranks) in enumerate(lines.items()):
            share = np.arange(1, len(ranks) + 1) / len(ranks)
            style = "--" if number % 2 else "-"
            axis.step(np.sort(ranks), share, where="post", color=COLOURS[number // 2], linestyle=style, label=name)
        axis.set_title(heading)
        axis.grid(alpha=0.3)
    places_axis(axes[0, 0])
    axes[0, 0].set_ylim(0, 1.02)
    for axis in axes.flat[len(curves) :]:
        axis.set_visible(False)
    for axis in axes[:, 0]:
        axis.set_ylabel("share of questions")
    for axis in axes[-1]:
        axis.set_xlabel("Max@R: places read")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False,
                  fontsize=9)  # fmt: skip
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    plt.close(figure)
    return figure


def _columns(panels: int) -> int:
    return 2 if panels in (2, 4) else min(panels, 3)


def places_axis(axis: Axes) -> None:
    """Make the x axis logarithmic, with places written as plain numbers."""
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    axis.set_xscale("log")
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.xaxis.set_minor_locator(NullLocator())


def share_bars(tables: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """Draw shares that add up to one as stacked bars: a panel a table, a bar a row.

    :param tables: By heading: a row a bar, a column a share.
    :param title: The question the figure answers.
    :return: The figure.
    """
    import matplotlib.pyplot as plt

    use_style()
    if not tables:
        return empty_figure(title)
    longest = max(map(len, tables.values()))
    figure, axes = plt.subplots(1, len(tables), figsize=(3.2 * len(tables) + 1.6, 0.27 * longest + 1.7), sharey=True,
                                squeeze=False)  # fmt: skip
    hatches = ("", "//", "", "xx")
    colours = (COLOURS[0], COLOURS[4], COLOURS[1], COLOURS[5])
    for axis, (heading, table) in zip(axes[0], tables.items(), strict=True):
        start = np.zeros(len(table))
        for number, name in enumerate(table.columns):
            axis.barh(range(len(table)), table[name], left=start, color=colours[number], hatch=hatches[number],
                      edgecolor="white", linewidth=0.5, label=name)  # fmt: skip
            start += table[name].to_numpy()
        axis.set_title(heading)
        axis.set_yticks(range(len(table)), list(table.index))
        axis.set_ylim(len(table) - 0.5, -0.5)
        axis.set_xlim(0, 1)
        axis.set_xlabel("share of questions")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower left", ncols=2, frameon=False, fontsize=9)
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    plt.close(figure)
    return figure
