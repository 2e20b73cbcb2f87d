"""Chapter 2: many models on many lexicons, and which of them can be told apart."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from xlutils.chapters.affinity import AffinityStudy, study_affinity, tier
from xlutils.chapters.wording import with_interval
from xlutils.datasets.lexicon import Lexicon
from xlutils.errors import XlError
from xlutils.metrics.uncertainty import bootstrap, holm, paired_difference
from xlutils.models.encoder import Encoder
from xlutils.results.record import write_record


@dataclass(frozen=True)
class Benchmark:
    """What came out for each model and lexicon.

    :param models: Names of the models, in order.
    :param datasets: Names of the lexicons, in order.
    :param studies: By (model, dataset), where it could be measured.
    :param failures: By (model, dataset), why it could not.
    :param wide: By model, the first lexicon in more languages.
    """

    models: tuple[str, ...]
    datasets: tuple[str, ...]
    studies: dict[tuple[str, str], AffinityStudy]
    failures: dict[tuple[str, str], str]
    wide: dict[str, AffinityStudy]

    def first(self) -> str:
        """Name the first model that could be measured on all lexicons.

        :raises XlError: If there is none, with the reason of the first.
        """
        for model in self._complete():
            if all(self.studies[model, dataset].affinity.status == "OK" for dataset in self.datasets):
                return model
        raise XlError(f"no model could be measured on all datasets: {self.reasons()['reason'].iloc[0]}")

    def cells(self) -> pd.DataFrame:
        """Tabulate the affinities: a row a model, a column a dataset; NaN where there is none."""
        values = {d: [self._affinity(m, d) for m in self.models] for d in self.datasets}
        return pd.DataFrame(values, index=pd.Index(self.models, name="model"))

    def table(self, seed: int) -> pd.DataFrame:
        """Write the affinities with their intervals, and what went wrong where there is none."""
        columns: dict[str, list[str]] = {dataset: [] for dataset in self.datasets}
        for model, dataset in itertools.product(self.models, self.datasets):
            study = self.studies.get((model, dataset))
            if study is None:
                text = "not measured"
            elif study.affinity.status != "OK":
                text = f"0 ({study.affinity.status})"
            else:
                text = with_interval(study.affinity.sa, *study.affinity.interval(seed), digits=3)
            columns[dataset].append(text)
        return pd.DataFrame(columns, index=pd.Index(self.models, name="model"))

    def reasons(self) -> pd.DataFrame:
        """List what could not be measured, or only as collapsed, and why; a row a model and reason."""
        faults = {key: study.fault for key, study in self.studies.items() if study.fault}
        rows: dict[tuple[str, str], list[str]] = {}
        for (model, dataset), reason in {**self.failures, **faults}.items():
            rows.setdefault((model, reason), []).append(dataset)
        found = [(model, ", ".join(datasets), reason) for (model, reason), datasets in rows.items()]
        return pd.DataFrame(found, columns=["model", "datasets", "reason"])

    def means(self, seed: int) -> pd.DataFrame:
        """Tabulate the mean affinity of each model that has all datasets, best first: value, low, high, tier."""
        rows = {}
        for model in self._complete():
            groups = self._values(model)
            value = float(np.mean([group.mean() for group in groups]))
            low, high = _mean_interval(groups, seed)
            rows[model] = (value, low, high, tier(value))
        table = pd.DataFrame.from_dict(rows, orient="index", columns=["value", "low", "high", "tier"])
        return table.sort_values("value", ascending=False, kind="stable")

    def neighbours(self, seed: int) -> pd.DataFrame:
        """Compare each model with the next best one, concept by concept.

        :return: A row a pair: better, worse, difference of the mean affinities, low and high of its 95%
            interval, and the p-value, corrected for the number of pairs by Holm's method.
        """
        order = list(self.means(seed).index)
        rows, p_values = [], []
        for better, worse in itertools.pairwise(order):
            a, b = self._values(better), self._values(worse)
            value = float(np.mean([x.mean() - y.mean() for x, y in zip(a, b, strict=True)]))
            bounds = _mean_interval([x - y for x, y in zip(a, b, strict=True)], seed)
            rows.append((better, worse, value, *bounds))
            weights = [sum(map(len, a)) / (len(a) * len(x)) for x in a]  # so that the mean is one of datasets
            one, other = (np.concatenate([x * w for x, w in zip(side, weights, strict=True)]) for side in (a, b))
            p_values.append(paired_difference(one, other, seed=seed).p_value)
        table = pd.DataFrame(rows, columns=["better", "worse", "difference", "low", "high"])
        return table.assign(p_value=holm(p_values))

    def _complete(self) -> list[str]:
        return [model for model in self.models if all((model, dataset) in self.studies for dataset in self.datasets)]

    def _values(self, model: str) -> list[np.ndarray]:
        return [self.studies[model, dataset].affinity.sa_values for dataset in self.datasets]

    def _affinity(self, model: str, dataset: str) -> float:
        study = self.studies.get((model, dataset))
        return study.affinity.sa if study else np.nan


def run_benchmark(
    models: Sequence[str],
    lexicons: Sequence[Lexicon],
    wide: Lexicon,
    load: Callable[[str], Encoder],
    records_dir: str | Path,
    seed: int,
) -> Benchmark:
    """Measure models on lexicons, one model in memory at a time, and write each record at once.

    A model that cannot be had, or does not fit, is noted with its reason, and the rest goes on.

    :param models: Names.
    :param lexicons: The data.
    :param wide: The first of them in more languages; its records have the variant "wide".
    :param load: Loads a model by its name.
    :param records_dir: Where the records go.
    :param seed: Seed of the intervals.
    :raises XlError: If two lexicons have the same name.
    """
    datasets = [lexicon.name for lexicon in lexicons]
    for dataset in datasets:
        if datasets.count(dataset) > 1:
            raise XlError(f"two datasets are called {dataset}, and so would their records; rename one of the files")
    names: list[str] = []
    studies, failures, wides = {}, {}, {}
    for name in models:
        try:
            encoder = load(name)
        except XlError as error:
            names.append(name)
            failures.update({(name, lexicon.name): str(error) for lexicon in lexicons})
            continue
        names.append(encoder.name)
        for lexicon in lexicons:
            key = encoder.name, lexicon.name
            try:
                studies[key] = study_affinity(encoder, lexicon)
            except XlError as error:
                failures[key] = str(error)
                continue
            write_record(records_dir, studies[key].record(seed), studies[key].items())
        if (encoder.name, wide.name) in studies:
            study = studies[encoder.name, wide.name]
            if set(wide.languages) != set(study.lexicon.languages):
                study = study_affinity(encoder, wide)
                write_record(records_dir, study.record(seed, "wide"), study.items())
            wides[encoder.name] = study
        del encoder
    return Benchmark(tuple(names), tuple(datasets), studies, failures, wides)


def _mean_interval(groups: Sequence[np.ndarray], seed: int) -> tuple[float, float]:
    """95% interval of the mean of the means of several groups, by drawing from all groups together."""
    starts = np.cumsum([0, *map(len, groups)])
    values = np.concatenate(groups)

    def mean(times: np.ndarray) -> np.ndarray:
        parts = [slice(start, stop) for start, stop in itertools.pairwise(starts)]
        means = [times[:, part] @ values[part] / times[:, part].sum(axis=1) for part in parts]
        result: np.ndarray = np.mean(means, axis=0)
        return result

    low, high = bootstrap(mean, len(values), seed=seed)
    return float(low), float(high)
