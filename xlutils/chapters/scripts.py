"""Chapter 1: whether a shared script brings languages nearer."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from xlutils.datasets.languages import LANGUAGES
from xlutils.metrics.alignment import ConceptAlignment, Floats
from xlutils.metrics.pairs import centroid_estimate, label_gap, label_test, retrieval_estimate


def script_table(alignment: ConceptAlignment, without: Sequence[str], seed: int) -> pd.DataFrame:
    """Return how pairs of languages with a shared script differ from other pairs, on centroids and on retrieval.

    Families of languages are not controlled: the package has no list of them.

    :param without: Languages to leave out.
    :return: Rows centroid_distance and retrieval; columns value (mean of the pairs that share a script minus that of
        the others), low and high (over draws of concepts), p_value (scripts shuffled over the languages); no row if
        no pair shares a script, or all do.
    """
    known = [number for number, code in enumerate(alignment.languages) if code in LANGUAGES and code not in without]
    scripts = [LANGUAGES[alignment.languages[number]].script for number in known]

    def gap(matrices: Floats) -> Floats:
        return label_gap(matrices[..., known, :][..., known], scripts)

    columns = ["value", "low", "high", "p_value"]
    if not len(set(scripts)) < len(scripts) or len(set(scripts)) == 1:
        return pd.DataFrame(columns=columns, dtype=float)
    distances = centroid_estimate(alignment, seed)[0][known][:, known]
    shares = alignment.retrieval_matrix[known][:, known]
    rows = {
        "centroid_distance": (*centroid_estimate(alignment, seed, gap), label_test(distances, scripts, seed=seed)),
        "retrieval": (*retrieval_estimate(alignment, gap, seed), label_test(shares, scripts, seed=seed)),
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).astype(float)
