"""Figures of chapter 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from xlutils.plots.intervals import draw_intervals
from xlutils.plots.style import COLOURS, MARKERS, use_style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from xlutils.metrics.alignment import ConceptAlignment

_LABELS = {
    "intra_concept": "within a concept",
    "nn_accuracy": "nearest neighbours",
    "retrieval_accuracy": "retrieval",
    "overall": "overall score",
    "discriminability": "discriminability gap",
}
_WORST = 8


def concept_panels(
    alignment: ConceptAlignment,
    categories: Sequence[str],
    summary: pd.DataFrame,
    by_category: pd.DataFrame,
    by_language: pd.DataFrame,
    title: str,
) -> Figure:
    """Draw the six panels of the chapter for one model.

    :param alignment: What was measured.
    :param categories: c categories of its concepts.
    :param summary: A row a metric: value, low, high.
    :param by_category: A row a category: value, low, high of the similarity within a concept.
    :param by_language: A row a language: nn_accuracy, nn_low, nn_high.
    :param title: The question the figure answers.
    :return: The figure.
    """
    import matplotlib.pyplot as plt

    use_style()
    figure, axes = plt.subplots(3, 2, figsize=(9, 12.5))
    _strip(axes[0, 0], alignment, categories)
    _heatmap(axes[0, 1], alignment)
    _by_language(axes[1, 0], by_language, alignment.k)
    _worst_pairs(axes[1, 1], alignment)
    draw_intervals(axes[2, 0], summary.rename(index=_LABELS))
    axes[2, 0].set_title("(e) What are the scores, and how sure are they?")
    draw_intervals(axes[2, 1], by_category)
    axes[2, 1].set_title("(f) Which categories align worse?")
    axes[2, 1].set_xlabel("similarity within a concept, 95% interval")
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    plt.close(figure)
    return figure


def _strip(axis: Axes, alignment: ConceptAlignment, categories: Sequence[str]) -> None:
    names = list(dict.fromkeys(categories))
    values = alignment.intra
    for row, name in enumerate(names):
        members = [i for i, category in enumerate(categories) if category == name and np.isfinite(values[i])]
        axis.plot(
            values[members], [row] * len(members), linestyle="", alpha=0.6, markeredgewidth=0,
            color=COLOURS[row % len(COLOURS)], marker=MARKERS[row % len(MARKERS)],
        )  # fmt: skip
    for row, name in enumerate(names):
        members = [i for i, category in enumerate(categories) if category == name and np.isfinite(values[i])]
        if members:
            worst = min(members, key=lambda i: values[i])
            axis.annotate(alignment.concepts[worst], (values[worst], row), (0, 6), textcoords="offset points",
                          fontsize=8, ha="center")  # fmt: skip
    axis.set_yticks(range(len(names)), [name or "all" for name in names])
    axis.invert_yaxis()
    axis.set_xlabel("similarity within a concept")
    axis.set_title("(a) How near are the words of each concept?")


def _heatmap(axis: Axes, alignment: ConceptAlignment) -> None:
    matrix = alignment.retrieval_matrix
    axis.imshow(matrix, vmin=0, vmax=1, cmap="Blues")
    places = range(len(alignment.languages))
    axis.set_xticks(places, alignment.languages)
    axis.set_yticks(places, alignment.languages)
    for row in places:
        for column in places:
            if row != column:
                colour = "white" if matrix[row, column] > 0.6 else "black"
                text = f"{100 * matrix[row, column]:.0f}"
                axis.text(column, row, text, ha="center", va="center", color=colour, fontsize=8)
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)
    axis.set_xlabel("searched in")
    axis.set_ylabel("asked in")
    axis.set_title("(b) How often is the translation found first? (%)")


def _by_language(axis: Axes, table: pd.DataFrame, k: int) -> None:
    rows = 100 * table.sort_values("nn_accuracy")
    axis.barh(range(len(rows)), rows["nn_accuracy"], color=COLOURS[0], alpha=0.75)
    axis.hlines(range(len(rows)), rows["nn_low"], rows["nn_high"], color="black", linewidth=1.5)
    axis.set_yticks(range(len(rows)), rows.index)
    for place, (share, high) in enumerate(zip(rows["nn_accuracy"], rows["nn_high"], strict=True)):
        axis.text(high + 1, place, f"{share:.0f}", va="center", fontsize=8)
    axis.set_xlim(0, 109)
    axis.set_xlabel(f"nearest {k} of the same concept (%), 95% interval")
    axis.set_title("(c) Whose neighbours are translations?")


def _worst_pairs(axis: Axes, alignment: ConceptAlignment) -> None:
    pairs = alignment.misaligned(1.1)[:_WORST][::-1]
    axis.barh(range(len(pairs)), [pair[3] for pair in pairs], color=COLOURS[1])
    axis.set_yticks(range(len(pairs)), [f"{concept}: {a} - {b}" for concept, a, b, _ in pairs])
    axis.axvline(0, color="black", linewidth=0.8)
    axis.set_xlabel("cosine")
    axis.set_title("(d) Which translations are farthest apart?")


def model_comparison(table: pd.DataFrame, metrics: Sequence[str], title: str) -> Figure:
    """Draw the metrics of several models with their intervals, reported values hollow.

    :param table: Columns model, metric, value, low, high, reported (bool).
    :param metrics: The metrics to show, a panel each.
    :param title: The question the figure answers.
    :return: The figure.
    """
    import matplotlib.pyplot as plt

    use_style()
    models = list(dict.fromkeys(table["model"]))
    figure, axes = plt.subplots(1, len(metrics), figsize=(9, 0.45 * len(models) + 1.6), sharey=True, squeeze=False)
    for axis, metric in zip(axes[0], metrics, strict=True):
        for _, row in table[table["metric"] == metric].iterrows():
            place = models.index(row["model"])
            if row["reported"]:
                axis.plot(row["value"], place, "o", color="black", markerfacecolor="none")
            else:
                axis.hlines(place, row["low"], row["high"], color=COLOURS[0], linewidth=3, alpha=0.4)
                axis.plot(row["value"], place, "o", color=COLOURS[0])
        axis.set_title(_LABELS.get(metric, metric), fontsize=9)
        axis.grid(axis="x", alpha=0.3)
    axes[0, 0].set_yticks(range(len(models)), models)
    axes[0, 0].set_ylim(len(models) - 0.5, -0.5)
    figure.suptitle(f"{title}  (solid: measured, hollow: reported)", x=0.01, ha="left", fontsize=12)
    plt.close(figure)
    return figure
