import numpy as np
import pandas as pd
import pytest
from made_up_languages import atlas
from matplotlib.colors import to_hex

from xlutils import load_lexicon, plots
from xlutils.datasets.languages import LANGUAGES
from xlutils.plots.style import COLOURS

SOME = ["de", "fr", "it", "sr", "ru", "hi", "th"]


def rows(axis):
    return [label.get_text() for label in axis.get_yticklabels()]


def points(axis, marker=None):
    """The dots of a panel, and where they are."""
    lines = [line for line in axis.lines if len(line.get_xdata()) and line.get_marker() not in ("None", "")]
    lines = [line for line in lines if marker is None or line.get_fillstyle() == marker]
    return sorted((float(y), float(x)) for line in lines for x, y in zip(*line.get_data(), strict=True))


def test_a_ladder_goes_from_the_best_language_to_the_worst():
    table = atlas(load_lexicon("cldr").languages)
    figure = plots.language_ladder(table, "Which?")
    ranked = table.sort_values("accuracy", ascending=False)
    assert len(figure.axes) == 3
    assert [name for axis in figure.axes for name in rows(axis)] == list(ranked["name"])
    assert [x for axis in figure.axes for _, x in points(axis, "full")] == list(ranked["accuracy"])
    assert [x for axis in figure.axes for _, x in points(axis, "none")] == list(ranked["control"])
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend[:3] == ["Latin", "Cyrillic", "Arabic"]
    assert legend[-2:] == ["other scripts", "control"]


def test_the_colours_of_a_ladder_are_those_of_the_scripts():
    axes = plots.language_ladder(atlas(SOME), "Which?").axes
    colours = {
        name: to_hex(colour)
        for axis in axes
        for name, colour in zip(rows(axis), axis.collections[0].get_colors(), strict=True)
    }
    assert colours["German"] == colours["French"] == COLOURS[0].lower()
    assert colours["Serbian"] == colours["Russian"] == COLOURS[1].lower()
    assert len(set(colours.values())) == 4


def test_of_too_many_languages_the_ends_are_drawn_and_the_others_counted():
    table = atlas(list(LANGUAGES)[:30])
    ranked = list(table.sort_values("accuracy", ascending=False)["name"])
    names = [name for axis in plots.language_ladder(table, "Which?", most=7).axes for name in rows(axis)]
    assert len(names) == 8
    assert names[4] == "… 23 more …"
    assert [name[:12] for name in names[:4] + names[5:]] == [name[:12] for name in ranked[:4] + ranked[-3:]]


def test_a_language_without_a_measure_is_left_out():
    table = atlas(SOME)
    table.loc["fr", "accuracy"] = np.nan
    names = [name for axis in plots.language_ladder(table, "Which?").axes for name in rows(axis)]
    assert len(names) == 6
    assert "French" not in names


def test_tokens_are_drawn_where_a_language_has_words():
    table = atlas(SOME)
    table.loc["th", "tokens-per-word"] = np.nan
    figure = plots.tokens_against_accuracy({"one": table, "two": table}, "Why?")
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["one", "two"]
    assert len(points(figure.axes[0])) == 6
    assert figure.axes[0].get_xlabel() == "tokens per word"
    assert figure.axes[0].get_xscale() == "log"


def test_a_threshold_leaves_the_speakers_whose_language_reaches_it():
    table = atlas(["de", "fr", "th"]).assign(speakers=[1e9, 2e9, 3e9], accuracy=[0.9, 0.5, 0.1])
    table = table.assign(accuracy_low=[0.8, 0.4, 0.0], accuracy_high=[1.0, 0.6, 0.2])
    summary = pd.DataFrame({"gini": [0.25], "worst-decile": [0.1]}, index=["model"])
    (axis,) = plots.speakers_reached({"model": table}, summary, "For how many?").axes
    (line,) = axis.lines
    reached = dict(zip(np.round(line.get_xdata(), 3), line.get_ydata(), strict=True))
    assert [reached[at] for at in (0, 0.1, 0.3, 0.5, 0.51, 0.9)] == [6, 6, 3, 3, 1, 1]
    assert np.isnan(reached[0.95])
    (band,) = axis.collections
    sides = band.get_paths()[0].vertices
    assert set(sides[np.isclose(sides[:, 0], 0.55)][:, 1]) == {1, 3}  # of low ends, and of high ends
    assert axis.figure.legends[0].get_texts()[0].get_text() == "model: Gini 0.25, worst tenth 0.10"


def test_pairs_are_grouped_by_what_differs_with_the_largest_difference_first():
    table = pd.DataFrame(
        {"value": [-0.2, 0.1, 0.3], "low": [-0.3, -0.1, 0.2], "high": [-0.1, 0.3, 0.4], "kind": ["a", "b", "a"]},
        index=["one", "two", "three"],
    )
    (axis,) = plots.pair_ladder({"model": table}, "Which?").axes
    assert rows(axis) == ["three", "one", "two"]
    assert [x for _, x in points(axis)] == [0.3, -0.2, 0.1]
    assert [0, 0] in [list(line.get_xdata()) for line in axis.lines]
    assert sorted(tuple(part[:, 0]) for part in axis.collections[0].get_segments()) == sorted(
        zip(table["low"], table["high"], strict=True)
    )


def test_a_repair_starts_from_none_and_each_method_has_its_dash():
    lines = [(method, texts) for method in ("mean", "rotation") for texts in (0, 2, 500)]
    table = pd.DataFrame(lines, columns=["method", "texts"])
    table = table.assign(group="Latin", value=np.arange(6) / 10, low=0, high=1)
    (axis,) = plots.repair_curves({"model": table}, "How many?").axes
    mean, rotation = axis.lines
    assert list(mean.get_ydata()) == pytest.approx([0, 0.1, 0.2])
    assert list(rotation.get_ydata()) == pytest.approx([0.3, 0.4, 0.5])
    assert (mean.get_linestyle(), rotation.get_linestyle()) == ("-", "--")
    assert 0 < mean.get_xdata()[0] < 2
    assert [label.get_text() for label in axis.get_xticklabels()] == ["none", "2", "500"]
    legend = [text.get_text() for text in axis.figure.legends[0].get_texts()]
    assert legend == ["Latin", "mean", "rotation"]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plots.language_ladder(atlas(["de"])[:0], "Which?"),
        lambda: plots.pair_ladder({}, "Which?"),
        lambda: plots.repair_curves({}, "Which?"),
        lambda: plots.speakers_reached({}, pd.DataFrame(), "Which?"),
        lambda: plots.tokens_against_accuracy({}, "Which?"),
        lambda: plots.world_map(atlas(["de"])[:0], "Which?"),
    ],
)
def test_a_figure_of_nothing_says_so(draw):
    assert "this was not measured" in draw().axes[0].texts[0].get_text()
