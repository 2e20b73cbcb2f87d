"""Chapter 7: records of maps as tables, and verdicts."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from xlutils.chapters.claims import Claim, above, claim_table, judged
from xlutils.chapters.corrections import REVIEWS
from xlutils.chapters.map_pairs import PREDICTORS, pair_table, predicted
from xlutils.chapters.remedies import CHANGE
from xlutils.chapters.wording import with_interval
from xlutils.datasets.languages import LANGUAGES
from xlutils.models.catalogue import find_card, is_control

MAPS = ("maps", "map-corrections", "map-supervision", "map-pairs", "map-spaces")  # experiments of the chapter
LEARNED, NEVER_LEARNED = "learned", "never learned"
_ENOUGH = 0.02  # accuracy that more pairs may still gain
_BOUNDS = ["value", "low", "high"]


def states_of(record: Mapping[str, Any], metric: str) -> pd.DataFrame:
    """Return a metric of a record, one row per language and state: language, name, way, pairs, value, low and high.

    The state "ridge, 25 pairs" has the way "ridge" and 25 pairs, "25 pairs" has no way, and one without a number has
    none.
    """
    metrics: pd.DataFrame = record["metrics"]
    rows = metrics[(metrics["kind"] == "language") & (metrics["metric"] == metric)].reset_index(drop=True)
    parts = rows["state"].str.extract(r"^(?P<way>.*?)(?:(?:^|, )(?P<pairs>\d+) (?P<unit>\w+))?$")
    names = [LANGUAGES[code].name for code in rows["language"]]
    table = rows[["language", "state", *_BOUNDS]].assign(name=names, way=parts["way"], unit=parts["unit"].fillna(""))
    return table.assign(pairs=pd.to_numeric(parts["pairs"]).fillna(0).astype(int))


def learning_curves(
    record: Mapping[str, Any], ways: Iterable[str], metric: str = "accuracy"
) -> dict[str, pd.DataFrame]:
    """Return accuracy by number of pairs, for `plots.repair_curves`: one table per language.

    All ways start from the accuracy without a map, which has no pairs.
    """
    table = states_of(record, metric)
    tables = {}
    for name, rows in table.groupby("name", sort=False):
        none = rows[rows["state"] == ""]
        lines = [pd.concat([none, rows[rows["way"] == way]]).assign(group=way) for way in ways]
        kept = [line[(line["pairs"] > 0) | (line["state"] == "")] for line in lines]
        tables[str(name)] = pd.concat(kept).assign(method="").rename(columns={"pairs": "texts"})
    return tables


def dial_tables(record: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Return what a share of a map gains across languages and keeps within, for `plots.interactive_dial`.

    Languages that the model never learned have a table of their own, so that the mean of the others is not about them.
    """
    across, within = (states_of(record, metric) for metric in ("across", "within"))
    shares = across["state"].str.removeprefix("share ").astype(float)
    table = across[["language"]].assign(share=shares)
    for name, rows in (("across", across), ("within", within)):
        table = table.assign(**{name: rows["value"], f"{name}_low": rows["low"], f"{name}_high": rows["high"]})
    name = record["model"]["name"]
    titles = {LEARNED: name, NEVER_LEARNED: f"{name}: {NEVER_LEARNED}"}
    return {titles[kind]: table[table["language"].isin(codes)] for kind, codes in learned_parts(record).items()}


