"""The language atlas: languages in order, pairs of varieties, speakers, tokens, and what a few texts repair."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from xlutils.datasets.languages import script_name
from xlutils.plots.intervals import draw_intervals
from xlutils.plots.style import COLOURS, MARKERS, panels, rank_axis, shared_legend

Floats = NDArray[np.float64]
MEASURES = {  # by their names in records
    "accuracy": "accuracy: translations found first, both directions",
    "accuracy_centred": "accuracy after centring: translations found first, both directions",
    "found": "translations found first, from the language to the pivot",
    "found-back": "translations found first, from the pivot to the language",
    "others": "translations found first, mean over all other languages",
    "xsim": "xSIM: share of errors by the margin score",
    "tokens-per-word": "tokens per word",
    "tokens-per-character": "tokens per character",
}
_OTHERS = "other scripts"
_COLUMNS = 3  # of a ladder
_ROW = 0.165  # inches: letters of 9 points do not touch
_NAME = 22  # letters of a name


def _by_script(table: pd.DataFrame, most: int = 6) -> tuple[pd.Series, list[str]]:
    """Return the name of each language's script, small ones together, and the names in order of their size."""
    scripts = table["script"].map(script_name)
    counts = scripts.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    named = list(counts.index[:most])
    series = scripts.where(scripts.isin(named), _OTHERS)
    return series, named + [_OTHERS] * (len(counts) > most)


