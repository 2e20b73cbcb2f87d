"""Maps of words: static panels, and one interactive map that works in JupyterLab and, offline, in the book."""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from xlutils.plots.style import COLOURS, looks, panels, shared_legend

if TYPE_CHECKING:
    from plotly.graph_objects import Figure as PlotlyFigure

    from xlutils.plots.layout import WordMap

_SIDE = 7.5  # width of all static maps beside each other, in inches
_SYMBOLS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "x", "star")
# The last but one is the book's own font: its style sheet has every script, whatever the system lacks.
_FONT = {"family": 'system-ui, "Segoe UI", Roboto, "Noto Sans", "Book Scripts", sans-serif'}
# The book keeps one copy of plotly in _static; the first figure of a page fetches it.
_TEMPLATE = """<div id="{id}" style="height:{height}px" role="group" aria-label="{alt}"></div>
<script>
(() => {{
  const figure = {figure};
  const font = '16px "Book Scripts"'; // text drawn before its font is loaded would stay a row of boxes
  const draw = async () => {{
    await document.fonts.load(font, JSON.stringify(figure)).catch(() => []);
    Plotly.newPlot("{id}", figure.data, figure.layout, {{responsive: true, displaylogo: false}});
  }};
  if (window.Plotly) {{ draw(); return; }}
  window.plotlyReady = window.plotlyReady || new Promise((done) => {{
    const script = document.createElement("script");
    script.src = (document.documentElement.dataset.content_root || "") + "_static/plotly.min.js";
    script.onload = done;
    document.head.appendChild(script);
  }});
  window.plotlyReady.then(draw);
}})();
</script>"""


def word_maps(maps: Mapping[tuple[str, str], WordMap], title: str) -> Figure:
    """Draw a panel for each map: a dot per word, a grey line from each word to its translation.

    :param maps: By (row heading, column heading).
    """
    rows, columns = (list(dict.fromkeys(key[side] for key in maps)) for side in (0, 1))
    headings = columns + [""] * (len(rows) - 1) * len(columns)
    spans = [np.ptp(word_map.points, axis=0) for word_map in maps.values()]
    shape = min(max((height / width for width, height in spans), default=1), 1)  # of a panel: the flattest that fits
    side = _SIDE / len(columns)
    figure, axes = panels(title, headings, (side, side * shape), columns=len(columns), margin=(0.4, 0.9))
    look = looks(language for word_map in maps.values() for language in word_map.languages)
    for place, axis in enumerate(axes):
        axis.set_axis_off()
        row, column = rows[place // len(columns)], columns[place % len(columns)]
        if column == columns[0]:
            axis.text(-0.04, 0.5, row, rotation=90, ha="right", va="center", transform=axis.transAxes)
        if (row, column) in maps:
            _draw_map(axis, maps[row, column], look, dot=3.2 * side)
            axis.set_box_aspect(shape)
    shared_legend(figure, columns=8)
    return figure


def _draw_map(axis: Axes, word_map: WordMap, look: dict[str, Any], dot: float) -> None:
    axis.plot(*word_map.lines().T, color="grey", linewidth=0.4, alpha=0.35, zorder=1)
    x, y = word_map.points.T
    languages = list(word_map.languages)
    sns.scatterplot(x=x, y=y, hue=languages, style=languages, s=dot, linewidth=0, alpha=0.8, ax=axis, **look)
    axis.set_aspect("equal", adjustable="datalim")


class InteractiveFigure:
    """A plotly figure that shows itself natively in JupyterLab and as plain HTML in the book.

    :param figure: The figure.
    :param alt: What it shows, for readers who cannot see it.
    """

    def __init__(self, figure: PlotlyFigure, alt: str) -> None:
        self.figure = figure
        self.alt = alt

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        return {"application/vnd.plotly.v1+json": json.loads(self.figure.to_json()), "text/html": self.to_html()}

    def to_html(self) -> str:
        """Return the figure as a piece of HTML."""
        data = json.loads(self.figure.to_json(engine="json"))  # another engine writes other escapes
        content = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")  # no text can end the script
        identity = "figure-" + hashlib.sha256(content.encode()).hexdigest()[:12]
        height = self.figure.layout.height
        return _TEMPLATE.format(id=identity, height=height, alt=html.escape(self.alt), figure=content)


def interactive_map(maps: Mapping[str, WordMap], title: str) -> InteractiveFigure:
    """Draw words on a map: hovering shows a word, a click hides a language, lines join translations.

    :param maps: By heading; with more than one, a menu switches between them.
    """
    import plotly.graph_objects as go

    traces = {heading: _traces(word_map) for heading, word_map in maps.items()}
    owners = [heading for heading, parts in traces.items() for _ in parts]  # the map that each trace belongs to
    figure = go.Figure([trace for parts in traces.values() for trace in parts])
    for trace, owner in zip(figure.data, owners, strict=True):
        trace.visible = owner == owners[0]
    figure.update_layout(
        title={"text": html.escape(title), "font": {"size": 15}, "y": 0.98, "yanchor": "top"},
        height=600,
        template="plotly_white",
        font=_FONT,
        hoverlabel={"font": _FONT},
        margin={"l": 10, "r": 10, "t": 90 if len(maps) > 1 else 50, "b": 10},
        xaxis={"visible": False},
        yaxis={"visible": False, "scaleanchor": "x"},
        legend={"itemsizing": "constant", "orientation": "h", "y": 0, "yanchor": "top"},
        updatemenus=[_menu(list(maps), owners)] if len(maps) > 1 else [],
    )
    first = next(iter(maps.values()))
    counts = f"{len(first.words)} words in {len(set(first.languages))} languages"
    more = f" A menu switches between {len(maps)} maps." if len(maps) > 1 else ""
    return InteractiveFigure(figure, f"{title} A map of {counts}; lines join the words of a concept.{more}")


def _menu(headings: Sequence[str], owners: Sequence[str]) -> dict[str, Any]:
    """Return a menu that shows the traces of one map at a time."""
    buttons = []
    for heading in headings:
        shown = [owner == heading for owner in owners]
        buttons.append({"label": html.escape(heading), "method": "restyle", "args": ["visible", shown]})
    return {"buttons": buttons, "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom", "direction": "down"}


def _traces(word_map: WordMap) -> list[Any]:
    """Return the lines between translations, then the points of each language."""
    import plotly.graph_objects as go

    grey = {"color": "rgba(128,128,128,0.35)", "width": 1}
    traces = [go.Scatter(**_lists(word_map.lines()), mode="lines", name="translations", hoverinfo="skip", line=grey)]
    languages = np.array(word_map.languages)
    rows = zip(word_map.words, word_map.concepts, word_map.languages, strict=True)
    texts = np.array(
        [f"{html.escape(word)}<br>{html.escape(concept)} ({language})" for word, concept, language in rows]
    )
    for number, language in enumerate(dict.fromkeys(word_map.languages)):
        members = languages == language
        marker = {"color": COLOURS[number % len(COLOURS)], "symbol": _SYMBOLS[number // len(COLOURS)], "size": 8}
        look = {"mode": "markers", "name": language, "hoverinfo": "text", "marker": marker}
        traces.append(go.Scatter(**_lists(word_map.points[members]), text=texts[members].tolist(), **look))
    return traces


def _lists(points: NDArray[np.float64]) -> dict[str, list[float | None]]:
    """Return points, float [n, 2], as lists x and y; a line has a gap at None."""
    rounded = points.round(4).astype(object)  # halves the page, and drops digits that differ between machines
    rounded[np.isnan(points)] = None
    x, y = rounded.T.tolist()
    return {"x": x, "y": y}
