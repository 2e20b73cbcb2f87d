"""Chapter 8: the records of its parts, and what they say together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from xlutils.chapters.domain_tables import domain_claims
from xlutils.chapters.leak_tables import leak_claims
from xlutils.chapters.smaller_tables import smaller_claims
from xlutils.chapters.upgrade_tables import upgrade_claims
from xlutils.results.record import find_records, read_record

_EXPERIMENT = "production"
_CLAIMS: dict[str, Callable[[Any], pd.DataFrame]] = {
    "smaller": smaller_claims,
    "upgrade": upgrade_claims,
    "domains": domain_claims,
    "leaks": leak_claims,
}


def read_part(records_dir: str | Path, part: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the records of a part of the chapter, by model and by data set or what else tells them apart.

    :param part: Such as "smaller": the first word of a record's variant.
    """
    found = {}
    for path in find_records(records_dir, _EXPERIMENT):
        data, _, variant = path.stem.partition(".")
        name, _, rest = variant.partition(".")
        if name == part:
            record = read_record(path)
            found[record["model"]["name"], rest or data] = record
    return found


def production_claims(records_dir: str | Path) -> pd.DataFrame:
    """Check what is said of systems in production against the records of all parts; see `claims.claim_table`."""
    tables = [judge(read_part(records_dir, part).values()) for part, judge in _CLAIMS.items()]
    return pd.concat([table for table in tables if len(table)])


def newer(records: Mapping[tuple[str, str], Mapping[str, Any]]) -> dict[tuple[str, str], Mapping[str, Any]]:
    """Return records of upgrades by the old and the new model."""
    return {(record["params"]["target"]["name"], name): record for (name, _), record in records.items()}
