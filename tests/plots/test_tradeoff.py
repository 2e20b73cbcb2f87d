import pandas as pd
import pytest
from matplotlib.text import Text

from xlutils import plots

NAMES = ["as published", "centring", "training (2 seeds)", "harmful"]
LABELS = ("cost", "gain")


def states(*values, half=0.01):
    table = pd.DataFrame({"value": values}, index=NAMES[: len(values)])
    table = table.assign(low=table["value"] - half, high=table["value"] + half)
    table.loc[NAMES[0], ["low", "high"]] = float("nan")
    return table.assign(least=table["value"] - half / 2, most=table["value"] + half / 2)


def chart(cost, gain):
    kinds = [None, "without training", "training", "training"][: len(gain)]
    return plots.tradeoff_chart(cost, gain.assign(series=kinds), LABELS, "What?")


def boxes(axis):
    return [Text.get_window_extent(text) for text in axis.texts if text.get_text()]  # without the line to the point


def test_every_state_is_a_point_with_an_arrow_from_the_published_model():
    figure = chart(states(0.9, 0.89, 0.7, 0.2), states(50, 94, 86, 10, half=1))
    (axis,) = figure.axes
    points = {tuple(point) for line in axis.lines if line.get_marker() != "None" for point in line.get_xydata()}
    assert points == {(0.9, 50), (0.89, 94), (0.7, 86), (0.2, 10)}
    arrows = [text for text in axis.texts if not text.get_text()]
    assert {(arrow.xyann, arrow.xy) for arrow in arrows} == {((0.9, 50), point) for point in points - {(0.9, 50)}}
    assert (axis.get_xlabel(), axis.get_ylabel()) == LABELS
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["without training", "training"]


def test_intervals_are_crosses_and_seeds_broad_bars():
    (axis,) = chart(states(0.9, 0.89, 0.7, 0.2), states(50, 94, 86, 10, half=1)).axes
    ends = {
        (part.get_linewidth()[0], *segment[0].round(4), *segment[1].round(4))
        for part in axis.collections
        for segment in part.get_segments()
    }
    assert {(1, 0.88, 94, 0.9, 94), (1, 0.89, 93, 0.89, 95)} <= ends  # the interval of centring, across and upwards
    assert (4, 0.7, 85.5, 0.7, 86.5) in ends


@pytest.mark.parametrize("costs", [(0.9, 0.89, 0.7, 0.2), (0.9, 0.9, 0.88, 0.9), (0.9, 0.9, 0.9, 0.9)])
def test_labels_do_not_overlap_and_points_that_coincide_share_one(costs):
    figure = chart(states(*costs), states(50, 94, 94, 93.5, half=1))
    figure.draw_without_rendering()
    (axis,) = figure.axes
    shown = [name for text in axis.texts for name in text.get_text().splitlines()]
    assert sorted(shown) == sorted(NAMES)
    found = boxes(axis)
    assert not any(one.overlaps(other) for one in found for other in found if one is not other)
    inner = axis.get_window_extent()
    assert all(inner.x0 <= box.x0 and box.x1 <= inner.x1 for box in found)


def test_a_difference_of_no_importance_looks_small():
    (axis,) = chart(states(0.99, 0.991), states(50, 94)).axes
    low, high = axis.get_xlim()
    assert high - low >= 0.05
