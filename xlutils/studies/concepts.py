"""Chapter 1: one model on one lexicon, measured in every way the chapter shows."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from xlutils.datasets.lexicon import Lexicon
from xlutils.datasets.parallel import load_parallel
from xlutils.datasets.reported import load_reported
from xlutils.errors import XlError
from xlutils.metrics.concepts import ConceptAlignment, concept_alignment, csls_retrieval, mean_without_nan
from xlutils.metrics.geometry import LanguageProbe, language_probe, silhouettes
from xlutils.metrics.neighbours import hubness
from xlutils.metrics.uncertainty import bootstrap_ci, outlier_test, paired_difference, permutation_test_groups
from xlutils.models.encoder import Encoder
from xlutils.records import Record, describe_dataset, describe_model

_HUB_NEIGHBOURS = 10


@dataclass(frozen=True)
class ConceptStudy:
    """What was measured of one model.

    :param encoder: The model.
    :param lexicon: The words.
    :param words: n rows of (concept, language, word).
    :param vectors: Their vectors, float32 [n, dim].
    :param alignment: The measures of concept alignment.
    :param csls: Retrieval by CSLS, float64 [c, L, L].
    :param hub_skewness: Skewness of how often a word is among the ten nearest of others.
    :param probe: How well the language can be read off a vector.
    :param silhouette: Silhouettes by concept and by language.
    :param params: What was chosen.
    :param seconds: Time to encode and to measure.
    """

    encoder: Encoder
    lexicon: Lexicon
    words: list[tuple[str, str, str]]
    vectors: np.ndarray
    alignment: ConceptAlignment
    csls: np.ndarray
    hub_skewness: float
    probe: LanguageProbe
    silhouette: tuple[float, float]
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
        """Tabulate each metric: value and, where it is a mean over concepts, its 95% interval."""
        values = self.items().drop(columns=["concept", "category"])
        rows = {}
        for metric in values:
            column = values[metric].dropna()
            rows[metric] = (column.mean(), *bootstrap_ci(column, seed=seed))
        by_concept, by_language = self.silhouette
        for metric, value in (
            ("hub_skewness", self.hub_skewness),
            ("silhouette_concept", by_concept),
            ("silhouette_language", by_language),
        ):
            rows[metric] = (value, np.nan, np.nan)
        return pd.DataFrame.from_dict(rows, orient="index", columns=["value", "low", "high"])

    def by_category(self, seed: int) -> pd.DataFrame:
        """Tabulate each category: similarity within a concept, its interval, and whether it is lower than the rest.

        The p-values are corrected for the number of categories by Holm's method.
        """
        items = self.items().dropna(subset=["intra_concept"])
        rows = []
        for category, group in items.groupby("category", sort=False)["intra_concept"]:
            rest = items.loc[items["category"] != category, "intra_concept"]
            p_value = permutation_test_groups(group, rest, seed=seed) if len(rest) else 1.0
            rows.append((category, len(group), group.mean(), *bootstrap_ci(group, seed=seed), p_value))
        table = pd.DataFrame(rows, columns=["category", "concepts", "value", "low", "high", "p_value"])
        table["p_value"] = _holm(table["p_value"].to_numpy())
        return table.set_index("category")

    def by_language(self, seed: int) -> pd.DataFrame:
        """Tabulate each language: its similarity to the others, and whether it is an outlier."""
        similarity = self.alignment.similarity
        per_language = mean_without_nan(similarity, 2)
        deviation, p_values = outlier_test(per_language, seed=seed)
        columns = {
            "similarity": mean_without_nan(per_language, 0),
            "deviation": deviation,
            "p_value": p_values,
            "missing": list(self.alignment.missing.values()),
        }
        return pd.DataFrame(columns, index=pd.Index(self.alignment.languages, name="language"))

    def record(self, seed: int) -> Record:
        """Make the record of this measurement."""
        summary = self.summary(seed)
        metrics = {str(name): float(row["value"]) for name, row in summary.iterrows()}
        for code, row in self.by_language(seed).iterrows():
            metrics[f"language/{code}/similarity"] = row["similarity"]
        bounded = summary.dropna()
        return Record(
            experiment="concept-alignment",
            model=describe_model(self.encoder),
            dataset=describe_dataset(self.lexicon, len(self.lexicon.concepts)),
            params={**self.params, "seed": seed},
            metrics=metrics,
            ci95={str(name): (row["low"], row["high"]) for name, row in bounded.iterrows()},
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
    return ConceptStudy(
        encoder,
        lexicon,
        words,
        vectors,
        alignment,
        csls_retrieval(alignment, concepts),
        hubness(alignment.neighbours, min(_HUB_NEIGHBOURS, len(words) - 1))[1],
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


def _holm(p_values: np.ndarray) -> np.ndarray:
    order = np.argsort(p_values)
    stepped = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(stepped, 1)
    return corrected


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
