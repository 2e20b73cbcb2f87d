"""The metrics of a record as a tidy table: one row per value, and columns that say what it is the value of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("kind", "pool", "query", "language", "metric", "value", "low", "high", "state")
_NUMBERS = ("value", "low", "high")


class Key(NamedTuple):
    """What a value is the value of.

    :param kind: "all" for the whole data set, "language", "pair", "mining" for translations found among
        all texts of a language, or the group of a scenario, such as "multi".
    :param metric: Name of the metric.
    :param pool: Languages that are searched or compared, such as "en+zh"; empty for the mean over a group.
    :param query: Language that searches.
    :param language: A single language, such as that of a gold passage.
    :param state: "" as measured; "before", "after" or "change" of a comparison; a remedy, or its change.
    """

    kind: str
    metric: str
    pool: str = ""
    query: str = ""
    language: str = ""
    state: str = ""


def metric_table(rows: pd.DataFrame | Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return rows with exactly `COLUMNS`: "" for a missing text, NaN for a missing number."""
    import pandas as pd  # here, because it takes half a second, and most commands do without

    table = pd.DataFrame(rows)
    empty = {name: math.nan if name in _NUMBERS else "" for name in COLUMNS if name not in table}
    table = table.assign(**empty)[list(COLUMNS)].reset_index(drop=True)
    return table.fillna(dict.fromkeys(Key._fields, "")).astype(dict.fromkeys(_NUMBERS, float))


def rows_of(table: pd.DataFrame, key: Key) -> pd.DataFrame:
    """Return the rows of a table that have a key: one for a record, several for several records."""
    return table[(table[list(Key._fields)] == list(key)).all(axis=1)]


def value_of(table: pd.DataFrame, key: Key) -> float:
    """Return the value that a record has for a key."""
    return float(rows_of(table, key)["value"].item())


def tidy(table: pd.DataFrame, *index: str, **cells: str) -> pd.DataFrame:
    """Return a table of values and their bounds as rows of a record.

    :param table: Three columns: value, lower and upper bound.
    :param index: Columns of a record that the levels of the index become.
    :param cells: Further columns, the same in all rows.
    """
    return table.set_axis(["value", "low", "high"], axis=1).rename_axis(list(index)).reset_index().assign(**cells)


def metric_label(row: Mapping[Any, Any]) -> str:
    """Return a row's name in one line, such as `multi/en+zh/zh/max@r`, `mean/multi/mrr`, `sa` or `before/sa`."""
    place = [row["pool"], row["query"], row["language"]]
    kind = [] if row["kind"] == "all" else [row["kind"]] if any(place) else ["mean", row["kind"]]
    return "/".join(filter(None, [row.get("state", ""), *kind, *place, row["metric"]]))
