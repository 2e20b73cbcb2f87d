"""The six panels of chapter 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from xlutils.plots.intervals import SCORES, draw_intervals
from xlutils.plots.matrices import BLUE, draw_heatmap
from xlutils.plots.style import COLOURS, panels

if TYPE_CHECKING:
    from xlutils.metrics.alignment import ConceptAlignment

_HEADINGS = (
    "(a) How near are the words of each concept?",
    "(b) How often is the translation found first? (%)",
    "(c) Whose neighbours are translations?",
    "(d) Which translations are farthest apart?",
    "(e) What are the scores, and how sure are they?",
    "(f) Which categories align worse?",
)
_FARTHEST = 8  # pairs shown
_SIMILARITY = "mean cosine of the words of a concept"


def concept_panels(
    alignment: ConceptAlignment,
    categories: Sequence[str],
    summary: pd.DataFrame,
    by_category: pd.DataFrame,
    by_language: pd.DataFrame,
    title: str,
) -> Figure:
    """Draw what was measured for one model, in six panels.

    :param alignment: What was measured.
    :param categories: c categories of its concepts.
    :param summary: One row per score: value, low, high.
    :param by_category: One row per category: value, low, high of the similarity within a concept.
    :param by_language: One row per language: nn_accuracy, nn_low, nn_high.
    """
    figure, axes = panels(title, _HEADINGS, (4.3, 3.9), columns=2)
    _concepts(axes[0], alignment, [category or "all" for category in categories])
    _retrieval(axes[1], alignment)
    _neighbours(axes[2], 100 * by_language.sort_values("nn_accuracy", ascending=False), alignment.k)
    _farthest(axes[3], alignment)
    scores = summary.rename(index=SCORES)
    draw_intervals(axes[4], scores, list(scores.index))
    axes[4].set_xlabel("score, 95% interval")
    draw_intervals(axes[5], by_category, list(by_category.index))
    axes[5].set_xlabel(f"{_SIMILARITY}, 95% interval")
    return figure


def _concepts(axis: Axes, alignment: ConceptAlignment, categories: list[str]) -> None:
    """Draw a dot for each concept, one row per category, and name the worst of each."""
    sns.stripplot(x=alignment.intra, y=categories, color=COLOURS[0], alpha=0.5, jitter=False, ax=axis)
    table = pd.DataFrame({"category": categories, "concept": alignment.concepts, "value": alignment.intra}).dropna()
    for row in table.sort_values("value").drop_duplicates("category").itertuples():
        axis.annotate(str(row.concept), (row.value, row.category), (-3, 5), textcoords="offset points", fontsize=8)
    axis.set_xlabel(_SIMILARITY)


def _retrieval(axis: Axes, alignment: ConceptAlignment) -> None:
    languages = list(alignment.languages)
    shares = pd.DataFrame(100 * alignment.retrieval_matrix, languages, languages)
    colours = sns.light_palette(BLUE, as_cmap=True)
    same = np.eye(len(languages), dtype=bool)
    numbers = {"color": "black", "fontsize": 8}
    draw_heatmap(axis, shares, vmin=0, vmax=100, cmap=colours, annot=True, fmt=".0f", annot_kws=numbers, mask=same)
    axis.set_xlabel("language searched")
    axis.set_ylabel("language of the query", labelpad=8)


def _neighbours(axis: Axes, shares: pd.DataFrame, k: int) -> None:
    sns.barplot(x=shares["nn_accuracy"].to_numpy(), y=list(shares.index), color=BLUE, saturation=1, ax=axis)
    axis.hlines(range(len(shares)), shares["nn_low"], shares["nn_high"], color="black", linewidth=1.5)
    for row, (share, high) in enumerate(zip(shares["nn_accuracy"], shares["nn_high"], strict=True)):
        axis.text(high + 1, row, f"{share:.0f}", va="center", fontsize=8)
    axis.set(xlim=(0, 109), xlabel=f"translations among the {k} nearest (%), 95% interval")


def _farthest(axis: Axes, alignment: ConceptAlignment) -> None:
    pairs = alignment.misaligned(1.1)[:_FARTHEST]
    names = [f"{concept}: {one} – {other}" for concept, one, other, _ in pairs]
    sns.barplot(x=[cosine for *_, cosine in pairs], y=names, color=COLOURS[1], saturation=1, ax=axis)
    axis.axvline(0, color="black", linewidth=0.8)
    axis.set_xlabel("cosine")
