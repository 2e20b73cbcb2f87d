"""Maps of the world with a dot per language: a static one, and one that readers can question."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib import resources
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import HTML
from jinja2 import Environment
from matplotlib import colormaps
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from numpy.typing import NDArray

from xlutils.datasets.languages import LANGUAGES, language_name, script_name
from xlutils.datasets.world import load_coastline
from xlutils.plots.atlas import MEASURES
from xlutils.plots.style import SMALL, panels

Floats = NDArray[np.float64]
_SCALE = "viridis"  # even steps of lightness; the same order for the colour-blind, and in grey
_SHADES = 21
_EQUAL_EARTH = (1.340264, -0.081106, 0.000893, 0.003796)  # the projection of Šavrič, Patterson and Jenny (2018)
_TOP, _BOTTOM, _SIDE = 83.0, -56.0, 2.72  # what a map shows: degrees north, and units east and west
_INCHES = 7.4  # width of the map
_UNITS = 1000 / (2 * _SIDE)  # of the interactive map, which is 1000 wide
_REGIONS = {  # degrees: west, south, east, north
    "World": (-180, _BOTTOM, 180, _TOP),
    "Africa": (-20, -36, 54, 38),
    "Americas": (-125, -56, -35, 60),
    "Asia, south and east": (60, -11, 145, 50),
    "Asia, west and central": (25, 10, 90, 60),
    "Europe": (-12, 35, 50, 68),
    "Pacific": (100, -48, 180, 22),
}


def world_map(table: pd.DataFrame, title: str, *, metric: str = "accuracy", pivot: str = "en") -> Figure:
    """Draw a dot per language at its place, coloured by a measure; dots that would cover each other are moved apart.

    :param table: One row per language (the index is its tag): latitude, longitude and a column for the measure.
    :param pivot: Language that the others are compared with, drawn as a star.
    """
    measured = table.drop(index=pivot, errors="ignore").dropna(subset=[metric])
    placed = measured.dropna(subset=["latitude", "longitude"])
    figure, axes = panels(title, [""] if len(measured) else [], (_INCHES, 3.3), margin=(0.3, 1.0))
    if not axes:
        return figure
    (axis,) = axes
    land: dict[str, Any] = {"facecolor": "#F0F1F2", "edgecolor": "#B4B9BE", "linewidth": 0.4}
    axis.add_collection(PolyCollection(_outlines(), zorder=0, **land))
    size = 6.5 if len(placed) < 150 else 4.5  # points
    x, y = _places(pd.concat([_about(pivot), placed]), gap=2 * _SIDE * size / (72 * _INCHES)).T
    dots = placed.assign(x=x[-len(placed) :], y=y[-len(placed) :]).sort_values(metric, ascending=False)  # worst on top
    ends = (0, 1) if measured[metric].between(0, 1).all() else (None, None)
    look: dict[str, Any] = {"cmap": _SCALE, "vmin": ends[0], "vmax": ends[1], "edgecolor": "#333333", "linewidth": 0.4}
    drawn = axis.scatter(dots["x"], dots["y"], c=dots[metric], s=size**2, zorder=2, **look)
    figure.colorbar(drawn, orientation="horizontal", shrink=0.5, aspect=40, label=MEASURES.get(metric, metric))
    notes = []
    if len(x) > len(placed):
        axis.plot(x[0], y[0], "*", color="black", markersize=8, markeredgewidth=0, zorder=3)
        notes.append(f"★ {language_name(pivot)}, the pivot")
    if absent := len(measured) - len(placed):
        notes.append(f"not on the map: {absent} languages\nwithout a known place")
    axis.text(0.01, 0.03, "\n".join(notes), transform=axis.transAxes, fontsize=SMALL, color="#444444")
    corners = _project(np.array([[0, _BOTTOM], [0, _TOP]]))
    axis.set(xlim=(-_SIDE, _SIDE), ylim=corners[:, 1], aspect="equal")
    axis.set_axis_off()
    return figure


def _about(pivot: str) -> pd.DataFrame:
    """Return the row of the pivot, or none if nobody knows where it is spoken."""
    rows = [vars(LANGUAGES[pivot])] if pivot in LANGUAGES else []
    columns = ["name", "script", "speakers", "latitude", "longitude"]
    return pd.DataFrame(rows, [pivot] * len(rows), columns).dropna(subset=["latitude", "longitude"])


def interactive_atlas(tables: Mapping[str, pd.DataFrame], title: str, pivot: str = "en") -> HTML:
    """Draw a map that shows the numbers of a language, and switches models, scripts, regions and centring.

    :param tables: By model: the columns of `atlas_table`.
    :param pivot: Language that the others are compared with, drawn as a star.
    :return: A piece of HTML that needs nothing else; its text is in `data`.
    """
    models = {name: table.drop(index=pivot, errors="ignore") for name, table in tables.items()}
    languages = pd.concat([_about(pivot), *models.values()])
    languages = languages[~languages.index.duplicated()].sort_values("name")
    data = {
        "models": [[name, _measured(table)] for name, table in models.items()],
        "languages": _described(languages),
        "pivot": pivot,
        "regions": [[name, _box(*corners)] for name, corners in _REGIONS.items()],
        "shades": [to_hex(colour) for colour in colormaps[_SCALE](np.linspace(0, 1, _SHADES))],
    }
    files = resources.files("xlutils.plots")
    assets = {kind: (files / f"world.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js")}
    environment = Environment(autoescape=True, trim_blocks=True)  # the filter tojson also escapes "<"
    path = "".join(_path(outline) for outline in _outlines())
    identity = hashlib.sha256(repr((data, title)).encode()).hexdigest()[:12]
    look = {"css": assets["css"], "script": assets["js"], "land": path}
    page = environment.from_string(assets["html"]).render(data=data, title=title, id=identity, **look)
    # Styles, script and data are ASCII, the rest becomes so: a page without a declared encoding reads it, too.
    return HTML(page.encode("ascii", "xmlcharrefreplace").decode())


def _measured(table: pd.DataFrame) -> dict[str, Any]:
    """Return the numbers of each language by its tag: value, low and high of each state."""
    states = {"raw": "accuracy", "centred": "accuracy_centred", "control": "control"}
    columns = {state: [name, f"{name}_low", f"{name}_high"] for state, name in states.items()}
    found = {}
    for tag, row in table.iterrows():
        numbers = {state: [_number(row.get(name), 3) for name in names] for state, names in columns.items()}
        verdict, learned = row.get("verdict"), row.get("learned")
        known = None if learned is None or pd.isna(learned) else bool(learned)
        found[str(tag)] = {**numbers, "verdict": None if pd.isna(verdict) else verdict, "learned": known}
    return found


def _described(languages: pd.DataFrame) -> list[dict[str, Any]]:
    """Return what is known about languages whatever the model, with their places on the map."""
    placed = languages.dropna(subset=["latitude", "longitude"])
    x, y = _places(placed, gap=0.06).T
    described = languages.assign(x=pd.Series(x, placed.index), y=pd.Series(y, placed.index))
    return [
        {
            "tag": str(tag),
            "name": row["name"],
            "script": script_name(row["script"]),
            "speakers": _number(row["speakers"], 0),
            "x": _number(_UNITS * (row["x"] + _SIDE), 1),
            "y": _number(-_UNITS * row["y"], 1),
        }
        for tag, row in described.iterrows()
    ]


def _number(value: Any, digits: int) -> float | None:
    return None if value is None or pd.isna(value) else round(float(value), digits)


def _project(degrees: Floats) -> Floats:
    """Return places on a map of equal areas.

    :param degrees: [n, 2], east and north.
    """
    east, north = np.radians(degrees).T
    angle = np.arcsin(np.sqrt(3) / 2 * np.sin(north))
    a, b, c, d = _EQUAL_EARTH
    slope = a + 3 * b * angle**2 + 7 * c * angle**6 + 9 * d * angle**8
    height = angle * (a + b * angle**2 + c * angle**6 + d * angle**8)
    return np.stack([2 / np.sqrt(3) * east * np.cos(angle) / slope, height], axis=1)


def _outlines() -> list[Floats]:
    """Return the outlines of all land but Antarctica; land on both sides of 180 degrees is drawn in one piece."""
    lines = [np.unwrap(line, period=360, axis=0) for line in load_coastline() if line[:, 1].max() > -60]
    return [_project(line - 360 * np.round(line.mean(axis=0) / 360)) for line in lines]


def _places(table: pd.DataFrame, gap: float) -> Floats:
    """Return where the dots of languages are, [n, 2], a gap apart from each other wherever possible."""
    places = _project(table[["longitude", "latitude"]].to_numpy(float))
    turns = 2.4 * np.arange(len(places))  # radians: languages in the same place leave it in different directions
    places += 0.01 * gap * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    for _ in range(150):
        ways = places[:, None] - places  # [n, n, 2]
        distances = np.linalg.norm(ways, axis=2) + 9 * gap * np.eye(len(places))
        pushes = np.clip(gap - distances, 0, None) / np.clip(distances, 1e-9, None)
        places += 0.25 * (ways * pushes[:, :, None]).sum(axis=1)
    return places


def _box(west: float, south: float, east: float, north: float) -> list[float]:
    """Return the left, the top, the width and the height of a region on the interactive map."""
    if east - west == 360:
        top, bottom = -_project(np.array([[0, north], [0, south]], float))[:, 1] * _UNITS
        return [0, round(top, 1), 1000, round(bottom - top, 1)]
    middle = (south + north) / 2
    corners = _project(np.array([[west, middle], [east, middle], [west, south], [east, north]], float))
    left, right = (corners[:2, 0] + _SIDE) * _UNITS
    bottom, top = -corners[2:, 1] * _UNITS
    return [round(number, 1) for number in (left, top, right - left, bottom - top)]


def _path(outline: Floats) -> str:
    points = " ".join(f"{_UNITS * (x + _SIDE):.1f},{-_UNITS * y:.1f}" for x, y in outline)
    return f"M{points}Z"
