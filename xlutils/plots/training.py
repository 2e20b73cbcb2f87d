"""Figures of chapter 4."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from xlutils.plots.intervals import draw_intervals
from xlutils.plots.style import COLOURS, MARKERS, empty_figure, use_style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure


def loss_curves(steps: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """Draw each part of the loss over the steps: a panel a part, a line a training.

    :param steps: By name of the training: a row a step, with `step` and a column for each part.
    :param title: The question the figure answers.
    :return: The figure.
    """
    import matplotlib.pyplot as plt

    use_style()
    parts = {"jsd": "Jensen-Shannon", "nce": "InfoNCE with the question", "nce-passage": "InfoNCE with the passage",
             "keep": "out of place"}  # fmt: skip
    there = [part for part in parts if any(part in table for table in steps.values())]
    figure, axes = plt.subplots(1, len(there), figsize=(3.6 * len(there) + 0.6, 2.9), squeeze=False)
    for axis, part in zip(axes[0], there, strict=True):
        for number, (name, table) in enumerate(steps.items()):
            if part in table:
                axis.plot(table["step"], table[part], color=COLOURS[number], marker=MARKERS[number], markersize=3,
                          markevery=max(len(table) // 12, 1), linewidth=1.2, label=name)  # fmt: skip
        axis.set_title(parts[part])
        axis.set_xlabel("step")
        axis.set_ylim(0, 1.08 * max(table[part].max() for table in steps.values() if part in table))
        axis.grid(alpha=0.3)
    axes[0, 0].set_ylabel("loss, with its factor")
    handles: dict[str, Artist] = {}
    for axis in axes[0]:
        handles |= {label: handle for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    figure.legend(list(handles.values()), list(handles), loc="outside lower left", ncols=4, frameon=False)
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    plt.close(figure)
    return figure


def change_panels(tables: Mapping[str, pd.DataFrame], title: str, columns: int = 3) -> Figure:
    """Draw changes with their intervals: a panel a measure, each with its own scale, a row what was done.

    :param tables: By heading: value, low, high; rows in the order of the first, some may be missing.
    :param title: The question the figure answers.
    :param columns: Panels side by side.
    :return: The figure.
    """
    import matplotlib.pyplot as plt
    from matplotlib.ticker import MaxNLocator

    use_style()
    order = next(iter(tables.values())).index
    rows = -(-len(tables) // columns)
    size = (2.5 * columns + 1.8, rows * (0.26 * len(order) + 0.9) + 0.4)
    figure, axes = plt.subplots(rows, columns, figsize=size, sharey=True, squeeze=False)
    for axis, (heading, table) in zip(axes.flat, tables.items(), strict=False):
        draw_intervals(axis, table.reindex(order))
        axis.axvline(0, color="black", linewidth=0.8)
        axis.xaxis.set_major_locator(MaxNLocator(4))
        axis.set_title(heading, fontsize=10)
        axis.set_xlabel("")
    for axis in axes.flat[len(tables) :]:
        axis.set_visible(False)
    figure.supxlabel("paired change, 95% interval", fontsize=10)
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    plt.close(figure)
    return figure


def gradient_bars(table: pd.DataFrame, title: str) -> Figure:
    """Draw the norm of the gradient of each loss, on a logarithmic scale.

    :param table: A row a loss: gradient.
    :param title: The question the figure answers.
    :return: The figure.
    """
    import matplotlib.pyplot as plt

    use_style()
    figure, axis = plt.subplots(figsize=(6.5, 0.35 * len(table) + 1.0))
    axis.hlines(range(len(table)), table["gradient"].min() / 3, table["gradient"], color=COLOURS[0], linewidth=2)
    axis.plot(table["gradient"], range(len(table)), "o", color=COLOURS[0])
    for place, value in enumerate(table["gradient"]):
        axis.annotate(f"{value:.2g}", (value, place), xytext=(8, 0), textcoords="offset points", va="center")
    axis.set_xscale("log")
    axis.set_xlim(table["gradient"].min() / 3, table["gradient"].max() * 4)
    axis.set_yticks(range(len(table)), list(table.index))
    axis.set_ylim(len(table) - 0.5, -0.5)
    axis.set_xlabel("norm of the gradient")
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    plt.close(figure)
    return figure


def pair_clouds(pairs: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """Draw pairs of translations by angle and by distribution: a colour and a mark a model.

    :param pairs: By name of the model: a row a pair, with cosine and jsd.
    :param title: The question the figure answers.
    :return: The figure.
    """
    import matplotlib.pyplot as plt

    use_style()
    figure, axis = plt.subplots(figsize=(6.5, 3.8))
    for number, (name, table) in enumerate(pairs.items()):
        axis.plot(table["cosine"], table["jsd"], MARKERS[number], color=COLOURS[number], markersize=4, alpha=0.6,
                  markeredgewidth=0, label=name)  # fmt: skip
    axis.set_xlabel("cosine of a passage and its translation")
    axis.set_ylabel("root of their Jensen-Shannon divergence")
    axis.set_ylim(bottom=0)
    axis.grid(alpha=0.3)
    axis.legend(frameon=False, markerscale=1.5)
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    plt.close(figure)
    return figure


def distributions(pairs: Mapping[str, tuple[np.ndarray, np.ndarray]], labels: tuple[str, str], title: str) -> Figure:
    """Draw two vectors each as distributions over their dimensions: a panel a model.

    :param pairs: By heading: two vectors, [dim] each.
    :param labels: Names of the two.
    :param title: The question the figure answers.
    :return: The figure.
    """
    import matplotlib.pyplot as plt
    from scipy.special import softmax

    use_style()
    if not pairs:
        return empty_figure(title)
    figure, axes = plt.subplots(1, len(pairs), figsize=(4.2 * len(pairs), 2.9), sharey=True, squeeze=False)
    for axis, (heading, (one, other)) in zip(axes[0], pairs.items(), strict=True):
        first, second = softmax(np.asarray(one, float)), softmax(np.asarray(other, float))
        order = np.argsort(-first, kind="stable")
        scale = len(first)
        axis.plot(second[order] * scale, ".", color=COLOURS[1], markersize=3, label=labels[1])
        axis.plot(first[order] * scale, color=COLOURS[0], linewidth=1.8, label=labels[0])
        axis.set_title(heading, fontsize=10)
        axis.set_xlabel("dimension, by the weight of the first")
        axis.grid(alpha=0.3)
    axes[0, 0].set_ylabel("weight; 1 is an even share")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower left", ncols=2, frameon=False,
                  markerscale=3)  # fmt: skip
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    plt.close(figure)
    return figure
