"""Chapter 8: records of smaller vectors as tables, verdicts and one sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from textwrap import fill
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
WEIGHTS = ("bfloat16 weights", "int8 weights", "int4 weights")
_FREE = 0.01  # of a scale from 0 to 1; a loss below it is none
_LABEL = 9  # letters in a line
_BOUNDS = ["value", "low", "high"]


def groups_of(record: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the languages of a record by group: those that its model learned, strong and weak, and the others.

    Halves are those of the strength on other texts. A language of which nobody says so counts as learned.
    """
    rows = record["metrics"][record["metrics"]["kind"] == "language"]
    card, codes = find_card(record["model"]["name"]), list(dict.fromkeys(rows["language"]))
    learned = [code for code in codes if card is None or card.learned(code) is not False]
    groups = {LEARNED: learned, NEVER: [code for code in codes if code not in learned]}
    strength = rows[rows["metric"] == "strength"].set_index("language")["value"]
    if len(strength) and len(learned) > 1:
        strong = set(strength[learned].index[strength[learned] >= strength[learned].median()])
        halves = {STRONG: [c for c in learned if c in strong], WEAK: [c for c in learned if c not in strong]}
        groups = {**halves, NEVER: groups[NEVER]}
    return {group: members for group, members in groups.items() if members}


def group_means(record: Mapping[str, Any]) -> pd.DataFrame:
    """Return the mean over the languages of each group in each state, on a scale from 0 to 1, with its interval.

    Intervals are over languages; that of a group with one language is its own.

    :return: Columns group, state, value, low, high, worst (name of the lowest language).
    """
    rows = record["metrics"][record["metrics"]["metric"].isin([ACCURACY, NORM, RECALL])]
    rows = rows.assign(**{name: rows[name] / np.where(rows["metric"] == NORM, 100, 1) for name in _BOUNDS})
    means = []
    for group, codes in groups_of(record).items():
        for state, part in rows[rows["language"].isin(codes)].groupby("state", sort=False):
            alone = part.iloc[0][["low", "high"]]
            low, high = bootstrap_ci(part["value"], seed=record["params"]["seed"]) if len(part) > 1 else alone
            lowest = LANGUAGES[part.loc[part["value"].idxmin(), "language"]].name
            means.append((group, state, part["value"].mean(), low, high, lowest))
    return pd.DataFrame(means, columns=["group", "state", *_BOUNDS, "worst"])


def change_table(record: Mapping[str, Any]) -> pd.DataFrame:
    """Return bytes per document and mean changes: one row per way, one column per group of languages."""
    means = group_means(record)
    changes = means[means["state"].str.endswith(CHANGE)]
    changes = changes.assign(state=changes["state"].str.removesuffix(CHANGE))
    worst = changes[changes["group"] != NEVER].sort_values("value").groupby("state")["worst"].first()
    table = _written(changes).assign(**({"worst learned": worst} if len(worst) else {}))
    table.insert(0, "bytes", _all(record, "bytes")["value"].reindex(table.index).astype(int))
    return table.loc[[way for way in table.index if full_size(way) != way]]


