"""Chapter 2: characters whose neighbours are modern words instead of their early meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from xlutils.chapters.affinity import AffinityStudy
from xlutils.chapters.tables import combine_means
from xlutils.metrics.geometry import unit_rows

DRIFT = ("zh", "en")  # words, and the language of their glosses
_TIE = 5e-6  # cosines that differ by less are equal


def moved_words(study: AffinityStudy, modern: AffinityStudy, source: str = "zh", target: str = "en") -> pd.DataFrame:
    """Compare each word of a language with its glosses and with modern words in another language.

    :param study: Words with their early meanings, such as the characters of the oracle bones; only readable concepts
        with words in both languages count.
    :param modern: Frequent words of today; of these, the glosses of the concept itself do not compete with it.
    :param source: Language of the words.
    :param target: Language of the glosses.
    :return: One row per concept: word, gloss (the nearest one), modern (the nearest other word), and moved: 1 if the
        modern word is nearer, 0.5 if both are equally near.
    """
    today = modern.lexicon.words(target)
    crowd = unit_rows(modern.spaces[target])
    place = {word: number for number, word in enumerate(today)}
    readable, rows = set(study.readable().concepts), []
    cells = study.lexicon.cells
    for concept, words, glosses in zip(study.lexicon.concepts, cells[source], cells[target], strict=True):
        if concept not in readable or not words or not glosses:
            continue
        here = unit_rows(study.vectors([(source, word) for word in words]))
        there = unit_rows(study.vectors([(target, gloss) for gloss in glosses]))
        own, others = (here @ there.T).max(axis=0), (here @ crowd.T).max(axis=0)
        others[[place[gloss] for gloss in glosses if gloss in place]] = -np.inf
        lead = float(others.max() - own.max())
        moved = 0.5 if abs(lead) <= _TIE else float(lead > 0)
        names = " | ".join(words), glosses[int(own.argmax())], today[int(others.argmax())]
        rows.append((concept, *names, lead, moved))
    return pd.DataFrame(rows, columns=["concept", "word", "gloss", "modern", "lead", "moved"]).set_index("concept")


def drift_table(items: Mapping[str, Sequence[pd.DataFrame]], seed: int) -> pd.DataFrame:
    """Return how much more often early characters have moved away from their glosses than modern words.

    :param items: For each model the items of its records, of modern words first and of early characters last. Those
        without a column `moved` are left out.
    :return: One row per model: characters, moved (their share), modern (the share of the modern words, which is how
        often the model is wrong without any drift), and the difference: value, low, high.
    """
    rows = {}
    for name, (modern, *_, early) in items.items():
        if "moved" in modern and "moved" in early:
            values = [table["moved"].dropna().to_numpy(float) for table in (early, modern)]
            if min(map(len, values)) > 1:
                shares = [column.mean() for column in values]
                rows[name] = (len(values[0]), *shares, *combine_means(values, (1, -1), seed))
    columns = ["characters", "moved", "modern", "value", "low", "high"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)
