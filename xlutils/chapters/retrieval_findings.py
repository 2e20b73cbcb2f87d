"""What chapter 3 says: sentences made from the numbers, true for any models."""

from __future__ import annotations

import numpy as np
import pandas as pd

from xlutils.chapters.retrieval import RetrievalStudy
from xlutils.chapters.retrieval_benchmark import ASKED, by_model, by_target
from xlutils.chapters.wording import with_interval, write_table
from xlutils.datasets.scenarios import PIVOT
from xlutils.metrics.bias import OUTCOMES

FIRST = dict(
    zip(OUTCOMES, ("right passage, own language", "right passage, other language", "wrong passage, own language",
                   "wrong passage, other language"), strict=True)
)  # fmt: skip
_CURVES = {True: "English", False: "the other language"}


def mixing_findings(results: pd.DataFrame) -> list[str]:
    """Say for each model what becomes of a pool when a second language joins it."""
    means = results[(results["kind"] == "mean") & (results["metric"] == "max@r")].set_index(["model", "pool"])
    text = write_table(means[["value", "low", "high"]], digits=1)
    found = []
    for model, rows in by_model(results, "multi", "max@r").items():
        parts = [f"the mixed pool is complete at place {text[model, 'multi']}"]
        if (model, "mono-cross") in text.index:
            parts.insert(0, f"with one language in the pool the passage stands at place {text[model, 'mono-cross']}")
        worst = rows.iloc[int(rows["value"].argmax())]
        value = with_interval(worst["value"], worst["low"], worst["high"], digits=1)
        mean = " on average, ".join(parts)
        found.append(f"**{model}**: {mean}; worst for {worst['target']}, {worst['asked']}: {value}.")
    return found


def language_findings(results: pd.DataFrame) -> list[str]:
    """Say for each model whether the language of the query matters, and whose documents intrude."""
    found = []
    for model, rows in results.groupby("model", sort=False):
        gaps = rows[rows["query"].str.endswith(f"-{PIVOT}") & (rows["metric"] == "max@r")]
        if len(gaps):
            sooner, later = (gaps["low"] > 0).sum(), (gaps["high"] < 0).sum()
            widest = gaps.iloc[int(gaps["value"].abs().argmax())]
            value = with_interval(widest["value"], widest["low"], widest["high"], digits=1)
            found.append(
                f"**{model}**: in {len(gaps)} pairs, asking in English finds both passages sooner in {sooner} and "
                f"later in {later}; the others cannot be told. The widest gap is {value} places, in {widest['pool']}."
            )
        for asked in ASKED.values():
            shares = by_target(rows, "multi", "intruders/en")
            shares = shares[shares["asked"] == asked]
            if len(shares):
                above, below = (shares["low"] > 0.5).sum(), (shares["high"] < 0.5).sum()
                found.append(
                    f"**{model}**, {asked}: of the wrong passages above the right ones {_range(shares)} are English; "
                    f"more than half in {above} of {len(shares)} pairs, less than half in {below}."
                )
    return found


def _range(rows: pd.DataFrame) -> str:
    low, high = rows["value"].min(), rows["value"].max()
    return f"{100 * low:.0f} %" if round(low, 2) == round(high, 2) else f"{100 * low:.0f} to {100 * high:.0f} %"


def first_place_shares(results: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Split the first place by right or wrong passage and own or other language: a table a model."""
    tables = {}
    shares = {heading: by_target(results, "multi", f"first/{name}") for name, heading in FIRST.items()}
    for model in shares[FIRST[OUTCOMES[0]]]["model"].unique():
        columns = {}
        for heading, rows in shares.items():
            own = rows[rows["model"] == model]
            names = own["target"] + np.where(own["asked"] == ASKED[True], ", in English", ", in " + own["target"])
            columns[heading] = own.set_index(names)["value"]
        tables[str(model)] = pd.DataFrame(columns)
    return tables


def rank_lines(studies: dict[str, RetrievalStudy]) -> dict[str, dict[str, np.ndarray]]:
    """Collect Max@R by question: by target language, by model and language of the query."""
    curves: dict[str, dict[str, np.ndarray]] = {}
    for name, study in studies.items():
        for outcome in study.outcomes.values():
            if outcome.scenario.group == "multi":
                pivot, target = outcome.scenario.pool
                line = f"{name}, asked in {_CURVES[outcome.scenario.query == pivot]}"
                curves.setdefault(target, {})[line] = outcome.values(study.k)["max@r"]
    return curves


def beside_reported(results: pd.DataFrame, reported: pd.DataFrame, metric: str, column: str) -> dict[str, pd.DataFrame]:
    """Put measured values and reported ones into one table a target language, for those that both have.

    :param results: Measured.
    :param reported: A row a model, target and query.
    :param metric: Name of the measured metric.
    :param column: Column of the reported table that holds the same.
    """
    measured = by_target(results, "multi", metric)
    published = pd.DataFrame(
        {
            "model": reported["model"] + " (reported)",
            "target": reported["target"],
            "asked": (reported["query"] == PIVOT).map(ASKED),
            "value": reported[column],
            "low": np.nan,
            "high": np.nan,
        }
    )
    both = pd.concat([measured.assign(reported=False), published.assign(reported=True)])
    targets = [target for target in measured["target"].unique() if (published["target"] == target).any()]
    return {str(target): both[both["target"] == target] for target in targets}
