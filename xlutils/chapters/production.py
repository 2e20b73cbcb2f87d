"""Chapter 8: the records of its parts, and what they say together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from xlutils.chapters.adapting_tables import adapter_claims, forgetting_claims
from xlutils.chapters.claims import claim_table
from xlutils.chapters.domain_tables import domain_claims
from xlutils.chapters.leak_tables import leak_claims
from xlutils.chapters.smaller_tables import smaller_claims
from xlutils.chapters.student_tables import student_claims
from xlutils.chapters.upgrade_tables import upgrade_claims
from xlutils.results.record import find_records, read_record

_EXPERIMENT = "production"
Records = Mapping[tuple[str, str], dict[str, Any]]
_OF_ALL: dict[str, Callable[[Iterable[Mapping[str, Any]]], pd.DataFrame]] = {
    "smaller": smaller_claims,
    "smaller-weights": smaller_claims,
    "upgrade": upgrade_claims,
    "domains": domain_claims,
    "leaks": leak_claims,
}
_OF_ONE = {"adapters": adapter_claims, "forgetting": forgetting_claims}


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
    tables = [judge(read_part(records_dir, part).values()) for part, judge in _OF_ALL.items()]
    tables.insert(1, student_claims(by_name(read_part(records_dir, "student"))))
    for part, check in _OF_ONE.items():
        tables += [claim_table([*check(record)]) for record in read_part(records_dir, part).values()]
    full = [table for table in tables if len(table)]
    return pd.concat(full) if full else claim_table([])


def newer(records: Records) -> dict[tuple[str, str], dict[str, Any]]:
    """Return records of upgrades by the old and the new model."""
    return {(record["params"]["target"]["name"], name): record for (name, _), record in records.items()}


def by_name(records: Records) -> dict[str, dict[str, Any]]:
    """Return records of students by the name of the student."""
    return {name: record for (_, name), record in sorted(records.items())}
