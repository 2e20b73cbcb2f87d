"""Gain against cost: what changes of a model buy, and what they take away."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

from xlutils.plots.style import COLOURS, MARKERS, panels, shared_legend

_LINE = 12  # points between two labels
_NEAR = 8  # points between two dots that share a label
_GAP = 7  # points between a dot and its label
_SIZE = 8.8  # of the labels, in points
_START = "#333333"
_WIDTH = 0.05  # least width of the scale of costs, so that a difference of no importance looks like one


def tradeoff_chart(cost: pd.DataFrame, gain: pd.DataFrame, labels: tuple[str, str], title: str) -> Figure:
    """Draw states of a model as points, with an arrow to each from the first one and the intervals as thin crosses.

    :param cost: What may get worse, drawn across: one row per state, whose name is its label; columns value, low, high
        and, for a mean of several seeds, least and most, which get a broad bar.
    :param gain: What should get better, drawn upwards, likewise; and series, the kind of each state.
    :param labels: What both values are.
    """
    figure, (axis,) = panels(title, [""], (6.4, 4.2), margin=(0.5, 0.8), xlabel=labels[0])
    points = np.stack([cost["value"], gain["value"]], axis=1)
    axis.axvline(points[0, 0], color=_START, linewidth=0.8, linestyle="--", zorder=0)
    axis.axhline(points[0, 1], color=_START, linewidth=0.8, linestyle="--", zorder=0)
    kinds = list(dict.fromkeys(gain["series"].iloc[1:]))
    for kind, colour, marker in zip(kinds, COLOURS, MARKERS, strict=False):
        across, up = cost[gain["series"] == kind], gain[gain["series"] == kind]
        axis.plot(across["value"], up["value"], marker, color=colour, markersize=6, label=kind)
        _crosses(axis, across, up, ["low", "high"], color=colour, linewidth=1)
        if "least" in gain:
            _crosses(axis, across, up, ["least", "most"], color=colour, linewidth=4, alpha=0.5)
        for point in zip(across["value"], up["value"], strict=True):
            arrow = {"arrowstyle": "->", "color": colour, "alpha": 0.35, "shrinkA": 5, "shrinkB": 4}
            axis.annotate("", point, points[0], arrowprops=arrow)
    axis.plot(*points[0], "o", color=_START, markersize=7)
    axis.set_ylabel(labels[1])
    axis.grid(axis="y")
    axis.margins(0.08)
    right = axis.get_xlim()[1]
    axis.set_xlim(min(axis.get_xlim()[0], right - _WIDTH), right)
    shared_legend(figure)
    figure.draw_without_rendering()  # the layout decides where the points are
    _label(axis, points, list(gain.index), figure.dpi / 72, _lines(axis, cost, gain))
    return figure


def _crosses(axis: Axes, across: pd.DataFrame, up: pd.DataFrame, ends: list[str], **look: Any) -> None:
    axis.hlines(up["value"], *across[ends].to_numpy().T, **look)
    axis.vlines(across["value"], *up[ends].to_numpy().T, **look)


def _lines(axis: Axes, cost: pd.DataFrame, gain: pd.DataFrame) -> list[Bbox]:
    """Return where intervals and the lines through the first point are, in pixels."""
    columns = ["low", "value", "high"]
    across, up = (table[columns].to_numpy(float, copy=True) for table in (cost, gain))
    across[0, ::2], up[0, ::2] = axis.get_xlim(), axis.get_ylim()
    boxes = []
    for (left, x, right), (bottom, y, top) in zip(across, up, strict=True):
        boxes += [Bbox([[left, y], [right, y]]), Bbox([[x, bottom], [x, top]])]
    return [box.transformed(axis.transData) for box in boxes]


def _label(axis: Axes, points: NDArray[np.float64], names: list[str], scale: float, lines: list[Bbox]) -> None:
    """Write the names beside their points, one below the other where points lie on each other.

    A name goes where there is room, with a line that leads to the point unless it is right beside it.

    :param scale: Pixels of a typographic point.
    :param lines: What else a name must not cover, in pixels.
    """
    inner = axis.get_window_extent()
    places = axis.transData.transform(points)  # [names, 2], pixels
    taken = [Bbox.from_bounds(x - 4 * scale, y - 4 * scale, 8 * scale, 8 * scale) for x, y in places] + lines
    for group in _groups(places, _NEAR * scale):
        look: dict[str, Any] = {"fontsize": _SIZE, "textcoords": "offset points", "va": "center", "linespacing": 1.15}
        look |= {"path_effects": [withStroke(linewidth=2.5, foreground="white")]}
        text, middle = "\n".join(names[number] for number in group), points[group].mean(axis=0)
        x, y = axis.transData.transform(middle)
        reach = np.abs(places[group, 0] - x).max()  # half the width of the group
        draft = axis.annotate(text, middle, (0, 0), **look)
        box = draft.get_window_extent()
        draft.remove()
        for side, far, drop in _offsets():
            is_far = far > 0 or abs(drop) > 1
            across = side * (reach + scale * (far + _GAP * (2 if is_far else 1)))
            left = x + across - (box.width if side < 0 else 0)
            here = Bbox.from_bounds(left, y + drop * _LINE * scale - box.height / 2, box.width, box.height)
            is_inside = inner.x0 < here.x0 and here.x1 < inner.x1 and inner.y0 < here.y0 and here.y1 < inner.y1
            if is_inside and not here.count_overlaps(taken):
                break
        taken.append(here)
        line: dict[str, Any] = {"arrowstyle": "-", "color": "#777777", "linewidth": 0.6, "shrinkA": 0, "shrinkB": 3}
        line |= {"relpos": (0 if side > 0 else 1, 0.5)}
        look |= {"ha": "left" if side > 0 else "right", "arrowprops": line if is_far else None}
        note = axis.annotate(text, middle, (across / scale, drop * _LINE), **look)
        note.set(in_layout=False, zorder=3 if is_far else 4)  # a line to a point passes behind other names


def _groups(places: NDArray[np.float64], near: float) -> list[NDArray[np.int64]]:
    """Return the numbers of points that lie on each other, from the top; single points first, which need less room."""
    if len(places) == 1:
        return [np.array([0])]
    clusters = fcluster(linkage(places, "single"), near, "distance")
    order = np.lexsort((places[:, 0], -places[:, 1]))
    groups = [order[clusters[order] == number] for number in dict.fromkeys(clusters[order])]
    return sorted(groups, key=len)


def _offsets() -> list[tuple[int, int, int]]:
    """Return where to try a label, from near to far: the side, points away from the point, and lines up or down."""
    away = (0, 30, 60, 90, 120, 150, 180)
    ways = [(side, far, drop) for drop in range(-20, 21) for far in away for side in (1, -1)]
    return sorted(ways, key=lambda way: (way[1] + _LINE * abs(way[2]), -way[2], -way[0]))
