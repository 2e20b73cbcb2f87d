"""Chapter 8: records of leaks as tables, and verdicts on defences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from xlutils.chapters.claims import Claim, below, claim_table, judged
from xlutils.chapters.leaks import ACROSS, CENTRED, LANGUAGE, LEARNED, NEAR, NEVER, NOISE, READ, ROTATED, TOPIC
from xlutils.chapters.remedies import CHANGE
from xlutils.chapters.wording import with_interval, with_margin, write_table
from xlutils.models.catalogue import is_control
from xlutils.results.rows import Key, value_of

TITLES = {
    ACROSS: "finds its translation",
    LANGUAGE: "language, by a probe",
    NEAR: "language, by neighbours",
    TOPIC: "topic",
    READ: "text itself",
}
LEAKS = (LANGUAGE, NEAR, TOPIC, READ)
KINDS = {LEARNED: "learned", NEVER: "never learned"}
_LITTLE = 0.02  # accuracy that a defence may cost
_BOUNDS = ["value", "low", "high"]


def leaks_by_state(record: Mapping[str, Any], metric: str, kind: str = LEARNED) -> pd.DataFrame:
    """Return the mean of a metric over languages besides the pivot, one row per state: value, low and high.

    :param kind: `LEARNED` or `NEVER`; without such a language there are no rows.
    """
    metrics: pd.DataFrame = record["metrics"]
    return metrics[metrics["metric"] == metric + kind].set_index("state")[_BOUNDS]


def leak_table(record: Mapping[str, Any]) -> pd.DataFrame:
    """Return what each defence leaves of the use and of the leaks, half the width of intervals, and what guessing gets.

    :return: One row per defence; columns for languages that the model learned and for those it never learned.
    """
    columns = {}
    for kind, name in KINDS.items():
        for metric, title in TITLES.items():
            rows = leaks_by_state(record, metric, kind)
            rows = rows[~rows.index.str.endswith(CHANGE)]
            if len(rows):
                chance = _chance(record, metric) if metric in (LANGUAGE, NEAR, TOPIC) else 0
                cells = write_table(rows, write=with_margin)
                columns[name, title] = pd.concat([cells, pd.Series({"guessing": f"{chance:.2f}"})])
    return pd.DataFrame(columns).rename(index={"": "as published"}).fillna("")


def language_leaks(record: Mapping[str, Any], state: str = "") -> pd.DataFrame:
    """Return the metrics of a state by language, one column per metric; empty where nothing was measured."""
    metrics: pd.DataFrame = record["metrics"]
    rows = metrics[(metrics["kind"] == "language") & (metrics["state"] == state)]
    columns = {
        title: write_table(rows[rows["metric"] == metric].set_index("language")) for metric, title in TITLES.items()
    }
    return pd.DataFrame(columns).loc[record["params"]["mapped"]].dropna(axis=1, how="all").fillna("")


def tradeoff(record: Mapping[str, Any], leak: str, kind: str = LEARNED) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what defences leave of the use, and of a leak, for `plots.tradeoff_chart`; the first state is none."""
    use, leaks = (leaks_by_state(record, metric, kind) for metric in (ACROSS, leak))
    kept = [state for state in use.index if not state.endswith(CHANGE)]
    kinds = {NOISE: "noise", "float16": "rounding", "int8": "rounding", "sign": "rounding"}
    series = [kinds.get(state.split(" ")[0], "change of the space") for state in kept]
    use, leaks = use.loc[kept], leaks.loc[kept].assign(series=series)
    names = {"": "as published"}
    return use.rename(index=names), leaks.rename(index=names)


def leak_claims(records: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Check what is said of defences against records of leaks; see `claims.claim_table`."""
    rows = []
    for record in records:
        name = record["model"]["name"]
        if not is_control(name):
            rows += [(f"{name}, {record['dataset']['name']}", claim) for claim in _check(record)]
    return claim_table(sorted(rows, key=lambda row: row[1].claim))


def _check(record: Mapping[str, Any]) -> Iterator[Claim]:
    tables = {metric: leaks_by_state(record, metric) for metric in TITLES}
    states = list(tables[ACROSS].index)
    noises = [state for state in states if state.startswith(NOISE) and not state.endswith(CHANGE)]
    if noises:
        yield _no_cost("Noise protects at no cost", record, tables, noises)
        if len(tables[READ]):
            yield _no_cost("Noise keeps texts from being read at no cost", record, tables, noises, (READ,))
    if "sign" in states:
        yield _no_cost("One bit per number protects at no cost", record, tables, ["sign"])
    if CENTRED in states:
        yield _hidden(record, tables)
    if ROTATED + CHANGE in tables[READ].index:
        yield below(
            "A secret rotation protects from an attacker with pairs",
            "he finds fewer texts than without it",
            [*tables[READ].loc[ROTATED + CHANGE]],
            digits=3,
        )


def _no_cost(
    claim: str,
    record: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame],
    states: list[str],
    leaks: tuple[str, ...] = LEAKS,
) -> Claim:
    """Judge whether one of the states halves all leaks, and costs little for sure."""
    shares = {state: _left(record, tables, state, leaks) for state in states}
    halved = [state for state in states if max(shares[state].values()) <= 0.5]
    tried = halved or [min(states, key=lambda state: max(shares[state].values()))]
    best = max(tried, key=lambda state: tables[ACROSS].loc[state + CHANGE, "value"])
    cost = tables[ACROSS].loc[best + CHANGE]
    left = ", ".join(f"{TITLES[metric]} {share:.0%}" for metric, share in shares[best].items())
    return judged(
        claim,
        f"half of what leaks above guessing is gone, and the accuracy falls by less than {_LITTLE}, with its interval",
        with_interval(*cost),
        f"{best} leaves of what leaks: {left}",
        holds=bool(halved) and bool(cost["low"] > -_LITTLE),
    )


def _left(
    record: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], state: str, leaks: tuple[str, ...]
) -> dict[str, float]:
    """Return the share of each leak, above what guessing reaches, that a state leaves; without a leak there is none."""
    shares = {}
    for metric in leaks:
        if len(tables[metric]):
            chance = 0.0 if metric == READ else _chance(record, metric)
            before, after = (tables[metric].loc[name, "value"] - chance for name in ("", state))
            if before > 0:
                shares[metric] = max(after / before, 0.0)
    return shares


def _hidden(record: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> Claim:
    """Judge whether both attacks on the language do no better than guessing after centring."""
    chance = _chance(record, LANGUAGE)
    found = {metric: tables[metric].loc[CENTRED] for metric in (LANGUAGE, NEAR)}
    best = max(found.values(), key=lambda row: row["value"])
    parts = [
        f"{TITLES[metric]} {tables[metric].loc['', 'value']:.2f} before, {row['value']:.2f} after"
        for metric, row in found.items()
    ]
    return judged(
        "Centring hides the language",
        "neither a probe nor the nearest known texts name it more often than guessing does",
        with_interval(*best),
        f"{'; '.join(parts)}; guessing {chance:.2f}",
        holds=all(row["low"] <= chance for row in found.values()),
    )


def _chance(record: Mapping[str, Any], metric: str) -> float:
    return value_of(record["metrics"], Key("all", TOPIC if metric == TOPIC else LANGUAGE, state="chance"))
