"""Every kind of figure is legible on a page, which shows it 688 pixels wide."""

import inspect
import io
import warnings

import numpy as np
import pandas as pd
import pytest
from made_up_languages import atlas
from matplotlib.text import Text
from PIL import Image

from xlutils import load_lexicon, plots
from xlutils.plots.layout import WordMap

PAGE = 688  # pixels
MODELS = ["use-multilingual-v3", "multilingual-e5-small-q4, learned", "control-random", "paraphrase-multilingual"]
LANGUAGES = ["English", "Chinese", "Hindi (not learned)", "Arabic", "Spanish", "German", "Thai", "Russian", "Korean"]
TITLE = "Which of these models, of which there are many, align their languages, and which of them do not?"


def table(names):
    return pd.DataFrame({"value": np.linspace(0.1, 0.9, len(names)), "low": 0.1, "high": 0.9}, index=names)


def by_model(frame):
    return dict.fromkeys(MODELS, frame)


def word_map(count):
    points = np.random.default_rng(0).standard_normal((count, 2))
    half = count // 2
    return WordMap(("w",) * count, (*range(half),) * 2, ("English",) * half + ("Thai",) * half, points, 0)


def asked():
    frame = pd.concat([table(LANGUAGES), table(LANGUAGES)]).rename_axis("target").reset_index()
    return frame.assign(asked=np.repeat(["asked in English", "asked in the other language"], len(LANGUAGES)))


