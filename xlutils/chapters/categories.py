"""Categories of concepts beside each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from xlutils.metrics.uncertainty import bootstrap_ci, holm, permutation_test_groups


def category_table(values: np.ndarray, categories: Sequence[str], seed: int) -> pd.DataFrame:
    """Tabulate each category: mean value, its interval, and whether it is lower than the rest.

    :param values: float [c], a value a concept; concepts with NaN are left out.
    :param categories: c categories.
    :param seed: Seed of the intervals and tests.
    :return: A row a category, in order of appearance: concepts, value, low, high, p_value (corrected for the
        number of categories by Holm's method).
    """
    table = pd.DataFrame({"category": categories, "value": values}).dropna()
    rows = []
    for category, group in table.groupby("category", sort=False)["value"]:
        rest = table.loc[table["category"] != category, "value"]
        p_value = permutation_test_groups(group, rest, seed=seed) if len(rest) else 1.0
        rows.append((category, len(group), group.mean(), *bootstrap_ci(group, seed=seed), p_value))
    result = pd.DataFrame(rows, columns=["category", "concepts", "value", "low", "high", "p_value"])
    result["p_value"] = holm(result["p_value"])
    return result.set_index("category")
