"""Chapter 5: how many texts with translations it takes to repair a language that a model does not know well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlutils.chapters.atlas import AtlasStudy
from xlutils.chapters.atlas_tables import KNOWN, verdicts
from xlutils.chapters.wording import with_interval
from xlutils.datasets.languages import LANGUAGES
from xlutils.errors import XlError
from xlutils.metrics.atlas import few_shot_accuracy
from xlutils.metrics.neighbours import pair_scores
from xlutils.metrics.uncertainty import bootstrap, bootstrap_ci
from xlutils.results.record import Record
from xlutils.results.rows import Key, metric_table, value_of

SIZES = (2, 5, 20, 100, 500)  # texts that a repair is fitted on
HOW: tuple[Literal["mean", "rotation"], ...] = ("mean", "rotation")
_KNOWN_ONES = 3  # known languages, for comparison
_LITTLE = 0.01  # accuracy
Floats = NDArray[np.float64]


def study_repair(study: AtlasStudy, languages: Sequence[str] | None = None, draws: int = 5) -> Record:
    """Repair languages with a few texts of one half of the items, and test them on the other half.

    The mean of a language and that of the pivot are taken over the same few texts. Larger samples of a draw contain its
    smaller ones.

    :param study: The model as published.
    :param languages: Languages to repair; by default those that it does not know, or partly, and a few known ones.
    :param draws: How often texts are drawn for each number of them.
    :return: Accuracies in the states "" and such as "mean, 5 texts", with intervals over draws and items.
    """
    seed = int(str(study.params["seed"]))
    orders = [np.random.default_rng([seed, draw]).permutation(len(study.is_second)) for draw in range(draws)]
    rows = []
    for code in _chosen(study) if languages is None else languages:
        if code not in study.compared:
            raise XlError(f"{study.data.name}: {code} has too few texts to repair; name other languages")
        pairs = study.compared[code]
        fitted, tested = pairs[~study.is_second[pairs]], pairs[study.is_second[pairs]]
        space, pivots = study.vectors[code], study.vectors[study.pivot]
        before = pair_scores(space[tested], pivots[tested])
        values = {"": (before.forward + before.backward)[None] / 2}
        for how in HOW:
            for size in (size for size in SIZES if size <= len(fitted)):
                few = [order[np.isin(order, fitted)][:size] for order in orders]
                tries = [few_shot_accuracy(space, pivots, one, tested, how) for one in few]
                values[f"{how}, {size} texts"] = np.stack(tries)
        for state, table in values.items():
            low, high = interval_over_draws(table, seed)
            rows.append({"language": code, "value": table.mean(), "low": low, "high": high, "state": state})
    metrics = metric_table(pd.DataFrame(rows).assign(kind="language", metric="accuracy"))
    record = study.record("language-repair", metrics)
    return replace(record, params={**record.params, "draws": draws})


def _chosen(study: AtlasStudy) -> list[str]:
    """Return the languages that are not known, and known ones from the best to the worst."""
    metrics = study.metrics
    found = verdicts(metrics, value_of(metrics, Key("all", "ceiling")))
    scores = {code: value_of(metrics, Key("language", "accuracy", language=code)) for code in found.index}
    known = sorted(found.index[found == KNOWN], key=lambda code: -scores[code])
    places = np.linspace(0, len(known) - 1, min(_KNOWN_ONES, len(known))).round().astype(int)
    few = {known[place] for place in places}
    return [code for code in found.index if found[code] != KNOWN or code in few]


def interval_over_draws(values: Floats, seed: int, wholes: Floats | None = None) -> tuple[float, float]:
    """Return the 95% interval of the mean of values, [draws, items], when draws and items are both drawn again.

    :param wholes: What the values of each item are divided by, in sum, [items]; by default 1 each, for their mean.
    """
    draws = len(values)
    below = np.ones(values.shape[1]) if wholes is None else wholes
    rng = np.random.default_rng(seed)

    def mean(times: Floats) -> Floats:
        weights = rng.multinomial(draws, np.full(draws, 1 / draws), size=len(times))
        return np.asarray((times @ values.T * weights).sum(axis=1) / (draws * (times @ below)))

    low, high = bootstrap(mean, values.shape[1], seed=seed)
    return float(low), float(high)


def repair_curve(table: pd.DataFrame, seed: int = 42) -> pd.DataFrame:
    """Return the mean accuracy of each group of languages by method and number of texts, for `plots.repair_curves`.

    :param table: As from `repair_table`, with a column group.
    :return: Columns group, method, texts, value, low and high; the intervals are over languages.
    """
    full = pd.concat([_with_all_sizes(rows) for _, rows in table.groupby("group", sort=False)])
    none = full[full["how"] == "none"]
    rows = pd.concat([*(none.assign(how=how) for how in HOW), full[full["how"] != "none"]])
    groups = rows.groupby(["group", "how", "texts"], sort=False)["value"]
    curve = groups.mean().to_frame()
    curve[["low", "high"]] = [bootstrap_ci(values, seed=seed) for _, values in groups]
    return curve.reset_index().rename(columns={"how": "method"})


def _with_all_sizes(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the numbers of texts that most languages have, of the languages that have all of them.

    Else a curve would end in other languages than it begins with.
    """
    counts = rows.groupby("texts")["language"].nunique()
    sizes = counts.index[counts > rows["language"].nunique() / 2]
    kept = rows[rows["texts"].isin(sizes)]
    complete = kept.groupby("language")["texts"].nunique() == len(sizes)
    return kept[kept["language"].map(complete)]


