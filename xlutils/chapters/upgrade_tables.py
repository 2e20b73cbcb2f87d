"""Chapter 8: records of an upgrade as tables, and verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from xlutils.chapters.claims import Claim, claim_table, in_all
from xlutils.chapters.map_tables import learned_parts, states_of
from xlutils.chapters.wording import write_table
from xlutils.datasets.languages import LANGUAGES
from xlutils.errors import XlError

DOCUMENTS = (100_000, 1_000_000, 100_000_000)
KEPT = 0.95  # of what the new model finds in an index of its own; we chose it
_BOUNDS = ["value", "low", "high"]


def largest_map(record: Mapping[str, Any], way: str = "ridge, all questions") -> str:
    """Return the state of the map of a kind that was fitted on most texts.

    :raises XlError: If there is none.
    """
    table = states_of(record, "within/first")
    rows = table[table["way"] == way].sort_values("pairs")
    if rows.empty:
        raise XlError(f"no map by {way} was fitted; choose one of {', '.join(sorted({*table['way']} - {'', 'new'}))}")
    return str(rows["state"].iloc[-1])


def upgrade_table(record: Mapping[str, Any], pool: str = "within", state: str | None = None) -> pd.DataFrame:
    """Return what an upgrade finds in each language, as text: one row per language, those never learned last.

    :param pool: "within" for passages in the language of the question, "across" for those of the pivot.
    :param state: The map; by default that of `largest_map`.
    """
    state = largest_map(record) if state is None else state
    columns = {}
    for title, metric, chosen in (
        ("old model alone", f"{pool}/first", ""),
        ("through a map", f"{pool}/first", state),
        ("encoded anew", f"{pool}/first", "new"),
        ("kept of anew", f"{pool}/first/of-new", state),
        ("against the old", f"{pool}/first/of-old", state),
    ):
        table = states_of(record, metric)
        columns[title] = write_table(table[table["state"] == chosen].set_index("language")[_BOUNDS])
    return learned_apart(record, pd.DataFrame(columns).fillna(""))


def learned_apart(record: Mapping[str, Any], table: pd.DataFrame) -> pd.DataFrame:
    """Return a table indexed by language, those last that the model never learned, which the new index says."""
    parts = learned_parts(record).items()
    rows = [(kind, code) for kind, codes in parts for code in codes if code in table.index]
    index = pd.MultiIndex.from_tuples([(kind, LANGUAGES[code].name) for kind, code in rows], names=["", "language"])
    return table.loc[[code for _, code in rows]].set_axis(index)


def reencoding_table(records: Iterable[Mapping[str, Any]], texts: int) -> pd.DataFrame:
    """Return how long it takes to encode an index anew, on the machine of the record and one core of it.

    :param texts: Number of texts that a map is fitted on, which both models encode.
    :return: One row per record: passages per second of the new model, hours by number of documents, hours for the map,
        and the number of documents beyond which the map takes less.
    """
    rows = {}
    for record in records:
        old, new = (record["timing"][name] / record["params"]["timed"] for name in ("old", "new"))
        hours = {f"{count:,} documents (hours)": count * new / 3600 for count in DOCUMENTS}
        name = f"{record['params']['target']['name']} to {record['model']['name']}"
        rows[name] = {
            "passages per second": 1 / new,
            **hours,
            f"map on {texts:,} texts (hours)": texts * (old + new) / 3600,
            "break-even (documents)": texts * (old + new) / new,
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def upgrade_claims(
    records: Iterable[Mapping[str, Any]], ways: Sequence[str] = ("ridge, all questions", "ridge, pivot questions")
) -> pd.DataFrame:
    """Check what is said of maps in place of encoding an index anew; see `claims.claim_table`.

    :param ways: Maps, each of which is taken as fitted on most texts.
    """
    rows = []
    for record in records:
        name = f"{record['params']['target']['name']} to {record['model']['name']}"
        rows += [(name, claim) for way in ways for claim in _check(record, largest_map(record, way))]
    return claim_table(sorted(rows, key=lambda row: row[1].claim))


def _check(record: Mapping[str, Any], state: str) -> Iterator[Claim]:
    codes = next(iter(learned_parts(record).values()))
    more = "finds more than the old model"
    for claim, shown_by, metric, limit in (
        (
            "A map replaces re-encoding",
            f"keeps {KEPT:.0%} of what the new model finds in its own index",
            "within/first/of-new",
            KEPT,
        ),
        ("A map is better than the old model alone", more, "within/first/of-old", 1.0),
        (
            "A map opens an index of the pivot to other languages",
            f"{more}, among passages of the pivot",
            "across/first/of-old",
            1.0,
        ),
    ):
        table = states_of(record, metric)
        rows = table[(table["state"] == state) & table["language"].isin(codes)]
        if len(rows):
            yield in_all(claim, f"{shown_by}, in every language that the new model learned ({state})", rows, limit)
