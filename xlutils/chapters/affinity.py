"""Chapter 2: Semantic Affinity of models on lexicons."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xlutils.chapters.tables import combine_means
from xlutils.datasets.lexicon import Lexicon
from xlutils.errors import BrokenModelError, XlError
from xlutils.metrics.affinity import Affinity, semantic_affinity
from xlutils.metrics.geometry import first_equal
from xlutils.metrics.uncertainty import bootstrap_ci, holm, paired_difference
from xlutils.models.encoder import Encoder, Reading
from xlutils.results.record import Record, describe_dataset, describe_model, write_record
from xlutils.results.rows import metric_table, tidy

TIERS = (0.60, 0.50)  # the lines between the three tiers of the benchmark paper


@dataclass(frozen=True)
class AffinityStudy:
    """One model measured on one lexicon.

    :param model: Name, revision, source and fingerprint of the model, which need not be in memory any more.
    :param lexicon: The words.
    :param spaces: For each language the vectors of its distinct words, float32 [words, dim].
    :param affinity: Semantic Affinity and what it is made of.
    :param seconds: Time spent on encoding and on measuring.
    :param fault: What the model returned instead of vectors; all words then count as one point.
    :param reading: What the model does not see of the words.
    """

    model: dict[str, str]
    lexicon: Lexicon
    spaces: dict[str, np.ndarray]
    affinity: Affinity
    seconds: dict[str, float]
    fault: str = ""
    reading: Reading = field(default_factory=Reading)

    def items(self) -> pd.DataFrame:
        """Return one row per concept: its distance and affinity, and values whose mean is the affinity of the whole."""
        affinity = self.affinity
        columns = {"concept": affinity.concepts, "category": self.lexicon.categories, "inter": affinity.inter}
        return pd.DataFrame({**columns, "sa": affinity.sa_by_concept, "sa_value": affinity.sa_values})

    def vectors(self, words: Sequence[tuple[str, str]]) -> np.ndarray:
        """Return the vectors of words of the lexicon, given as (language, word): float32 [n, dim]."""
        row_of = {code: {word: row for row, word in enumerate(self.lexicon.words(code))} for code in self.spaces}
        return np.stack([self.spaces[code][row_of[code][word]] for code, word in words])

    def part(self, lexicon: Lexicon) -> dict[str, np.ndarray]:
        """Return the `spaces` of a part of the lexicon."""
        return {code: self.vectors([(code, word) for word in lexicon.words(code)]) for code in lexicon.languages}

    def unreadable(self) -> dict[str, list[str]]:
        """Return for each language the words that share their vector with another word."""
        words = {}
        for code, space in self.spaces.items():
            first = first_equal(space)
            words[code] = list(itertools.compress(self.lexicon.words(code), np.bincount(first)[first] > 1))
        return words

    def readable(self) -> Lexicon:
        """Return the lexicon without the concepts that have an unreadable word."""
        unreadable = {(code, word) for code, words in self.unreadable().items() for word in words}
        faulty = {concept for concept, code, word in self.lexicon.rows() if (code, word) in unreadable}
        return self.lexicon.only([concept for concept in self.lexicon.concepts if concept not in faulty])

    def by_language(self, seed: int) -> pd.DataFrame:
        """Return the affinity of all languages together, then of each language to all others, with intervals."""
        columns = dict(zip(self.affinity.languages, self.affinity.sa_values_by_language.T, strict=True))
        return _intervals({"all": self.affinity.sa_values, **columns}, seed)

    def by_pair(self, seed: int) -> pd.DataFrame:
        """Return the affinity of each pair of languages that share concepts, with intervals."""
        values, codes = self.affinity.sa_values_by_pair, enumerate(self.affinity.languages)
        pairs = {(one, other): values[:, i, j] for (i, one), (j, other) in itertools.combinations(codes, 2)}
        return _intervals(pairs, seed).rename_axis(["language", "other language"])

    def record(self, seed: int, variant: str = "") -> Record:
        """Return the record of this measurement."""
        affinity, pairs = self.affinity, self.by_pair(seed)
        names = ["sa_sem", "sa_euclidean", "inter_spread", "intra_spread"]
        if affinity.status == "OK":
            names.append("sr")  # infinite for a collapsed space, which JSON cannot hold
        values = {name: getattr(affinity, name) for name in names}
        values |= {"n_pairs": affinity.pairs, "n_concepts": np.isfinite(affinity.inter).sum()}
        low, high = affinity.interval(seed)
        rows = [{"kind": "all", "metric": "sa", "value": affinity.sa, "low": low, "high": high}]
        rows += [{"kind": "all", "metric": name, "value": value} for name, value in values.items()]
        unread = {code: len(words) for code, words in self.unreadable().items()}
        rows += [{"kind": "language", "language": code, "metric": "unread", "value": n} for code, n in unread.items()]
        tables = [
            metric_table(rows),
            tidy(self.by_language(seed).drop(index="all"), "language", kind="language", metric="sa"),
            tidy(pairs.set_axis(pairs.index.map("+".join)), "pool", kind="pair", metric="sa"),
        ]
        params = {"distance": "cosine", "status": affinity.status, "seed": seed}
        params |= {"fault": self.fault} if self.fault else {}
        params |= self.reading.facts
        dataset = describe_dataset(self.lexicon, len(self.lexicon.concepts))
        return Record("semantic-affinity", self.model, dataset, params, pd.concat(tables), self.seconds, variant)


def study_affinity(encoder: Encoder, lexicon: Lexicon) -> AffinityStudy:
    """Measure one model on one lexicon; a model that returns no vectors (NaN, infinity, zeros) has collapsed."""
    words = [lexicon.words(language) for language in lexicon.languages]
    started = time.perf_counter()
    texts, fault = list(itertools.chain(*words)), ""
    try:
        vectors = encoder.encode(texts, role="word")
    except BrokenModelError as error:
        vectors, fault = np.ones((len(texts), encoder.dim), np.float32), str(error)
    encoded = time.perf_counter()
    ends = np.cumsum([len(column) for column in words])
    spaces = dict(zip(lexicon.languages, np.split(vectors, ends[:-1]), strict=True))
    try:
        affinity = semantic_affinity(spaces, lexicon)
    except ValueError as error:
        raise XlError(f"{lexicon.name}: {error}") from None
    if affinity.pairs == 0:
        raise XlError(f"{lexicon.name}: no concept has words in two languages; check its columns")
    seconds = {"encode": round(encoded - started, 3), "measure": round(time.perf_counter() - encoded, 3)}
    reading = encoder.look_at(dict(zip(lexicon.languages, words, strict=True)), "word")
    return AffinityStudy(describe_model(encoder), lexicon, spaces, affinity, seconds, fault, reading)


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
        return _intervals(values, seed).reindex(index)

    def means(self, seed: int) -> pd.DataFrame:
        """Return the mean over the lexicons for each complete model, best first: value, low, high, tier."""
        rows = {model: combine_means(self._values(model), seed=seed) for model in self.complete()}
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

    def _values(self, model: str) -> list[np.ndarray]:
        return [self.studies[model, dataset].affinity.sa_values for dataset in self.datasets]


def run_benchmark(
    models: Sequence[str],
    lexicons: Sequence[Lexicon],
    wide: Lexicon,
    load: Callable[[str], Encoder],
    records_dir: str | Path,
    seed: int,
) -> Benchmark:
    """Measure models on lexicons, one model in memory at a time, and write each record at once.

    A model that is unavailable, or does not fit into memory, does not stop the others.

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
            variant = "" if name == lexicon.name else "wide"
            write_record(records_dir, study.record(seed, variant), study.items())
        del encoder
    return Benchmark(datasets, studies, failures)


def tier(value: float, low: float, high: float) -> str:
    """Return the tier of the benchmark paper in which a score lies, or all tiers that its interval touches."""
    names = ["aligned" if sa > TIERS[0] else "between" if sa > TIERS[1] else "not aligned" for sa in (high, value, low)]
    return " or ".join(dict.fromkeys(names))


def _intervals(values: Mapping[Any, np.ndarray], seed: int) -> pd.DataFrame:
    """Return means with their 95% intervals, which cannot leave [0, 1]; columns with NaN are left out."""
    rows = {}
    for key, column in values.items():
        if np.isfinite(column).all():
            low, high = bootstrap_ci(column, seed=seed)
            rows[key] = (column.mean(), max(low, 0.0), min(high, 1.0))
    return pd.DataFrame(list(rows.values()), index=pd.Index(list(rows)), columns=["value", "low", "high"])
