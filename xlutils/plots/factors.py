"""Scores of models against what the models are."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, NullLocator

from xlutils.plots.style import COLOURS, MARKERS, panels

_LABEL = 20  # characters in a line of a label
_FLOOR = 0.02  # length of the line below an upper bound, in affinity


def factor_panels(models: pd.DataFrame, factors: Mapping[str, str], lines: tuple[float, ...], title: str) -> Figure:
    """Draw the affinity of models against each factor, one panel per factor, in the colours of the first one.

    :param models: One row per model: value, low, high, reported (bool), and the factors, text or numbers. A reported
        value may be a range, or a bound where only `high` is known; it is then a line.
    :param factors: Headings by column.
    :param lines: Affinities to mark.
    """
    first = next(iter(factors))
    names = list(dict.fromkeys(models[first]))
    figure, axes = panels(title, factors.values(), (3.4, 2.4), columns=2, xlabel="Semantic Affinity", sharex=True)
    for axis, factor in zip(axes, factors, strict=True):
        is_number = pd.api.types.is_numeric_dtype(models[factor])
        known = models[models[factor].notna() & (models[factor] != "unknown")]
        rows = list(dict.fromkeys(known[factor]))
        if not is_number:
            axis.set_yticks(range(len(rows)), [fill(str(name), _LABEL) for name in rows])
            axis.set_ylim(len(rows) - 0.5, -0.5)
        elif len(known):
            axis.set_yscale("log")
            axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.yaxis.set_major_formatter(EngFormatter(sep=""))
            axis.yaxis.set_minor_locator(NullLocator())
        for line in lines:
            axis.axvline(line, color="black", linewidth=1, linestyle="--", zorder=0)
        for row in known.to_dict("records"):
            number = names.index(row[first])
            place = row[factor] if is_number else rows.index(row[factor])
            look: dict[str, Any] = {"color": COLOURS[number]}
            bound = not np.isfinite(row["low"]) and np.isfinite(row["high"])
            low = row["high"] - _FLOOR if bound else row["low"]
            if np.isfinite(low):
                axis.plot([low, row["high"]], [place, place], "-", linewidth=3, alpha=0.4, **look)
            if bound:
                axis.plot(low, place, "<", fillstyle="none", **look)
            if np.isfinite(row["value"]):
                axis.plot(row["value"], place, MARKERS[number], fillstyle="none" if row["reported"] else "full", **look)
    return figure
