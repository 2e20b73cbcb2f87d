import io
import warnings

import numpy as np
import pandas as pd
import pytest

from xlutils import plots
from xlutils.datasets import load_lexicon
from xlutils.plots import style
from xlutils.plots.layout import WordMap


def test_every_script_has_its_glyphs():
    """Matplotlib warns of each letter it has no glyph for, and draws a box."""
    lexicon = load_lexicon("concepts-extended")
    _, languages, words = zip(*lexicon.only(lexicon.concepts[:6]).rows(), strict=True)
    assert {"ar", "hi", "ja", "ko", "ru", "th", "zh"} <= set(languages)
    similar = np.eye(len(words))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = plots.similarity_matrices({"one": similar}, words, words, "All drawn? 自由 حرية स्वतंत्रता เสรีภาพ 자유")
        figure.savefig(io.BytesIO(), format="png")


@pytest.mark.parametrize("count", [1, 3])
def test_one_panel_a_model(count):
    names = [f"model {number}" for number in range(count)]
    words, concepts = ["a", "b", "c"], ["x", "x", "y"]
    figure = plots.similarity_matrices({name: np.eye(3) for name in names}, words, concepts, "A question?")
    titles = [axis.get_title(loc="left") for axis in figure.axes[:count]]
    assert titles == names
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == words
    edges = [line.get_ydata()[0] for line in figure.axes[0].lines if line.get_ydata()[0] == line.get_ydata()[1]]
    assert 1.5 in edges  # between the two concepts


def test_a_missing_font_package_is_no_failure(monkeypatch):
    style.font_families.cache_clear()
    monkeypatch.setattr(style, "FONT_FILES", (("no_such_package", "x.ttf"),))
    assert style.font_families()[0] == "DejaVu Sans"
    style.font_families.cache_clear()


@pytest.fixture(scope="module")
def study():
    from xlutils.chapters.concepts import study_concepts
    from xlutils.models import load_model

    return study_concepts(load_model("control-ngram-hash"), load_lexicon("concepts-core"))


def test_the_six_panels_ask_six_questions(study):
    summary, categories = study.summary(1), study.by_category(1)
    rows = summary.loc[["intra_concept", "overall"]]
    names = list(study.items()["category"])
    figure = plots.concept_panels(study.alignment, names, rows, categories, study.by_language(1), "What breaks?")
    titles = [axis.get_title(loc="left") for axis in figure.axes]
    assert [title[:3] for title in titles] == ["(a)", "(b)", "(c)", "(d)", "(e)", "(f)"]
    assert all(title.endswith("?") or title.endswith("? (%)") for title in titles)
    assert [label.get_text() for label in figure.axes[4].get_yticklabels()] == ["within a concept", "overall score"]
    figure.savefig(io.BytesIO(), format="png")


def test_reported_values_are_hollow_and_measured_ones_solid():
    table = pd.DataFrame([
        {"model": "a", "metric": "overall", "value": 0.5, "low": 0.4, "high": 0.6, "reported": False},
        {"model": "b", "metric": "overall", "value": 0.9, "low": None, "high": None, "reported": True},
    ])  # fmt: skip
    figure = plots.model_comparison(table, ["overall"], "Which?")
    faces = {line.get_xdata()[0]: line.get_markerfacecolor() for line in figure.axes[0].lines}
    assert faces[0.9] == "none"
    assert faces[0.5] != "none"


def test_data_cannot_break_out_of_an_interactive_figure():
    hostile, image = "</script><script>alert(1)</script>", '"><img src=x onerror=alert(1)>'
    words = WordMap((hostile, "b"), ("c", image), ("en", "de"), np.eye(2), 0)
    figure = plots.interactive_map({hostile: words, "other": words}, hostile)
    text = figure.to_html()
    assert text.count("</script>") == 1  # its own
    assert "<img" not in text
    assert text.count("<script>") == 1


