import io
import warnings

import numpy as np
import pytest

from xlutils import plots
from xlutils.datasets import load_lexicon
from xlutils.plots import style


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
    monkeypatch.setattr(style, "_FONT_FILES", (("no_such_package", "x.ttf"),))
    assert style.font_families()[0] == "DejaVu Sans"
    style.font_families.cache_clear()


@pytest.fixture(scope="module")
def study():
    from xlutils.models import load_model
    from xlutils.studies.concepts import study_concepts

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
    import pandas as pd

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
    figure = plots.interactive_map(np.eye(2), [hostile, "b"], ["c", image], ["en", "de"], hostile)
    text = figure.to_html()
    assert text.count("</script>") == 1  # its own
    assert "<img" not in text
    assert text.count("<script>") == 1


def test_an_interactive_figure_has_an_alternative_text_and_both_formats():
    figure = plots.interactive_map(np.eye(2), ["水", "water"], ["water", "water"], ["zh", "en"], "Where?")
    bundle = figure._repr_mimebundle_()
    assert set(bundle) == {"application/vnd.plotly.v1+json", "text/html"}
    assert 'aria-label="Where? A map of 2 words in 2 languages' in bundle["text/html"]
    assert "水" in bundle["text/html"]
    assert figure.to_html() == figure.to_html()
