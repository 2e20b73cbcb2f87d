"""Chapter 4: what repairs without training do to mixed-language retrieval, on the vectors of a study."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from xlutils.metrics import repair
from xlutils.studies.outcomes import Vectors
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
        queries, passages = change(study.queries), change(study.passages)
        found[name] = study.again(queries=queries, passages=passages, name=f"{study.name} ({name})")
    asked = np.concatenate(list(study.queries.values()))
    queries, passages = repair.with_hubness(study.queries, study.passages, asked)
    found["CSLS"] = study.again(queries=queries, passages=passages, name=f"{study.name} (CSLS)")
    return found
