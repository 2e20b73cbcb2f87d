"""Chapter 2: Semantic Affinity of models on lexicons, and characters that have moved away from their early meaning."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from xlutils.chapters.tables import combine_means
from xlutils.datasets.lexicon import Lexicon
from xlutils.errors import BrokenModelError, XlError
from xlutils.metrics.affinity import Affinity, semantic_affinity
from xlutils.metrics.geometry import first_equal, unit_rows
from xlutils.metrics.uncertainty import bootstrap_ci
from xlutils.models.encoder import Encoder, Reading
from xlutils.results.record import Record, describe_dataset, describe_model
from xlutils.results.rows import metric_table, tidy

DRIFT = ("zh", "en")  # words, and the language of their glosses
_TIE = 5e-6  # cosines that differ by less are equal


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
        """Return one row per concept: distance, affinity, values whose mean is that of the whole, if it is read."""
        affinity = self.affinity
        columns = {"concept": affinity.concepts, "category": self.lexicon.categories, "inter": affinity.inter}
        columns |= {"sa": affinity.sa_by_concept, "sa_value": affinity.sa_values}
        readable = np.isin(affinity.concepts, self.readable().concepts).astype(int)
        return pd.DataFrame({**columns, "sa_pairs_value": affinity.sa_pairs_values, "readable": readable})

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
        return mean_intervals({"all": self.affinity.sa_values, **columns}, seed)

    def by_pair(self, seed: int) -> pd.DataFrame:
        """Return the affinity of each pair of languages that share concepts, with intervals."""
        values, codes = self.affinity.sa_values_by_pair, enumerate(self.affinity.languages)
        pairs = {(one, other): values[:, i, j] for (i, one), (j, other) in itertools.combinations(codes, 2)}
        return mean_intervals(pairs, seed).rename_axis(["language", "other language"])

    def record(self, seed: int, variant: str = "") -> Record:
        """Return the record of this measurement."""
        affinity, pairs = self.affinity, self.by_pair(seed)
        names = ["sa_sem", "sa_euclidean", "inter_spread", "intra_spread"]
        if affinity.status == "OK":
            names.append("sr")  # infinite for a collapsed space, which JSON cannot hold
        values = {name: getattr(affinity, name) for name in names}
        values |= {"n_pairs": affinity.pairs, "n_concepts": np.isfinite(affinity.inter).sum()}
        both = mean_intervals({"sa": affinity.sa_values, "sa_pairs": affinity.sa_pairs_values}, seed)
        rows = [{"kind": "all", "metric": name, "value": value} for name, value in values.items()]
        unread = {code: len(words) for code, words in self.unreadable().items()}
        rows += [{"kind": "language", "language": code, "metric": "unread", "value": n} for code, n in unread.items()]
        tables = [
            tidy(both, "metric", kind="all"),
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


def mean_intervals(values: Mapping[Any, np.ndarray], seed: int) -> pd.DataFrame:
    """Return means with their 95% intervals, which cannot leave [0, 1]; columns with NaN are left out."""
    rows = {}
    for key, column in values.items():
        if np.isfinite(column).all():
            low, high = bootstrap_ci(column, seed=seed)
            rows[key] = (column.mean(), max(low, 0.0), min(high, 1.0))
    return pd.DataFrame(list(rows.values()), index=pd.Index(list(rows)), columns=["value", "low", "high"])


def moved_words(study: AffinityStudy, modern: AffinityStudy) -> pd.DataFrame:
    """Compare each Chinese word with its English glosses and with modern English words.

    :param study: Words with their early meanings, such as the characters of the oracle bones; only readable concepts
        with words in both languages count.
    :param modern: Frequent words of today; of these, the glosses of the concept itself do not compete with it.
    :return: One row per concept: word, gloss (the nearest one), modern (the nearest other word), and moved: 1 if the
        modern word is nearer, 0.5 if both are equally near.
    """
    source, target = DRIFT
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
