import io
import warnings

import numpy as np
import pytest

from xlutils import plots
from xlutils.datasets import load_lexicon


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
    plots.font_families.cache_clear()
    monkeypatch.setattr(plots, "_FONT_FILES", (("no_such_package", "x.ttf"),))
    assert plots.font_families()[0] == "DejaVu Sans"
    plots.font_families.cache_clear()
