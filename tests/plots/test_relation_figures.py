"""The map of phenomena: what is coloured, what is hatched, what stays blank."""

import numpy as np
import pandas as pd
from matplotlib.patches import Rectangle

from xlutils import plots


def test_squares_no_better_than_a_coin_are_hatched_and_missing_ones_blank():
    values = pd.DataFrame([[0.9, 0.55], [np.nan, 0.7]], ["roles", "tense"], ["German", "Hindi"])
    lows = pd.DataFrame([[0.8, 0.5], [np.nan, 0.51]], values.index, values.columns)
    figure = plots.phenomenon_maps({"one": values, "two": values}, {"one": lows, "two": lows + 0.01}, "What?")
    first, second = figure.axes
    assert first.get_title("left") == "one"
    hatched = [patch.get_xy() for patch in first.patches if isinstance(patch, Rectangle) and patch.get_hatch()]
    assert hatched == [(1, 0)]
    assert not [patch for patch in second.patches if patch.get_hatch()]
    assert [text.get_text() for text in first.texts] == ["0.90", "0.55", "0.70"]
    assert [label.get_text() for label in first.get_yticklabels()] == ["roles", "tense"]
