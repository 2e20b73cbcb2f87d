"""Chapter 2: what goes with the affinity of a model: its training objective, architecture, size or languages."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlutils.datasets.reported import load_reported
from xlutils.metrics.uncertainty import holm
from xlutils.models.catalogue import find_card, is_control

FACTORS = ("objective", "architecture", "size", "languages")
FEWEST = 6  # models to test; fewer have hardly any orders
_REPORTED = {  # models that the abstract of the benchmark names, or identifies by their size
    "LLM embeddings": ("Qwen3-0.6B", "Qwen3-4B", "Qwen3-8B"),
    "mBERT and XLM-R": ("mBERT", "XLM-R"),
}
Floats = NDArray[np.float64]


def measured_models(means: pd.DataFrame) -> pd.DataFrame:
    """Return affinity and factors of the models in the catalogue, without controls, one row per model.

    :param means: Columns value, low, high, by name of the model.
    """
    named = [name for name in means.index if find_card(str(name)) and not is_control(str(name))]
    return _with_factors(means.loc[named, ["value", "low", "high"]])


def reported_models() -> pd.DataFrame:
    """Return the same for the models whose affinity the benchmark reports: a value, a range or an upper bound."""
    rows = {}
    for item, row in load_reported("semantic-affinity").set_index("item").iterrows():
        for name in _REPORTED.get(str(item), (str(item),)):
            rows[name] = row[["value", "low", "high"]]
    return _with_factors(pd.DataFrame.from_dict(rows, orient="index"))


def factor_tests(models: pd.DataFrame, seed: int = 42, resamples: int = 9999) -> pd.DataFrame:
    """Test which factor goes with affinity: one row per factor, with columns share, p_value and models.

    The share is that of the variance of the ranks of affinity: for groups, between them; for numbers, the square of
    the rank correlation. Affinities are shuffled over the models for the p-values, which are Holm-corrected. They are
    NaN for fewer than `FEWEST` models, or a factor that is the same for all.

    :param models: Columns value, low, high and `FACTORS`. Where there is no value, the middle of the range or half of
        the bound stands for it: only the order counts.
    """
    rows = {}
    middle = (models["low"].fillna(0) + models["high"]) / 2
    values = models["value"].fillna(middle)
    for factor in FACTORS:
        known = models[factor].notna() & (models[factor] != "unknown")
        ranks = np.asarray(values[known].rank(), np.float64)
        column = models.loc[known, factor]
        if len(ranks) < FEWEST or column.nunique() < 2 or np.ptp(ranks) == 0:
            rows[factor] = (np.nan, np.nan, len(ranks))
            continue
        share = explained(ranks[None], column)[0]
        dealt = np.random.default_rng(seed).permuted(np.tile(ranks, (resamples, 1)), axis=1)
        as_large = int((explained(dealt, column) >= share - 1e-9).sum())
        rows[factor] = (share, (as_large + 1) / (resamples + 1), len(ranks))
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["share", "p_value", "models"])
    tested = table["p_value"].notna()
    table.loc[tested, "p_value"] = holm(table.loc[tested, "p_value"])
    return table


def explained(ranks: Floats, factor: pd.Series) -> Floats:
    """Return the share of the variance of ranks, float [draws, models], that goes with a factor: float64 [draws]."""
    centred = ranks - ranks.mean(axis=1, keepdims=True)
    total = (centred**2).sum(axis=1)
    if pd.api.types.is_numeric_dtype(factor):
        places = np.asarray(factor.rank(), np.float64)
        order = places - places.mean()
        return np.asarray((centred @ order) ** 2 / (total * (order @ order)))
    groups = pd.get_dummies(factor).to_numpy(float)  # [models, groups]
    return np.asarray(((centred @ groups) ** 2 / groups.sum(axis=0)).sum(axis=1) / total)


def _with_factors(table: pd.DataFrame) -> pd.DataFrame:
    cards = [card for name in table.index if (card := find_card(str(name)))]
    factors = [(card.objective, card.architecture, card.parameters, card.language_count) for card in cards]
    columns = pd.DataFrame(factors, index=table.index, columns=list(FACTORS))
    numbers = dict.fromkeys(("value", "low", "high", "size", "languages"), float)
    return table.join(columns).astype(numbers)
