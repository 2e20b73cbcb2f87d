"""Chapter 1: concept alignment of one model on one lexicon."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd

from xlutils.chapters.concept_record import concept_record, pair_table, script_table
from xlutils.chapters.tables import category_table
from xlutils.datasets.languages import language_name
from xlutils.datasets.lexicon import Lexicon
from xlutils.datasets.parallel import load_parallel
from xlutils.errors import XlError
from xlutils.metrics import uncertainty
from xlutils.metrics.alignment import (
    ConceptAlignment,
    concept_alignment,
    csls_retrieval,
    mean_without_nan,
    quality,
)
from xlutils.metrics.geometry import LanguageProbe, language_probe, silhouettes
from xlutils.metrics.neighbours import hubness, skewness, skewness_interval
from xlutils.metrics.pairs import centroid_estimate, nearest_interval
from xlutils.models.catalogue import find_card
from xlutils.models.encoder import Encoder, Reading
from xlutils.results.record import Record

_HUB_NEIGHBOURS = 10
_MINI_LANGUAGES = ("en", "zh", "es", "ar", "de", "th", "hi", "ru")


@dataclass(frozen=True, eq=False)
class ConceptStudy:
    """One model measured on one lexicon.

    :param encoder: The model.
    :param lexicon: The words.
    :param words: n rows of (concept, language, word).
    :param vectors: Their vectors, float32 [n, dim].
    :param alignment: Similarity, neighbours and retrieval of the words of each concept.
    :param csls: Retrieval accuracy by CSLS, float64 [c, L, L].
    :param popularity: How many words have this word among their ten nearest, int [n].
    :param probe: How well a linear classifier reads the language off a vector.
    :param silhouettes: Silhouettes by concept and by language, float64 [n] each; NaN outside the sample.
    :param params: Settings that go into the record.
    :param seconds: Time spent on encoding and on measuring.
    :param reading: What the model does not see of the words.
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
    reading: Reading

    @property
    def not_learned(self) -> tuple[str, ...]:
        """The languages of the lexicon that the model is known not to have learned."""
        card = find_card(self.encoder.name)
        return tuple(code for code in self.lexicon.languages if card and card.learned(code) is False)

    def label(self, language: str) -> str:
        """Return the name of a language, marked if the model never learned it: `Hindi (not learned)`."""
        mark = " (not learned)" if language in self.not_learned else ""
        return language_name(language) + mark

    @property
    def remark(self) -> str:
        """What the model does not see of the words, and the languages that it never learned."""
        return "; ".join(filter(None, [self.reading.remark, *map(self.label, self.not_learned)]))

    def learned_rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of a table, indexed by languages, in which the model learned every language."""
        has_unknown = table.index.to_frame(index=False).isin(self.not_learned).any(axis=1)
        return table[~has_unknown.to_numpy()]

    def only_learned(self, seed: int = 42) -> ConceptStudy | None:
        """Measure again, on the languages that the model learned; None if these are all or fewer than two."""
        cells = {code: cell for code, cell in self.lexicon.cells.items() if code not in self.not_learned}
        if not 1 < len(cells) < len(self.lexicon.languages):
            return None
        part = replace(self.lexicon, cells=cells)
        return study_concepts(self.encoder, part, self.alignment.k, seed, str(self.params["role"]))

    def items(self) -> pd.DataFrame:
        """Return the values of each concept, one row per concept."""
        category_of = dict(zip(self.lexicon.concepts, self.lexicon.categories, strict=True))
        columns = {
            "concept": self.alignment.concepts,
            "category": [category_of[concept] for concept in self.alignment.concepts],
            **self.alignment.by_concept(),
            "csls_retrieval": mean_without_nan(self.csls, (1, 2)),
            "language_probe": self.probe.accuracy,
        }
        return pd.DataFrame(columns)

    def concept_table(self) -> pd.DataFrame:
        """Return similarity, quality, nearest neighbours and retrieval of each concept, lowest similarity first."""
        table = self.items().set_index("concept")[["category", "intra_concept", "nn_accuracy", "retrieval_accuracy"]]
        table.insert(2, "quality", table["intra_concept"].map(quality, na_action="ignore"))
        return table.sort_values("intra_concept", kind="stable")

    @cache  # noqa: B019 - a study lives as long as its page
    def summary(self, seed: int) -> pd.DataFrame:
        """Return each metric with its 95% interval over draws of concepts, one row per metric."""
        concept_of = self.alignment.concept_of
        rows = {}
        for metric, column in self.items().drop(columns=["concept", "category"]).items():
            values = column.dropna()
            rows[metric] = (values.mean(), *uncertainty.bootstrap_ci(values, seed=seed))
        rows["hub_skewness"] = (skewness(self.popularity), *skewness_interval(self.popularity, concept_of, seed))
        for grouping, silhouette in zip(("concept", "language"), self.silhouettes, strict=True):
            sampled = np.isfinite(silhouette)
            interval = uncertainty.bootstrap_ci(silhouette[sampled], seed=seed, clusters=concept_of[sampled])
            rows[f"silhouette_{grouping}"] = (silhouette[sampled].mean(), *interval)
        return pd.DataFrame.from_dict(rows, orient="index", columns=["value", "low", "high"])

    @cache  # noqa: B019
    def by_category(self, seed: int) -> pd.DataFrame:
        """Return the similarity within a concept, by category; see `category_table`."""
        return category_table(self.alignment.intra, list(self.items()["category"]), seed)

    @cache  # noqa: B019
    def by_language(self, seed: int) -> pd.DataFrame:
        """Return one row per language: similarity to the other languages, neighbours, and the outlier test."""
        per_language = mean_without_nan(self.alignment.similarity, 2)
        names = ("similarity", "low", "high", "nn_accuracy", "nn_low", "nn_high")
        values = (
            mean_without_nan(per_language, 0),
            *uncertainty.bootstrap_means(per_language, seed),
            self.alignment.nearest_by_language,
            *nearest_interval(self.alignment, seed),
        )
        index = pd.Index(self.alignment.languages, name="language")
        table = pd.DataFrame(dict(zip(names, values, strict=True)), index=index)
        deviation, p_value = uncertainty.outlier_test(per_language, seed=seed)
        from_mean = per_language - mean_without_nan(per_language, 1)[:, None]
        from_mean[np.isfinite(per_language).sum(axis=1) < 2] = np.nan  # alone, a language has no others
        low, high = uncertainty.bootstrap_means(from_mean, seed)
        return table.assign(deviation=deviation, deviation_low=low, deviation_high=high, p_value=p_value)

    def by_pair(self, seed: int) -> pd.DataFrame:
        """Return retrieval accuracy for each ordered pair of languages, worst pair first."""
        intervals = uncertainty.bootstrap_means(self.alignment.hits, seed)
        table = pair_table(
            self.alignment, self.alignment.retrieval_matrix, *intervals, ("query language", "searched language")
        )
        different = table.index.get_level_values(0) != table.index.get_level_values(1)
        return table[different].sort_values("value")

    @cache  # noqa: B019
    def centroids(self, seed: int) -> pd.DataFrame:
        """Return the distance between the mean vectors of each pair of languages, corrected for chance."""
        table = pair_table(self.alignment, *centroid_estimate(self.alignment, seed), ("language", "other language"))
        upper = np.triu(np.ones_like(self.alignment.centroid_distance, bool), 1).ravel()
        return table[upper].sort_values(["value", "high"], ascending=False)

    @cache  # noqa: B019
    def scripts(self, seed: int) -> pd.DataFrame:
        """Return whether learned languages that share a script align better; see `script_table`."""
        return script_table(self.alignment, self.not_learned, seed)

    def record(self, seed: int, threshold: float = 0.5) -> Record:
        """Return the record of this measurement; translations with a cosine below the threshold are misaligned."""
        return concept_record(self, seed, threshold)


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
    csls = csls_retrieval(alignment)
    popularity = hubness(vectors, min(_HUB_NEIGHBOURS, len(words) - 1))
    clusters = silhouettes(vectors, concepts, languages, seed)
    reading = encoder.look_at({code: lexicon.words(code) for code in lexicon.languages}, role)
    params: dict[str, object] = {"k": k, "role": role, **reading.facts}
    seconds = {"encode": round(encoded - started, 3), "measure": round(time.perf_counter() - encoded, 3)}
    measured = (alignment, csls, popularity, probe, clusters)
    return ConceptStudy(encoder, lexicon, words, vectors, *measured, params, seconds, reading)


def sentences(languages: Sequence[str]) -> Lexicon:
    """Return a lexicon of sentences: the first question on each passage of `mini` is one concept.

    :param languages: Codes; those missing from `mini` are ignored, and all of `mini` is taken if it has fewer than two.
    """
    shared = [code for code in languages if code in _MINI_LANGUAGES]
    data = load_parallel("mini", shared if len(shared) > 1 else _MINI_LANGUAGES)
    first = np.unique(data.gold, return_index=True)[1]
    cells: dict[str, tuple[tuple[str, ...], ...]] = {
        code: tuple((queries[row],) for row in first) for code, queries in data.queries.items()
    }
    ids = tuple(data.query_ids[row] for row in first)
    return Lexicon("mini-questions", ids, ("sentence",) * len(first), cells)
