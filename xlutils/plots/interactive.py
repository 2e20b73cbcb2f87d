"""Interactive figures that work in JupyterLab and, without a network, in the book."""

from __future__ import annotations

import hashlib
import html
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from xlutils.plots.style import COLOURS

if TYPE_CHECKING:
    from plotly.graph_objects import Figure as PlotlyFigure

    from xlutils.maps import WordMap

_SYMBOLS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "x", "star")
# The book keeps one copy of plotly in _static; the first figure of a page fetches it.
_TEMPLATE = """<div id="{id}" style="height:{height}px" role="img" aria-label="{alt}"></div>
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


def interactive_map(each: WordMap, title: str) -> InteractiveFigure:
    """Draw words on a map: hover shows a word, a click on a language hides it, lines join translations.

    :param each: The map.
    :param title: The question the figure answers.
    :return: The figure.
    """
    import plotly.graph_objects as go

    words, concepts, languages = each.words, each.concepts, each.languages
    points = np.round(each.points, 4)  # half the size, and no noise of the last digits
    figure = go.Figure()
    x, y = ([None if np.isnan(value) else round(value, 4) for value in side] for side in each.lines().T.tolist())
    figure.add_trace(go.Scatter(x=x, y=y, mode="lines", name="translations", hoverinfo="skip",
                                line={"color": "rgba(128,128,128,0.35)", "width": 1}))  # fmt: skip
    for number, language in enumerate(dict.fromkeys(languages)):
        members = [i for i, other in enumerate(languages) if other == language]
        labels = [f"{html.escape(words[i])}<br>{html.escape(concepts[i])} ({html.escape(language)})" for i in members]
        figure.add_trace(
            go.Scatter(
                x=points[members, 0].tolist(), y=points[members, 1].tolist(), mode="markers", name=language,
                text=labels, hoverinfo="text",
                marker={"color": COLOURS[number % len(COLOURS)], "symbol": _SYMBOLS[number // len(COLOURS)], "size": 8},
            )
        )  # fmt: skip
    axis_style = {"visible": False}
    figure.update_layout(
        title={"text": html.escape(title), "font": {"size": 15}}, height=560, template="plotly_white",
        margin={"l": 10, "r": 10, "t": 50, "b": 10}, xaxis=axis_style, yaxis={**axis_style, "scaleanchor": "x"},
        legend={"itemsizing": "constant"},
    )  # fmt: skip
    alt = f"{title} A map of {len(words)} words in {len(set(languages))} languages; lines join the words of a concept."
    return InteractiveFigure(figure, alt)


def _script_safe(content: object) -> str:
    """JSON that cannot end the script it stands in."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