def learned_parts(record: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the mapped languages of a record that its model has learned, and those that it never learned.

    A language of which nobody says so counts as learned. A part without a language is left out.
    """
    card = find_card(record["model"]["name"])
    codes = record["params"]["mapped"]
    never = [code for code in codes if card is not None and card.learned(code) is False]
    parts = {LEARNED: [code for code in codes if code not in never], NEVER_LEARNED: never}
    return {kind: part for kind, part in parts.items() if part}


def mean_table(records: Mapping[str, Mapping[str, Any]], metrics: Mapping[str, str]) -> pd.DataFrame:
    """Return means over languages, apart for those that a model learned and those that it never learned.

    :param records: By model.
    :param metrics: Titles by metric.
    :return: One row per model and state, one column per kind of language and metric; NaN where there is no value.
    """
    parts = {}
    for name, record in records.items():
        columns = {}
        for (metric, title), (kind, codes) in itertools.product(metrics.items(), learned_parts(record).items()):
            rows = states_of(record, metric)
            columns[kind, title] = rows[rows["language"].isin(codes)].groupby("state", sort=False)["value"].mean()
        states = dict.fromkeys(itertools.chain.from_iterable(means.index for means in columns.values()))
        parts[name] = pd.DataFrame(columns).loc[list(states)]
    return pd.concat(parts).sort_index(axis=1, level=0, sort_remaining=False)


def half_width(records: Mapping[str, Mapping[str, Any]], metrics: Iterable[str]) -> float:
    """Return half the width of the widest interval of a single language."""
    tables = [states_of(record, metric) for record in records.values() for metric in metrics]
    return max(float((table["high"] - table["low"]).max()) / 2 for table in tables)


def map_claims(records: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Check what is said of maps against records of chapter 7; see `claims.claim_table`."""
    rows = []
    for record in records:
        name, experiment = record["model"]["name"], record["experiment"]
        if is_control(name):
            continue
        if experiment == "map-spaces":
            name = f"{name} into {record['params']['target']['name']}"
        rows += [(name, claim) for claim in _CHECKS[experiment](record)] if experiment in _CHECKS else []
    return claim_table(sorted(rows, key=lambda row: row[1].claim))


def space_series(record: Mapping[str, Any], metric: str = "across") -> pd.DataFrame:
    """Return what other languages find through a map fitted on the pivot, beside both models by themselves.

    :return: Columns series, value, low, high and reported, for `plots.series_chart`; the index names the language.
    """
    table = states_of(record, metric)
    most = table["pairs"].max()
    source, target = record["model"]["name"], record["params"]["target"]["name"]
    titles = {f"{most} pairs": f"{source}, mapped", "source": f"{source} by itself", "target": f"{target} by itself"}
    rows = table[table["state"].isin(titles)].assign(reported=False)
    rows = rows.assign(series=pd.Categorical(rows["state"].map(titles), list(titles.values())))
    return rows.sort_values(["series"], kind="stable").set_index("name")[["series", *_BOUNDS, "reported"]]


def _wide(record: Mapping[str, Any], metric: str) -> pd.DataFrame:
    """Return the values of a metric, one row per language and one column per state."""
    return pd.DataFrame(states_of(record, metric).pivot_table("value", "name", "state", sort=False))


def _learned(record: Mapping[str, Any], metric: str) -> pd.DataFrame:
    """Return `_wide` of the languages that the model learned, or of all if it is known to have learned none."""
    codes = next(iter(learned_parts(record).values()))
    return _wide(record, metric).loc[[LANGUAGES[code].name for code in codes]]


def _check_maps(record: Mapping[str, Any]) -> Iterator[Claim]:
    table = _learned(record, "accuracy")
    ways = {
        "profiles": "self-learning from the profiles of neighbours",
        "own neighbours": "from the model's own neighbours",
    }
    for way, title in ways.items():
        if f"{way}, 0 pairs" in table and "ridge-shrunk, 100 pairs" in table:
            gain = table[f"{way}, 0 pairs"] - table[""]
            hundred = table["ridge-shrunk, 100 pairs"] - table[""]
            yield judged(
                f"Maps need no pairs: {title}",
                "in every language that it learned as good as a ridge on 100 pairs",
                f"{gain.mean():+.2f}",
                f"mean gain without pairs {gain.mean():+.2f}, with 100 pairs {hundred.mean():+.2f}; "
                f"as good in {int((gain >= hundred).sum())} of {len(gain)} languages",
                holds=bool((gain >= hundred).all()),
            )
    sizes = sorted(
        {int(state.split(", ")[1].split()[0]) for state in map(str, table) if state.startswith("ridge-shrunk, ")}
    )
    complete = [size for size in sizes if table[f"ridge-shrunk, {size} pairs"].notna().all()]
    if 100 in complete and complete[-1] > 100:
        most = complete[-1]
        more = table[f"ridge-shrunk, {most} pairs"] - table["ridge-shrunk, 100 pairs"]
        yield judged(
            "A small dictionary suffices",
            f"{most} pairs gain less than {_ENOUGH} over 100, in every language that it learned",
            f"{more.mean():+.3f}",
            f"{most} pairs gain {more.min():.2f} to {more.max():.2f} more than 100",
            holds=bool((more < _ENOUGH).all()),
        )
    changes = states_of(record, "antonyms")
    changes = changes[(changes["state"] == "procrustes" + CHANGE) & changes["name"].isin(table.index)]
    if len(changes):
        low = changes.sort_values("value").iloc[0]
        yield judged(
            "Orthogonal maps harm nothing",
            "no language loses antonyms: no interval of the change is below 0, not corrected for their number",
            f"{changes['value'].mean():+.2f}",
            f"worst {low['name']}: {with_interval(*low[_BOUNDS])}",
            holds=not (changes["high"] < 0).any(),
        )


def _check_shapes(record: Mapping[str, Any]) -> Iterator[Claim]:
    table = predicted(pair_table(record), "procrustes", record["params"]["seed"])
    shapes = [PREDICTORS[name][0] for name in ("eigenvectors", "bottleneck", "relational")]
    plain = table.loc[PREDICTORS["known"][0]]
    for title in shapes:
        interval = [float(number) for number in table.loc[title, _BOUNDS].to_numpy()]
        claim = above(
            f"The shapes of two spaces predict their map: {title}",
            "rank correlation with what a rotation achieves, over all pairs of languages, above 0",
            interval,
        )
        yield claim.because(f"accuracy without a map predicts it with {with_interval(*plain)}")


def _check_spaces(record: Mapping[str, Any]) -> Iterator[Claim]:
    wide = _wide(record, "across")
    sizes = [state for state in map(str, wide) if state.endswith(" pairs")]
    most = max(sizes, key=lambda state: int(state.split()[0]))
    knows = wide[wide["source"] > 0.3]
    if len(knows):
        kept = knows[most] / knows["source"]
        yield judged(
            "A map fitted on English carries the other languages",
            "languages that the source knows (above 0.3) keep half of their accuracy, all of them",
            f"{kept.mean():.2f}",
            f"kept {kept.min():.2f} ({kept.idxmin()}) to {kept.max():.2f} ({kept.idxmax()}) of it, with {most}",
            holds=bool((kept >= 0.5).all()),
        )


def _check_corrections(record: Mapping[str, Any]) -> Iterator[Claim]:
    table = _learned(record, "across")
    if "random, 100 corrections" not in table:  # there were fewer names
        return
    gains = {kind: table[f"{kind}, 100 corrections"] - table["no corrections"] for kind in REVIEWS}
    shown = ", ".join(f"{REVIEWS[kind]} {gain.mean():+.3f}" for kind, gain in gains.items())
    yield judged(
        "The worst pairs teach a map most",
        "100 of the worst pairs, corrected, gain more than 100 pairs at random, in every language that it learned",
        f"{(gains['partners'] - gains['random']).mean():+.3f}",
        f"mean gain: {shown}",
        holds=bool((gains["partners"] > gains["random"]).all()),
    )


_CHECKS: dict[str, Callable[[Mapping[str, Any]], Iterator[Claim]]] = {
    "maps": _check_maps,
    "map-corrections": _check_corrections,
    "map-pairs": _check_shapes,
    "map-spaces": _check_spaces,
}
