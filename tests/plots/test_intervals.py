import numpy as np
import pandas as pd
import pytest

from xlutils import plots
from xlutils.datasets.reported import load_reported

ASKED = ("asked in English", "asked in the other language")


def table(**rows):
    return pd.DataFrame.from_dict(rows, orient="index", columns=["value", "low", "high"])


def asked(values, **more):
    frame = pd.DataFrame({"target": ["zh", "zh", "ar", "ar"], "asked": ASKED * 2, "value": values}).assign(**more)
    return frame.assign(low=frame["value"] - 1, high=frame["value"] + 2)


def dots(axis):
    """The dots of a panel: {value: (place, whether solid)}."""
    lines = [line for line in axis.lines if line.get_marker() in ("o", "s") and len(line.get_xdata())]
    return {
        float(x): (float(y), line.get_markerfacecolor() != "none")
        for line in lines
        for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)
        if np.isfinite(x)
    }


def bars(axis):
    """The intervals of a panel, from the top: (low, high)."""
    segments = [segment for part in axis.collections for segment in part.get_segments()]
    return [tuple(segment[:, 0]) for segment in segments]


def names(axis):
    return [label.get_text() for label in axis.get_yticklabels()]


def test_panels_share_the_rows_of_the_first():
    tables = {"one": table(a=(1, 0, 2), b=(3, 2, 4)), "two": table(b=(5, 4, 6))}
    figure = plots.interval_chart(tables, "score", "Which?")
    first, second = figure.axes
    assert names(first) == ["a", "b"]
    assert dots(first) == {1: (0, True), 3: (1, True)}
    assert bars(first) == [(0, 2), (2, 4)]
    assert dots(second) == {5: (1, True)}
    assert first.get_xlabel() == "score, 95% interval"
    assert figure.get_suptitle() == "Which?"


def test_changes_have_a_scale_for_each_measure_and_a_line_at_zero():
    tables = {"A": table(one=(1, 0, 2), two=(30, 20, 40)), "B": table(two=(0.5, 0.4, 0.6))}
    first, second = plots.change_panels(tables, "What?").axes
    assert dots(first) == {1: (0, True), 30: (1, True)}
    assert dots(second) == {0.5: (1, True)}
    assert first.get_xlim() != second.get_xlim()
    assert [0, 0] in [list(line.get_xdata()) for line in first.lines]


def test_intervals_are_inside_the_axes():
    (axis,) = plots.interval_chart({"one": table(a=(1, -5, 9))}, "score", "Which?").axes
    assert axis.get_xlim()[0] < -5 < 9 < axis.get_xlim()[1]


def test_reported_scores_are_hollow_and_measured_ones_solid():
    rows = [("a", "overall", 0.5, 0.4, 0.6, False), ("b", "overall", 0.9, None, None, True)]
    frame = pd.DataFrame(rows, columns=["model", "metric", "value", "low", "high", "reported"])
    (axis,) = plots.model_comparison(frame, ["overall"], "Which?").axes
    assert axis.get_title(loc="left") == "overall score"
    assert dots(axis) == {0.5: (0, True), 0.9: (1, False)}


def test_tiers_show_reported_values_ranges_and_bounds():
    means = table(one=(0.7, 0.69, 0.71), other=(0.52, 0.5, 0.54))
    (axis,) = plots.tier_chart(means, load_reported("semantic-affinity"), (0.6, 0.5), "Which tier?").axes
    assert names(axis)[:3] == ["one", "other", "LaBSE (reported)"]
    assert dots(axis)[0.52] == (1, True)
    assert dots(axis)[0.68][1] is False
    (span,) = [line for line in axis.lines if len(line.get_xdata()) == 2 and line.get_marker() == "|"]
    assert list(span.get_xdata()) == [0.55, 0.61]
    assert axis.get_xlim()[0] < 0.48  # room for the arrow below 0.50


