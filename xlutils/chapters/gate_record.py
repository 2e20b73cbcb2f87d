"""The gate: records of comparisons, and what they say over time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from xlutils.chapters.gate import UNKNOWN, WORSE, Gate
from xlutils.chapters.gate_sides import Side
from xlutils.datasets.languages import language_name
from xlutils.errors import XlError
from xlutils.results.record import Record, describe_dataset, find_records, read_record
from xlutils.results.rows import metric_table

_EXPERIMENT = "gate"


def record_of(gate: Gate, base: Side, candidate: Side, seed: int, moment: str) -> Record:
    """Return the record of a comparison.

    :param moment: Time, which keeps the records of several runs apart.
    """
    rows: list[dict[str, Any]] = []
    for code, findings in gate.findings.items():
        for finding in findings:
            key = {"kind": "language", "language": code, "metric": finding.measure}
            rows += [
                {**key, "value": finding.before.mean(), "state": "before"},
                {**key, "value": finding.after.mean(), "state": "after"},
                {**key, "value": finding.change, "low": finding.low, "high": finding.high, "state": "change"},
            ]
    if not rows:
        raise XlError("no language has enough canaries, so there is nothing to record; leave --records out")
    params = {"base": dict(base.about), "margin": gate.margin, "seed": seed, "notes": gate.notes + gate.warnings}
    params |= {"worse": gate.languages(WORSE), "not_judged": gate.languages(UNKNOWN), "drifted": gate.drifted}
    dataset = describe_dataset(gate.canaries, len(gate.canaries.ids))
    variant = f"from-{base.name}.{moment}"
    return Record(_EXPERIMENT, dict(candidate.about), dataset, params, metric_table(rows), {}, variant)


def history(records_dir: Path) -> str:
    """Return the recorded comparisons in the order of time: the verdict, and the largest loss of any language.

    :raises XlError: If there is none.
    """
    records = [read_record(path) for path in find_records(records_dir, _EXPERIMENT)]
    if not records:
        raise XlError(f"no record of a gate in {records_dir.name}; run one with --records {records_dir.name}")
    return "\n".join(
        line for record in sorted(records, key=lambda record: record["created"]) for line in _lines(record)
    )


def _lines(record: dict[str, Any]) -> Iterator[str]:
    params, metrics = record["params"], record["metrics"]
    worse = [language_name(code) for code in dict.fromkeys([*params["worse"], *params["drifted"]])]
    yield f"{record['created']}  {params['base']['name']} -> {record['model']['name']}"
    yield f"  worse: {', '.join(worse) or 'none'}; not judged: {len(params['not_judged'])}"
    changes = metrics[metrics["state"] == "change"]
    for row in changes.loc[changes.groupby("metric", sort=False)["value"].idxmin()].to_dict("records"):
        yield f"  {row['metric']:10} {row['value']:+.2f} at worst, in {language_name(row['language'])}"
