"""Scores of models against what the models are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from xlutils.plots.style import COLOURS, MARKERS, panels, shared_legend

_FLOOR = 0.02  # length of the line below an upper bound, in affinity


def factor_panels(models: pd.DataFrame, factors: Mapping[str, str], lines: tuple[float, ...], title: str) -> Figure:
    """Draw the affinity of models against each factor, one panel per factor; colours are those of the first factor.

    :param models: One row per model: value, low, high, reported (bool), and the factors, text or numbers. A reported
        value may be a range, or a bound where only `high` is known; it is then a line.
    :param factors: Headings by column.
    :param lines: Affinities to mark.
    """
    first = next(iter(factors))
    names = list(dict.fromkeys(models[first]))
    figure, axes = panels(title, factors.values(), (3.4, 2.1), columns=2, xlabel="Semantic Affinity", sharex=True)
    for axis, factor in zip(axes, factors, strict=True):
        is_number = pd.api.types.is_numeric_dtype(models[factor])
        known = models[models[factor].notna() & (models[factor] != "unknown")]
        rows = list(dict.fromkeys(known[factor]))
        if not is_number:
            axis.set_yticks(range(len(rows)), rows)
            axis.set_ylim(len(rows) - 0.5, -0.5)
        elif len(known):
            axis.set_yscale("log")
        for line in lines:
            axis.axvline(line, color="black", linewidth=1, linestyle="--", zorder=0)
        for row in known.to_dict("records"):
            number = names.index(row[first])
            place = row[factor] if is_number else rows.index(row[factor])
            look = {"color": COLOURS[number], "label": row[first]}
            low = row["low"] if np.isfinite(row["low"]) else row["high"] - _FLOOR
            if np.isfinite(low):
                ends = "-" if np.isfinite(row["low"]) else "<-"
                axis.plot([low, row["high"]], [place, place], ends[-1], linewidth=3, alpha=0.4, **look)
            if np.isfinite(row["value"]):
                style = "none" if row["reported"] else "full"
                axis.plot(row["value"], place, MARKERS[number], fillstyle=style, markersize=6, **look)
            elif not np.isfinite(row["low"]):
                axis.plot(low, place, "<", fillstyle="none", markersize=5, **look)
    shared_legend(figure, columns=2)
    return figure