def size_lines(record: Mapping[str, Any], states: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Return a line per group of languages from large to small documents, for `plots.slope_chart`."""
    means, sizes = group_means(record), _all(record, "bytes")["value"]
    order = sorted((state for state in states if state in sizes), key=lambda state: -sizes[state])
    titles = {state: f"{fill(state or 'float32', _LABEL)}\n{sizes[state]:,.0f}" for state in order}
    groups = means.groupby("group", sort=False)
    return {str(group): part.set_index("state").loc[order, _BOUNDS].rename(titles) for group, part in groups}


def unequal_table(record: Mapping[str, Any]) -> pd.DataFrame:
    """Return how losses depend on strength, script and learning, one row per way; starred if beyond chance.

    The p-values of a column are corrected for the number of ways by Holm's method; below 0.05 there is a star.
    """
    columns = {}
    for metric, title in _titles().items():
        slopes, p_values = _all(record, metric), _all(record, f"{metric}/p")["value"]
        if len(slopes):
            stars = np.where(holm(p_values.to_numpy()) < 0.05, "*", "")
            cells = [with_interval(*row) for row in slopes[_BOUNDS].to_numpy()]
            columns[title] = pd.Series(np.char.add(cells, stars), slopes.index)
    return pd.DataFrame(columns).rename_axis("way")


def _titles() -> dict[str, str]:
    """Return the titles of the columns of `unequal_table`, by metric."""
    losses = {LOST: "accuracy lost", SHARE: "share lost"}
    causes = dict(zip(CAUSES, ("strength", "Latin script", "learned"), strict=True))
    return {f"{cause}/{kind}": f"{losses[kind]}: {causes[cause]}" for cause in causes for kind in losses}


def recall_table(record: Mapping[str, Any]) -> pd.DataFrame:
    """Return what each index finds of the nearest names, by group of languages, with its bytes and relative time."""
    table, seconds = _written(group_means(record)), pd.Series(record["timing"])
    table.insert(0, "bytes", _all(record, "bytes")["value"].reindex(table.index).astype(int))
    table.insert(1, "time, exact = 1", (seconds / seconds[EXACT]).round(2).reindex(table.index))
    return table


def smaller_claims(records: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Check what is said of smaller vectors, or lighter weights, against records; see `claims.claim_table`."""
    rows: list[tuple[str, Claim]] = []
    free = f"no group of languages loses {_FREE} or more: the whole interval of its mean change"
    more = "slope of the share that is lost on the accuracy with other names, below 0"
    for record in (record for record in records if not is_control(record["model"]["name"])):
        name = f"{record['model']['name']}, {record['dataset']['name']}"
        costs = _costs(record)
        shares, losses = (_all(record, f"strength/{kind}") for kind in (SHARE, LOST))
        for state in (*JUDGED, *WEIGHTS):
            if state in costs.index:
                what = "Lighter weights" if state in WEIGHTS else "Smaller vectors"
                claim = above(f"{what} are free: {state}", free, _interval(costs, state), -_FREE, 3)
                rows.append((name, claim.because(f"the group is: {costs['group'][state]}")))
            if state in shares.index:
                claim = below(f"Small languages pay more: {state}", more, _interval(shares, state))
                lost = with_interval(*_interval(losses, state))
                rows.append((name, claim.because(f"slope of the accuracy that is lost: {lost}")))
    return claim_table(sorted(rows, key=lambda row: row[1].claim))


def smaller_answer(record: Mapping[str, Any]) -> str:
    """Say which ways are free for every group of languages, and with which of the others who pays more."""
    costs = _costs(record)
    states = [state for state in JUDGED if state in costs.index]
    free = [state for state in states if costs["low"][state] > -_FREE]
    parts, sure = [f"no group of languages loses {_FREE} with {_list(free)}"], unequal_table(record)
    for kind, sign, text in (
        (SHARE, -1, "languages that the model knows less lose a larger share with"),
        (LOST, 1, "languages that it knows better lose more accuracy with"),
    ):
        metric = f"strength/{kind}"
        title = _titles()[metric]
        if title in sure:
            is_so = (sign * _all(record, metric)[_BOUNDS] > 0).all(axis=1) & sure[title].str.endswith("*")
            parts.append(f"{text} {_list([state for state in states if is_so[state] and state not in free])}")
    return f"{record['model']['name']}: {'; '.join(parts)}."


def _costs(record: Mapping[str, Any]) -> pd.DataFrame:
    """Return the mean change of the group that may have lost most, one row per way."""
    means = group_means(record).sort_values("low").drop_duplicates("state")
    changes = means[means["state"].str.endswith(CHANGE)]
    return changes.assign(state=changes["state"].str.removesuffix(CHANGE)).set_index("state")


def _all(record: Mapping[str, Any], metric: str) -> pd.DataFrame:
    """Return a metric of all languages together, one row per state."""
    rows: pd.DataFrame = record["metrics"]
    return rows[(rows["kind"] == "all") & (rows["metric"] == metric)].set_index("state")


def _interval(table: pd.DataFrame, state: str) -> list[float]:
    return [float(bound) for bound in table.loc[state, _BOUNDS].to_numpy()]


def _written(means: pd.DataFrame) -> pd.DataFrame:
    """Return means as text, one row per state and one column per group."""
    cells = [with_margin(*row, digits=3) for row in means[_BOUNDS].to_numpy()]
    return means.assign(cell=cells).pivot_table("cell", "state", "group", aggfunc="first", sort=False)


def _list(states: Sequence[str]) -> str:
    return " / ".join(states) or "no way"
