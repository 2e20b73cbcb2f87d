"""Chapter 2: one model on one lexicon, measured by Semantic Affinity."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass

import numpy as np
import pandas as pd

from xlutils.datasets.lexicon import Lexicon
from xlutils.errors import XlError
from xlutils.metrics.affinity import Affinity, semantic_affinity
from xlutils.models.encoder import Encoder
from xlutils.records import Record, describe_dataset, describe_model

TIERS = (0.60, 0.50)  # the lines that the benchmark paper draws between its three tiers


@dataclass(frozen=True)
class AffinityStudy:
    """What was measured of one model on one lexicon.

    :param encoder: The model.
    :param lexicon: The words.
    :param spaces: For each language the vectors of its distinct words, float32 [words, dim].
    :param affinity: The measures.
    :param seconds: Time to encode and to measure.
    """

    encoder: Encoder
    lexicon: Lexicon
    spaces: dict[str, np.ndarray]
    affinity: Affinity
    seconds: dict[str, float]

    def items(self) -> pd.DataFrame:
        """Tabulate the values by concept, a row each; concepts without a pair of languages have none."""
        return pd.DataFrame({
            "concept": self.affinity.concepts,
            "category": self.lexicon.categories,
            "inter": self.affinity.inter,
            "sa": self.affinity.sa_by_concept,
        })  # fmt: skip

    def record(self, seed: int) -> Record:
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
        for number, code in enumerate(affinity.languages):
            metrics[f"language/{code}/sa"] = affinity.sa_by_language[number]
        for a, b in itertools.combinations(range(len(affinity.languages)), 2):
            if np.isfinite(affinity.sa_by_pair[a, b]):
                metrics[f"pair/{affinity.languages[a]}+{affinity.languages[b]}/sa"] = affinity.sa_by_pair[a, b]
        return Record(
            experiment="semantic-affinity",
            model=describe_model(self.encoder),
            dataset=describe_dataset(self.lexicon, len(self.lexicon.concepts)),
            params={"distance": "cosine", "status": affinity.status, "seed": seed},
            metrics=metrics,
            ci95={"sa": affinity.interval(seed)},
            timing=self.seconds,
        )


def study_affinity(encoder: Encoder, lexicon: Lexicon) -> AffinityStudy:
    """Measure one model on one lexicon.

    :param encoder: The model.
    :param lexicon: The words.
    :raises XlError: If there is too little to measure.
    """
    words = {language: lexicon.words(language) for language in lexicon.languages}
    started = time.perf_counter()
    vectors = encoder.encode([word for column in words.values() for word in column], role="word")
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
    return AffinityStudy(encoder, lexicon, spaces, affinity, seconds)


def tier(sa: float) -> str:
    """Say in which of the paper's tiers a score lies."""
    return "aligned" if sa > TIERS[0] else "between" if sa > TIERS[1] else "not aligned"
