"""Chapter 4: what repairs without training do to mixed-language retrieval, on the vectors of a study."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from xlutils.metrics import repair
from xlutils.studies.outcomes import Vectors, rank_scenario
from xlutils.studies.retrieval import RetrievalStudy

Pairs = Mapping[str, tuple[np.ndarray, np.ndarray]]  # by language: vectors of passages and their translations
REPAIRS = ("centring", "components removed", "language space removed", "rotation", "CSLS")


def repaired_studies(study: RetrievalStudy, pairs: Pairs) -> dict[str, RetrievalStudy]:
    """Measure a model's vectors again after each repair.

    What is fitted without pairs is fitted on the texts that are searched and asked themselves, which needs no
    translation and is as good as such a repair can get; the rotation is fitted on the pairs.

    :param study: What was measured of the model.
    :param pairs: Passages in some languages and their English translations.
    """
    simple: dict[str, Callable[[Vectors], Vectors]] = {
        "centring": lambda spaces: repair.centre(spaces, spaces),
        "components removed": lambda spaces: repair.remove_components(spaces, spaces),
        "language space removed": lambda spaces: repair.remove_language_space(spaces, spaces),
        "rotation": lambda spaces: repair.rotate(spaces, pairs),
    }
    found = {}
    for name, change in simple.items():
        found[name] = _again(study, change(study.queries), change(study.passages), name)
    asked = np.concatenate(list(study.queries.values()))
    found["CSLS"] = _again(study, *repair.with_hubness(study.queries, study.passages, asked), "CSLS")
    return found


def _again(study: RetrievalStudy, queries: Vectors, passages: Vectors, name: str) -> RetrievalStudy:
    started = time.perf_counter()
    outcomes = {
        key: rank_scenario(study.data, queries, passages, each.scenario, study.protocol, study.k, study.device)
        for key, each in study.outcomes.items()
    }
    model = {**study.model, "name": f"{study.name} ({name})"}
    seconds = {**study.seconds, "measure": round(time.perf_counter() - started, 3)}
    return replace(study, model=model, queries=queries, passages=passages, outcomes=outcomes, seconds=seconds)