def test_questions_in_english_are_above_those_in_the_other_language():
    figure = plots.asked_chart({"one": asked([3, 4, 5, 6]), "two": asked([7, 8, 9, 10])}, "rank", "How?", line=5)
    first, second = figure.axes
    assert names(first) == ["zh", "ar"]
    assert {value: round(place) for value, (place, _) in dots(first).items()} == {3: 0, 4: 0, 5: 1, 6: 1}
    assert dots(first)[3][0] < dots(first)[4][0]
    assert bars(first) == [(2, 5), (3, 6), (4, 7), (5, 8)]
    heights = [segment[0, 1] for part in first.collections for segment in part.get_segments()]
    assert heights == pytest.approx([dots(first)[value][0] for value in (3, 4, 5, 6)])
    assert sorted(dots(second)) == [7, 8, 9, 10]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(ASKED)


def test_reported_answers_are_hollow():
    rows = asked([3, 4, 5, 6], reported=[False, False, True, True])
    (axis,) = plots.asked_chart({"one": rows}, "rank", "How?").axes
    assert {value: solid for value, (_, solid) in dots(axis).items()} == {3: True, 4: True, 5: False, 6: False}


def test_ranks_are_plain_numbers_on_a_logarithmic_axis():
    figure = plots.asked_chart({"one": asked([1.5, 20, 300, 40])}, "rank", "How?", log=True)
    figure.draw_without_rendering()
    assert {"2", "10", "100"} <= {label.get_text() for label in figure.axes[0].get_xticklabels()}


@pytest.mark.parametrize(("count", "shape"), [(2, (1, 2)), (4, (2, 2)), (5, (2, 3))])
def test_panels_are_laid_out_evenly_and_the_lowest_have_labels(count, shape):
    figure = plots.asked_chart({str(number): asked([1, 2, 3, 4]) for number in range(count)}, "rank", "How?")
    assert figure.axes[0].get_gridspec().get_geometry() == shape
    assert sum(axis.axison for axis in figure.axes) == count
    assert sum(bool(axis.get_xlabel()) for axis in figure.axes) == shape[1]


def test_the_states_of_a_language_share_a_row():
    before = table(Chinese=(180, 170, 190), Spanish=(16, 15, 17))
    after = table(Spanish=(3, 2, 5), Chinese=(6, 4, 8))
    figure = plots.depth_chart({"before": before, "after": after}, "How far?")
    (axis,) = figure.axes
    assert names(axis) == ["Chinese", "Spanish"]
    assert {value: place for value, (place, _) in dots(axis).items()} == {180: 0, 16: 1, 6: 0, 3: 1}
    assert bars(axis) == [(170, 190), (15, 17), (2, 5), (4, 8), (6, 180), (3, 16)]
    assert axis.get_xscale() == "log"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["before", "after"]


def test_series_share_a_panel_and_a_reported_one_is_hollow_in_the_legend_too():
    rows = [("Thai", "mine", 40, 38, 42, False), ("Thai", "theirs", 60, None, None, True)]
    frame = pd.DataFrame(rows, columns=["language", "series", "value", "low", "high", "reported"])
    figure = plots.series_chart(frame.set_index("language"), "norm", "How?")
    (axis,) = figure.axes
    assert names(axis) == ["Thai"]
    assert {value: solid for value, (_, solid) in dots(axis).items()} == {40: True, 60: False}
    handles = figure.legends[0].legend_handles
    assert [handle.get_markerfacecolor() == "none" for handle in handles] == [False, True]


def test_gaps_of_any_sign_and_size_share_a_scale_and_a_line_at_zero():
    tables = {"CLIR": table(Thai=(-2, -5, 0.5)), "Multi": table(Thai=(700, 600, 800))}
    figure = plots.gap_chart({name: rows.assign(series="m") for name, rows in tables.items()}, "gap", "What?")
    first, second = figure.axes
    assert dots(first) == {-2: (0, True)}
    assert dots(second) == {700: (0, True)}
    assert first.get_xlim() == second.get_xlim()
    assert first.get_xlim()[0] < -5
    assert first.get_xlim()[1] > 800
    assert first.get_xscale() == "symlog"
    assert any(list(line.get_xdata()) == [0, 0] for line in first.lines)
