"""Chapter 5: the values of a language atlas, by item and language, and their means with intervals."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlutils.chapters.atlas_tables import KNOWN, PARTLY, UNKNOWN, judge, verdict_bounds
from xlutils.datasets.languages import LANGUAGES
from xlutils.metrics.affinity import semantic_affinity
from xlutils.metrics.alignment import mean_without_nan
from xlutils.metrics.atlas import pool_of_all, worst_tenth
from xlutils.metrics.geometry import translation_gap
from xlutils.metrics.neighbours import margin_scores, pair_scores
from xlutils.metrics.repair import centre
from xlutils.metrics.uncertainty import bootstrap, bootstrap_means, bootstrap_medians, bootstrap_ratio
from xlutils.models import load_model
from xlutils.models.encoder import Encoder

CENTRED = "centred"
_WITHOUT_SPACES = {  # scripts that do not mark words
    *("Hans", "Hant", "Hani", "Jpan", "Thai", "Laoo", "Khmr", "Mymr", "Tibt", "Lana", "Java", "Yiii", "Tavt"),
}
Floats = NDArray[np.float64]
Spaces = Mapping[str, np.ndarray]  # vectors by language, float32 [n, dim]; NaN where an item has no text
Rows = Mapping[str, NDArray[np.int64]]  # items in which a language is compared with the pivot
Texts = Mapping[str, Sequence[str]]  # by language; "" where an item has no text
Tables = dict[tuple[str, str], Floats]  # values of items in languages, [n, L], by metric and state


def encode_all(encoder: Encoder, texts: Texts, role: str) -> dict[str, np.ndarray]:
    """Encode the texts of all languages in one call, so that batches mix languages: float32 [n, dim] by language.

    Rows of texts that are missing are NaN.
    """
    table = encoder.encode([text for text in itertools.chain(*texts.values()) if text], role)
    vectors, start = {}, 0
    for code, column in texts.items():
        is_there = np.array([*map(bool, column)])
        part = table[start : start + is_there.sum()]  # a view, where no text is missing
        start += len(part)
        vectors[code] = part
        if len(part) < len(column):
            vectors[code] = np.full((len(column), encoder.dim), np.nan, np.float32)
            vectors[code][is_there] = part
    return vectors


def compare(
    vectors: Spaces,
    pivot: str,
    used: Rows,
    is_second: NDArray[np.bool_],
    asked: NDArray[np.int64],
) -> Tables:
    """Return how each item fares in each language, as measured and after centring; NaN where it was not compared.

    A text is centred on means of the half of the items that it is not in, and so are all texts that it searches.
    """
    tables: Tables = {}
    is_compared = np.zeros((len(is_second), len(vectors)), bool)
    scripts = {code: LANGUAGES[code].script for code in vectors}
    for state, fitted in (("", None), (CENTRED, is_second), (CENTRED, ~is_second)):
        spaces = vectors if fitted is None else _centred(vectors, fitted)
        is_tested = np.ones(len(is_second), bool) if fitted is None else ~fitted
        for number, code in enumerate(vectors):
            rows = used.get(code, np.zeros(0, np.int64))
            is_compared[rows, number] = True
            for metric, values in _pair_values(spaces[code][rows], spaces[pivot][rows]) if len(rows) else ():
                table = tables.setdefault((metric, state), np.full(is_compared.shape, np.nan))
                table[rows[is_tested[rows]], number] = values[is_tested[rows]]
        wanted = asked[is_tested[asked]]
        pool = pool_of_all(spaces, pivot, scripts, wanted)
        values_of = {"others": pool.found, "place": pool.place, "own-above": pool.own, "script-above": pool.same_script}
        for metric, values in values_of.items():
            table = tables.setdefault((metric, state), np.full(is_compared.shape, np.nan))
            table[wanted] = values.T if metric == "others" else np.where(is_compared[wanted], values.T, np.nan)
    return tables


def _centred(vectors: Spaces, fitted: NDArray[np.bool_]) -> dict[str, np.ndarray]:
    """Subtract the mean of each language, over the fitted items that have a text in it."""
    spaces: dict[str, np.ndarray] = {}
    for code, space in vectors.items():
        known = space[fitted & np.isfinite(space[:, 0])]
        spaces |= centre({code: space}, {code: known if len(known) else np.zeros((1, space.shape[1]))})
    return spaces


def _pair_values(texts: np.ndarray, pivots: np.ndarray) -> Iterator[tuple[str, Floats]]:
    """Yield the values of each pair of translations, float64 [pairs], by metric."""
    scores = pair_scores(texts, pivots)
    yield from (("found", scores.forward), ("found-back", scores.backward))
    yield "accuracy", (scores.forward + scores.backward) / 2
    yield "xsim", 1 - margin_scores(texts, pivots)[0]
    yield "gap", translation_gap(texts, pivots)


def control(texts: Texts, pivot: str, used: Rows, role: str) -> Floats:
    """Return the accuracy of a model that sees spelling only, float64 [n, L], encoding one language at a time."""
    encoder = load_model("control-ngram-hash", cached=False)
    table = np.full((len(texts[pivot]), len(texts)), np.nan)
    pivots = encode_all(encoder, {pivot: texts[pivot]}, role)[pivot]
    for number, code in enumerate(texts):
        if code in used:
            rows, space = used[code], encode_all(encoder, {code: texts[code]}, role)[code]
            scores = pair_scores(space[rows], pivots[rows])
            table[rows, number] = (scores.forward + scores.backward) / 2
    return table


def affinities(vectors: Spaces, texts: Texts, pivot: str, used: Rows) -> Floats:
    """Return values whose means are the Semantic Affinity of each language and the pivot, see `Affinity.sa_values`."""
    table = np.full((len(texts[pivot]), len(texts)), np.nan)
    for number, code in enumerate(texts):
        if code in used:
            rows, cells, spaces = used[code], {}, dict[str, np.ndarray]()
            for language in (code, pivot):
                words = [texts[language][row] for row in rows]
                cells[language] = tuple((word,) for word in words)
                first = dict(zip(reversed(words), reversed(rows), strict=True))
                spaces[language] = vectors[language][[first[word] for word in dict.fromkeys(words)]]
            affinity = semantic_affinity(spaces, SimpleNamespace(concepts=tuple(rows), cells=cells))
            table[rows, number] = affinity.sa_values
    return table


def sampled(tables: Tables, languages: Sequence[str], seed: int) -> Iterator[pd.DataFrame]:
    """Yield means over items, and medians of places, with their intervals: one row per language."""
    for (metric, state), values in tables.items():
        known = values[np.isfinite(values).any(axis=1)]
        if not len(known):  # no document is ever above the pivot's text, so none is of a language
            continue
        if metric == "place":
            value, low, high = bootstrap_medians(known, seed)
        else:
            value, (low, high) = mean_without_nan(known, 0), bootstrap_means(known, seed)
        yield pd.DataFrame(
            {"language": languages, "metric": metric, "value": value, "low": low, "high": high, "state": state}
        )


def token_counts(encoder: Encoder, texts: Texts, role: str, seed: int) -> Iterator[pd.DataFrame]:
    """Yield what the tokenizer makes of each language, if the model has one that shows its tokens."""
    table = np.zeros((4, len(next(iter(texts.values()))), len(texts)))
    for number, (code, column) in enumerate(texts.items()):
        present, is_there = [text for text in column if text], np.array([*map(bool, column)])
        counts = encoder.count_tokens(present, role)
        if counts is None:
            return
        has_words = LANGUAGES[code].script not in _WITHOUT_SPACES
        lengths = [(len(text.split()) * has_words, len(text)) for text in present]
        table[:, is_there, number] = np.column_stack([counts[:, :2], lengths]).T
    tokens, unknown, words, characters = table
    ratios = {
        "tokens-per-word": (tokens, words),
        "tokens-per-character": (tokens, characters),
        "unread": (unknown, tokens),
    }
    for metric, (parts, wholes) in ratios.items():
        low, high = bootstrap_ratio(parts, wholes, seed=seed)
        with np.errstate(invalid="ignore", divide="ignore"):
            value = np.where(wholes.sum(axis=0) > 0, parts.sum(axis=0) / wholes.sum(axis=0), np.nan)
        yield pd.DataFrame({"language": list(texts), "metric": metric, "value": value, "low": low, "high": high})


def ceiling_of(accuracy: Floats, own: float) -> float:
    """Return what a language that a model knows can be expected to reach, which depends on the texts as well.

    :param accuracy: By item and language, float64 [n, L].
    :param own: Accuracy of the pivot's own texts among each other.
    :return: Mean of the best tenth of the languages, but at least half of what the pivot reaches: the best languages of
        a model that knows none are no measure.
    """
    means = mean_without_nan(accuracy, 0)
    return max(-float(worst_tenth(-means)), own / 2)


def overall(
    accuracy: Floats, languages: Sequence[str], metrics: pd.DataFrame, ceiling: float, seed: int
) -> Iterator[dict[str, Any]]:
    """Yield the rows of all languages together.

    Where an interval is drawn, the languages keep their measured order; else chance alone would look like inequality.
    Ceiling, control, and the width of each language's interval keep their values, too.
    """
    values = accuracy[np.isfinite(accuracy).any(axis=1)]
    order = np.argsort(mean_without_nan(values, 0), kind="stable")[: int(np.isfinite(values).any(axis=0).sum())]
    values, codes = values[:, order], [languages[number] for number in order]  # NaN, without scores, came last
    people = np.array([LANGUAGES[code].speakers or 0 for code in codes], float)
    bounds = verdict_bounds(metrics, ceiling).loc[codes]
    margin = (bounds["value"] - bounds["low"]).to_numpy()

    def measure(times: Floats) -> Floats:
        scores = np.asarray(times @ np.nan_to_num(values) / (times @ np.isfinite(values)))
        ginis = [_gini_in_order(scores, weights) for weights in (np.ones(len(order)), people)]
        known, unknown = (verdict.sum(axis=1) for verdict in judge(scores - margin, bounds))
        worst = scores[:, : -(-len(order) // 10)].mean(axis=1)
        return np.stack([known, len(order) - known - unknown, unknown, worst, *ginis], axis=1)

    low, high = bootstrap(measure, len(values), seed=seed)
    names = (KNOWN, PARTLY, UNKNOWN, "worst-decile", "gini", "gini-speakers")
    for name, *row in zip(names, measure(np.ones((1, len(values))))[0], low, high, strict=True):
        if np.isfinite(row).all():
            yield {"kind": "all", "metric": name, **dict(zip(("value", "low", "high"), row, strict=True))}
    yield {"kind": "all", "metric": "ceiling", "value": ceiling}


def _gini_in_order(scores: Floats, people: Floats) -> Floats:
    """Return the Gini coefficient, as `metrics.atlas.gini`, of languages that stand from low to high, [..., L]."""
    total = people.sum()
    excess = people * (2 * np.cumsum(people) - people - total)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(scores @ excess / (scores @ people * total))
