"""Curves and clouds: disturbances, ranks, losses, and pairs of translations."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from scipy.special import softmax

from xlutils.plots.style import COLOURS, looks, panels, rank_axis, shared_legend

_LOSSES = {
    "jsd": "Jensen-Shannon divergence",
    "nce": "InfoNCE with the question",
    "nce-passage": "InfoNCE with the passage",
    "keep": "drift from the original model",
}


def disturbance_curves(table: pd.DataFrame, strengths: Mapping[str, str], title: str) -> Figure:
    """Draw how measures change while the vectors are disturbed, one panel per disturbance.

    :param table: Columns question, strength, measure, value, low, high.
    :param strengths: By question: what its strength is called.
    :param title: The question the figure answers.
    """
    figure, axes = panels(title, strengths, (3.1, 2.6), sharey=True, margin=(0.6, 0.9))
    look = looks(table["measure"])
    for axis, (question, label) in zip(axes, strengths.items(), strict=True):
        rows = table[table["question"] == question]
        steps = rows["strength"].map("{:g}".format)
        sns.lineplot(rows, x=steps, y="value", hue="measure", style="measure", dashes=False, sort=False, ax=axis, **look)
        for measure, line in rows.groupby("measure"):
            colour = look["palette"][measure]
            axis.fill_between(steps[line.index], line["low"], line["high"], color=colour, alpha=0.2, linewidth=0)
        axis.set(xlabel=label, ylabel="value, 95% interval", ylim=(-0.02, 1.02))
        axis.grid(axis="y")
    shared_legend(figure)
    return figure


def rank_curves(curves: Mapping[str, Mapping[str, np.ndarray]], title: str) -> Figure:
    """Draw the share of questions whose gold passages are all found within a rank, one panel per language.

    :param curves: By heading, then by name of the line: the rank of the last gold passage of each question, [n];
        lines in pairs, solid and dashed.
    :param title: The question the figure answers.
    """
    columns = 2 if len(curves) == 4 else 3
    label = "rank of the last gold passage (Max@R)"
    figure, axes = panels(title, curves, (2.7, 2.2), columns=columns, xlabel=label, sharex=True, sharey=True)
    for axis, lines in zip(axes, curves.values(), strict=True):
        for number, (name, ranks) in enumerate(lines.items()):
            dash = "--" if number % 2 else "-"
            sns.ecdfplot(x=ranks, color=COLOURS[number // 2], linestyle=dash, label=name, ax=axis)
        axis.set_ylabel("share of questions")
        axis.grid(axis="y")
        rank_axis(axis)
    shared_legend(figure, columns=2)
    return figure


def loss_curves(steps: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """Draw each part of the loss during training, one panel per part and one line per training.

    :param steps: By training: one row per step, with `step` and a column for each part.
    :param title: The question the figure answers.
    """
    table = pd.concat(steps, names=["training"]).reset_index("training")
    parts = [part for part in _LOSSES if part in table]
    headings = [_LOSSES[part] for part in parts]
    figure, axes = panels(title, headings, (3.2, 2.3), columns=4, margin=(0.6, 0.9), xlabel="step")
    look = looks(steps)
    every = max(max(map(len, steps.values())) // 12, 1)
    for axis, part in zip(axes, parts, strict=True):
        sns.lineplot(
            table,
            x="step",
            y=part,
            hue="training",
            style="training",
            dashes=False,
            errorbar=None,
            markevery=every,
            ax=axis,
            **look,
        )
        axis.set(ylabel="weighted loss", ylim=(0, 1.08 * table[part].max()))
        axis.grid(axis="y")
    shared_legend(figure)
    return figure


def pair_clouds(pairs: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """Draw pairs of translations by their angle and by their divergence, one cloud per model.

    :param pairs: By model: one row per pair, with cosine and jsd.
    :param title: The question the figure answers.
    """
    table = pd.concat(pairs, names=["model"]).reset_index("model")
    label = "cosine of a passage and its translation"
    figure, (axis,) = panels(title, [""], (6, 3.2), xlabel=label)
    sns.scatterplot(table, x="cosine", y="jsd", hue="model", style="model", alpha=0.7, s=20, ax=axis, **looks(pairs))
    axis.set(ylabel="root of their Jensen-Shannon divergence", ylim=(0, None))
    axis.grid(axis="y")
    shared_legend(figure)
    return figure


def distributions(pairs: Mapping[str, tuple[np.ndarray, np.ndarray]], labels: tuple[str, str], title: str) -> Figure:
    """Draw two vectors as distributions over their dimensions, one panel per model.

    :param pairs: By heading: two vectors, [dim] each.
    :param labels: Names of the two.
    :param title: The question the figure answers.
    """
    label = "dimension, ordered by the weight of the first"
    figure, axes = panels(title, pairs, (3.9, 2.2), sharey=True, margin=(0.6, 0.9), xlabel=label)
    for axis, (first, second) in zip(axes, pairs.values(), strict=True):
        order = np.argsort(-np.asarray(first), kind="stable")
        line, dots = (softmax(np.asarray(vector, float))[order] * len(order) for vector in (first, second))
        axis.plot(dots, ".", color=COLOURS[1], markersize=3, label=labels[1])
        axis.plot(line, color=COLOURS[0], label=labels[0])
        axis.set_ylabel("weight (even share = 1)")
        axis.grid(axis="y")
    shared_legend(figure)
    return figure
