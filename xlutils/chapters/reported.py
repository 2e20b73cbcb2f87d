"""Chapter 1: what a study reported, beside what is measured here."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pandas as pd

from xlutils.chapters.concepts import ConceptStudy
from xlutils.datasets.languages import language_name
from xlutils.datasets.reported import load_reported
from xlutils.metrics.alignment import ConceptAlignment


def beside_reported(studies: Sequence[ConceptStudy], metric: str) -> pd.DataFrame:
    """Return what the concept study reported beside the same values measured here, lowest reported value first.

    :param studies: Measurements on the core concepts, one column each.
    :param metric: "intra_concept", "pair_similarity" or "centroid_distance".
    """
    published = load_reported("concept-study").query("item != '' and metric == @metric").sort_values("value")
    table = pd.DataFrame({study.encoder.name: _reported_values(study.alignment, metric) for study in studies})
    table["MiniLM-L12-v2 (reported)"] = published.set_index("item")["value"]
    return table.loc[published["item"]].rename(_in_words)


def _in_words(item: str) -> str:
    """Return the name of an item with names of languages: "water", "tree: English–German" or "French–Russian"."""
    concept, colon, pair = item.rpartition(": ")
    return concept + colon + "–".join(map(language_name, pair.split("-")))


def _reported_values(alignment: ConceptAlignment, metric: str) -> pd.Series:
    """Return the values of a metric under the names of the reported ones: "water", "tree: en-de" or "fr-ru"."""
    if metric == "intra_concept":
        return pd.Series(alignment.intra, alignment.concepts)
    if metric == "pair_similarity":
        return pd.Series({f"{concept}: {a}-{b}": cosine for concept, a, b, cosine in alignment.misaligned(1.1)})
    names = [f"{a}-{b}" for a, b in itertools.product(alignment.languages, repeat=2)]
    return pd.Series(alignment.centroid_distance.ravel(), names)
