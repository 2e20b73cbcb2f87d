"""Chapter 4: Semantic Affinity after remedies that move vectors, fitted on other words than it is measured on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlutils.chapters.affinity import AffinityStudy
from xlutils.chapters.remedies import CHANGE, NOTHING
from xlutils.datasets.lexicon import Lexicon
from xlutils.metrics.affinity import semantic_affinity
from xlutils.metrics.remedies import REMEDIES, Fit, Remedy
from xlutils.metrics.uncertainty import bootstrap_ci
from xlutils.results.record import Record
from xlutils.results.rows import Key, metric_table

_MOVING = ("both sides", "components removed", "language space removed", "rotation")


def with_affinity(record: Record, words: AffinityStudy, seed: int) -> Record:
    """Add Semantic Affinity after those remedies of a record that move words, and how it changes.

    :param record: A record of remedies.
    :param words: Affinity of the model as published, on words that include English.
    """
    done = set(record.metrics["state"])
    before, rows = _values(words, NOTHING, seed), []
    for name in (name for name in _MOVING if name in done):
        after = _values(words, REMEDIES[name], seed)
        for state, values in ((name, after), (name + CHANGE, after - before)):
            low, high = bootstrap_ci(values, seed=seed)
            rows.append({**Key("all", "sa", state=state)._asdict(), "value": values.mean(), "low": low, "high": high})
    return replace(record, metrics=pd.concat([record.metrics, metric_table(rows)], ignore_index=True))


def _values(words: AffinityStudy, remedy: Remedy, seed: int) -> NDArray[np.float64]:
    """Return values whose mean is the mean affinity of two halves of the concepts, each moved as the other one says."""
    concepts = np.random.default_rng(seed).permutation(words.lexicon.concepts)
    halves = [words.lexicon.only(concepts[part::2].tolist()) for part in (0, 1)]
    values = []
    for half, other in (halves, halves[::-1]):
        space, fitted_on = words.part(half), _first_words(words, other)
        moved = remedy.move({}, space, Fit(fitted_on, fitted_on))[1]
        values.append(semantic_affinity(moved, half).sa_values)
    return np.concatenate(values)


def _first_words(words: AffinityStudy, lexicon: Lexicon) -> dict[str, np.ndarray]:
    """Return the vectors of one word per concept and language, of the concepts that all languages have."""
    cells = [row for row in zip(*lexicon.cells.values(), strict=True) if all(row)]
    columns = zip(lexicon.languages, zip(*cells, strict=True), strict=True)
    return {code: words.vectors([(code, cell[0]) for cell in column]) for code, column in columns}
