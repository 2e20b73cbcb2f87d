"""Chapter 3: the claims of Hong et al. about models as published, checked against records."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlutils.chapters.asked import Asked, Floats, mean_interval, ratio_interval, read_asked
from xlutils.chapters.claims import NOT_REPRODUCED, Claim, above, below, claim_table, untestable
from xlutils.chapters.wording import language_names, with_interval
from xlutils.datasets.scenarios import PIVOT
from xlutils.metrics.uncertainty import bootstrap_means, bootstrap_ratio
from xlutils.models.catalogue import is_control
from xlutils.results.record import read_items, read_record

STUDIED = ("multilingual-e5-base", "gte-multilingual-base", "jina-embeddings-v3", "bge-m3")  # models of the paper
_STRONG = 2.0  # times as deep: from here on target languages differ strongly
_NO_CLIR = "no pool of one language was measured"


def retrieval_claims(paths: Iterable[str | Path], seed: int = 42) -> pd.DataFrame:
    """Check the claims against records of chapter 3; see `claims.claim_table`."""
    rows, models = [], set()
    for path in paths:
        record = read_record(path)
        model, params = record["model"]["name"], record["params"]
        if not is_control(model):
            models.add(model)
            name = f"{model} on {record['dataset']['name']}, {params['protocol']}"
            rows += [(name, claim) for claim in check_retrieval(read_items(path), params["k"], seed)]
    return claim_table([*rows, *unmeasured_models(models)])


def unmeasured_models(measured: Iterable[str]) -> list[tuple[str, Claim]]:
    """Return the claim that is about the models of the paper, as long as not all of them are measured."""
    if missing := [name for name in STUDIED if name not in {*measured}]:
        text = "All four models of the paper behave like this"
        return [(", ".join(missing), untestable(text, "the same claims, for each of them", "they come from the hub"))]
    return []


def check_retrieval(items: pd.DataFrame, k: int, seed: int = 42) -> list[Claim]:
    """Check the claims against one record.

    :param items: Its values by question.
    :param k: A list of more places is too long to read.
    """
    multi, clir = (read_asked(items, kind, "max@r") for kind in ("multi", "mono-cross"))
    if not multi.targets:
        return []
    return [
        _mostly(
            "In Multi, questions in English find both passages sooner",
            "Max@R in the target language minus that in English, the mean and most pairs above 0",
            multi.gap,
            multi.clusters,
            seed,
        ),
        _larger_gap(multi, clir, seed),
        _extremes(
            "In Multi, target languages differ strongly",
            f"Max@R of the last language above {_STRONG:g} times that of the first, each asked in itself",
            multi,
            above,
            seed,
        ),
        _extremes(
            "In CLIR, target languages are even", f"the same ratio in CLIR, below {_STRONG:g}", clir, below, seed
        ),
        _mostly(
            "In Multi, ranks are too high to be practical",
            f"Max@R asked in the target language, the mean and most pairs above {k}",
            multi.other,
            multi.clusters,
            seed,
            k,
        ),
        _inclined(items, multi, seed),
        _hidden(multi, clir, seed),
    ]


def _mostly(
    text: str, shown_by: str, values: Floats, clusters: NDArray[np.int64], seed: int, limit: float = 0
) -> Claim:
    """Return a claim that the mean over pairs is above a limit, and most pairs are; see `mean_interval`."""
    low, _ = bootstrap_means(values, seed, clusters)
    return _in_most(above(text, shown_by, mean_interval(values, clusters, seed), limit, digits=1), low, limit)


def _in_most(claim: Claim, low: Floats, limit: float) -> Claim:
    """Return a claim that must also hold for most pairs, so that one language does not decide.

    :param low: Lower bound of each pair.
    """
    holds = low > limit
    verdict = claim.verdict if 2 * holds.sum() > len(holds) else NOT_REPRODUCED
    return claim._replace(verdict=verdict).because(f"above it in {holds.sum()} of {len(holds)} pairs")


def _larger_gap(multi: Asked, clir: Asked, seed: int) -> Claim:
    text, shown_by = "In CLIR the language of the question matters less", "this gap minus the same gap in CLIR above 0"
    if clir.targets != multi.targets:
        return untestable(text, shown_by, _NO_CLIR)
    gap = with_interval(*mean_interval(clir.gap, clir.clusters, seed), digits=1)
    claim = above(text, shown_by, mean_interval(multi.gap - clir.gap, multi.clusters, seed), digits=1)
    return claim.because(f"the gap in CLIR is {gap}")


def _extremes(text: str, shown_by: str, asked: Asked, decide: Callable[..., Claim], seed: int) -> Claim:
    """Compare the mean of the last target language, divided by that of the first, with `_STRONG`.

    :param decide: `above` or `below`.
    """
    if len(asked.targets) < 2:
        return untestable(text, shown_by, "there is one target language" if asked.targets else _NO_CLIR)
    means = asked.other.mean(axis=0)
    last, first = int(means.argmax()), int(means.argmin())
    bounds = bootstrap_ratio(asked.other[:, last], asked.other[:, first], asked.clusters, seed=seed)
    claim = decide(text, shown_by, [means[last] / means[first], *bounds], _STRONG, digits=1)
    return claim.because(f"{language_names(asked.targets[last])} is last, {language_names(asked.targets[first])} first")


def _inclined(items: pd.DataFrame, multi: Asked, seed: int) -> Claim:
    text = "Models prefer unrelated English documents"
    shown_by = "share of English among the intruders, asked in the target language, the mean and most pairs above 0.5"
    english, own = (_intruders(items, multi, code) for code in (PIVOT, ""))
    wholes = english + own
    asked = wholes.sum(axis=0) > 0  # pairs in which something intrudes
    if not asked.any():
        return untestable(text, shown_by, "no wrong passage ranks above a gold one")
    value, low, high = ratio_interval(english[:, asked], wholes[:, asked], multi.clusters, seed)
    bounds, _ = bootstrap_ratio(english[:, asked], wholes[:, asked], multi.clusters, seed=seed)
    claim = _in_most(above(text, shown_by, [value, low, high], 0.5), bounds, 0.5)
    return claim.because("more are in the language of the question") if high < 0.5 else claim


def _intruders(items: pd.DataFrame, multi: Asked, language: str) -> Floats:
    """Return the wrong passages in a language above the last gold one, [questions, targets]; empty: in the target's."""
    columns = []
    for code in multi.targets:
        rows = items[items["scenario"] == f"multi/{PIVOT}+{code}/{code}"].sort_values(["question", "passage"])
        columns.append(rows[f"intruders/{language or code}"].to_numpy(float))
    return np.stack(columns, axis=1)


def _hidden(multi: Asked, clir: Asked, seed: int) -> Claim:
    text = "CLIR does not show how far down one must read"
    shown_by = "Max@R in Multi above twice that in CLIR, for the same questions in the target language"
    if clir.targets != multi.targets:
        return untestable(text, shown_by, _NO_CLIR)
    interval = ratio_interval(multi.other, clir.other, multi.clusters, seed)
    reason = "a second language with the same order would double the rank"
    return above(text, shown_by, interval, 2, digits=1).because(reason)