def language_ladder(table: pd.DataFrame, title: str, *, metric: str = "accuracy", most: int = 120) -> Figure:
    """Draw languages from the best to the worst with their intervals, coloured by script; the control is hollow.

    :param table: One row per language: name, script, the measure with _low and _high, and optionally control.
    :param most: Of more languages, the best and the worst are drawn, as many of each: readers look for the ends, and
        for the others there is the interactive map.
    """
    shown = table.dropna(subset=[metric]).sort_values([metric, "name"], ascending=[False, True])
    if left_out := max(len(shown) - most, 0):
        best, worst = shown[: most - most // 2], shown[len(shown) - most // 2 :]
        gap = pd.DataFrame({"name": [f"… {left_out} more …"], "script": best["script"].iloc[0]}, index=[""])
        shown = pd.concat([best, gap, worst])
    series, scripts = _by_script(shown)
    length = -(-len(shown) // _COLUMNS)
    parts = [shown[start : start + length] for start in range(0, len(shown), max(length, 1))]
    options: dict[str, Any] = {"columns": _COLUMNS, "margin": (0.4, 1.1), "sharex": True}
    label = f"{metric}, 95% interval"
    figure, axes = panels(title, [""] * len(parts), (2.5, _ROW * length), xlabel=label, **options)
    for axis, part in zip(axes, parts, strict=True):
        _mark_scripts(axis, scripts)
        names = {"value": metric, "low": f"{metric}_low", "high": f"{metric}_high"}
        values = pd.DataFrame({key: part[column] for key, column in names.items()}).assign(series=series[part.index])
        draw_intervals(axis, values, list(values.index), scripts)
        if "control" in part:
            look: dict[str, Any] = {"color": "#555555", "fillstyle": "none", "markersize": 3.5, "label": "control"}
            axis.plot(part["control"], range(len(part)), "o", **look)
        axis.set_yticks(range(len(part)), [_short(name) for name in part["name"]])
        axis.set_ylim(length - 0.5, -0.5)
    shared_legend(figure, columns=4)
    return figure


def _mark_scripts(axis: Axes, scripts: list[str]) -> None:
    """Give the legend every script in order."""
    for script, colour, marker in zip(scripts, COLOURS, MARKERS, strict=False):
        axis.plot([], [], marker, color=colour, markersize=5, label=script)


def _short(name: str) -> str:
    return name if len(name) <= _NAME else f"{name[: _NAME - 1].rstrip()}…"


def tokens_against_accuracy(
    tables: Mapping[str, pd.DataFrame], title: str, *, tokens: str = "tokens-per-word"
) -> Figure:
    """Draw how finely a model cuts each language against how well it knows it, one panel per model.

    :param tables: By model: name, script, accuracy and the column of tokens, which is NaN where there are no words.
    """
    columns = 2 if len(tables) in (2, 4) else 3
    options: dict[str, Any] = {"sharex": True, "sharey": True, "xlabel": MEASURES[tokens], "columns": columns}
    figure, axes = panels(title, tables, (2.5, 2.6), margin=(0.6, 1.0), **options)
    rows = pd.concat([table.assign(model=name) for name, table in tables.items()]) if tables else pd.DataFrame()
    if axes:
        rows["series"], scripts = _by_script(rows)
    for axis, model in zip(axes, tables, strict=True):
        _mark_scripts(axis, scripts)
        drawn = rows[rows["model"] == model].dropna(subset=["accuracy", tokens])
        for number, script in reversed(list(enumerate(scripts))):
            part = drawn[drawn["series"] == script]
            look: dict[str, Any] = {"color": COLOURS[number], "markersize": 4.5, "alpha": 0.8, "markeredgewidth": 0}
            axis.plot(part[tokens], part["accuracy"], MARKERS[number], **look)
        axis.set(ylabel="accuracy", ylim=(-0.03, 1.03))
        rank_axis(axis)
        axis.grid(axis="y")
    shared_legend(figure, columns=4)
    return figure


def speakers_reached(tables: Mapping[str, pd.DataFrame], summary: pd.DataFrame, title: str) -> Figure:
    """Draw the number of people whose language reaches an accuracy, one line per model.

    :param tables: By model: speakers, accuracy, accuracy_low and accuracy_high.
    :param summary: By model: gini and worst-decile, which the legend shows.
    """
    label = "accuracy that a language must reach"
    figure, axes = panels(title, [""] if tables else [], (6.6, 3.2), margin=(0.6, 1.0), xlabel=label)
    thresholds = np.linspace(0, 1, 501)
    for axis in axes:
        for number, (model, table) in enumerate(tables.items()):
            known = table.dropna(subset=["accuracy", "speakers"])
            middle, low, high = (_reached(known, f"accuracy{end}", thresholds) for end in ("", "_low", "_high"))
            gini, worst = summary.loc[model, ["gini", "worst-decile"]]
            text = f"{model}: Gini {gini:.2f}, worst tenth {worst:.2f}"
            look: dict[str, Any] = {"marker": MARKERS[number], "markevery": (10 * number, 100), "markersize": 5}
            axis.plot(thresholds, np.where(middle > 0, middle, np.nan), color=COLOURS[number], label=text, **look)
            axis.fill_between(thresholds, low, high, color=COLOURS[number], alpha=0.2, linewidth=0)
        axis.set(ylabel="speakers (billions)", xlim=(0, 1), ylim=(0, None))
        axis.grid(axis="y")
    shared_legend(figure, columns=1)
    return figure


def _reached(table: pd.DataFrame, column: str, thresholds: Floats) -> Floats:
    accuracies, speakers = (table[name].to_numpy(float) for name in (column, "speakers"))
    return np.array([speakers[accuracies >= threshold].sum() / 1e9 for threshold in thresholds])


def pair_ladder(differences: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """Draw paired differences between two varieties of a language, the largest first, one panel per model.

    :param differences: By model: value, low, high and kind (what differs, such as "script"); the index names the pair.
    """
    rows = pd.concat(differences.values()) if differences else pd.DataFrame(columns=["kind", "value"])
    kinds = list(dict.fromkeys(rows["kind"]))
    means = rows.groupby([rows["kind"].map(kinds.index), rows.index])["value"].mean()
    order = [name for kind in range(len(kinds)) for name in means[kind].sort_values(ascending=False).index]
    longest = max(map(len, order), default=0)
    size, labels = (2.4, (0.36 if longest > 32 else 0.25) * len(order) + 0.4), min(0.068 * longest, 2.4) + 0.3
    xlabel = "paired difference in accuracy, 95% interval"
    options: dict[str, Any] = {"sharex": True, "sharey": True, "margin": (labels, 0.9), "xlabel": xlabel}
    figure, axes = panels(title, differences, size, **options)
    for axis, table in zip(axes, differences.values(), strict=True):
        axis.axvline(0, color="black", linewidth=1, linestyle="--", zorder=0)
        draw_intervals(axis, table.assign(series=table["kind"]), order, kinds)
    if len(kinds) > 1:
        shared_legend(figure)
    return figure


def repair_curves(tables: Mapping[str, pd.DataFrame], title: str, unit: str = "texts in each language") -> Figure:
    """Draw accuracy by the number of texts that a repair is estimated from, one panel per table.

    :param tables: By model or language: group (such as the script), method, texts (0: no repair), value, low and high.
    :param unit: What is counted.
    """
    rows = pd.concat(tables.values()) if tables else pd.DataFrame(columns=["group", "method", "texts"])
    groups, methods = (list(dict.fromkeys(rows[column])) for column in ("group", "method"))
    sizes = sorted(set(rows["texts"]))
    places = {size: max(size, sizes[1] / 2.5) if size == 0 else size for size in sizes}
    columns = 2 if len(tables) in (2, 4) else 3
    options: dict[str, Any] = {"sharex": True, "sharey": True, "columns": columns}
    figure, axes = panels(title, tables, (2.5, 2.6), margin=(0.6, 1.1), xlabel=unit, **options)
    for axis, table in zip(axes, tables.values(), strict=True):
        for (group, method), line in table.sort_values("texts").groupby(["group", "method"], sort=False):
            number, dash = groups.index(group), "--" if methods.index(method) else "-"
            at = line["texts"].map(places)
            look: dict[str, Any] = {"color": COLOURS[number], "marker": MARKERS[number], "linestyle": dash}
            axis.plot(at, line["value"], markersize=4.5, **look)
            axis.fill_between(at, line["low"], line["high"], color=COLOURS[number], alpha=0.15, linewidth=0)
        axis.set(ylabel="accuracy, 95% interval", xscale="log")
        axis.set_xticks([places[size] for size in sizes], [_short_number(size) if size else "none" for size in sizes])
        axis.minorticks_off()
        axis.grid(axis="y")
    handles = [Line2D([], [], color=COLOURS[n], marker=MARKERS[n], label=name) for n, name in enumerate(groups)]
    named = methods if len(methods) > 1 else []
    handles += [Line2D([], [], color="#555555", linestyle="--" if n else "-", label=m) for n, m in enumerate(named)]
    figure.legend(handles=handles, loc="outside lower left", ncols=4)
    return figure


def _short_number(size: float) -> str:
    return f"{size / 1000:g}k" if size >= 1000 else f"{size:g}"
