"""Chapter 1: one model on one lexicon, measured in every way the chapter shows."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from xlutils.chapters.categories import category_table
from xlutils.datasets.lexicon import Lexicon
from xlutils.datasets.parallel import load_parallel
from xlutils.datasets.reported import load_reported
from xlutils.errors import XlError
from xlutils.metrics.alignment import (
    ConceptAlignment,
    centroid_interval,
    concept_alignment,
    csls_retrieval,
    mean_without_nan,
    nearest_interval,
)
from xlutils.metrics.geometry import LanguageProbe, language_probe, silhouettes
from xlutils.metrics.neighbours import hubness, skewness, skewness_interval
from xlutils.metrics.uncertainty import (
    bootstrap_ci,
    bootstrap_means,
    outlier_test,
    paired_difference,
)
from xlutils.models.encoder import Encoder
from xlutils.results.record import Record, describe_dataset, describe_model

_HUB_NEIGHBOURS = 10


@dataclass(frozen=True, eq=False)
class ConceptStudy:
    """What was measured of one model.

    :param encoder: The model.
    :param lexicon: The words.
    :param words: n rows of (concept, language, word).
    :param vectors: Their vectors, float32 [n, dim].
    :param alignment: The measures of concept alignment.
    :param csls: Retrieval by CSLS, float64 [c, L, L].
    :param popularity: How often each word is among the ten nearest of others, int [n].
    :param probe: How well the language can be read off a vector.
    :param silhouettes: Silhouettes by concept and by language, float64 [n] each; NaN outside a sample.
    :param params: What was chosen.
    :param seconds: Time to encode and to measure.
    """

    encoder: Encoder
    lexicon: Lexicon
    words: list[tuple[str, str, str]]
    vectors: np.ndarray
    alignment: ConceptAlignment
    csls: np.ndarray
    popularity: np.ndarray
    probe: LanguageProbe
    silhouettes: tuple[np.ndarray, np.ndarray]
    params: dict[str, object]
    seconds: dict[str, float]

    def items(self) -> pd.DataFrame:
        """Tabulate the values by concept, a row each."""
        alignment = self.alignment
        categories = dict(zip(self.lexicon.concepts, self.lexicon.categories, strict=True))
        columns = {
            "concept": alignment.concepts,
            "category": [categories[concept] for concept in alignment.concepts],
            **alignment.by_concept(),
            "csls_retrieval": mean_without_nan(self.csls, (1, 2)),
            "language_probe": self.probe.accuracy,
        }
        return pd.DataFrame(columns)

    def summary(self, seed: int) -> pd.DataFrame:
        """Tabulate each metric: value and 95% interval over draws of concepts."""
        values = self.items().drop(columns=["concept", "category"])
        rows = {}
        for metric in values:
            column = values[metric].dropna()
            rows[metric] = (column.mean(), *bootstrap_ci(column, seed=seed))
        concept_of = self.alignment.concept_of
        rows["hub_skewness"] = (skewness(self.popularity), *skewness_interval(self.popularity, concept_of, seed))
        for metric, silhouette in zip(("silhouette_concept", "silhouette_language"), self.silhouettes, strict=True):
            there = np.isfinite(silhouette)
            bounds = bootstrap_ci(silhouette[there], seed=seed, clusters=concept_of[there])
            rows[metric] = (silhouette[there].mean(), *bounds)
        return pd.DataFrame.from_dict(rows, orient="index", columns=["value", "low", "high"])

    @cache  # noqa: B019 - a study lives as long as its page
    def by_category(self, seed: int) -> pd.DataFrame:
        """Tabulate each category: similarity within a concept, its interval, and whether it is lower than the rest.

        The p-values are corrected for the number of categories by Holm's method.
        """
        items = self.items()
        return category_table(items["intra_concept"].to_numpy(), list(items["category"]), seed)

    @cache  # noqa: B019 - a study lives as long as its page
    def by_language(self, seed: int) -> pd.DataFrame:
        """Tabulate each language: nearness to the others, neighbours, and whether it is an outlier."""
        alignment = self.alignment
        per_language = mean_without_nan(alignment.similarity, 2)
        deviation, p_values = outlier_test(per_language, seed=seed)
        low, high = bootstrap_means(per_language, seed)
        nearest_low, nearest_high = nearest_interval(alignment, seed)
        columns = {
            "similarity": mean_without_nan(per_language, 0),
            "low": low,
            "high": high,
            "nn_accuracy": alignment.nearest_by_language,
            "nn_low": nearest_low,
            "nn_high": nearest_high,
            "deviation": deviation,
            "p_value": p_values,
            "missing": list(alignment.missing.values()),
        }
        return pd.DataFrame(columns, index=pd.Index(alignment.languages, name="language"))

    @cache  # noqa: B019 - a study lives as long as its page
    def by_pair(self, seed: int) -> pd.DataFrame:
        """Tabulate each ordered pair of languages: how often the translation is found first, worst pair first."""
        low, high = bootstrap_means(self.alignment.hits, seed)
        table = self._pairs(self.alignment.retrieval_matrix, low, high, ("asked in", "searched in"))
        return table[table.index.get_level_values(0) != table.index.get_level_values(1)].sort_values("value")

    @cache  # noqa: B019 - a study lives as long as its page
    def centroids(self, seed: int) -> pd.DataFrame:
        """Tabulate each pair of languages: distance of their mean vectors, the farthest first."""
        low, high = centroid_interval(self.alignment, seed)
        table = self._pairs(self.alignment.centroid_distance, low, high, ("language", "other language"))
        upper = np.triu(np.ones_like(low, bool), 1).ravel()
        return table[upper].sort_values("value", ascending=False)

    def _pairs(self, value: np.ndarray, low: np.ndarray, high: np.ndarray, names: tuple[str, str]) -> pd.DataFrame:
        index = pd.MultiIndex.from_product([self.alignment.languages] * 2, names=names)
        return pd.DataFrame({"value": value.ravel(), "low": low.ravel(), "high": high.ravel()}, index=index)

    def record(self, seed: int) -> Record:
        """Make the record of this measurement."""
        tables = {"{}": self.summary(seed)}
        by_language = self.by_language(seed)
        tables["language/{}/similarity"] = by_language[["similarity", "low", "high"]]
        tables["language/{}/nn_accuracy"] = by_language[["nn_accuracy", "nn_low", "nn_high"]]
        tables["pair/{}/{}/retrieval"] = self.by_pair(seed)
        tables["pair/{}+{}/centroid_distance"] = self.centroids(seed)
        metrics, ci95 = {}, {}
        for pattern, table in tables.items():
            for key, value, low, high in table.dropna().itertuples():
                name = pattern.format(*key) if isinstance(key, tuple) else pattern.format(key)
                metrics[name], ci95[name] = value, (low, high)
        return Record(
            experiment="concept-alignment",
            model=describe_model(self.encoder),
            dataset=describe_dataset(self.lexicon, len(self.lexicon.concepts)),
            params={**self.params, "seed": seed},
            metrics=metrics,
            ci95=ci95,
            timing=self.seconds,
        )


def study_concepts(encoder: Encoder, lexicon: Lexicon, k: int = 3, seed: int = 42, role: str = "word") -> ConceptStudy:
    """Measure one model on one lexicon.

    :param encoder: The model.
    :param lexicon: The words, or sentences, of each concept.
    :param k: Number of nearest neighbours.
    :param seed: Seed of the probe's folds.
    :param role: Role in which the words are encoded.
    :raises XlError: If there is too little to measure.
    """
    words = lexicon.rows()
    concepts, languages, texts = (list(column) for column in zip(*words, strict=True))
    started = time.perf_counter()
    vectors = encoder.encode(texts, role=role)
    encoded = time.perf_counter()
    try:
        alignment = concept_alignment(vectors, concepts, languages, k)
        probe = language_probe(vectors, concepts, languages, seed)
    except ValueError as error:
        raise XlError(f"{lexicon.name}: {error}") from None
    if np.isnan(alignment.intra).all():
        raise XlError(f"{lexicon.name}: no concept has words in two languages; check its columns")
    return ConceptStudy(
        encoder,
        lexicon,
        words,
        vectors,
        alignment,
        csls_retrieval(alignment),
        hubness(vectors, min(_HUB_NEIGHBOURS, len(words) - 1)),
        probe,
        silhouettes(vectors, concepts, languages, seed),
        {"k": k, "role": role},
        {"encode": round(encoded - started, 3), "measure": round(time.perf_counter() - encoded, 3)},
    )


def sentences(languages: Sequence[str]) -> Lexicon:
    """Make a lexicon of sentences: the first question on each passage of `mini`, a concept each.

    :param languages: Codes; those that `mini` has are taken, or all of `mini` if it has fewer than two of them.
    """
    known = ("en", "zh", "es", "ar", "de", "th", "hi", "ru")
    there = [code for code in languages if code in known]
    if len(there) < 2:
        there = list(known)
    data = load_parallel("mini", there)
    first = [int(np.flatnonzero(data.gold == passage)[0]) for passage in range(len(data.passage_ids))]
    cells: dict[str, tuple[tuple[str, ...], ...]] = {
        code: tuple((data.queries[code][number],) for number in first) for code in there
    }
    ids = tuple(data.query_ids[number] for number in first)
    return Lexicon("mini-questions", ids, ("sentence",) * len(first), cells)


def compare_studies(studies: Sequence[ConceptStudy], metric: str, seed: int) -> pd.DataFrame:
    """Compare every two models concept by concept.

    :param studies: Measurements on the same lexicon.
    :param metric: A column of `ConceptStudy.items`.
    :param seed: Seed of the intervals and tests.
    :return: A row a pair: difference of the means, its 95% interval and p-value.
    """
    rows = {}
    for one, other in itertools.combinations(studies, 2):
        a, b = (study.items()[metric].to_numpy(float) for study in (one, other))
        there = np.isfinite(a) & np.isfinite(b)
        result = paired_difference(a[there], b[there], seed=seed)
        rows[f"{one.encoder.name} - {other.encoder.name}"] = (result.mean, result.low, result.high, result.p_value)
    return pd.DataFrame.from_dict(rows, orient="index", columns=["difference", "low", "high", "p_value"])


def beside_reported(studies: Sequence[ConceptStudy], core: Lexicon, seed: int) -> tuple[pd.DataFrame, ...]:
    """Set what the concept study reported beside the same values measured here.

    :param studies: Measurements; their models are measured again on the core concepts.
    :param core: The lexicon of core concepts.
    :return: The similarity within each concept, that of the worst pairs reported, and the distances between
        language centroids; a column a model, and the reported one, in the order of the reported values.
    """
    concepts, pairs, centroids = {}, {}, {}
    for study in studies:
        alignment = study_concepts(study.encoder, core, seed=seed).alignment
        concepts[study.encoder.name] = dict(zip(alignment.concepts, alignment.intra, strict=True))
        pairs[study.encoder.name] = {f"{c}: {a}-{b}": cosine for c, a, b, cosine in alignment.misaligned(1.1)}
        centroids[study.encoder.name] = {
            f"{a}-{b}": alignment.centroid_distance[i, j]
            for i, a in enumerate(alignment.languages)
            for j, b in enumerate(alignment.languages)
        }
    published = load_reported("concept-study").query("item != ''").sort_values("value")
    tables = []
    for metric, columns in (("intra_concept", concepts), ("pair_similarity", pairs), ("centroid_distance", centroids)):
        reported = published[published["metric"] == metric].set_index("item")["value"]
        measured = {name: [values[item] for item in reported.index] for name, values in columns.items()}
        tables.append(pd.DataFrame({**measured, "MiniLM-L12-v2 (reported)": reported.to_numpy()}, index=reported.index))
    return tuple(tables)
