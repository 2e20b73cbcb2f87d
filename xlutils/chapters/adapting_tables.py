"""Chapter 8: records of adapters and of forgetting as tables, and verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import hypot
from typing import Any

import pandas as pd

from xlutils.chapters.adapting import AGAINST, EVERYTHING
from xlutils.chapters.claims import Claim, judged, untestable
from xlutils.chapters.course import ACROSS, ANTONYMS, WITHIN
from xlutils.chapters.forgetting import KEEP, MAPS, PLAIN, REPLAY
from xlutils.chapters.remedies import CHANGE
from xlutils.chapters.wording import with_interval, with_margin
from xlutils.datasets.languages import LANGUAGES
from xlutils.results.rows import Key, rows_of

_BOUNDS = ["value", "low", "high"]
_DIGITS = {ACROSS: 1, WITHIN: 3, ANTONYMS: 2}
_GROUPS = {
    f"{ACROSS}/trained": "Complete@10, taught",
    f"{ACROSS}/untrained": "Complete@10, others",
    f"{WITHIN}/trained": "within, taught",
    f"{WITHIN}/untrained": "within, others",
    f"{ANTONYMS}/trained": "antonyms, taught",
}


def adaptation_table(record: Mapping[str, Any], taught: str = "mixed") -> pd.DataFrame:
    """Return what each way of training costs, and how it changes the scores: one row per way.

    :param taught: End of the states to show: "mixed", or the code of the only language of a training.
    :return: Changes with half the width of their intervals; means over the languages that were taught, and over others.
    """
    rows: pd.DataFrame = record["metrics"]
    table = {}
    for state in record["params"]["trainings"]:
        if state.endswith(f", {taught}"):
            cells = {}
            for metric, title, factor, digits in (
                ("trained-share", "trained weights (%)", 100, 2),
                ("processor-seconds", "processor (s)", 1, 0),
                ("peak-memory", "peak memory of the process (GB)", 1, 1),
            ):
                found = rows_of(rows, Key("all", metric, state=state))["value"]
                cells[title] = f"{factor * found.iloc[0]:.{digits}f}" if len(found) else ""
            for metric, title in _GROUPS.items():
                digits = _DIGITS[metric.split("/")[0]]
                cells[title] = with_margin(*_bounds(record, metric, state + CHANGE), digits=digits)
            table[state.removesuffix(f", {taught}")] = cells
    return pd.DataFrame.from_dict(table, orient="index").rename_axis("what is trained")


def language_changes(record: Mapping[str, Any], metric: str = ACROSS, taught: str = "mixed") -> pd.DataFrame:
    """Return how each way of training changed a score, one row per language and one column per way, as text."""
    rows: pd.DataFrame = record["metrics"]
    columns = {}
    for state, facts in record["params"]["trainings"].items():
        if state.split(", ", 1)[1] == taught:
            is_wanted = (rows[["kind", "metric", "state"]] == ["language", metric, state + CHANGE]).all(axis=1)
            own = rows[is_wanted].set_index("language")[_BOUNDS]
            names = [
                (LANGUAGES[code].name, "yes" if code in facts["trained_on"]["languages"] else "no")
                for code in own.index
            ]
            texts = [with_margin(*bounds, digits=_DIGITS.get(metric, 2)) for bounds in own.to_numpy()]
            columns[state.removesuffix(f", {taught}")] = pd.Series(texts, pd.MultiIndex.from_tuples(names))
    return pd.DataFrame(columns).rename_axis(["language", "taught"])


def transfer_matrices(record: Mapping[str, Any], metric: str = ACROSS) -> dict[str, pd.DataFrame]:
    """Return the scores after each step, by way of teaching: one row per step, one column per language taught."""
    rows: pd.DataFrame = record["metrics"]
    rows = rows[(rows["kind"] == "language") & (rows["metric"] == metric)]
    order = record["params"]["order"]
    tables = {}
    for way in (PLAIN, KEEP, REPLAY, MAPS):
        steps = [rows[rows["state"] == f"{way}, {step} languages"] for step in range(len(order) + 1)]
        table = pd.DataFrame([step.set_index("language")["value"][order] for step in steps])
        table.index = pd.Index(["published", *(f"+ {LANGUAGES[code].name}" for code in order)])
        tables[way] = table.rename(columns={code: LANGUAGES[code].name for code in order})
    return tables


def about_steps(record: Mapping[str, Any]) -> str:
    """Return what the cells of `transfer_matrices` are, for a caption."""
    data, params = record["dataset"], record["params"]
    sizes = {facts["trained_on"]["size"] for facts in params["trainings"][PLAIN]}
    text = f"{record['model']['name']}; {data['name']}: {data['size']:,} questions; {max(sizes):,} triples per step"
    return f"{text}, {params['map_pairs']} pairs per map. Framed: the step that taught the language."


def transfer_table(record: Mapping[str, Any]) -> pd.DataFrame:
    """Return backward and forward transfer of each way of teaching, with intervals."""
    return pd.DataFrame(
        {
            (direction, title): {
                way: with_interval(*_bounds(record, f"{direction}/{metric}", way), digits=_DIGITS[metric])
                for way in (PLAIN, KEEP, REPLAY, MAPS)
            }
            for direction in ("backward", "forward")
            for metric, title in ((ACROSS, "Complete@10"), (WITHIN, "within"))
        }
    )


def adapter_claims(record: Mapping[str, Any]) -> Iterator[tuple[str, Claim]]:
    """Yield, for each part of the weights, whether training it forgets less than training all of them.

    Whoever moves a model less forgets less, and a lower rate does that as well. So a gentler training of all weights
    that gains as much in the languages taught has to be beaten, too.
    """
    rows: pd.DataFrame = record["metrics"]
    asked = {f"{ACROSS}/untrained": "Complete@10 of other languages", f"{WITHIN}/untrained": "within other languages"}
    asked[f"{WITHIN}/trained"] = "within the languages taught"
    for state, facts in record["params"]["trainings"].items():
        way, taught = state.split(", ", 1)
        if taught != "mixed" or way.startswith(EVERYTHING):
            continue
        for metric, title in asked.items():
            name, group = metric.split("/")
            claim, shown_by = (
                f"{way}: forgets less, {title}",
                "higher than after training all weights, on the same items, also at a rate that gains as much",
            )
            harm = _bounds(record, metric, f"{EVERYTHING}, mixed{CHANGE}")
            text = f"all weights change it by {with_interval(*harm, digits=_DIGITS[name])}"
            difference = _bounds(record, metric, state + AGAINST)
            value = with_interval(*difference, digits=_DIGITS[name])
            if harm[2] >= 0:
                yield record["model"]["name"], untestable(claim, shown_by, f"{text}, no clear loss", value)
                continue
            is_own = (rows[["kind", "metric", "state"]] == ["language", name, state + AGAINST]).all(axis=1)
            is_taught = rows["language"].isin(facts["trained_on"]["languages"])
            own = rows[is_own & (rows["language"] != "en") & (is_taught == (group == "trained"))]
            better, worse = (
                [LANGUAGES[code].name for code in own[is_clear]["language"]]
                for is_clear in (own["low"] > 0, own["high"] < 0)
            )
            gain = _bounds(record, f"{ACROSS}/trained", state + AGAINST)
            why = f"{text}; higher in {', '.join(better) or 'none'}, lower in {', '.join(worse) or 'none'}; "
            why += f"Complete@10 of the languages taught differs by {with_interval(*gain, digits=1)}"
            holds = difference[1] > 0 and not worse
            for rival in _as_good(record, state):
                other = _bounds(record, metric, rival + CHANGE)
                why += f"; {rival.removesuffix(', mixed')} gains as much and changes it by "
                why += with_interval(*other, digits=_DIGITS[name])
                holds = holds and _is_above(_bounds(record, metric, state + CHANGE), other)
            yield record["model"]["name"], judged(claim, shown_by, value, why, holds=holds)


def _as_good(record: Mapping[str, Any], state: str) -> Iterator[str]:
    """Yield the gentler trainings of all weights that do not surely gain less in the languages taught."""
    gain = _bounds(record, f"{ACROSS}/trained", state + CHANGE)[0]
    for rival in record["params"]["trainings"]:
        is_gentler = (
            rival.startswith(f"{EVERYTHING}, ") and rival.endswith(", mixed") and rival != f"{EVERYTHING}, mixed"
        )
        if is_gentler and _bounds(record, f"{ACROSS}/trained", rival + CHANGE)[2] >= gain:
            yield rival


def _is_above(one: list[float], other: list[float]) -> bool:
    """Whether a mean is above another one by more than their half-widths, combined like independent errors."""
    return one[0] - other[0] > hypot(one[0] - one[1], other[2] - other[0])


def forgetting_claims(record: Mapping[str, Any]) -> Iterator[tuple[str, Claim]]:
    """Yield whether keep, replay and maps prevent that later languages make a model forget earlier ones."""
    name, titles = record["model"]["name"], {ACROSS: "Complete@10", WITHIN: "within one language"}
    for metric, title in titles.items():
        digits = _DIGITS[metric]
        plain = _bounds(record, f"backward/{metric}", PLAIN)
        text = f"alone {with_interval(*plain, digits=digits)}"
        for way, about in ((REPLAY, "Replay prevents forgetting"), (KEEP, "Keep prevents forgetting")):
            claim, shown_by = f"{about}: {title}", "backward transfer better than of training alone, and not below 0"
            own = _bounds(record, f"backward/{metric}", way)
            better = _bounds(record, f"backward/{metric}", f"{way}, against {PLAIN}")
            value = with_interval(*own, digits=digits)
            if plain[2] >= 0:
                yield name, untestable(claim, shown_by, f"{text}: training alone forgot nothing for sure", value)
            else:
                why = f"{text}; difference {with_interval(*better, digits=digits)}"
                yield name, judged(claim, shown_by, value, why, holds=better[1] > 0 and own[2] >= 0)
        own = _bounds(record, f"backward/{metric}", MAPS)
        value = with_interval(*own, digits=digits)
        shown_by = "backward transfer is exactly 0: a map of one language touches no other"
        yield name, judged(f"Maps forget nothing: {title}", shown_by, value, text, holds=not any(own))


def _bounds(record: Mapping[str, Any], metric: str, state: str) -> list[float]:
    """Return value, low and high of a mean over languages."""
    rows = rows_of(record["metrics"], Key("all", metric, state=state))
    return [float(number) for number in rows[_BOUNDS].to_numpy()[0]]
