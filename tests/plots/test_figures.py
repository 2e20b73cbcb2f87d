import io
import warnings

import numpy as np
import pandas as pd
import pytest

from xlutils import plots
from xlutils.datasets import load_lexicon
from xlutils.plots import style


def drawn(axis):
    """The lines of a panel that show data."""
    return [line for line in axis.lines if len(line.get_xdata())]


def texts(axis):
    return [text.get_text() for text in axis.texts]


def names(axis):
    return [label.get_text() for label in axis.get_yticklabels()]


def test_every_script_has_its_glyphs():
    """Matplotlib warns of each letter it has no glyph for, and draws a box."""
    lexicon = load_lexicon("concepts-extended")
    _, languages, words = zip(*lexicon.only(lexicon.concepts[:2]).rows(), strict=True)
    assert {"ar", "hi", "ja", "ko", "ru", "th", "zh"} <= set(languages)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        title = "All drawn? 自由 حرية स्वतंत्रता เสรีภาพ 자유"
        figure = plots.similarity_matrices({"one": np.eye(len(words))}, words, words, title)
        figure.savefig(io.BytesIO(), format="png")


def test_a_missing_font_package_is_not_an_error(monkeypatch):
    style.font_families.cache_clear()
    monkeypatch.setattr(style, "FONT_FILES", (("no_such_package", "x.ttf"),))
    assert style.font_families()[0] == "DejaVu Sans"
    style.font_families.cache_clear()


def test_each_model_has_a_matrix_with_edges_between_the_concepts():
    cosines = np.array([[1, 0.5, 0.1], [0.5, 1, 0.2], [0.1, 0.2, 1]])
    figure = plots.similarity_matrices({"m1": cosines, "m2": np.eye(3)}, ["a", "b", "c"], ["x", "x", "y"], "Near?")
    first, second, _ = figure.axes
    assert [axis.get_title(loc="left") for axis in (first, second)] == ["m1", "m2"]
    assert names(first) == ["a", "b", "c"]
    cells, *edges = first.collections
    assert np.array_equal(cells.get_array(), cosines)
    assert {segment[0, 1] for segment in edges[0].get_segments()} == {2}


def test_a_heatmap_shows_every_value_and_leaves_gaps_blank():
    cells = pd.DataFrame({"a": [0.9, 0.5], "b": [np.nan, 0.3]}, index=["x", "y"])
    (axis,) = plots.affinity_heatmap(cells, "Which?").axes
    assert texts(axis) == ["0.90", "0.50", "0.30"]
    assert names(axis) == ["x", "y"]


def test_the_concepts_of_a_category_are_above_its_mean_and_the_worst_has_its_name():
    concepts = pd.DataFrame({"concept": [*"abcd"], "category": ["x", "x", "y", "y"], "value": [0.2, 0.8, 0.5, np.nan]})
    means = pd.DataFrame({"value": [0.5, 0.5], "low": 0.4, "high": 0.6}, index=["x", "y"])
    (axis,) = plots.concept_strips(concepts, means, "Which?").axes
    mean, single = drawn(axis)
    assert names(axis) == ["x", "y"]
    assert [segment[:, 0] for segment in axis.collections[0].get_segments()] == [pytest.approx([0.4, 0.6])] * 2
    assert list(mean.get_xdata()) == [0.5, 0.5]
    assert list(single.get_xdata()) == [0.2, 0.8, 0.5]
    assert all(np.round(single.get_ydata() + 0.2) == [0, 0, 1])
    assert texts(axis) == ["a", "c"]


def test_retrieval_is_shown_in_percent_and_a_language_does_not_search_itself():
    shares = pd.DataFrame([[1, 0.25], [0.5, 1]], index=["German", "Thai"], columns=["German", "Thai"])
    (axis,) = plots.retrieval_heatmap(shares, "How often?").axes
    assert texts(axis) == ["25", "50"]
    assert names(axis) == ["German", "Thai"]


def test_the_pairs_have_their_cosines_beside_them():
    (axis,) = plots.pair_bars(pd.Series({"tree: German – Thai": -0.1, "sun: Thai – Urdu": 0.2}), 0.5, "Which?").axes
    assert [bar.get_width() for bar in axis.patches] == [-0.1, 0.2]
    assert names(axis) == ["tree: German – Thai", "sun: Thai – Urdu"]
    assert texts(axis) == ["-0.10", "0.20"]
    assert [0.5, 0.5] in [list(line.get_xdata()) for line in axis.lines]


