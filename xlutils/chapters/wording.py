"""How numbers are written in sentences and tables."""

from __future__ import annotations

import pandas as pd


def with_interval(value: float, low: float, high: float, *, digits: int = 2) -> str:
    """Write a value with its 95% interval: `0.87 (0.86 to 0.88)`."""
    numbers = (f"{round(number, digits) + 0.0:.{digits}f}" for number in (value, low, high))  # no "-0.00"
    return "{} ({} to {})".format(*numbers)


def write_table(table: pd.DataFrame, digits: int = 2) -> pd.Series:
    """Write a table of columns value, low and high as one column of text."""
    if table.empty:
        return pd.Series(dtype=str)
    return table.apply(lambda row: with_interval(row["value"], row["low"], row["high"], digits=digits), axis=1)
