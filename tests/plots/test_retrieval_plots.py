import numpy as np
import pandas as pd
import pytest

from xlutils import plots

ASKED = ("asked in English", "asked in the other language")


def rows(values, **more):
    names = [name for name in ("zh", "ar") for _ in ASKED]
    table = pd.DataFrame({"target": names, "asked": ASKED * 2, "value": values}).assign(**more)
    return table.assign(low=table["value"] - 1, high=table["value"] + 2)


def marks(axis):
    """The markers of a panel: (x, y, whether filled)."""
    found = []
    for line in axis.lines:
        if line.get_marker() in ("o", "s"):
            filled = line.get_markerfacecolor() != "none"
            found += [(x, y, filled) for x, y in zip(*line.get_data(), strict=True)]
    return found


def test_each_value_stands_in_its_row():
    figure = plots.asked_chart({"one": rows([3, 4, 5, 6]), "two": rows([7, 8, 9, 10])}, "places", "How?", line=5)
    first, second = figure.axes[:2]
    assert [label.get_text() for label in first.get_yticklabels()] == ["zh", "ar"]
    assert sorted((x, round(y)) for x, y, _ in marks(first)) == [(3, 0), (4, 0), (5, 1), (6, 1)]
    assert sorted((x, round(y)) for x, y, _ in marks(second)) == [(7, 0), (8, 0), (9, 1), (10, 1)]
    above = {x: y for x, y, _ in marks(first)}
    assert above[3] < above[4]  # English first
    bars = [segment[:, 0].tolist() for part in first.collections for segment in part.get_segments()]
    assert sorted(bars) == [[2, 5], [3, 6], [4, 7], [5, 8]]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(ASKED)
    assert figure.get_suptitle() == "How?"


def test_reported_values_are_hollow():
    table = rows([3, 4, 5, 6], reported=[False, False, True, True])
    filled = {x: solid for x, _, solid in marks(plots.asked_chart({"one": table}, "places", "How?").axes[0])}
    assert filled == {3: True, 4: True, 5: False, 6: False}


def test_places_are_written_as_plain_numbers():
    figure = plots.asked_chart({"one": rows([1.5, 20, 300, 40])}, "places", "How?", log=True)
    figure.canvas.draw()
    assert {"2", "10", "100"} <= {label.get_text() for label in figure.axes[0].get_xticklabels()}


@pytest.mark.parametrize(("panels", "shape"), [(1, (1, 1)), (2, (1, 2)), (4, (2, 2)), (6, (2, 3)), (5, (2, 3))])
def test_panels_are_laid_out_evenly(panels, shape):
    figure = plots.asked_chart({str(number): rows([1, 2, 3, 4]) for number in range(panels)}, "x", "How?")
    assert figure.axes[0].get_gridspec().get_geometry() == shape
    assert sum(axis.get_visible() for axis in figure.axes) == panels


def test_a_curve_reaches_the_share_of_questions():
    figure = plots.rank_curves({"zh": {"model, in English": np.array([4.0, 1.0, 2.0, 2.0])}}, "How far?")
    (line,) = figure.axes[0].lines
    assert line.get_xdata().tolist() == [1, 2, 2, 4]
    assert line.get_ydata().tolist() == [0.25, 0.5, 0.75, 1]


def test_shares_fill_the_bar():
    table = pd.DataFrame({"right": [0.7, 0.2], "wrong": [0.3, 0.8]}, index=["zh", "ar"])
    figure = plots.share_bars({"model": table}, "What?")
    ends = {round(bar.get_x() + bar.get_width(), 6) for bar in figure.axes[0].patches}
    assert ends == {0.7, 0.2, 1.0}
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["zh", "ar"]


@pytest.mark.parametrize(
    "draw", [lambda: plots.asked_chart({}, "x", "How?"), lambda: plots.rank_curves({}, "How?"),
             lambda: plots.share_bars({}, "How?")],
)  # fmt: skip
def test_nothing_to_draw_is_said(draw):
    figure = draw()
    assert "this was not measured" in figure.axes[0].texts[0].get_text()
    assert figure.get_suptitle() == "How?"


def test_the_depth_of_each_state_stands_in_the_row_of_its_language():
    first = pd.DataFrame({"value": [180, 16], "low": [170, 15], "high": [190, 17]}, index=["Chinese", "Spanish"])
    second = pd.DataFrame({"value": [3, 6], "low": [2, 5], "high": [4, 8]}, index=["Spanish", "Chinese"])
    figure = plots.depth_chart({"before": first, "after": second}, "How far?")
    (axis,) = figure.axes
    assert [label.get_text() for label in axis.get_yticklabels()] == ["Chinese", "Spanish"]
    drawn = {line.get_label(): dict(zip(line.get_ydata(), line.get_xdata(), strict=True)) for line in axis.lines}
    assert drawn == {"before": {0: 180, 1: 16}, "after": {0: 6, 1: 3}}
    spans, *intervals = (part.get_segments() for part in axis.collections)
    assert [span[:, 0].tolist() for span in spans] == [[6, 180], [3, 16]]
    assert [each[:, 0].tolist() for each in intervals[1]] == [[5, 8], [2, 4]]
    assert axis.get_xscale() == "log"
    assert figure.get_suptitle() == "How far?"
