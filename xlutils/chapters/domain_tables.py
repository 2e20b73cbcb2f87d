"""Chapter 8: records of domains as tables, and verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from xlutils.chapters.claims import Claim, above, claim_table, in_all, untestable
from xlutils.chapters.map_tables import learned_parts, states_of
from xlutils.chapters.upgrade_tables import learned_apart
from xlutils.chapters.wording import with_margin, write_table
from xlutils.metrics.uncertainty import bootstrap_ratio
from xlutils.models.catalogue import is_control

GAP, LOSS = 0.1, 0.02  # accuracy; we chose both
FEWEST = 3  # languages, to say how much a mean over them varies
ON = r"(?P<way>.+), (?P<size>\d+) (?P<source>\w+) on (?P<target>\w+)"
_BOUNDS = ["value", "low", "high"]


def domain_table(record: Mapping[str, Any], metric: str = "accuracy/25", *, topics: bool = False) -> pd.DataFrame:
    """Return a metric as text, one row per language and one column per domain, or per topic of the news.

    Languages that the model never learned are in the last rows.

    :param metric: "gain" for what centring gains.
    """
    table = states_of(record, metric)
    ending = ", centred" if metric == "gain" else ""
    prefix = "news on " if topics else ""
    titles = table["state"].str.extract(rf"^{prefix}((?:(?! on )[\w ])+){ending}$")[0]
    table = table.assign(
        title=titles, text=write_table(table[_BOUNDS], 0 if metric == "characters" else 2, with_margin)
    )
    wide = table.pivot_table("text", "language", "title", aggfunc="first", sort=False, fill_value="")
    return learned_apart(record, wide.rename_axis(columns=None))


def transfers(record: Mapping[str, Any]) -> pd.DataFrame:
    """Return the gains of corrections: language, name, way, size, source, target, value, low and high."""
    table = states_of(record, "gain").drop(columns="way")
    parts = table["state"].str.extract(f"^{ON}$")
    return table.join(parts).dropna(subset="way").astype({"size": int})


def transfer_tables(record: Mapping[str, Any], way: str, size: int) -> dict[str, pd.DataFrame]:
    """Return mean gains, one row per domain that a correction was fitted on and one column per domain it was tested on.

    Languages that the model never learned have a table of their own. A cell is about the languages of both domains.
    """
    table = transfers(record)
    table = table[(table["way"] == way) & (table["size"] == size)]
    tables = {}
    for kind, codes in learned_parts(record).items():
        rows = table[table["language"].isin(codes)]
        wide = rows.pivot_table("value", "source", "target", sort=False)
        tables[kind] = wide.rename_axis(index="fitted on", columns="tested on")
    return tables


def domain_claims(records: Iterable[Mapping[str, Any]], way: str = "ridge-shrunk", size: int = 100) -> pd.DataFrame:
    """Check what is said of domains; see `claims.claim_table`."""
    rows = [
        (record["model"]["name"], claim)
        for record in records
        if not is_control(record["model"]["name"])
        for claim in _check(record, way, size)
    ]
    return claim_table(sorted(rows, key=lambda row: row[1].claim))


def _check(record: Mapping[str, Any], way: str, size: int) -> Iterator[Claim]:
    learned = next(iter(learned_parts(record).values()))
    table = states_of(record, "accuracy/25")
    table = table[table["language"].isin(learned) & ~table["state"].str.contains(" on |, centred")]
    for apart, rows in (("", table), (", names of things apart", table[table["state"] != "names"])):
        yield in_all(
            f"A model that aligns one domain aligns the others{apart}",
            f"in every language that it learned, the worst domain is at most {GAP} below the best one, in pools of 25",
            pd.DataFrame([_gap(part) for _, part in rows.groupby("language", sort=False)]),
            -GAP,
        )
    gains = transfers(record)
    gains = gains[(gains["way"] == way) & (gains["size"] == size)]
    others = gains[gains["source"] != gains["target"]]
    titles = others["name"] + ": " + others["source"] + " on " + others["target"]
    yield in_all(
        "A correction fitted on one domain harms no other",
        f"{way} on {size} texts loses at most {LOSS} in every other domain, in the languages that the model learned",
        others.assign(name=titles)[others["language"].isin(learned)],
        -LOSS,
    )
    own = gains[(gains["source"] == gains["target"]) & (gains["low"] > 0)]
    pairs = others.merge(own[["language", "target", "value"]], on=["language", "target"], suffixes=("", "_own"))
    for kind, codes in learned_parts(record).items():
        part = pairs[pairs["language"].isin(codes)]
        claim = f"A correction fitted on one domain serves another (languages {kind})"
        shown_by = f"{way} on {size} texts of another domain gains half of what those of the same domain surely gain"
        if part["language"].nunique() < FEWEST:
            count = part["language"].nunique()
            why = f"languages that surely gain by texts of the same domain: {count}, and it takes {FEWEST}"
            yield untestable(claim, shown_by, why)
            continue
        sides = part["value"].to_numpy(), part["value_own"].to_numpy()
        low, high = bootstrap_ratio(*sides, pd.factorize(part["language"])[0])
        interval = sides[0].sum() / sides[1].sum(), float(low), float(high)
        by_source = (part.groupby("source")["value"].sum() / part.groupby("source")["value_own"].sum()).round(2)
        yield above(claim, shown_by, interval, 0.5).because(
            ", ".join(f"fitted on {source} {share:.2f}" for source, share in by_source.items())
        )


def _gap(part: pd.DataFrame) -> dict[str, Any]:
    """Return how far the worst domain of a language is below the best one, by two intervals (Zou and Donner, 2008)."""
    best, worst = (part.sort_values("value", kind="stable").iloc[place] for place in (-1, 0))
    gap = worst["value"] - best["value"]
    below = np.hypot(worst["value"] - worst["low"], best["high"] - best["value"])
    above_it = np.hypot(worst["high"] - worst["value"], best["value"] - best["low"])
    name = f"{worst['name']} ({worst['state']} against {best['state']})"
    return {"name": name, "value": gap, "low": gap - below, "high": gap + above_it}