STEPS = pd.DataFrame({"step": [1, 2], "jsd": [2.0, 1], "nce": [2.0, 1], "nce-passage": [2.0, 1], "keep": [2.0, 1]})
CONCEPTS = pd.DataFrame({"concept": [*"abc"], "category": [*"xxy"], "value": [0.1, 0.4, 0.9]})
SHARES = pd.DataFrame(np.full((2, 4), 0.25), index=LANGUAGES[:2], columns=["right", "wrong", "other", "none"])
TIERS = pd.DataFrame({"item": ["LaBSE", "mBERT"], "value": [0.7, np.nan], "low": np.nan, "high": [np.nan, 0.5]})
FACTORS = table(MODELS).assign(reported=True, objective=[*"aabc"], size=[1e8, 2e8, 4e9, np.nan])
DISTURBED = pd.DataFrame({"question": [*"aabbcc"], "strength": [1, 2] * 3, "measure": "MEXA"})
SQUARE = pd.DataFrame(np.full((9, 9), 0.5), LANGUAGES, LANGUAGES)
WORDS = [f"a long word {number}" for number in range(24)]
SCORES = pd.concat([table(MODELS).assign(metric=name, reported=False) for name in list(plots.SCORES)[:4]])
GROWTH = pd.DataFrame({"remedy": [*"aabb"], "passages": [60, 1470] * 2, "value": 0.5, "low": 0.4, "high": 0.6})
CURVES = {name: {model: np.arange(1, 9) for model in MODELS} for name in LANGUAGES[:6]}
PAIRS = dict.fromkeys(MODELS[:2], pd.DataFrame({"cosine": [0.9], "jsd": 0.1}))
ATLAS = atlas(load_lexicon("cldr").languages)
REPAIR = pd.DataFrame({"group": "Latin", "method": [*"mmrr"], "texts": [0, 500] * 2}).assign(value=0.5, low=0, high=1)
PHENOMENA = pd.DataFrame(np.full((10, 11), 0.6), [f"{name} to whom" for name in "abcdefghij"], [*LANGUAGES, "A", "B"])
STEPWISE = pd.DataFrame(np.full((5, 4), 99.9), ["published", *(f"+ {name}" for name in LANGUAGES[:4])], LANGUAGES[:4])
GINI = pd.DataFrame({"gini": 0.5, "worst-decile": 0.1}, index=MODELS)
FIGURES = {
    "affinity_heatmap": lambda: plots.affinity_heatmap(SQUARE, TITLE),
    "asked_chart": lambda: plots.asked_chart(by_model(asked()), "rank of the passage", TITLE, log=True),
    "change_panels": lambda: plots.change_panels(by_model(table(MODELS)), TITLE),
    "concept_strips": lambda: plots.concept_strips(CONCEPTS, table([*"xy"]), TITLE),
    "depth_chart": lambda: plots.depth_chart({"before": table(LANGUAGES), "after": table(LANGUAGES)}, TITLE),
    "disturbance_curves": lambda: plots.disturbance_curves(
        DISTURBED.assign(value=0.5, low=0.4, high=0.6), dict.fromkeys("abc", "length"), TITLE
    ),
    "factor_panels": lambda: plots.factor_panels(FACTORS, {"objective": "Objective", "size": "Size"}, (0.5,), TITLE),
    "gap_chart": lambda: plots.gap_chart(by_model(table(LANGUAGES).assign(series=MODELS[0])), "gap in Max@R", TITLE),
    "gradient_bars": lambda: plots.gradient_bars(pd.DataFrame({"gradient": [0.1, 0.2]}, index=MODELS[:2]), TITLE),
    "growth_curves": lambda: plots.growth_curves(by_model(GROWTH), "Complete@10", TITLE),
    "interval_chart": lambda: plots.interval_chart(by_model(table(MODELS)), "affinity", TITLE),
    "language_ladder": lambda: plots.language_ladder(ATLAS, TITLE),
    "loss_curves": lambda: plots.loss_curves({"published": STEPS, "jsd+nce+keep": STEPS}, TITLE),
    "model_comparison": lambda: plots.model_comparison(SCORES.rename_axis("model").reset_index(), plots.SCORES, TITLE),
    "pair_ladder": lambda: plots.pair_ladder(by_model(table(LANGUAGES).assign(kind="script")), TITLE),
    "pair_bars": lambda: plots.pair_bars(pd.Series({"courage: Japanese – Korean": 0.1}), 0.5, TITLE),
    "pair_clouds": lambda: plots.pair_clouds(PAIRS, TITLE),
    "phenomenon_maps": lambda: plots.phenomenon_maps(by_model(PHENOMENA), by_model(PHENOMENA - 0.2), TITLE),
    "prediction_panels": lambda: plots.prediction_panels(
        by_model(pd.DataFrame({"a": [0.1, 0.2], "b": [0.3, 0.4], "c": [0.5, 0.6]})),
        *({"a": "one predictor", "b": "another one"}, "c", "accuracy", TITLE),
    ),
    "rank_curves": lambda: plots.rank_curves(CURVES, TITLE),
    "repair_curves": lambda: plots.repair_curves(by_model(REPAIR), TITLE),
    "retrieval_heatmap": lambda: plots.retrieval_heatmap(SQUARE, TITLE),
    "series_chart": lambda: plots.series_chart(
        pd.concat([table(LANGUAGES).assign(series=name, reported=name == MODELS[0]) for name in MODELS]), "Norm", TITLE
    ),
    "share_bars": lambda: plots.share_bars(dict.fromkeys(MODELS[:3], SHARES), TITLE),
    "similarity_matrices": lambda: plots.similarity_matrices({"m": np.eye(24)}, WORDS, WORDS, TITLE),
    "slope_chart": lambda: plots.slope_chart(by_model(table(["affinity", "retrieval", "MEXA"])), TITLE),
    "speakers_reached": lambda: plots.speakers_reached(by_model(ATLAS), GINI, TITLE),
    "step_heatmaps": lambda: plots.step_heatmaps(by_model(STEPWISE), TITLE),
    "tier_chart": lambda: plots.tier_chart(table(MODELS), TIERS, (0.6, 0.5), TITLE),
    "tokens_against_accuracy": lambda: plots.tokens_against_accuracy(by_model(ATLAS), TITLE),
    "tradeoff_chart": lambda: plots.tradeoff_chart(
        table(MODELS), table(MODELS).assign(series=[*"abbb"]), ("NDCG@1", "Complete@10"), TITLE
    ),
    "word_maps": lambda: plots.word_maps({("m", name): word_map(40) for name in MODELS}, TITLE),
    "world_map": lambda: plots.world_map(ATLAS, TITLE),
}


def test_every_kind_of_figure_is_looked_at():
    others = {"SCORES", "captioned", "interactive_atlas", "interactive_dial", "interactive_map", "map_words"}
    modules = {name for name, part in vars(plots).items() if inspect.ismodule(part)}
    assert set(FIGURES) == {name for name in vars(plots) if not name.startswith("__")} - others - modules


@pytest.mark.parametrize("kind", FIGURES)
def test_the_smallest_letters_have_ten_pixels_on_a_page(kind):
    figure, file = FIGURES[kind](), io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.savefig(file, format="png", bbox_inches="tight")
    width = Image.open(file).width
    assert width >= 2 * PAGE  # sharp on a dense screen
    sizes = [text.get_fontsize() for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    assert min(sizes) / 72 * figure.dpi * PAGE / width >= 10
