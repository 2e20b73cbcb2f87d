"""Chapter 2: several models measured on several lexicons."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from xlutils.chapters.affinity import DRIFT, AffinityStudy, mean_intervals, moved_words, study_affinity
from xlutils.chapters.tables import combine_means
from xlutils.datasets.lexicon import Lexicon
from xlutils.errors import XlError
from xlutils.metrics.uncertainty import holm, paired_difference
from xlutils.models.encoder import Encoder
from xlutils.results.record import write_record

TIERS = (0.60, 0.50)  # the lines between the three tiers of the benchmark paper


@dataclass(frozen=True)
class Benchmark:
    """Several models measured on several lexicons.

    :param datasets: Names of the lexicons, in order.
    :param studies: By (model, dataset), where the model could be measured; "<dataset>.wide" in more languages.
    :param failures: By (model, dataset), why it could not be measured.
    """

    datasets: tuple[str, ...]
    studies: dict[tuple[str, str], AffinityStudy]
    failures: dict[tuple[str, str], str]

    def complete(self) -> list[str]:
        """Return the models that were measured on all lexicons."""
        models = dict.fromkeys(model for model, _ in self.studies)
        return [model for model in models if all((model, dataset) in self.studies for dataset in self.datasets)]

    def first(self) -> str:
        """Return the first complete model that has not collapsed; an XlError says why there is none."""
        for model in self.complete():
            if all(self.studies[model, dataset].affinity.status == "OK" for dataset in self.datasets):
                return model
        reason = next(iter(self.failures.values()), "all have collapsed")
        raise XlError(f"no model could be measured on all datasets: {reason}")

    def scores(self, seed: int) -> pd.DataFrame:
        """Return the affinities, one row per (model, dataset): value, low, high; NaN where there is none."""
        models = dict.fromkeys(model for model, _ in (*self.studies, *self.failures))
        index = pd.MultiIndex.from_product([list(models), self.datasets], names=["model", "dataset"])
        values = {key: study.affinity.sa_values for key, study in self.studies.items()}
        return mean_intervals(values, seed).reindex(index)

    def means(self, seed: int, values: str = "sa_values") -> pd.DataFrame:
        """Return the mean over the lexicons for each complete model, best first: value, low, high, tier.

        :param values: Of `Affinity`: "sa_values", or "sa_pairs_values" for the published weighting.
        """
        rows = {model: combine_means(self._values(model, values), seed=seed) for model in self.complete()}
        table = pd.DataFrame.from_dict(rows, orient="index", columns=["value", "low", "high"])
        table["tier"] = [tier(value, low, high) for value, low, high in table.to_numpy()]
        return table.sort_values("value", ascending=False, kind="stable")

    def neighbours(self, seed: int) -> pd.DataFrame:
        """Compare each model with the next best one, concept by concept; the p-values are Holm-corrected."""
        rows = []
        for better, worse in itertools.pairwise(self.means(seed).index):
            differences = [a - b for a, b in zip(self._values(better), self._values(worse), strict=True)]
            weighted = np.concatenate([values / len(values) for values in differences])  # each lexicon counts alike
            p_value = paired_difference(weighted, np.zeros_like(weighted), seed=seed).p_value
            rows.append((better, worse, *combine_means(differences, seed=seed), p_value))
        table = pd.DataFrame(rows, columns=["better", "worse", "difference", "low", "high", "p_value"])
        table["p_value"] = holm(table["p_value"])
        return table.assign(different=table["p_value"] < 0.05)

    def _values(self, model: str, values: str = "sa_values") -> list[np.ndarray]:
        return [getattr(self.studies[model, dataset].affinity, values) for dataset in self.datasets]


def run_benchmark(
    models: Sequence[str],
    lexicons: Sequence[Lexicon],
    wide: Lexicon,
    load: Callable[[str], Encoder],
    records_dir: str | Path,
    seed: int,
) -> Benchmark:
    """Measure models on lexicons, one model in memory at a time, and write each record at once.

    A model that is unavailable, or does not fit into memory, does not stop the others. The items of a record in
    Chinese and English say which words have moved away from their glosses, to words of the first lexicon.

    :param wide: The first lexicon in more languages; its records have the variant "wide".
    :param load: Loads a model by its name.
    :raises XlError: If two lexicons have the same name.
    """
    jobs = {lexicon.name: lexicon for lexicon in lexicons}
    datasets = tuple(jobs)
    if len(jobs) < len(lexicons):
        names = [lexicon.name for lexicon in lexicons]
        raise XlError(f"two of the datasets {', '.join(names)} have the same name; rename one of the files")
    if set(wide.languages) != set(lexicons[0].languages):
        jobs[f"{wide.name}.wide"] = wide
    studies, failures = {}, {}
    for model in models:
        try:
            encoder = load(model)
        except XlError as error:
            failures.update({(model, dataset): str(error) for dataset in datasets})
            continue
        for name, lexicon in jobs.items():
            try:
                study = studies[encoder.name, name] = study_affinity(encoder, lexicon)
            except XlError as error:
                failures[encoder.name, name] = str(error)
                continue
            variant, items = "" if name == lexicon.name else "wide", study.items()
            modern = studies.get((encoder.name, datasets[0]))
            if modern and not variant and set(DRIFT) <= set(lexicon.languages):
                items["moved"] = items["concept"].map(moved_words(study, modern)["moved"])
            write_record(records_dir, study.record(seed, variant), items)
        del encoder
    return Benchmark(datasets, studies, failures)


def tier(value: float, low: float, high: float) -> str:
    """Return the tier of the benchmark in which a whole interval lies; "between tiers" if it crosses a line."""
    names = {"aligned" if sa > TIERS[0] else "middle" if sa > TIERS[1] else "not aligned" for sa in (value, low, high)}
    return names.pop() if len(names) == 1 else "between tiers"
