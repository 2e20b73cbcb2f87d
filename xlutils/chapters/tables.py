"""What several chapters need: models one after the other, and statistics of groups of concepts."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import pandas as pd

from xlutils.errors import XlError
from xlutils.metrics.uncertainty import bootstrap, bootstrap_ci, holm, permutation_test_groups

Study = TypeVar("Study")


def category_table(values: np.ndarray, categories: Sequence[str], seed: int) -> pd.DataFrame:
    """Return one row per category: concepts, value, low, high, and the p-value of "lower than the rest".

    A category of one concept cannot be tested; its p-value is 1.

    :param values: float [c], one value per concept; concepts with NaN are left out.
    :param categories: c categories.
    :param seed: Seed of the intervals and of the permutation tests, whose p-values are Holm-corrected.
    """
    table = pd.DataFrame({"category": categories, "value": values}).dropna()
    rows = []
    for category, group in table.groupby("category", sort=False)["value"]:
        rest = table.loc[table["category"] != category, "value"]
        p_value = permutation_test_groups(group, rest, seed=seed) if min(len(group), len(rest)) > 1 else 1.0
        rows.append((category, len(group), group.mean(), *bootstrap_ci(group, seed=seed), p_value))
    result = pd.DataFrame(rows, columns=["category", "concepts", "value", "low", "high", "p_value"])
    return result.assign(p_value=holm(result["p_value"])).set_index("category")


def combine_means(
    groups: Sequence[np.ndarray], weights: Sequence[float] | None = None, seed: int = 42
) -> tuple[float, float, float]:
    """Return the weighted sum of the means of groups of values, with its 95% interval.

    :param groups: Values of each group, float [n] with a different n each.
    :param weights: One weight per group; by default the mean of the groups is taken.
    :param seed: Seed of the draws, which mix all groups.
    """
    factors = np.full(len(groups), 1 / len(groups)) if weights is None else np.asarray(weights)
    parts = [slice(*ends) for ends in itertools.pairwise(np.cumsum([0, *map(len, groups)]))]
    values = np.concatenate(groups)

    def combine(times: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore"):  # a draw may leave out a group: its value is NaN, and it is not counted
            means = [times[:, part] @ values[part] / times[:, part].sum(axis=1) for part in parts]
        return np.asarray(factors @ np.array(means))

    low, high = bootstrap(combine, len(values), seed=seed)
    return float(factors @ [group.mean() for group in groups]), float(low), float(high)


def each_model(models: Sequence[str], measure: Callable[[str], Study]) -> tuple[dict[str, Study], dict[str, str]]:
    """Measure models one after the other; one that fails does not stop the others.

    :param measure: Measures a model by its name.
    :return: Results by name, and reasons by the names of those that failed.
    :raises XlError: If no model could be measured.
    """
    studies, failures = {}, {}
    for name in models:
        try:
            studies[name] = measure(name)
        except XlError as error:
            failures[name] = str(error)
    if not studies:
        raise XlError(f"no model could be measured: {next(iter(failures.values()))}")
    return studies, failures
