"""Chapter 7: what predicts the success of a map, over all pairs of languages."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from xlutils.chapters.atlas_values import encode_all
from xlutils.chapters.map_ways import found, measured, names_of
from xlutils.datasets.lexicon import Lexicon
from xlutils.errors import XlError
from xlutils.metrics.isomorphism import bottleneck, eigenvector_similarity, graph_eigenvalues, merge_distances
from xlutils.metrics.maps import fit_map
from xlutils.metrics.relations import rank_matrix
from xlutils.metrics.uncertainty import bootstrap
from xlutils.models.encoder import Encoder
from xlutils.results.record import Record, describe_dataset, describe_model
from xlutils.results.rows import metric_table

LANGUAGES_30 = (
    *("en", "de", "nl", "sv", "fr", "es", "pt", "it", "ro", "ru", "pl", "uk", "bg", "el", "tr", "fi", "hu"),
    *("ar", "fa", "he", "hi", "bn", "ta", "th", "vi", "id", "ja", "ko", "zh", "sw"),
)
PREDICTORS = {  # with the sign of the expected correlation
    "eigenvectors": ("distance of the eigenvalues of both graphs of neighbours", -1),
    "bottleneck": ("bottleneck distance of both diagrams", -1),
    "relational": ("rank correlation of the cosines within both", 1),
    "known": ("accuracy without a map, of the words that it is fitted on", 1),
    "weaker": ("accuracy of the weaker language with English", 1),
}
_LEAST = 60  # things that all languages name
Floats = NDArray[np.float64]


def study_pairs(
    encoder: Encoder, lexicon: Lexicon, languages: Sequence[str] = LANGUAGES_30, pivot: str = "en", seed: int = 42
) -> Record:
    """Predict for each pair of languages how well a map between them will do, then fit it.

    Predictors see the words that maps are fitted on: one half of those that all languages name. The other half is
    tested. The rows of a pair have its first language as `query` and the second as `language`.
    """
    texts = names_of(lexicon, languages)
    started = time.perf_counter()
    shared = [row for row in range(len(lexicon.concepts)) if all(texts[code][row] for code in languages)]
    if len(shared) < _LEAST or pivot not in languages:
        raise XlError(f"{lexicon.name}: needs {pivot}, and {_LEAST} things that all languages name; got {len(shared)}")
    words = {code: [texts[code][row] for row in shared] for code in languages}
    vectors = encode_all(encoder, words, "word")
    encoded = time.perf_counter()
    is_fitted = np.random.default_rng(seed).permutation(len(shared)) % 2 == 0
    fitted = {code: space[is_fitted] for code, space in vectors.items()}
    shapes = {code: (graph_eigenvalues(v), merge_distances(v), rank_matrix(v)) for code, v in fitted.items()}
    rows = []
    for one, other in itertools.combinations(languages, 2):
        differ = np.array([a.casefold() != b.casefold() for a, b in zip(words[one], words[other], strict=True)])
        tested, pairs = ~is_fitted & differ, is_fitted & differ
        values = {"known": found(vectors[one][pairs], vectors[other][pairs])}
        values["published"] = found(vectors[one][tested], vectors[other][tested])
        for method in ("procrustes", "ridge-shrunk"):
            mapped = fit_map(vectors[one][pairs], vectors[other][pairs], method, seed).apply(vectors[one][tested])
            values[method] = found(mapped, vectors[other][tested])
        key = {"kind": "pair", "query": one, "language": other}
        rows += [{**key, "metric": metric, **measured(table, seed)} for metric, table in values.items()]
        (spectrum, merges, ranks), (spectrum_2, merges_2, ranks_2) = shapes[one], shapes[other]
        shape = {
            "eigenvectors": eigenvector_similarity(spectrum, spectrum_2),
            "bottleneck": bottleneck(merges, merges_2),
            "relational": float(np.vdot(ranks, ranks_2)),
        }
        rows += [{**key, "metric": metric, "value": value} for metric, value in shape.items()]
    seconds = {"encode": round(encoded - started, 3), "measure": round(time.perf_counter() - encoded, 3)}
    params = {"pivot": pivot, "seed": seed, "compared": list(languages), "shared": len(shared)}
    about = describe_model(encoder), describe_dataset(lexicon, len(lexicon.concepts))
    return Record("map-pairs", *about, params, metric_table(rows), seconds)


def pair_table(record: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per pair of languages: one, other, the predictors and the outcomes of a record."""
    metrics: pd.DataFrame = record["metrics"]
    pivot = record["params"]["pivot"]
    wide = metrics.pivot_table("value", ["query", "language"], "metric", sort=False).reset_index()
    wide = wide.rename(columns={"query": "one", "language": "other"})
    with_pivot = wide[(wide["one"] == pivot) | (wide["other"] == pivot)]
    language = np.where(with_pivot["one"] == pivot, with_pivot["other"], with_pivot["one"])
    known = {**dict(zip(language, with_pivot["known"], strict=True)), pivot: 1.0}
    return wide.assign(weaker=np.minimum(wide["one"].map(known), wide["other"].map(known)))


def predicted(table: pd.DataFrame, outcome: str, seed: int = 42) -> pd.DataFrame:
    """Return the rank correlation of each predictor with what the maps achieved, with its 95% interval.

    Pairs with a language in common are not independent: languages are drawn, and a pair counts as often as both of its
    languages were drawn.

    :param table: As from `pair_table`.
    """
    codes = sorted({*table["one"], *table["other"]})
    ends = [table[side].map(codes.index).to_numpy() for side in ("one", "other")]
    achieved = rankdata(table[outcome])
    rows = {}
    for name, (title, sign) in PREDICTORS.items():
        ranks = rankdata(sign * table[name])

        def correlation(times: Floats, ranks: Floats = ranks) -> Floats:
            weights = times[:, ends[0]] * times[:, ends[1]]
            return _weighted_correlation(weights, ranks, achieved)

        low, high = bootstrap(correlation, len(codes), seed=seed)
        rows[title] = {"value": correlation(np.ones((1, len(codes))))[0], "low": float(low), "high": float(high)}
    return pd.DataFrame(rows).T


def _weighted_correlation(weights: Floats, one: Floats, other: Floats) -> Floats:
    """Return the correlation of two columns of values under each row of weights, float64 [rows]; NaN without any."""
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = weights / weights.sum(axis=1, keepdims=True)
        a, b = one - (shares @ one)[:, None], other - (shares @ other)[:, None]
        return np.asarray(
            (shares * a * b).sum(axis=1) / np.sqrt((shares * a**2).sum(axis=1) * (shares * b**2).sum(axis=1))
        )
