"""The six panels of chapter 1."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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
_STAR = " (* never learned by the model)"
_SIMILARITY = "mean cosine of the words of a concept"


def concept_panels(
    alignment: ConceptAlignment,
    categories: Sequence[str],
    summary: pd.DataFrame,
    by_category: pd.DataFrame,
    by_language: pd.DataFrame,
    title: str,
    not_learned: Collection[str] = (),
) -> Figure:
    """Draw what was measured for one model, in six panels.

    :param alignment: What was measured.
    :param categories: c categories of its concepts.
    :param summary: One row per score: value, low, high.
    :param by_category: One row per category: value, low, high of the similarity within a concept.
    :param by_language: One row per language: nn_accuracy, nn_low, nn_high.
    :param not_learned: Languages that the model never learned: they get a star, and their pairs are not in panel (d).
    """
    figure, axes = panels(title, _HEADINGS, (4.3, 3.9), columns=2)
    _concepts(axes[0], alignment, [category or "all" for category in categories])
    starred = {code: f"{code}*" for code in not_learned}
    _retrieval(axes[1], alignment, starred)
    shares = 100 * by_language[["nn_accuracy", "nn_low", "nn_high"]].sort_values("nn_accuracy", ascending=False)
    label = f"translations among the {alignment.k} nearest (%)"
    _intervals(axes[2], shares.set_axis(["value", "low", "high"], axis=1).rename(starred), label)
    _farthest(axes[3], alignment, not_learned)
    _intervals(axes[4], summary.rename(index=SCORES), "score")
    _intervals(axes[5], by_category, _SIMILARITY)
    return figure


def _intervals(axis: Axes, table: pd.DataFrame, label: str) -> None:
    axis.set_xlabel(f"{label}, 95% interval")
    draw_intervals(axis, table, list(table.index))


def _concepts(axis: Axes, alignment: ConceptAlignment, categories: list[str]) -> None:
    """Draw a dot for each concept, one row per category, and name the worst of each."""
    sns.stripplot(x=alignment.intra, y=categories, color=COLOURS[0], alpha=0.5, jitter=False, ax=axis)
    table = pd.DataFrame({"category": categories, "concept": alignment.concepts, "value": alignment.intra}).dropna()
    for row in table.sort_values("value").drop_duplicates("category").itertuples():
        axis.annotate(str(row.concept), (row.value, row.category), (-3, 5), textcoords="offset points", fontsize=8)
    axis.set_xlabel(_SIMILARITY)


def _retrieval(axis: Axes, alignment: ConceptAlignment, starred: Mapping[str, str]) -> None:
    languages = [starred.get(code, code) for code in alignment.languages]
    shares = pd.DataFrame(100 * alignment.retrieval_matrix, languages, languages)
    colours = sns.light_palette(BLUE, as_cmap=True)
    same = np.eye(len(languages), dtype=bool)
    numbers = {"color": "black", "fontsize": 8}
    draw_heatmap(axis, shares, vmin=0, vmax=100, cmap=colours, annot=True, fmt=".0f", annot_kws=numbers, mask=same)
    axis.set_xlabel("language searched" + (_STAR if starred else ""))
    axis.set_ylabel("language of the query", labelpad=8)


def _farthest(axis: Axes, alignment: ConceptAlignment, not_learned: Collection[str]) -> None:
    pairs = [pair for pair in alignment.misaligned(1.1) if not {*pair[1:3]} & {*not_learned}][:_FARTHEST]
    names = [f"{concept}: {one} – {other}" for concept, one, other, _ in pairs]
    sns.barplot(x=[cosine for *_, cosine in pairs], y=names, color=COLOURS[1], saturation=1, ax=axis)
    axis.axvline(0, color="black", linewidth=0.8)
    axis.set_xlabel("cosine" + (" (languages with * left out)" if not_learned else ""))