def test_an_interactive_figure_has_an_alternative_text_and_both_formats():
    words = WordMap(("水", "water"), ("water", "water"), ("zh", "en"), np.eye(2), 0)
    figure = plots.interactive_map({"one": words}, "Where?")
    bundle = figure._repr_mimebundle_()
    assert set(bundle) == {"application/vnd.plotly.v1+json", "text/html"}
    assert 'aria-label="Where? A map of 2 words in 2 languages' in bundle["text/html"]
    assert "水" in bundle["text/html"]
    assert figure.to_html() == figure.to_html()


def table(**rows):
    return pd.DataFrame.from_dict(rows, orient="index", columns=["value", "low", "high"])


def test_tiers_show_measured_solid_and_reported_hollow():
    from xlutils.datasets.reported import load_reported

    means = table(one=(0.7, 0.69, 0.71), other=(0.52, 0.5, 0.54))
    figure = plots.tier_chart(means, load_reported("semantic-affinity"), (0.6, 0.5), "Which tier?")
    (axis,) = figure.axes
    labels = [label.get_text() for label in axis.get_yticklabels()]
    assert labels[:3] == ["one", "other", "LaBSE (reported)"]
    points = {float(line.get_xdata()[0]): line for line in axis.lines if line.get_marker() == "o"}
    assert set(points) == {0.7, 0.52, 0.68}
    hollow = [line.get_markerfacecolor() == "none" for line in axis.lines if line.get_marker() == "o"]
    assert hollow == [False, False, True, True, True]
    (span,) = [line for line in axis.lines if len(line.get_xdata()) == 2 and line.get_marker() == "|"]
    assert list(span.get_xdata()) == [0.55, 0.61]
    assert axis.get_xlim()[0] < 0.48  # room for the arrow below 0.50


def test_a_heatmap_writes_every_value_and_leaves_gaps_blank():
    cells = pd.DataFrame({"a": [0.9, 0.5], "b": [np.nan, 0.3]}, index=["x", "y"])
    figure = plots.affinity_heatmap(cells, "Which?")
    assert [text.get_text() for text in figure.axes[0].texts] == ["0.90", "0.50", "0.30"]


def test_interval_panels_share_their_rows():
    one, other = table(a=(1, 0, 2), b=(3, 2, 4)), table(b=(5, 4, 6), a=(7, 6, 8))
    figure = plots.interval_chart({"one": one, "other": other}, "value", "Which?")
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["a", "b"]
    assert list(figure.axes[1].lines[0].get_xdata()) == [7, 5]


def test_disturbances_have_a_panel_and_each_measure_a_line():
    rows = [(q, s, m, 0.5, 0.4, 0.6) for q in ("one", "two") for s in (0, 2) for m in ("x", "y", "z")]
    frame = pd.DataFrame(rows, columns=["question", "strength", "measure", "value", "low", "high"])
    figure = plots.disturbance_curves(frame, {"one": "length", "two": "width"}, "What?")
    assert [axis.get_xlabel() for axis in figure.axes] == ["length", "width"]
    assert [line.get_label() for line in figure.axes[0].lines] == ["x", "y", "z"]
    assert len({line.get_marker() for line in figure.axes[0].lines}) == 3  # told apart in grey


def test_maps_stand_in_rows_and_columns():
    words = WordMap(("水", "water"), ("water", "water"), ("zh", "en"), np.eye(2), 0)
    figure = plots.word_maps({("m1", "d1"): words, ("m2", "d2"): words}, "Where?")
    filled = [len(axis.lines) for axis in figure.axes]
    assert filled == [3, 0, 0, 3]  # lines between translations, and a language each
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["zh", "en"]
    figure.savefig(io.BytesIO(), format="png")


def test_a_menu_shows_one_map_at_a_time():
    words = WordMap(("水", "water"), ("water", "water"), ("zh", "en"), np.eye(2), 0)
    figure = plots.interactive_map({"one": words, "two": words}, "Where?").figure
    assert [trace.visible for trace in figure.data] == [True] * 3 + [False] * 3
    one, two = figure.layout.updatemenus[0].buttons
    assert list(one.args[1]) == [True] * 3 + [False] * 3
    assert list(two.args[1]) == [False] * 3 + [True] * 3
    assert not plots.interactive_map({"one": words}, "Where?").figure.layout.updatemenus
