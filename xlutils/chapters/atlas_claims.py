"""Chapter 5: varieties of one language against each other, and what model cards claim against what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from xlutils.chapters.atlas_tables import KNOWN, atlas_table
from xlutils.chapters.claims import Claim, below, claim_table, judged, untestable
from xlutils.chapters.wording import with_interval
from xlutils.datasets.languages import LANGUAGES
from xlutils.metrics.uncertainty import bootstrap_ci, paired_difference
from xlutils.models.catalogue import is_baseline

SCRIPT, DIALECT = "script", "dialect"
_HARM = 0.05  # accuracy that languages in other scripts may lose before the script counts as a hindrance
_FEWEST = 5  # languages on each side of a comparison
_SHOWN = 8  # languages that a sentence names


def varieties(codes: Iterable[str]) -> list[tuple[str, str, str]]:
    """Return the varieties among some tags whose language is there as well, as (variety, language, kind).

    A variety has the tag of its language and something more, such as "sr-Latn" and "sr", or has the name of its
    language as its last word, such as Egyptian Arabic. Its kind is "script" if the scripts differ, else "dialect".
    """
    tags = list(codes)
    by_name = {LANGUAGES[code].name: code for code in tags}
    pairs = []
    for code in tags:
        base = code.split("-")[0]
        if base == code:
            *first, last = LANGUAGES[code].name.split()
            base = code if "Creole" in first else by_name.get(last, code)
        if base != code and base in tags:
            kind = DIALECT if LANGUAGES[code].script == LANGUAGES[base].script else SCRIPT
            pairs.append((code, base, kind))
    return pairs


def variety_table(items: pd.DataFrame, seed: int = 42) -> pd.DataFrame:
    """Return how much more often a variety finds its translations than its language does, item by item.

    :param items: Per-item values of a record of the atlas.
    :return: Columns value, low, high, kind and language, one row per variety with items in common with its language.
    """
    accuracy = items.assign(value=(items["found"] + items["found_back"]) / 2)
    by_language = accuracy.pivot_table("value", "item", "language")
    rows = {}
    for code, base, kind in varieties(by_language.columns):
        pair = by_language[[code, base]].dropna()
        if len(pair):
            change = paired_difference(pair[code], pair[base], seed=seed)
            rows[LANGUAGES[code].name] = (change.mean, change.low, change.high, kind, LANGUAGES[base].name)
    return pd.DataFrame.from_dict(rows, orient="index", columns=["value", "low", "high", "kind", "language"])


def listed_and_known(table: pd.DataFrame) -> dict[str, list[str]]:
    """Compare the languages on a model's card with those that it knows.

    :param table: As from `atlas_table`, of a model whose card lists its languages.
    :return: Tags of the languages that are "both" listed and known, only "listed", and only "known".
    """
    judged = table[table["verdict"] != ""]
    listed, known = judged["learned"].astype(bool), judged["verdict"] == KNOWN
    parts = {"both": listed & known, "listed": listed & ~known, "known": known & ~listed}
    return {name: list(judged.index[chosen]) for name, chosen in parts.items()}


def card_table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return precision and recall of "known" against the languages on the card, one row per model with such a list.

    A model that learned English only has no other language to know.
    """
    rows = {}
    for name, table in tables.items():
        if _has_list(table) and not is_baseline(name):
            parts = listed_and_known(table)
            both, missed, more = (len(parts[part]) for part in ("both", "listed", "known"))
            rows[name] = {
                "on the card": both + missed,
                "known": both + more,
                "precision": both / max(both + more, 1),
                "recall": both / max(both + missed, 1),
                "on the card, not known": _names(parts["listed"]),
                "known, not on the card": _names(parts["known"]),
            }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")


def _has_list(table: pd.DataFrame) -> bool:
    return bool(table["learned"].notna().any())


