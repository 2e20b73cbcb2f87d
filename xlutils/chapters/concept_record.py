"""Chapter 1: the record of a measurement, and whether a shared script brings languages nearer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from xlutils.datasets.branches import BRANCHES
from xlutils.datasets.languages import LANGUAGES
from xlutils.metrics.alignment import ConceptAlignment, Floats, mean_without_nan
from xlutils.metrics.pairs import centroid_estimate, label_gap, label_test, retrieval_estimate
from xlutils.metrics.uncertainty import bootstrap_ci, bootstrap_means
from xlutils.results.record import Record, describe_dataset, describe_model
from xlutils.results.rows import metric_table, tidy

if TYPE_CHECKING:
    from xlutils.chapters.concepts import ConceptStudy

AMONG_OTHERS = "/other-branches"  # end of the name of a test without the pairs of close relatives
_WORST = 15  # misaligned pairs that a record names, of languages that the model learned
_PAIR = ("language", "other language")


def concept_record(study: ConceptStudy, seed: int, threshold: float) -> Record:
    """Return the record of a study; translations with a cosine below the threshold are misaligned."""
    alignment = study.alignment
    pairs = [pair for pair in alignment.misaligned(threshold) if not set(pair[1:3]) & set(study.not_learned)]
    worst = [[*names, round(cosine, 4)] for *names, cosine in pairs[:_WORST]]
    params = {**study.params, "seed": seed, "threshold": threshold, "misaligned": worst}
    summary = study.summary(seed).copy()
    summary.loc["misaligned"] = _misaligned_share(alignment, threshold, seed)
    scripts = study.scripts(seed).rename("shared-script/{}".format)
    tables = [
        tidy(summary, "metric", kind="all"),
        *_by_language(study.by_language(seed)),
        tidy(study.by_pair(seed), "query", "pool", kind="pair", metric="retrieval"),
        tidy(_named(study.centroids(seed)), "pool", kind="pair", metric="centroid_distance"),
        tidy(_named(_similarities(alignment, seed)), "pool", kind="pair", metric="similarity"),
        tidy(scripts[["value", "low", "high"]], "metric", kind="all"),
    ]
    tests = [
        _p_values(study.by_language(seed), "language", kind="language", metric="deviation/p-value"),
        _p_values(scripts.rename("{}/p-value".format), "metric", kind="all"),
    ]
    metrics = [metric_table(pd.concat(tables)).dropna(), metric_table(pd.concat(tests)).dropna(subset="value")]
    dataset = describe_dataset(study.lexicon, len(study.lexicon.concepts))
    return Record(
        "concept-alignment", describe_model(study.encoder), dataset, params, pd.concat(metrics), study.seconds
    )


def pair_table(
    alignment: ConceptAlignment, value: Floats, low: Floats, high: Floats, names: tuple[str, str]
) -> pd.DataFrame:
    """Return a value for each ordered pair of languages, with its bounds, float64 [L, L] each."""
    index = pd.MultiIndex.from_product([alignment.languages] * 2, names=names)
    return pd.DataFrame({"value": value.ravel(), "low": low.ravel(), "high": high.ravel()}, index=index)


def script_table(alignment: ConceptAlignment, without: Sequence[str], seed: int) -> pd.DataFrame:
    """Return how pairs of languages with a shared script differ from other pairs, on centroids and on retrieval.

    :param without: Languages to leave out.
    :return: Rows centroid_distance and retrieval, and both again, named with `AMONG_OTHERS`, without the pairs of one
        branch of a language family, such as Spanish and French; columns value (mean of the pairs that share a script
        minus that of the others), low and high (over draws of concepts), p_value (scripts shuffled over the languages).
        Rows are missing where no pair shares a script, or all do.
    """
    known = [code for code in alignment.languages if code in LANGUAGES and code not in without]
    of_branches = [code for code in known if code in BRANCHES]
    rows = _script_rows(alignment, known, seed)
    others = _script_rows(alignment, of_branches, seed, without_relatives=True)
    rows |= {f"{name}{AMONG_OTHERS}": row for name, row in others.items()}
    columns = ["value", "low", "high", "p_value"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).astype(float)


def _script_rows(
    alignment: ConceptAlignment, codes: Sequence[str], seed: int, without_relatives: bool = False
) -> dict[str, tuple[Any, ...]]:
    """Return the rows of `script_table` for some languages, with or without the pairs of one branch."""
    places = [alignment.languages.index(code) for code in codes]
    scripts, branches = [LANGUAGES[code].script for code in codes], [BRANCHES.get(code, code) for code in codes]
    left_out = np.equal.outer(branches, branches) if without_relatives else np.zeros((len(codes),) * 2, bool)
    shares_script = np.equal.outer(scripts, scripts)[~(left_out | np.eye(len(codes), dtype=bool))]
    if not shares_script.any() or shares_script.all():
        return {}

    def between(matrices: Floats) -> Floats:
        return np.where(left_out, np.nan, matrices[..., places, :][..., places])

    def gap(matrices: Floats) -> Floats:
        return label_gap(between(matrices), scripts)

    distances, shares = between(centroid_estimate(alignment, seed)[0]), between(alignment.retrieval_matrix)
    return {
        "centroid_distance": (*centroid_estimate(alignment, seed, gap), label_test(distances, scripts, seed=seed)),
        "retrieval": (*retrieval_estimate(alignment, gap, seed), label_test(shares, scripts, seed=seed)),
    }


def _by_language(table: pd.DataFrame) -> list[pd.DataFrame]:
    columns = {
        "similarity": ["similarity", "low", "high"],
        "nn_accuracy": ["nn_accuracy", "nn_low", "nn_high"],
        "deviation": ["deviation", "deviation_low", "deviation_high"],
    }
    return [tidy(table[names], "language", kind="language", metric=metric) for metric, names in columns.items()]


def _similarities(alignment: ConceptAlignment, seed: int) -> pd.DataFrame:
    """Return the mean cosine of translations for each pair of languages, lowest first."""
    similarity = alignment.similarity
    table = pair_table(alignment, mean_without_nan(similarity, 0), *bootstrap_means(similarity, seed), _PAIR)
    return table[np.triu(np.ones(similarity.shape[1:], bool), 1).ravel()].sort_values("value")


def _misaligned_share(alignment: ConceptAlignment, threshold: float, seed: int) -> list[float]:
    """Return the share of the pairs of translations below a cosine, the mean over concepts, and its interval."""
    below = np.where(np.isnan(alignment.similarity), np.nan, alignment.similarity < threshold)
    values = mean_without_nan(below, (1, 2))
    values = values[np.isfinite(values)]
    return [float(values.mean()), *bootstrap_ci(values, seed=seed)]


def _named(pairs: pd.DataFrame) -> pd.DataFrame:
    return pairs.set_axis(pairs.index.map("+".join))


def _p_values(table: pd.DataFrame, index: str, **cells: str) -> pd.DataFrame:
    values = table["p_value"].to_frame("value")
    return tidy(values.assign(low=np.nan, high=np.nan), index, **cells)
