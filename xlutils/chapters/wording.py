"""Numbers with their intervals, as text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from xlutils.datasets.languages import LANGUAGES
from xlutils.models.catalogue import find_card
from xlutils.results.record import read_record

BARS = "Bars: 95% intervals, from draws of whole passages."
CROSSES = (
    "Crosses: 95% intervals of the paired change from the model as published (dashed lines), from draws of passages."
)


def language_names(codes: str) -> str:
    """Return the English names of languages: "English + Chinese" for `en+zh`; an unknown code stays as it is."""
    return " + ".join(LANGUAGES[code].name if code in LANGUAGES else code for code in codes.split("+"))


def never_learned(record: Mapping[str, Any]) -> str:
    """Return `; never learned: Vietnamese` for the languages of a record that its model never learned, or nothing."""
    card = find_card(record["model"]["name"])
    names = [language_names(code) for code in record["dataset"]["languages"] if card and card.learned(code) is False]
    return f"; never learned: {', '.join(names)}" if names else ""


def about_data(paths: Iterable[str | Path]) -> str:
    """Return the data of records of questions, for a caption: `xquad: 1,190 questions about 240 passages, in ...`."""
    found: dict[tuple[str, int, str], str] = {}
    for path in dict.fromkeys(paths):
        record = read_record(path)
        data, passages = record["dataset"], record["params"].get("passages")
        about = f" about {passages:,} passages" if passages else ""
        *names, last = [language_names(code) for code in data["languages"]]
        text = f"{data['name']}: {data['size']:,} questions{about}, in {', '.join(names)} and {last}"
        key = data["name"], data["size"], data["sha256"]
        found[key] = max(text, found.get(key, ""), key=len)  # not every record counts the passages
    return "; ".join(found.values())


def with_interval(value: float, low: float, high: float, *, digits: int = 2) -> str:
    """Return a value with its 95% interval: `0.87 (0.86 to 0.88)`."""
    numbers = (f"{round(number, digits) + 0.0:.{digits}f}" for number in (value, low, high))  # no "-0.00"
    return "{} ({} to {})".format(*numbers)


def with_margin(value: float, low: float, high: float, *, digits: int = 2) -> str:
    """Return a value with half the width of its 95% interval: `0.87 ± 0.01`."""
    return f"{round(value, digits) + 0.0:.{digits}f} ± {(high - low) / 2:.{digits}f}"  # no "-0.00"


def write_table(table: pd.DataFrame, digits: int = 2, write: Callable[..., str] = with_interval) -> pd.Series:
    """Return the columns value, low and high of a table as one column of text, rounded to digits or a column of it.

    :param write: `with_interval`, or `with_margin` for a column half as wide.
    """
    rows = table.assign(digits=table.get("digits", digits))[["value", "low", "high", "digits"]].to_numpy(float)
    return pd.Series([write(*row, digits=int(decimals)) for *row, decimals in rows], table.index, dtype=str)


def interval_table(results: pd.DataFrame, index: Sequence[str], columns: Mapping[str, tuple[str, int]]) -> pd.DataFrame:
    """Return metrics with half the width of their intervals as text, in the order of the results.

    :param results: One row per value: columns metric, value, low, high and those of the index.
    :param index: Columns that identify a row of the table.
    :param columns: Metric and number of decimals by heading.
    """
    order = results.set_index(list(index)).index.unique()
    cells = {
        heading: write_table(results[results["metric"] == metric].set_index(list(index)), digits, with_margin)
        for heading, (metric, digits) in columns.items()
    }
    table = pd.DataFrame(cells, index=order)
    return table.dropna(how="all").fillna("")
