"""Interactive figures that work in JupyterLab and, without a network, in the book."""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from xlutils.plots.style import COLOURS

if TYPE_CHECKING:
    from plotly.graph_objects import Figure as PlotlyFigure

    from xlutils.plots.layout import WordMap

_SYMBOLS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "x", "star")
# The book keeps one copy of plotly in _static; the first figure of a page fetches it.
_TEMPLATE = """<div id="{id}" style="height:{height}px" role="group" aria-label="{alt}"></div>
<script>
(() => {{
  const draw = () => Plotly.newPlot("{id}", {data}, {layout}, {{responsive: true, displaylogo: false}});
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


class InteractiveFigure:
    """A plotly figure that shows itself natively in JupyterLab and as plain HTML in the book.

    :param figure: The figure.
    :param alt: What it shows, for those who cannot see it.
    """

    def __init__(self, figure: PlotlyFigure, alt: str) -> None:
        self.figure = figure
        self.alt = alt

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        content = json.loads(self.figure.to_json())
        return {"application/vnd.plotly.v1+json": content, "text/html": self.to_html()}

    def to_html(self) -> str:
        """Write the figure as a piece of HTML; data cannot break out of it."""
        content = json.loads(self.figure.to_json())
        data, layout = (_script_safe(content[part]) for part in ("data", "layout"))
        identity = "figure-" + hashlib.sha256(data.encode()).hexdigest()[:12]
        height = content["layout"].get("height", 450)
        return _TEMPLATE.format(id=identity, height=height, alt=html.escape(self.alt), data=data, layout=layout)


def interactive_map(maps: Mapping[str, WordMap], title: str) -> InteractiveFigure:
    """Draw words on a map: hover shows a word, a click on a language hides it, lines join translations.

    :param maps: By heading; with more than one, a menu changes between them.
    :param title: The question the figure answers.
    :return: The figure.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    owners: list[str] = []  # which map each trace belongs to
    for heading, each in maps.items():
        traces = _traces(each)
        owners += [heading] * len(traces)
        figure.add_traces(traces)
    for trace, owner in zip(figure.data, owners, strict=True):
        trace.visible = owner == owners[0]
    buttons = [
        {
            "label": html.escape(heading),
            "method": "restyle",
            "args": ["visible", [owner == heading for owner in owners]],
        }
        for heading in maps
    ]
    menu = {"buttons": buttons, "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom", "direction": "down"}
    axis_style = {"visible": False}
    figure.update_layout(
        title={"text": html.escape(title), "font": {"size": 15}, "y": 0.98, "yanchor": "top"}, height=600,
        template="plotly_white", margin={"l": 10, "r": 10, "t": 90 if len(maps) > 1 else 50, "b": 10},
        xaxis=axis_style, yaxis={**axis_style, "scaleanchor": "x"},
        legend={"itemsizing": "constant", "orientation": "h", "y": 0, "yanchor": "top"},
        updatemenus=[menu] if len(maps) > 1 else [],
    )  # fmt: skip
    first = next(iter(maps.values()))
    counts = f"{len(first.words)} words in {len(set(first.languages))} languages"
    more = f" A menu changes between {len(maps)} maps." if len(maps) > 1 else ""
    return InteractiveFigure(figure, f"{title} A map of {counts}; lines join the words of a concept.{more}")


def _traces(each: WordMap) -> list[Any]:
    """Make the lines between translations, and a set of points for each language."""
    import plotly.graph_objects as go

    points = np.round(each.points, 4)  # half the size, and no noise of the last digits
    x, y = ([None if np.isnan(value) else round(value, 4) for value in side] for side in each.lines().T.tolist())
    grey = {"color": "rgba(128,128,128,0.35)", "width": 1}
    traces = [go.Scatter(x=x, y=y, mode="lines", name="translations", hoverinfo="skip", line=grey)]
    for number, language in enumerate(dict.fromkeys(each.languages)):
        members = [i for i, other in enumerate(each.languages) if other == language]
        labels = [f"{html.escape(each.words[i])}<br>{html.escape(each.concepts[i])} ({language})" for i in members]
        marker = {"color": COLOURS[number % len(COLOURS)], "symbol": _SYMBOLS[number // len(COLOURS)], "size": 8}
        traces.append(
            go.Scatter(
                x=points[members, 0].tolist(), y=points[members, 1].tolist(), mode="markers", name=language,
                text=labels, hoverinfo="text", marker=marker,
            )
        )  # fmt: skip
    return traces


def _script_safe(content: object) -> str:
    """JSON that cannot end the script it stands in."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
