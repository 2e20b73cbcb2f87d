"""Chapter 4: what repairs without training do to a model, on the vectors of a study."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from xlutils.chapters.affinity import AffinityStudy
from xlutils.chapters.finetuning import Comparison, Side
from xlutils.datasets.triples import Triples
from xlutils.metrics import repair
from xlutils.metrics.affinity import semantic_affinity
from xlutils.models.encoder import Encoder

Pairs = Mapping[str, tuple[np.ndarray, np.ndarray]]  # by language: vectors of passages and their translations
Repair = Callable[[repair.Spaces], dict[str, np.ndarray]]
REPAIRS = ("centring", "components removed", "language space removed", "rotation", "CSLS")


def translation_vectors(
    encoder: Encoder, triples: Triples, most: int = 300
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Encode the passages of triples: by language, those in it and the English ones, float32 [n, dim] each.

    :param encoder: The model.
    :param triples: The triples.
    :param most: Pairs of each language to take; more help little.
    """
    found = {}
    for code in dict.fromkeys(row.lang for row in triples.rows):
        own = [row for row in triples.rows if row.lang == code][:most]
        found[code] = encoder.encode([row.passage_tgt for row in own]), encoder.encode([row.passage_en for row in own])
    return found


def simple_repairs(pairs: Pairs) -> dict[str, Repair]:
    """List the repairs that take the vectors of each language and give others.

    What is fitted without pairs is fitted on the texts themselves, which needs no translation and is as good as
    such a repair can get; the rotation is fitted on the pairs.

    :param pairs: Passages in some languages and their English translations.
    """
    return {
        "centring": lambda spaces: repair.centre(spaces, spaces),
        "components removed": lambda spaces: repair.remove_components(spaces, spaces),
        "language space removed": lambda spaces: repair.remove_language_space(spaces, spaces),
        "rotation": lambda spaces: repair.rotate(spaces, pairs),
    }


def compare_repairs(side: Side, pairs: Pairs) -> list[Comparison]:
    """Measure a model's vectors again after each repair.

    CSLS compares two sets of texts, so it is not measured on single words.

    :param side: What was measured of the model.
    :param pairs: Passages in some languages and their English translations.
    """
    study, found = side.retrieval, []
    for name, change in simple_repairs(pairs).items():
        started = time.perf_counter()
        queries, passages = change(study.queries), change(study.passages)
        seconds = round(time.perf_counter() - started, 3)
        after = study.again(queries=queries, passages=passages, name=f"{study.name} ({name})")
        words = _repaired_words(side.words, change) if side.words else None
        found.append(Comparison(side, Side(after, words), {"name": name}, seconds))
    started = time.perf_counter()
    asked = np.concatenate(list(study.queries.values()))
    queries, passages = repair.with_hubness(study.queries, study.passages, asked)
    seconds = round(time.perf_counter() - started, 3)
    after = study.again(queries=queries, passages=passages, name=f"{study.name} (CSLS)")
    return [*found, Comparison(side, Side(after), {"name": "CSLS"}, seconds)]


def _repaired_words(words: AffinityStudy, change: Repair) -> AffinityStudy:
    spaces = change(words.spaces)
    return replace(words, spaces=spaces, affinity=semantic_affinity(spaces, words.lexicon))
