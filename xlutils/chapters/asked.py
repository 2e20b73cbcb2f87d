"""Chapters 3 and 4: what the language of the question changes, question by question, from the items of records."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlutils.chapters.wording import language_names, with_margin
from xlutils.datasets.scenarios import PIVOT
from xlutils.metrics.uncertainty import bootstrap_means, bootstrap_ratio
from xlutils.results.record import read_items, read_record

Floats = NDArray[np.float64]
_SCENARIOS = {  # pool and question of a pair: asked in the other language, asked in English
    "multi": (f"multi/{PIVOT}+{{0}}/{{0}}", f"multi/{PIVOT}+{{0}}/{PIVOT}"),
    "multi-1": (f"multi-1/{PIVOT}+{{0}}/{{0}}", f"multi-1/{PIVOT}+{{0}}/{PIVOT}"),
    "mono-same": ("mono-same/{0}/{0}", f"mono-same/{PIVOT}/{PIVOT}"),
    "mono-cross": (f"mono-cross/{PIVOT}/{{0}}", f"mono-cross/{{0}}/{PIVOT}"),
}


class Asked(NamedTuple):
    """A metric of the same questions, asked in two languages, float64 [questions, targets] each.

    :param other: Asked in the target language.
    :param english: Asked in English.
    :param targets: Codes of the languages beside English.
    :param clusters: Passage of each question, int [questions].
    """

    other: Floats
    english: Floats
    targets: tuple[str, ...]
    clusters: NDArray[np.int64]

    @property
    def gap(self) -> Floats:
        """How much higher the metric is if asked in the target language."""
        return self.other - self.english

    def gaps(self, seed: int = 42) -> pd.DataFrame:
        """Return the mean gap with its interval: columns value, low and high; the index holds the targets."""
        if not self.targets:
            return pd.DataFrame(columns=["value", "low", "high"])
        low, high = bootstrap_means(self.gap, seed, self.clusters)
        return pd.DataFrame({"value": self.gap.mean(axis=0), "low": low, "high": high}, index=[*self.targets])

    def only(self, codes: Collection[str]) -> Asked:
        """Return the part about some of the targets."""
        kept = [number for number, code in enumerate(self.targets) if code in codes]
        targets = tuple(self.targets[number] for number in kept)
        return self._replace(other=self.other[:, kept], english=self.english[:, kept], targets=targets)


def read_asked(items: pd.DataFrame, kind: str, metric: str) -> Asked:
    """Return a metric of all pairs with English, from the items of a record.

    :param kind: "multi", "multi-1", "mono-same" or "mono-cross".
    """
    wide = items.pivot_table(metric, ["question", "passage"], "scenario")
    other, english = _SCENARIOS[kind]
    codes = list(dict.fromkeys(code for name in wide for code in str(name).split("/")[1].split("+")))
    targets = tuple(code for code in codes if code != PIVOT and {other.format(code), english.format(code)} <= {*wide})
    one, two = (wide[[name.format(code) for code in targets]].to_numpy(float) for name in (other, english))
    return Asked(one, two, targets, wide.index.get_level_values("passage").to_numpy())


def mean_interval(values: Floats, clusters: NDArray[np.int64], seed: int) -> list[float]:
    """Return the mean over questions and targets, with its 95% interval."""
    return ratio_interval(values, np.ones_like(values), clusters, seed)


def ratio_interval(parts: Floats, wholes: Floats, clusters: NDArray[np.int64], seed: int) -> list[float]:
    """Return the mean over targets of the ratio of two means over questions, with its 95% interval.

    :param parts: float64 [questions, targets]; `wholes` likewise.
    """
    scale = wholes.mean(axis=0)  # every target counts the same
    numerator, denominator = ((side / scale).mean(axis=1) for side in (parts, wholes))
    bounds = bootstrap_ratio(numerator, denominator, clusters, seed=seed)
    return [float(numerator.sum() / denominator.sum()), *map(float, bounds)]


def gap_table(paths: Iterable[str | Path], kind: str, seed: int = 42) -> pd.DataFrame:
    """Return the gap in Max@R between the languages of the question: Figure 2 of Hong et al.

    :param paths: Records of chapter 3.
    :param kind: "multi", or "mono-cross" for one language in the pool.
    :return: Columns series (the model), value, low and high; the index names the target.
    """
    tables = [pd.DataFrame(columns=["series", "value", "low", "high"])]
    for path in paths:
        gaps = read_asked(read_items(path), kind, "max@r").gaps(seed).rename(language_names)
        tables.append(gaps.assign(series=read_record(path)["model"]["name"]))
    return pd.concat(tables[1:] or tables)


def complete_table(paths: Iterable[str | Path], seed: int = 42) -> pd.DataFrame:
    """Return Complete@K in Multi by language of the question, and the gap with half the width of its interval."""
    rows = {}
    for path in paths:
        record = read_record(path)
        asked = read_asked(read_items(path), "multi", f"complete@{record['params']['k']}")
        for number, (code, *gap) in enumerate(asked.gaps(seed).itertuples()):
            rows[record["model"]["name"], language_names(code)] = {
                "asked in English": f"{asked.english[:, number].mean():.1f}",
                "asked in the target": f"{asked.other[:, number].mean():.1f}",
                "gap": with_margin(*gap, digits=1),
            }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["model", "target"])
