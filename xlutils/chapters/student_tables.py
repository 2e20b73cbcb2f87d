"""Chapter 8: records of students as tables, and verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from xlutils.chapters.claims import Claim, claim_table, judged
from xlutils.chapters.map_tables import LEARNED, learned_parts, states_of
from xlutils.chapters.remedies import CHANGE
from xlutils.chapters.students import STUDENT
from xlutils.chapters.wording import with_interval
from xlutils.metrics.uncertainty import bootstrap_ci
from xlutils.results.rows import Key, rows_of

MARGIN = 0.02  # that a language may lose
KEPT = 0.9  # share of the teacher's score
_BOUNDS = ["value", "low", "high"]
Records = Mapping[str, Mapping[str, Any]]  # by short name of the student


def change_table(record: Mapping[str, Any], metric: str, state: str = "") -> pd.DataFrame:
    """Return what each language loses or gains: columns teacher, value, low, high and kind; the index names it.

    :param state: "" or "centred".
    """
    table = states_of(record, metric)
    rows = table[table["state"] == f"{STUDENT} {state}".strip() + CHANGE].set_index("name")
    kind_of = {code: kind for kind, codes in learned_parts(record).items() for code in codes}
    teacher = table[table["state"] == state].set_index("name")["value"]
    return rows[_BOUNDS].assign(teacher=teacher, kind=rows["language"].map(kind_of).fillna(LEARNED))


def cost_table(records: Records) -> pd.DataFrame:
    """Return size and speed: one row per student and for the teacher of the first one.

    The columns are megabytes of weights, processor milliseconds per passage and per name, and for each kind of text how
    many times faster than its teacher, in the same run, a student is.
    """
    rows: dict[str, dict[str, float]] = {}
    for name, record in records.items():
        for side, state in (("teacher", ""), (STUDENT, STUDENT)):
            timing, row = record["timing"], {}
            sizes = rows_of(record["metrics"], Key("all", "bytes", state=state))["value"]
            row["megabytes"] = sizes.sum() / 1e6 if len(sizes) else float("nan")
            for kind in ("passage", "name"):
                row[f"ms per {kind}"] = 1000 * timing[f"{side} per {kind}"]
                row[f"times faster, {kind}"] = timing[f"teacher per {kind}"] / timing[f"{side} per {kind}"]
            rows.setdefault(name if state else record["model"]["name"], row)
    return pd.DataFrame(rows).T


def student_claims(records: Records) -> pd.DataFrame:
    """Check what is said of students; see `claims.claim_table`."""
    return claim_table([(name, claim) for name, record in records.items() for claim in _claims(record)])


def _claims(record: Mapping[str, Any]) -> Iterator[Claim]:
    for metric, title in (("accuracy", "names"), ("across", "questions and English passages")):
        table = change_table(record, metric)
        learned = table[table["kind"] == LEARNED] if (table["kind"] == LEARNED).any() else table
        lost = learned["low"] < -MARGIN
        worst = learned.sort_values("value").iloc[0]
        yield judged(
            f"Distillation keeps alignment: {title}",
            f"in no language that the teacher learned does the interval of the change reach a loss of {MARGIN}",
            with_interval(*worst[_BOUNDS]),
            f"{worst.name} loses most; {int(lost.sum())} of {len(learned)} languages may lose more than {MARGIN}",
            holds=not lost.any(),
        )
    tables = {metric: change_table(record, metric) for metric in ("within", "across")}
    shares = {metric: 1 + table["value"] / table["teacher"] for metric, table in tables.items()}
    gap = (shares["across"] - shares["within"]).dropna()
    shown = [f"{metric} {share.min():.2f} ({share.idxmin()}) to {share.max():.2f}" for metric, share in shares.items()]
    yield judged(
        "A student keeps search within a language and loses it across",
        f"of the teacher's score, at least {KEPT} within every language, and less than that across in every one",
        with_interval(gap.mean(), *bootstrap_ci(gap)),
        f"kept {', '.join(shown)}; the interval is of the difference, over {len(gap)} languages",
        holds=bool((shares["within"] >= KEPT).all() and (shares["across"] < KEPT).all()),
    )