def repair_answer(table: pd.DataFrame, seed: int = 42) -> str:
    """Say how many texts it takes to repair some languages, and how far that goes.

    :param table: As from `repair_table`, of these languages alone.
    """
    parts, full = [], _with_all_sizes(table)
    for how in HOW:
        wide = full[full["how"].isin(["none", how])].pivot_table("value", "language", "texts")
        before, sizes = wide[0], [size for size in wide.columns if size]
        gains = {size: (wide[size] - before).to_numpy() for size in sizes}
        best = max(sizes, key=lambda size: gains[size].mean())
        change = gains[best].mean(), *bootstrap_ci(gains[best], seed=seed)
        if change[1] <= 0 or change[0] < _LITTLE:
            most = with_interval(*change, digits=3) if len(wide) > 1 else f"{change[0]:.3f}"
            parts.append(f"no number of texts is sure to gain {_LITTLE} by {how} (at best {most}, of {best})")
            continue
        enough = next(size for size in sizes if gains[best].mean() - gains[size].mean() < _LITTLE)
        text = f"{enough} texts take the accuracy by {how} from {before.mean():.2f} to {wide[enough].mean():.2f}"
        parts.append(f"{text}, after which more of them add less than {_LITTLE}" if enough != sizes[-1] else text)
    return f"{len(wide)} {'languages' if len(wide) > 1 else 'language'}: {'; '.join(parts)}"


def repair_table(record: Mapping[str, Any]) -> pd.DataFrame:
    """Return the accuracies of a record, one row per language and repair.

    The columns are language, name, script, how ("none", "mean" or "rotation"), texts (0 without a repair), value, low
    and high.
    """
    rows: pd.DataFrame = record["metrics"]
    parts = rows["state"].str.extract(r"^(?P<how>\w+), (?P<texts>\d+) texts$")
    table = rows[["language"]].assign(
        name=[LANGUAGES[code].name for code in rows["language"]],
        script=[LANGUAGES[code].script for code in rows["language"]],
        how=parts["how"].fillna("none"),
        texts=pd.to_numeric(parts["texts"]).fillna(0).astype(int),
    )
    return table.assign(value=rows["value"], low=rows["low"], high=rows["high"])