def _names(codes: Sequence[str]) -> str:
    names = [LANGUAGES[code].name for code in codes]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def atlas_claims(records: Iterable[Mapping[str, Any]], seed: int = 42) -> pd.DataFrame:
    """Check what is said of models and their languages against records of the atlas; see `claims.claim_table`."""
    tables: dict[str, dict[str, pd.DataFrame]] = {}
    for record in records:
        if not is_baseline(record["model"]["name"]):
            tables.setdefault(record["dataset"]["name"], {})[record["model"]["name"]] = atlas_table(record)
    rows = []
    for data, by_model in tables.items():
        for name, table in by_model.items():
            rows += [(f"{name}, {data}", claim) for claim in check_atlas(table, seed)]
        rows.append((f"all models, {data}", scale_is_not_coverage(by_model, seed)))
    return claim_table(rows)


def check_atlas(table: pd.DataFrame, seed: int = 42) -> list[Claim]:
    """Check the claims against one atlas."""
    return [_knows_its_card(table), _scripts(table, seed)]


def _knows_its_card(table: pd.DataFrame) -> Claim:
    claim, shown_by = "It knows the languages of its card", "every listed language that has texts here is known"
    if not _has_list(table):
        return untestable(claim, shown_by, "the catalogue does not list its languages")
    parts = listed_and_known(table)
    known, missed = len(parts["both"]), parts["listed"]
    if not known and not missed:
        return untestable(claim, shown_by, "none of its languages has texts here")
    why = f"not known: {_names(missed)}" if missed else "all of them are"
    return judged(claim, shown_by, f"{known} of {known + len(missed)}", why, holds=not missed)


def scale_is_not_coverage(tables: Mapping[str, pd.DataFrame], seed: int = 42) -> Claim:
    """Check whether a longer list of languages means that more of the list is known.

    :param tables: By model, atlases on the same data.
    """
    claim = "Scale of languages is not coverage"
    shown_by = "the share of its card that the model with the longest one knows, minus that of the shortest, below 0"
    shares = {}
    for name, table in tables.items():
        listed = table[(table["verdict"] != "") & table["learned"].eq(True)]
        if len(listed) >= _FEWEST:
            shares[name] = (listed["verdict"] == KNOWN).to_numpy(float)
    if len(shares) < 2:
        return untestable(claim, shown_by, "it takes two models whose languages the catalogue lists")
    short, *_, long = sorted(shares, key=lambda name: len(shares[name]))
    numbers = [f"{name}: {shares[name].sum():.0f} of {len(shares[name])}" for name in (long, short)]
    interval = _difference(shares[long], shares[short], seed)
    return below(claim, shown_by, interval).because(f"{', '.join(numbers)}; interval over languages")


def _scripts(table: pd.DataFrame, seed: int) -> Claim:
    claim = "Meaning transcends the script"
    shown_by = f"mean accuracy of listed languages in other scripts than the pivot's, minus the rest, above −{_HARM:g}"
    listed = table[(table["verdict"] != "") & (table["learned"].eq(True) if _has_list(table) else True)]
    same = listed["script"] == LANGUAGES[table.attrs["pivot"]].script
    others, rest = listed.loc[~same, "accuracy"].to_numpy(), listed.loc[same, "accuracy"].to_numpy()
    if min(len(others), len(rest)) < _FEWEST:
        return untestable(claim, shown_by, f"fewer than {_FEWEST} languages on one side")
    values, low, high = _difference(others, rest, seed)
    text = with_interval(values, low, high)
    if low <= -_HARM and high >= 0:
        return untestable(claim, shown_by, "too few languages: the interval holds both a loss and none", text)
    why = f"{len(others)} languages against {len(rest)}; interval over languages, whose families are not controlled"
    return judged(claim, shown_by, text, why, holds=low > -_HARM)


def _difference(one: np.ndarray, other: np.ndarray, seed: int) -> tuple[float, float, float]:
    """Return the difference of two means with its 95% interval: half widths of independent groups add as squares."""
    gap = float(one.mean() - other.mean())
    bounds = [bootstrap_ci(group, seed=seed) for group in (one, other)]
    below = np.hypot(one.mean() - bounds[0][0], bounds[1][1] - other.mean())
    above = np.hypot(bounds[0][1] - one.mean(), other.mean() - bounds[1][0])
    return gap, gap - float(below), gap + float(above)
