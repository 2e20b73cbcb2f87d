"""Figures of chapter 7: predictions of many pairs, and learning curves with one method."""

import numpy as np
import pandas as pd
import pytest

from xlutils import plots

PREDICTORS = {"published": "accuracy without a map", "bottleneck": "bottleneck distance"}


def cases(seed, count):
    draws = np.random.default_rng(seed)
    return pd.DataFrame({name: draws.random(count) for name in (*PREDICTORS, "procrustes", "else")})


@pytest.fixture(scope="module")
def tables():
    return {"one": cases(0, 15), "two": cases(1, 435)}


def test_every_case_is_a_point_in_the_panel_of_its_table_and_predictor(tables):
    figure = plots.prediction_panels(tables, PREDICTORS, "procrustes", "accuracy by a rotation", "Predicted?")
    panels = [(table, column) for table in tables.values() for column in PREDICTORS]
    assert len(figure.axes) == len(panels)
    for axis, (table, column) in zip(figure.axes, panels, strict=True):
        (points,) = axis.collections
        assert points.get_offsets().tolist() == table[[column, "procrustes"]].to_numpy().tolist()


def test_panels_are_named_after_their_table_and_their_axes_after_what_they_show(tables):
    figure = plots.prediction_panels(tables, PREDICTORS, "procrustes", "accuracy by a rotation", "Predicted?")
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["one", "one", "two", "two"]
    assert [axis.get_xlabel() for axis in figure.axes] == list(PREDICTORS.values()) * 2
    assert {axis.get_ylabel() for axis in figure.axes} == {"accuracy by a rotation"}
    assert len({axis.get_ylim() for axis in figure.axes}) == 1
    assert figure.get_suptitle() == "Predicted?"


def test_predictions_of_nothing_say_so():
    (axis,) = plots.prediction_panels({}, PREDICTORS, "procrustes", "accuracy", "Predicted?").axes
    assert "this was not measured" in axis.texts[0].get_text()


def curves(methods):
    rows = [(group, method, size) for group in ("ridge", "shift") for method in methods for size in (0, 5, 100)]
    table = pd.DataFrame(rows, columns=["group", "method", "texts"])
    return table.assign(value=np.arange(len(rows)) / 20, low=0, high=1)


def test_curves_of_one_method_do_not_name_it_and_count_in_their_own_unit():
    figure = plots.repair_curves({"German": curves([""])}, "How many?", "pairs of names")
    (axis,) = figure.axes
    assert axis.get_xlabel() == "pairs of names"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["ridge", "shift"]
    assert [line.get_linestyle() for line in axis.lines] == ["-", "-"]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["none", "5", "100"]
    assert [list(line.get_ydata()) for line in axis.lines] == [
        pytest.approx([0, 0.05, 0.1]),
        pytest.approx([0.15, 0.2, 0.25]),
    ]


def test_curves_of_two_methods_name_both_and_count_texts_unless_told_otherwise():
    figure = plots.repair_curves({"German": curves(["mean", "rotation"])}, "How many?")
    assert figure.axes[0].get_xlabel() == "texts in each language"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["ridge", "shift", "mean", "rotation"]
