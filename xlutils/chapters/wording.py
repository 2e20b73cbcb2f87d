"""Numbers with their intervals, as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd


def with_interval(value: float, low: float, high: float, *, digits: int = 2) -> str:
    """Return a value with its 95% interval: `0.87 (0.86 to 0.88)`."""
    numbers = (f"{round(number, digits) + 0.0:.{digits}f}" for number in (value, low, high))  # no "-0.00"
    return "{} ({} to {})".format(*numbers)


def write_table(table: pd.DataFrame, digits: int = 2) -> pd.Series:
    """Return the columns value, low and high of a table as one column of text, rounded to digits or a column of it."""
    rows = table.assign(digits=table.get("digits", digits))[["value", "low", "high", "digits"]].to_numpy(float)
    return pd.Series([with_interval(*row, digits=int(decimals)) for *row, decimals in rows], table.index, dtype=str)


def interval_table(results: pd.DataFrame, index: Sequence[str], columns: Mapping[str, tuple[str, int]]) -> pd.DataFrame:
    """Return metrics with their intervals as text, in the order of the results.

    :param results: One row per value: columns metric, value, low, high and those of the index.
    :param index: Columns that identify a row of the table.
    :param columns: Metric and number of decimals by heading.
    """
    order = results.set_index(list(index)).index.unique()
    cells = {
        heading: write_table(results[results["metric"] == metric].set_index(list(index)), digits)
        for heading, (metric, digits) in columns.items()
    }
    table = pd.DataFrame(cells, index=order)
    return table.dropna(how="all").fillna("")
