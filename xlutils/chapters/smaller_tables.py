"""Chapter 8: records of smaller vectors as tables, verdicts and one sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from xlutils.chapters.claims import Claim, above, below, claim_table
from xlutils.chapters.indexes import EXACT, RECALL
from xlutils.chapters.remedies import CHANGE
from xlutils.chapters.smaller import ACCURACY, CAUSES, LOST, NORM, SHARE
from xlutils.chapters.wording import with_interval, with_margin
from xlutils.datasets.languages import LANGUAGES
from xlutils.metrics.compression import full_size
from xlutils.metrics.uncertainty import bootstrap_ci, holm
from xlutils.models.catalogue import find_card, is_control

STRONG, WEAK, LEARNED, NEVER = "learned, stronger half", "learned, weaker half", "learned", "never learned"
JUDGED = ("int8", "binary", "binary, centred", "binary, centred, rescored with int8", "PCA 128, int8")
_FREE = 0.01  # of the scale; a loss below it is none
_BOUNDS = ["value", "low", "high"]


def groups_of(record: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the languages of a record by group: those that its model learned, strong and weak, and the others.

    Halves are those of the strength on other texts. A language of which nobody says so counts as learned.
    """
    rows = _of_languages(record)
    card, codes = find_card(record["model"]["name"]), list(dict.fromkeys(rows["language"]))
    learned = [code for code in codes if card is None or card.learned(code) is not False]
    groups = {LEARNED: learned}
    strength = rows[rows["metric"] == "strength"].set_index("language")["value"]
    if len(strength) and len(learned) > 1:
        middle = strength[learned].median()
        groups = {
            STRONG: [code for code in learned if strength[code] >= middle],
            WEAK: [code for code in learned if strength[code] < middle],
        }
    groups[NEVER] = [code for code in codes if code not in learned]
    return {group: members for group, members in groups.items() if members}


def group_means(record: Mapping[str, Any]) -> pd.DataFrame:
    """Return the mean over the languages of each group, in each state, with intervals over languages.

    Values of all metrics are between 0 and 1. Of a group with one language, the interval is that of the language.

    :return: Columns group, state, value, low, high, worst (name of the lowest language).
    """
    rows = _of_languages(record)
    scale = 100 if NORM in set(rows["metric"]) else 1
    rows = rows[rows["metric"].isin([ACCURACY, NORM, RECALL])]
    means = []
    for group, codes in groups_of(record).items():
        for state, part in rows[rows["language"].isin(codes)].groupby("state", sort=False):
            values, lowest = part["value"] / scale, LANGUAGES[part.loc[part["value"].idxmin(), "language"]].name
            alone = part.iloc[0][["low", "high"]] / scale
            low, high = bootstrap_ci(values, seed=record["params"]["seed"]) if len(part) > 1 else alone
            means.append((group, state, values.mean(), low, high, lowest))
    return pd.DataFrame(means, columns=["group", "state", *_BOUNDS, "worst"])


def change_table(record: Mapping[str, Any], digits: int = 3) -> pd.DataFrame:
    """Return bytes per document and mean changes by way: one row per way, one column per group of languages."""
    means = group_means(record)
    changes = means[means["state"].str.endswith(CHANGE)]
    cells = [with_margin(*row, digits=digits) for row in changes[_BOUNDS].to_numpy()]
    table = changes.assign(cell=cells, way=changes["state"].str.removesuffix(CHANGE))
    wide = table.pivot_table("cell", "way", "group", aggfunc="first", sort=False)
    worst = table[table["group"] != NEVER].sort_values("value").groupby("way")["worst"].first()
    wide.insert(0, "bytes", _all(record, "bytes")["value"].reindex(wide.index))
    kept = [way for way in wide.index if full_size(way) != way]
    return wide.loc[kept].assign(**{"worst learned": worst})


