import importlib.util
import json

import numpy as np
import pytest

from xlutils import plots
from xlutils.plots import layout
from xlutils.plots.layout import WordMap, map_2d, map_method, map_words

WATER = WordMap(("水", "water"), ("water", "water"), ("zh", "en"), np.eye(2), 0)


@pytest.fixture
def without_phate(monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "phate" else find_spec(name))


def clusters(count=40):
    rng = np.random.default_rng(0)
    centres = np.array([[5.0, 0, 0, 0], [0, 5.0, 0, 0]])
    vectors = np.repeat(centres, count // 2, axis=0) + rng.standard_normal((count, 4)) * 0.3
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def rows_of(count):
    return [(f"c{number // 2}", "en" if number % 2 == 0 else "de", f"w{number}") for number in range(count)]


def check_layout(method):
    assert map_method(40) == method
    points = map_2d(clusters(), seed=1)
    assert points.shape == (40, 2)
    assert np.abs(points).max() == pytest.approx(1)
    assert points.mean(axis=0) == pytest.approx([0, 0], abs=1e-9)
    one, other = points[:20], points[20:]
    within = max(np.linalg.norm(part - part.mean(axis=0), axis=1).mean() for part in (one, other))
    assert np.linalg.norm(one.mean(axis=0) - other.mean(axis=0)) > 3 * within
    assert np.array_equal(points, map_2d(clusters(), seed=1))


def test_phate_keeps_clusters_apart():
    pytest.importorskip("phate")
    check_layout("PHATE")


def test_pca_keeps_clusters_apart_where_phate_is_missing(without_phate):
    check_layout("PCA")
    note = map_words(rows_of(40), clusters()).note
    assert note == "laid out by PCA (PHATE needs 11 words and `pip install 'xlutils[maps]'`)"


def test_words_with_the_same_vector_are_one_point(without_phate):
    vectors = clusters()
    vectors[[3, 17, 30]] = vectors[3]
    result = map_words(rows_of(40), vectors, seed=1)
    assert len(np.unique(result.points, axis=0)) == 38
    assert np.array_equal(result.points[3], result.points[17])
    assert result.words[:3] == ("w0", "w1", "w2")


def test_lines_join_the_words_of_a_concept():
    rows = [("a", "en", "x"), ("a", "de", "y"), ("b", "en", "z"), ("a", "fr", "u")]
    result = map_words(rows, clusters(4), seed=1)
    lines = result.lines()
    assert len(lines) == 6
    assert np.array_equal(lines[[0, 1]], result.points[[0, 1]])
    assert np.array_equal(lines[[3, 4]], result.points[[0, 3]])
    assert np.isnan(lines[[2, 5]]).all()


def test_too_many_words_become_a_sample_of_whole_concepts(without_phate, monkeypatch):
    monkeypatch.setattr(layout, "LARGEST", 24)
    result = map_words(rows_of(40), clusters(), seed=1)
    assert (len(result.words), result.left_out) == (24, 16)
    assert all(result.concepts.count(concept) == 2 for concept in result.concepts)
    assert "16 words of other concepts are left out" in result.note
    assert result.words == map_words(rows_of(40), clusters(), seed=1).words


def test_static_maps_are_in_the_row_and_column_of_their_name():
    figure = plots.word_maps({("m1", "d1"): WATER, ("m2", "d2"): WATER}, "Where?")
    assert [len(axis.collections) for axis in figure.axes] == [1, 0, 0, 1]
    assert np.array_equal(figure.axes[0].collections[0].get_offsets(), np.eye(2))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["zh", "en"]


def test_a_menu_shows_one_map_at_a_time():
    figure = plots.interactive_map({"one": WATER, "two": WATER}, "Where?").figure
    assert [trace.visible for trace in figure.data] == [True] * 3 + [False] * 3
    one, two = figure.layout.updatemenus[0].buttons
    assert list(one.args[1]) == [True] * 3 + [False] * 3
    assert list(two.args[1]) == [False] * 3 + [True] * 3
    assert not plots.interactive_map({"one": WATER}, "Where?").figure.layout.updatemenus


def test_an_interactive_map_has_an_alternative_text_and_two_formats():
    figure = plots.interactive_map({"one": WATER}, "Where?")
    bundle = figure._repr_mimebundle_()
    assert set(bundle) == {"application/vnd.plotly.v1+json", "text/html"}
    assert 'aria-label="Where? A map of 2 words in 2 languages' in bundle["text/html"]
    content = bundle["text/html"].split("const figure = ")[1].split(";\n")[0]
    assert json.loads(content) == bundle["application/vnd.plotly.v1+json"]
    assert "水" in content  # as it is, so that the fonts of the page have it
    assert "<" not in content  # so that no text ends the script
    assert [trace["text"] for trace in json.loads(content)["data"][1:]] == [
        ["水<br>water (zh)"],
        ["water<br>water (en)"],
    ]
    assert figure.to_html() == figure.to_html()


def test_text_on_a_map_falls_back_on_the_font_of_the_book():
    layout = plots.interactive_map({"one": WATER}, "Where?").figure.layout
    for font in (layout.font, layout.hoverlabel.font):
        assert font.family.endswith('"Book Scripts", sans-serif')


def test_data_cannot_break_out_of_an_interactive_map():
    hostile, image = "</script><script>alert(1)</script>", '"><img src=x onerror=alert(1)>'
    words = WordMap((hostile, "b"), ("c", image), ("en", "de"), np.eye(2), 0)
    text = plots.interactive_map({hostile: words, "other": words}, hostile).to_html()
    assert text.count("</script>") == text.count("<script>") == 1  # its own
    assert "<img" not in text