def test_all_misaligned_pairs_are_drawn_up_to_fifteen_and_the_others_counted():
    cosines = pd.Series(np.linspace(0, 0.99, 100), [f"pair {number}" for number in range(100)])
    (axis,) = plots.pair_bars(cosines, 0.2, "Which?").axes
    assert len(axis.patches) == 15
    assert texts(axis)[-1] == "and 5 more"
    (axis,) = plots.pair_bars(cosines, 0.095, "Which?").axes
    assert len(axis.patches) == 10
    assert not any("more" in text for text in texts(axis))
    assert len(plots.pair_bars(cosines, -1, "Which?").axes[0].patches) == 5  # none is misaligned


def test_factors_draw_values_ranges_and_bounds_where_they_are_known():
    models = pd.DataFrame(
        {
            "value": [0.7, np.nan, np.nan],
            "low": [0.65, 0.55, np.nan],
            "high": [0.75, 0.61, 0.5],
            "reported": [False, True, True],
            "objective": ["ranking", "language model", "masked"],
            "size": [1e8, np.nan, 3e8],
        }
    )
    factors = {"objective": "Objective", "size": "Size"}
    one, other = plots.factor_panels(models, factors, (0.6,), "What goes with affinity?").axes
    assert names(one) == ["ranking", "language model", "masked"]
    assert other.get_yscale() == "log"
    spans = [tuple(line.get_xdata()) for line in one.lines if line.get_linewidth() == 3]
    assert spans == [(0.65, 0.75), (0.55, 0.61), (pytest.approx(0.48), 0.5)]
    assert [line.get_fillstyle() for line in one.lines if len(line.get_xdata()) == 1] == ["full", "none"]
    assert {tuple(line.get_ydata()) for line in other.lines if len(line.get_xdata()) == 1} == {(1e8,), (3e8,)}


def test_a_slope_chart_has_a_line_and_a_name_for_each_model():
    def measured(*values):
        frame = pd.DataFrame({"value": values}, index=["one", "two", "three"])
        return frame.assign(low=frame["value"] - 0.1, high=frame["value"] + 0.1)

    tables = {"upper": measured(0.5, 0.7, 0.9), "lower": measured(0.5, 0.3, 0.1), "same": measured(0.5, 0.3, 0.1)}
    (axis,) = plots.slope_chart(tables, "Agree?").axes
    slopes = [line for line in drawn(axis) if len(line.get_xdata()) == 3 and line.get_marker() != "None"]
    assert [list(line.get_ydata()) for line in slopes] == [list(table["value"]) for table in tables.values()]
    assert len({(line.get_color(), line.get_marker()) for line in slopes}) == 3
    assert [label.get_text() for label in axis.get_xticklabels()] == ["one", "two", "three"]
    segments = [segment[:, 1] for part in axis.collections for segment in part.get_segments()]
    assert segments[:3] == [pytest.approx([value - 0.1, value + 0.1]) for value in (0.5, 0.7, 0.9)]
    assert texts(axis) == ["upper", "lower", "same"]
    axis.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in axis.texts]
    assert boxes[0].y0 > max(box.y1 for box in boxes[1:])  # the names stand in the order of the ends
    assert not boxes[1].overlaps(boxes[2])


def test_each_disturbance_has_a_panel_and_each_measure_a_line():
    rows = [(q, s, m, v, v - 0.1, v + 0.1) for q in "ab" for s in (10, 2) for m, v in (("x", 0.3), ("y", 0.6))]
    frame = pd.DataFrame(rows, columns=["question", "strength", "measure", "value", "low", "high"])
    figure = plots.disturbance_curves(frame, {"a": "length", "b": "width"}, "What?")
    assert [axis.get_xlabel() for axis in figure.axes] == ["length", "width"]
    assert [list(line.get_ydata()) for line in drawn(figure.axes[0])] == [[0.3, 0.3], [0.6, 0.6]]
    assert len({line.get_marker() for line in drawn(figure.axes[0])}) == 2  # told apart in grey
    figure.draw_without_rendering()
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["10", "2"]


