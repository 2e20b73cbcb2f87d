"""Chapter 2: one model on one lexicon, measured by Semantic Affinity."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass

import numpy as np
import pandas as pd

from xlutils.datasets.lexicon import Lexicon
from xlutils.errors import BrokenModelError, XlError
from xlutils.metrics.affinity import Affinity, semantic_affinity
from xlutils.metrics.geometry import first_equal
from xlutils.metrics.uncertainty import bootstrap_ci
from xlutils.models.encoder import Encoder
from xlutils.results.record import Record, describe_dataset, describe_model

TIERS = (0.60, 0.50)  # the lines that the benchmark paper draws between its three tiers


@dataclass(frozen=True)
class AffinityStudy:
    """What was measured of one model on one lexicon.

    :param model: Name, revision, source and fingerprint of the model; the model itself may be gone.
    :param lexicon: The words.
    :param spaces: For each language the vectors of its distinct words, float32 [words, dim].
    :param affinity: The measures.
    :param seconds: Time to encode and to measure.
    :param fault: What the model returned instead of vectors; then all words count as one point.
    """

    model: dict[str, str]
    lexicon: Lexicon
    spaces: dict[str, np.ndarray]
    affinity: Affinity
    seconds: dict[str, float]
    fault: str = ""

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.model["name"]

    def items(self) -> pd.DataFrame:
        """Tabulate the values by concept, a row each; concepts without a pair of languages have no distance.

        `sa` is the affinity of the concept by itself; `sa_value` has the affinity of the whole as its mean and
        serves to compare two models concept by concept.
        """
        return pd.DataFrame({
            "concept": self.affinity.concepts,
            "category": self.lexicon.categories,
            "inter": self.affinity.inter,
            "sa": self.affinity.sa_by_concept,
            "sa_value": self.affinity.sa_values,
        })  # fmt: skip

    def unread(self) -> dict[str, list[str]]:
        """List by language the words that share their vector with another one: the model cannot tell them apart."""
        found = {}
        for code, space in self.spaces.items():
            first = first_equal(space)
            often = np.bincount(first, minlength=len(first))[first]
            found[code] = [word for word, count in zip(self.lexicon.words(code), often, strict=True) if count > 1]
        return found

    def readable(self) -> Affinity:
        """Measure again without the concepts of which the model cannot read a word.

        :raises ValueError: If too little is left.
        """
        unread = {code: set(words) for code, words in self.unread().items()}
        concepts = [
            concept
            for row, concept in enumerate(self.lexicon.concepts)
            if not any(unread[code] & set(column[row]) for code, column in self.lexicon.cells.items())
        ]
        left = self.lexicon.only(concepts)
        spaces = {}
        for code, space in self.spaces.items():
            places = {word: place for place, word in enumerate(self.lexicon.words(code))}
            spaces[code] = space[[places[word] for word in left.words(code)]]
        return semantic_affinity(spaces, left)

    def rows(self) -> tuple[list[tuple[str, str, str]], np.ndarray]:
        """List every word as (concept, language, word), with its vectors, float32 [n, dim]."""
        rows = self.lexicon.rows()
        places = {
            (code, word): place
            for code in self.lexicon.languages
            for place, word in enumerate(self.lexicon.words(code))
        }
        return rows, np.stack([self.spaces[code][places[code, word]] for _, code, word in rows])

    def words(self) -> pd.DataFrame:
        """List the concepts with their words and their affinity, the worst first."""
        columns = {code: [" | ".join(cell) for cell in column] for code, column in self.lexicon.cells.items()}
        items = self.items()[["concept", "category", "sa"]].dropna()
        return items.join(pd.DataFrame(columns)).sort_values("sa", kind="stable").reset_index(drop=True)

    def by_language(self, seed: int) -> pd.DataFrame:
        """Tabulate the affinity of all languages together, then of each one to all the others, with intervals."""
        values = self.affinity.sa_values_by_language
        table = {"all": (self.affinity.sa, *self.affinity.interval(seed))}
        table |= {
            code: (values[:, number].mean(), *_interval(values[:, number], seed))
            for number, code in enumerate(self.affinity.languages)
            if np.isfinite(values[0, number])
        }
        return pd.DataFrame.from_dict(table, orient="index", columns=["value", "low", "high"])

    def by_pair(self, seed: int) -> pd.DataFrame:
        """Tabulate each pair of languages that have concepts in common: affinity with its interval."""
        values, codes = self.affinity.sa_values_by_pair, self.affinity.languages
        rows = {}
        for a, b in itertools.combinations(range(len(codes)), 2):
            if np.isfinite(values[0, a, b]):
                rows[codes[a], codes[b]] = (values[:, a, b].mean(), *_interval(values[:, a, b], seed))
        table = pd.DataFrame.from_dict(rows, orient="index", columns=["value", "low", "high"])
        table.index = pd.MultiIndex.from_tuples(table.index, names=["language", "other language"])
        return table

    def record(self, seed: int, variant: str = "") -> Record:
        """Make the record of this measurement."""
        affinity = self.affinity
        metrics = {
            "sa": affinity.sa,
            "sa_sem": affinity.sa_sem,
            "sa_euclidean": affinity.sa_euclidean,
            "inter_spread": affinity.inter_spread,
            "intra_spread": affinity.intra_spread,
            "n_pairs": affinity.pairs,
            "n_concepts": int(np.isfinite(affinity.inter).sum()),
        }
        if affinity.status == "OK":
            metrics["sr"] = affinity.sr  # infinite for a collapsed space, which JSON cannot hold
        metrics |= {f"language/{code}/unread": len(words) for code, words in self.unread().items()}
        ci95 = {"sa": affinity.interval(seed)}
        for pattern, table in (
            ("language/{}/sa", self.by_language(seed).iloc[1:]),
            ("pair/{}+{}/sa", self.by_pair(seed)),
        ):
            for key, value, low, high in table.itertuples():
                name = pattern.format(*key) if isinstance(key, tuple) else pattern.format(key)
                metrics[name], ci95[name] = value, (low, high)
        params = {"distance": "cosine", "status": affinity.status, "seed": seed}
        return Record(
            experiment="semantic-affinity",
            model=self.model,
            dataset=describe_dataset(self.lexicon, len(self.lexicon.concepts)),
            params=params | ({"fault": self.fault} if self.fault else {}),
            metrics=metrics,
            ci95=ci95,
            timing=self.seconds,
            variant=variant,
        )


def study_affinity(encoder: Encoder, lexicon: Lexicon) -> AffinityStudy:
    """Measure one model on one lexicon.

    A model that returns no vectors (NaN, infinity, zeros) has collapsed: its affinity is 0.

    :param encoder: The model.
    :param lexicon: The words.
    :raises XlError: If there is too little to measure.
    """
    words = {language: lexicon.words(language) for language in lexicon.languages}
    started = time.perf_counter()
    texts, fault = [word for column in words.values() for word in column], ""
    try:
        vectors = encoder.encode(texts, role="word")
    except BrokenModelError as error:
        vectors, fault = np.ones((len(texts), encoder.dim), np.float32), str(error)
    encoded = time.perf_counter()
    ends = np.cumsum([len(column) for column in words.values()])
    spaces = dict(zip(words, np.split(vectors, ends[:-1]), strict=True))
    try:
        affinity = semantic_affinity(spaces, lexicon)
    except ValueError as error:
        raise XlError(f"{lexicon.name}: {error}") from None
    if affinity.pairs == 0:
        raise XlError(f"{lexicon.name}: no concept has words in two languages; check its columns")
    seconds = {"encode": round(encoded - started, 3), "measure": round(time.perf_counter() - encoded, 3)}
    return AffinityStudy(describe_model(encoder), lexicon, spaces, affinity, seconds, fault)


def tier(sa: float) -> str:
    """Say in which of the paper's tiers a score lies."""
    return "aligned" if sa > TIERS[0] else "between" if sa > TIERS[1] else "not aligned"


def _interval(values: np.ndarray, seed: int) -> tuple[float, float]:
    """95% interval of an affinity, which cannot leave [0, 1]."""
    low, high = bootstrap_ci(values, seed=seed)
    return max(low, 0.0), min(high, 1.0)
