import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from xlutils import plots


def changes(**rows):
    return pd.DataFrame.from_dict(rows, orient="index", columns=["value", "low", "high"])


def test_each_part_of_a_loss_has_its_panel():
    steps = {
        "jsd+nce": pd.DataFrame({"step": [1, 2, 3], "jsd": [0.3, 0.2, 0.1], "nce": [3.0, 2.0, 1.0]}),
        "nce": pd.DataFrame({"step": [1, 2, 3], "nce": [3.0, 2.5, 2.0]}),
    }
    first, second = plots.loss_curves(steps, "Falls?").axes
    assert first.get_title(loc="left") == "Jensen-Shannon"
    assert [line.get_ydata().tolist() for line in first.lines] == [[0.3, 0.2, 0.1]]
    assert [line.get_ydata().tolist() for line in second.lines] == [[3, 2, 1], [3, 2.5, 2]]
    assert first.lines[0].get_color() == second.lines[0].get_color() != second.lines[1].get_color()


def test_changes_stand_in_the_order_of_the_first_panel():
    tables = {"A": changes(one=(1, 0, 2), two=(3, 2, 4)), "B": changes(two=(0.5, 0.4, 0.6))}
    first, second, *rest = plots.change_panels(tables, "What?").axes
    assert [label.get_text() for label in first.get_yticklabels()] == ["one", "two"]
    assert first.lines[0].get_xdata().tolist() == [1, 3]
    assert np.isnan(second.lines[0].get_xdata()[0])
    assert second.lines[0].get_xdata()[1] == 0.5
    assert first.get_xlim() != second.get_xlim()
    assert not any(axis.get_visible() for axis in rest)


def test_gradients_are_written_beside_their_bars():
    table = pd.DataFrame({"gradient": [0.004, 0.6]}, index=["JSD", "InfoNCE"])
    (axis,) = plots.gradient_bars(table, "Which?").axes
    assert [text.get_text() for text in axis.texts] == ["0.004", "0.6"]
    assert axis.get_xscale() == "log"


def test_clouds_and_distributions():
    pairs = pd.DataFrame({"cosine": [0.9, 0.8], "jsd": [0.01, 0.02]})
    (axis,) = plots.pair_clouds({"a": pairs, "b": pairs}, "Same?").axes
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["a", "b"]
    vectors = np.array([0.1, 0.7, 0.3]), np.array([0.5, 0.2, 0.2])
    (axis,) = plots.distributions({"a": vectors}, ("English", "zh"), "Alike?").axes
    dots, line = (each.get_ydata() for each in axis.lines)
    assert line == pytest.approx(3 * np.sort(softmax(vectors[0]))[::-1])
    assert dots == pytest.approx(3 * softmax(vectors[1])[[1, 2, 0]])
