"""The gate: records of comparisons, and what they say over time."""

from __future__ import annotations

import html
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from xlutils.chapters.gate import UNKNOWN, WORSE, Gate
from xlutils.chapters.gate_sides import Side
from xlutils.chapters.gate_values import ABOUT
from xlutils.datasets.languages import language_name
from xlutils.errors import XlError
from xlutils.metrics.uncertainty import bootstrap_ci
from xlutils.plots import slope_chart
from xlutils.results.record import Record, describe_dataset, find_records, read_record
from xlutils.results.rows import metric_table

_EXPERIMENT = "gate"
_DRAWN = 8  # languages of a figure, those that lost most
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Releases over time</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}}
svg{{display:block;max-width:100%;height:auto;margin:1rem 0}}pre{{overflow-x:auto}}</style></head>
<body><h1>Releases over time</h1>
{figures}
<pre>{text}</pre></body></html>
"""


def record_of(gate: Gate, base: Side, candidate: Side, seed: int, moment: str) -> Record:
    """Return the record of a comparison.

    :param moment: Time, which keeps the records of several runs apart.
    """
    rows: list[dict[str, Any]] = []
    for code, findings in gate.findings.items():
        for finding in findings:
            key = {"kind": "language", "language": code, "metric": finding.measure}
            for state, values in (("before", finding.before), ("after", finding.after)):
                low, high = bootstrap_ci(values, seed=seed)
                rows.append({**key, "value": values.mean(), "low": low, "high": high, "state": state})
            rows += [
                {**key, "value": finding.change, "low": finding.low, "high": finding.high, "state": "change"},
            ]
    if not rows:
        raise XlError("no language has enough canaries, so there is nothing to record; leave --records out")
    params = {"base": dict(base.about), "margin": gate.margin, "seed": seed, "notes": gate.notes + gate.warnings}
    params["lost_together"] = [finding.measure for finding in gate.lost]
    params |= {"worse": gate.languages(WORSE), "not_judged": gate.languages(UNKNOWN), "drifted": gate.drifted}
    dataset = describe_dataset(gate.canaries, len(gate.canaries.ids))
    variant = f"from-{base.name}.{moment}"
    return Record(_EXPERIMENT, dict(candidate.about), dataset, params, metric_table(rows), {}, variant)


def history(records_dir: Path) -> str:
    """Return the recorded comparisons in the order of time: the verdict, and the largest loss of any language.

    :raises XlError: If there is none.
    """
    return "\n".join(line for record in _by_time(records_dir) for line in _lines(record))


def history_page(records_dir: Path) -> str:
    """Return a page with a figure per measure: the languages that lost most, from release to release.

    :raises XlError: As `history`.
    """
    records = _by_time(records_dir)
    figures = []
    for measure, about in ABOUT.items():
        lines = _releases(records, measure)
        if lines:
            figures.append(_svg(slope_chart(lines, f"{measure}: {about}")))
    return _PAGE.format(text=html.escape(history(records_dir)), figures="\n".join(figures))


def release_lines(records_dir: str | Path, measure: str) -> dict[str, pd.DataFrame]:
    """Return a measure from release to release, for the languages that lost most: for `plots.slope_chart`.

    :raises XlError: As `history`.
    """
    return _releases(_by_time(records_dir), measure)


def _releases(records: Sequence[dict[str, Any]], measure: str) -> dict[str, pd.DataFrame]:
    """Return a measure by release, one table per language: the base of the first comparison, then each candidate."""
    parts = [(records[0], "before", records[0]["params"]["base"]["name"])]
    parts += [(record, "after", record["model"]["name"]) for record in records]
    tables = []
    for number, (record, state, name) in enumerate(parts):
        metrics = record["metrics"]
        rows = metrics[(metrics["metric"] == measure) & (metrics["state"] == state)]
        label = f"{number}. {name}\n{record['created'][:10] if number else 'base'}"
        tables.append(rows.assign(release=label.replace("@", "\n@")))
    table = pd.concat(tables)
    wide = table.pivot_table("value", "language", "release", sort=False).dropna()
    if wide.empty:  # of names that the pivot alone has, say, none has a translation
        return {}
    worst = (wide.iloc[:, -1] - wide.iloc[:, 0]).nsmallest(_DRAWN).index
    return {
        language_name(code): table[table["language"] == code].set_index("release")[["value", "low", "high"]]
        for code in worst
    }


def _svg(figure: Figure) -> str:
    file = io.StringIO()
    figure.savefig(file, format="svg")
    return file.getvalue()[file.getvalue().index("<svg") :]


def _by_time(records_dir: str | Path) -> list[dict[str, Any]]:
    records = [read_record(path) for path in find_records(records_dir, _EXPERIMENT)]
    if not records:
        name = Path(records_dir).name
        raise XlError(f"no record of a gate in {name}; run one with --records {name}")
    return sorted(records, key=lambda record: str(record["created"]))


def _lines(record: dict[str, Any]) -> Iterator[str]:
    params, metrics = record["params"], record["metrics"]
    worse = [language_name(code) for code in dict.fromkeys([*params["worse"], *params["drifted"]])]
    worse += [f"all together ({measure})" for measure in params["lost_together"]]
    yield f"{record['created']}  {params['base']['name']} -> {record['model']['name']}"
    yield f"  worse: {', '.join(worse) or 'none'}; not judged: {len(params['not_judged'])}"
    changes = metrics[metrics["state"] == "change"]
    for row in changes.loc[changes.groupby("metric", sort=False)["value"].idxmin()].to_dict("records"):
        yield f"  {row['metric']:10} {row['value']:+.2f} at worst, in {language_name(row['language'])}"
