"""Numbers that others published, kept apart from those measured here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlutils.datasets.files import BUILTIN, builtin_names
from xlutils.errors import unknown

if TYPE_CHECKING:
    import pandas as pd


def load_reported(name: str) -> pd.DataFrame:
    """Load the numbers of one publication; `attrs["source"]` of the table has its citation.

    :param name: Such as "concept-study".
    :return: Columns metric, item ("" for an aggregate), value and, where ranges were published, low and high;
        NaN where nothing was published.
    """
    import pandas as pd

    if name not in builtin_names("reported", ".csv"):
        raise unknown("set of reported numbers", name, builtin_names("reported", ".csv"))
    path = BUILTIN / "reported" / f"{name}.csv"
    table = pd.read_csv(path, comment="#", keep_default_na=False)
    for column in table.columns.intersection(["value", "low", "high"]):
        table[column] = pd.to_numeric(table[column], errors="coerce")
    comments = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    table.attrs["source"] = " ".join(line.lstrip("# ") for line in comments)
    return table
