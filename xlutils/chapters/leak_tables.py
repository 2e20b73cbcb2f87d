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
_HALF = 0.5 + 1e-9  # of a leak
_BOUNDS = ["value", "low", "high"]
Found = Mapping[tuple[str, str], list[float]]  # value, low and high by metric and state


def leaks_by_state(record: Mapping[str, Any], metric: str, kind: str = LEARNED) -> pd.DataFrame:
    """Return the mean of a metric over languages besides the pivot, one row per state: value, low and high.

    :param kind: `LEARNED` or `NEVER`; without such a language there are no rows.
    """
    metrics: pd.DataFrame = record["metrics"]
    return pd.DataFrame(metrics[metrics["metric"] == metric + kind].set_index("state")[_BOUNDS])


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
                chance = pd.Series({"guessing": f"{_chance(record, metric):.2f}"})
                columns[name, title] = pd.concat([write_table(rows, write=with_margin), chance])
    return pd.DataFrame(columns).rename(index={"": "as published"}).fillna("")


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
    found = {
        (metric, str(state)): [float(number) for number in bounds]
        for metric in TITLES
        for state, *bounds in leaks_by_state(record, metric).itertuples(name=None)
    }
    states = [state for metric, state in found if metric == ACROSS and not state.endswith(CHANGE)]
    chances = {metric: _chance(record, metric) for metric in LEAKS}
    leaks = [metric for metric in LEAKS if (metric, "") in found and found[metric, ""][0] > chances[metric]]
    noises = [state for state in states if state.startswith(NOISE)]
    for claim, tried, about in (
        ("Noise protects at no cost", noises, leaks),
        ("Noise keeps texts from being read at no cost", noises, [leak for leak in leaks if leak == READ]),
        ("One bit per number protects at no cost", [state for state in states if state == "sign"], leaks),
    ):
        if tried and about:
            yield _no_cost(claim, found, tried, {leak: chances[leak] for leak in about})
    if (LANGUAGE, CENTRED) in found:
        yield _hidden(found, chances[LANGUAGE])
    if (READ, ROTATED + CHANGE) in found:
        yield below(
            "A secret rotation protects from an attacker with pairs",
            "he finds fewer texts than without it",
            found[READ, ROTATED + CHANGE],
            digits=3,
        )


def _no_cost(claim: str, found: Found, states: list[str], chances: Mapping[str, float]) -> Claim:
    """Judge whether one of the states halves all leaks, and costs little for sure."""

    def left(state: str) -> dict[str, float]:
        """Return the share of each leak, above what guessing reaches, that a state leaves."""
        return {
            metric: max((found[metric, state][0] - chance) / (found[metric, ""][0] - chance), 0.0)
            for metric, chance in chances.items()
        }

    most = {state: max(left(state).values()) for state in states}
    halved = [state for state in states if most[state] <= _HALF]
    tried = halved or [min(states, key=lambda state: most[state])]
    best = max(tried, key=lambda state: found[ACROSS, state + CHANGE][0])
    cost = found[ACROSS, best + CHANGE]
    shares = ", ".join(f"{TITLES[leak]} {share:.0%}" for leak, share in left(best).items())
    return judged(
        claim,
        f"half of what leaks above guessing is gone, and the accuracy falls by less than {_LITTLE}, with its interval",
        with_interval(*cost),
        f"{best} leaves of what leaks: {shares}",
        holds=bool(halved) and cost[1] > -_LITTLE,
    )


def _hidden(found: Found, chance: float) -> Claim:
    """Judge whether both attacks on the language do no better than guessing after centring."""
    after = {metric: found[metric, CENTRED] for metric in (LANGUAGE, NEAR)}
    shown = [f"{TITLES[leak]} {found[leak, ''][0]:.2f} before, {row[0]:.2f} after" for leak, row in after.items()]
    return judged(
        "Centring hides the language",
        "neither a probe nor the nearest known texts name it more often than guessing does",
        with_interval(*max(after.values())),
        f"{'; '.join(shown)}; guessing {chance:.2f}",
        holds=all(low <= chance for _, low, _ in after.values()),
    )


def _chance(record: Mapping[str, Any], metric: str) -> float:
    """Return what guessing reaches."""
    if metric in (ACROSS, READ):
        return 0.0
    return value_of(record["metrics"], Key("all", TOPIC if metric == TOPIC else LANGUAGE, state="chance"))