def size_lines(record: Mapping[str, Any], states: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Return a line per group of languages from large to small documents, for `plots.slope_chart`."""
    means, sizes = group_means(record), _all(record, "bytes")["value"]
    order = sorted((state for state in states if state in sizes), key=lambda state: -sizes[state])
    titles = {state: f"{(state or 'float32').replace(', ', chr(10))}\n{sizes[state]:,.0f}" for state in order}
    lines = {}
    for group, part in means.groupby("group", sort=False):
        lines[str(group)] = part.set_index("state").loc[order, _BOUNDS].rename(titles)
    return lines


def unequal_table(record: Mapping[str, Any], digits: int = 3) -> pd.DataFrame:
    """Return how losses depend on strength, script and learning: one row per way, with p-values below 0.05 starred.

    The p-values of a column are corrected for the number of ways by Holm's method.
    """
    columns = {}
    for cause in CAUSES:
        for kind in (LOST, SHARE):
            slopes = _all(record, f"{cause}/{kind}")
            if len(slopes):
                is_sure = holm(_all(record, f"{cause}/{kind}/p")["value"].to_numpy()) < 0.05
                cells = [with_interval(*row, digits=digits) for row in slopes[_BOUNDS].to_numpy()]
                columns[cause, kind] = pd.Series(
                    [cell + "*" * bool(sure) for cell, sure in zip(cells, is_sure, strict=True)], slopes.index
                )
    return pd.DataFrame(columns).rename_axis("way")


def recall_table(record: Mapping[str, Any]) -> pd.DataFrame:
    """Return what each index finds of the nearest names, by group of languages, with its bytes and relative time."""
    means = group_means(record)
    means["cell"] = [with_margin(*row, digits=3) for row in means[_BOUNDS].to_numpy()]
    table = means.pivot_table("cell", "state", "group", aggfunc="first", sort=False).rename_axis("index")
    table.insert(0, "bytes", _all(record, "bytes")["value"].round())
    seconds = pd.Series(record["timing"])
    table.insert(1, "time, exact = 1", (seconds / seconds[EXACT]).round(2).reindex(table.index))
    return table


def smaller_claims(records: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Check what is said of smaller vectors against records of names and passages; see `claims.claim_table`."""
    rows: list[tuple[str, Claim]] = []
    for record in records:
        if is_control(record["model"]["name"]):
            continue
        name = f"{record['model']['name']}, {record['dataset']['name']}"
        for state in JUDGED:
            if len(cost := _costliest(record, state)):
                shown = f"no group of languages loses {_FREE} or more: the whole interval of its mean change"
                claim = above(f"Quantisation is free: {state}", shown, cost[_BOUNDS].to_numpy(float), -_FREE, 3)
                rows.append((name, claim.because(f"the group is: {cost['group']}")))
            share = _all(record, f"strength/{SHARE}")
            if state in share.index:
                shown = "slope of the share that is lost on the accuracy with other names, below 0"
                claim = below(f"Small languages pay more: {state}", shown, share.loc[state, _BOUNDS].to_numpy(float))
                lost = with_interval(*_all(record, f"strength/{LOST}").loc[state, _BOUNDS])
                rows.append((name, claim.because(f"slope of the accuracy that is lost: {lost}")))
    return claim_table(sorted(rows, key=lambda row: row[1].claim))


def smaller_answer(record: Mapping[str, Any]) -> str:
    """Say which ways are free for every group of languages, and with which of the others who pays more."""
    costs = {state: _costliest(record, state) for state in JUDGED if state in _all(record, "bytes").index}
    free = [state for state, cost in costs.items() if cost["low"] > -_FREE]
    sure = unequal_table(record)
    parts = [f"no group of languages loses {_FREE} with {_list(free)}"]
    for cause, kind, sign, text in (
        ("strength", SHARE, -1, "languages that the model knows less lose a larger share with"),
        ("strength", LOST, 1, "languages that it knows better lose more accuracy with"),
        ("strength", LOST, -1, "languages that it knows less lose more accuracy with"),
    ):
        if (cause, kind) in sure:
            slopes = _all(record, f"{cause}/{kind}")
            is_so = (np.sign(slopes[_BOUNDS]).eq(sign).all(axis=1)) & sure[cause, kind].str.endswith("*")
            parts.append(f"{text} {_list([state for state in costs if is_so[state] and state not in free])}")
    return f"{record['model']['name']}: {'; '.join(parts)}."


def _costliest(record: Mapping[str, Any], state: str) -> pd.Series:
    """Return the mean change of the group that may have lost most, or nothing."""
    means = group_means(record)
    changes = means[means["state"] == f"{state}{CHANGE}"]
    return changes.sort_values("low").iloc[0] if len(changes) else pd.Series(dtype=object)


def _of_languages(record: Mapping[str, Any]) -> pd.DataFrame:
    rows: pd.DataFrame = record["metrics"]
    return rows[rows["kind"] == "language"]


def _all(record: Mapping[str, Any], metric: str) -> pd.DataFrame:
    """Return a metric of all languages together, one row per state."""
    rows: pd.DataFrame = record["metrics"]
    return rows[(rows["kind"] == "all") & (rows["metric"] == metric)].set_index("state")


def _list(states: Sequence[str]) -> str:
    return ", ".join(state.replace(", ", " ") for state in states) if len(states) else "no way"