def test_a_remedy_is_a_line_over_the_sizes_of_its_pools():
    rows = [(name, size, value, value - 1, value + 1) for name, value in (("x", 9), ("y", 5)) for size in (60, 480)]
    table = pd.DataFrame(rows, columns=["remedy", "passages", "value", "low", "high"])
    (axis,) = plots.growth_curves({"model": table}, "Complete@K", "Lasts?").axes
    assert [(list(line.get_xdata()), list(line.get_ydata())) for line in drawn(axis)] == [
        ([60, 480], [9, 9]),
        ([60, 480], [5, 5]),
    ]
    assert len({line.get_marker() for line in drawn(axis)}) == 2
    assert [label.get_text() for label in axis.get_xticklabels()] == ["60", "480"]


def test_a_curve_rises_to_the_share_of_questions():
    figure = plots.rank_curves({"zh": {"model, in English": np.array([4.0, 1.0, 2.0, 2.0])}}, "How far?")
    (line,) = drawn(figure.axes[0])
    assert line.get_xdata()[1:].tolist() == [1, 2, 2, 4]
    assert line.get_ydata()[1:].tolist() == [0.25, 0.5, 0.75, 1]


def test_each_part_of_a_loss_has_a_panel():
    steps = {
        "jsd+nce": pd.DataFrame({"step": [1, 2, 3], "jsd": [0.3, 0.2, 0.1], "nce": [3.0, 2.0, 1.0]}),
        "nce": pd.DataFrame({"step": [1, 2, 3], "nce": [3.0, 2.5, 2.0]}),
    }
    first, second = plots.loss_curves(steps, "Falls?").axes
    assert first.get_title(loc="left") == "Jensen-Shannon divergence"
    assert [line.get_ydata().tolist() for line in drawn(first)] == [[0.3, 0.2, 0.1]]
    assert [line.get_ydata().tolist() for line in drawn(second)] == [[3, 2, 1], [3, 2.5, 2]]
    assert drawn(first)[0].get_color() == drawn(second)[0].get_color() != drawn(second)[1].get_color()


def test_each_model_has_a_cloud_of_its_pairs():
    pairs = {"a": pd.DataFrame({"cosine": [0.9], "jsd": 0.01}), "b": pd.DataFrame({"cosine": [0.8], "jsd": 0.02})}
    figure = plots.pair_clouds(pairs, "Same?")
    assert figure.axes[0].collections[0].get_offsets().tolist() == [[0.9, 0.01], [0.8, 0.02]]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]


def test_shares_fill_the_bar():
    table = pd.DataFrame({"right": [0.7, 0.2], "wrong": [0.3, 0.8]}, index=["zh", "ar"])
    (axis,) = plots.share_bars({"model": table}, "What?").axes
    assert {round(bar.get_x() + bar.get_width(), 6) for bar in axis.patches} == {0.7, 0.2, 1.0}
    assert names(axis) == ["zh", "ar"]


def test_gradients_are_written_beside_their_dots():
    (axis,) = plots.gradient_bars(pd.DataFrame({"gradient": [0.004, 0.6]}, index=["JSD", "InfoNCE"]), "Which?").axes
    assert texts(axis) == ["0.004", "0.6"]
    assert names(axis) == ["JSD", "InfoNCE"]
    assert axis.get_xscale() == "log"
    axis.figure.savefig(io.BytesIO())
    assert {"0.01", "0.1"} <= {label.get_text() for label in axis.get_xticklabels()}  # and not a formula


def test_a_dollar_sign_in_a_name_is_no_formula():
    table = pd.DataFrame({"right": [0.7], "wrong": [0.3]}, index=["$\\x$"])
    (axis,) = plots.share_bars({"$model$": table}, "What does $5 buy?").axes
    axis.figure.savefig(io.BytesIO())
    assert names(axis) == ["$\\x$"]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plots.asked_chart({}, "x", "How?"),
        lambda: plots.share_bars({}, "How?"),
        lambda: plots.pair_bars(pd.Series(dtype=float), 0.5, "How?"),
    ],
)
def test_a_figure_without_data_says_so(draw):
    figure = draw()
    assert "this was not measured" in texts(figure.axes[0])[0]
    assert figure.get_suptitle() == "How?"


def test_a_caption_follows_its_figure_and_shows_names_as_they_are(capsys):
    table = pd.DataFrame({"value": [1.0], "low": [0.5], "high": [2.0]}, index=["x"])
    caption = plots.captioned(plots.change_panels({"a": table}, "What?"), "5 texts of <b>mine</b>")
    assert "Figure" in capsys.readouterr().out
    assert caption.data == '<p class="figure-caption">5 texts of &lt;b&gt;mine&lt;/b&gt;</p>'
