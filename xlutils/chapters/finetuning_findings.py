"""Chapter 4: what the records say about training and about repairs without it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from xlutils.chapters.finetuning import Comparison
from xlutils.chapters.retrieval import ASKED
from xlutils.chapters.wording import with_interval, write_table
from xlutils.datasets.languages import LANGUAGES
from xlutils.datasets.scenarios import PIVOT, split_metric
from xlutils.results.record import read_record

BASE = "as it came"
_SETTINGS = ("temperature", "jsd_weight", "keep_weight", "epochs", "batch_size", "learning_rate", "max_length",
             "only_biases", "seed")  # fmt: skip
_UNEVEN = 4  # a loss that pulls so many times harder decides alone
_THE_SAME = 0.95  # rank correlation above which one measure says what the other does


def measures(k: int) -> dict[str, tuple[str, int]]:
    """Name the metrics by which one chooses: by heading, the metric and its decimal places."""
    return {
        "Max@R": ("mean/multi/max@r", 1),
        f"Complete@{k}": (f"mean/multi/complete@{k}", 1),
        "own language first": ("mean/multi/own-first", 2),
        "one right passage first": ("mean/multi/some-first", 2),
        "one language alone: NDCG@1": ("mean/mono-same/ndcg@1", 2),
        "Semantic Affinity": ("sa", 2),
    }


def read_changes(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Read records of fine-tuning into one table.

    :param paths: The records.
    :return: A row a metric: model, dataset, done, protocol, k, seconds, languages trained on (or none), metric,
        before, after, after_low, after_high, change, low, high.
    """
    rows = []
    for path in paths:
        content = read_record(path)
        metrics, params, bounds = content["metrics"], content["params"], content["ci95"]
        about = {
            "model": content["model"]["name"],
            "dataset": content["dataset"]["name"],
            "done": params["done"]["name"],
            "protocol": params["protocol"],
            "k": params["k"],
            "seconds": content["timing"]["done"],
            "trained_on": tuple(params["done"].get("trained_on", {}).get("languages", ())),
        }
        for name, change in metrics.items():
            metric = name.removeprefix("change/")
            if metric == name:
                continue
            low, high = bounds[name]
            after_low, after_high = bounds[f"after/{metric}"]
            values = {"before": metrics[f"before/{metric}"], "after": metrics[f"after/{metric}"], "change": change}
            rows.append(about | {"metric": metric, **values, "low": low, "high": high,
                                 "after_low": after_low, "after_high": after_high})  # fmt: skip
    return pd.DataFrame(rows)


def choice_table(changes: pd.DataFrame) -> pd.DataFrame:
    """Write what one gets for what is done: a row each, the model as it came first, with intervals.

    :param changes: What `read_changes` found for one model, dataset and protocol.
    """
    columns = {}
    for heading, (metric, digits) in measures(int(changes["k"].iloc[0])).items():
        rows = changes[changes["metric"] == metric].set_index("done")
        if len(rows):
            values = rows[["after", "after_low", "after_high"]].set_axis(["value", "low", "high"], axis=1)
            columns[heading] = pd.concat([
                pd.Series({BASE: f"{rows['before'].iloc[0]:.{digits}f}"}), write_table(values, digits=digits)
            ])  # fmt: skip
    seconds = changes.drop_duplicates("done").set_index("done")["seconds"]
    columns["seconds"] = pd.concat([pd.Series({BASE: ""}), seconds.map("{:.3g}".format)])
    order = [BASE, *seconds.index]
    table = pd.DataFrame({name: column.reindex(order).fillna("") for name, column in columns.items()})
    return table.rename_axis("done")


def recipe_table(paths: Iterable[str | Path]) -> pd.DataFrame:
    """List the settings of each recorded training: a row each, what it was trained on and its recipe."""
    rows = {}
    for path in paths:
        done = read_record(path)["params"]["done"]
        if "recipe" in done:
            recipe, data = done["recipe"], done["trained_on"]
            shown = {name: value for name, value in recipe.items() if name in _SETTINGS}
            rows[done["name"]] = {"triples": data["size"], "languages": ", ".join(data["languages"]), **shown}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("training")


def change_tables(changes: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Take apart the paired changes by measure: by heading, a row for what was done: value, low, high."""
    tables = {}
    for heading, (metric, _) in measures(int(changes["k"].iloc[0])).items():
        rows = changes[changes["metric"] == metric].set_index("done")
        if len(rows):
            tables[heading] = rows[["change", "low", "high"]].set_axis(["value", "low", "high"], axis=1)
    return tables


def language_table(changes: pd.DataFrame, done: str) -> pd.DataFrame:
    """Write the main measures of one training by language: before, after and the paired change.

    :param changes: What `read_changes` found for one model, dataset and protocol.
    :param done: Short name of the training.
    :return: A row for each other language and language of the queries, with whether it was trained on.
    """
    own = changes[(changes["done"] == done) & changes["metric"].str.startswith("multi/")]
    k, trained = int(own["k"].iloc[0]), own["trained_on"].iloc[0]
    rows: dict[tuple[str, str, str], dict[str, str]] = {}
    for name, group in own.groupby("metric", sort=False):
        _, pool, query, metric = split_metric(str(name))
        codes = pool.split("+")
        if len(codes) != 2 or query not in codes or metric not in ("max@r", f"complete@{k}"):
            continue
        target = codes[1] if codes[0] == PIVOT else codes[0]
        heading = "Max@R" if metric == "max@r" else f"Complete@{k}"
        row = group.iloc[0]
        key = (LANGUAGES[target].name, "yes" if target in trained else "no", ASKED[query == PIVOT])
        rows.setdefault(key, {}).update({
            f"{heading} before": f"{row['before']:.1f}",
            f"{heading} after": f"{row['after']:.1f}",
            f"change of {heading}": with_interval(row["change"], row["low"], row["high"], digits=1),
        })  # fmt: skip
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index = pd.MultiIndex.from_tuples(table.index, names=["language", "trained on", "asked"])
    return table


def verdicts(runs: Iterable[Comparison], repairs: Sequence[Comparison], seed: int) -> list[str]:
    """Say for each training how it stands against the repair that completes most questions.

    :param runs: Trainings.
    :param repairs: Repairs of the same model, measured on the same questions.
    :param seed: Seed of the intervals.
    """
    k = repairs[0].before.retrieval.k
    main, price = f"mean/multi/complete@{k}", "mean/mono-same/ndcg@1"
    best = max(repairs, key=lambda each: float(each.after.retrieval.values()[main].mean()))
    found = []
    for run in runs:
        table = Comparison(best.after, run.after, run.done, run.seconds).table(seed)
        parts = []
        for metric, what, digits in ((main, f"Complete@{k}", 1), (price, "NDCG@1 in one language alone", 3)):
            change, low, high = (float(table[column][metric]) for column in ("change", "low", "high"))
            word = "higher" if low > 0 else "lower" if high < 0 else "not told apart"
            parts.append(f"{what} {word}, {with_interval(change, low, high, digits=digits)}")
        found.append(f"**{run.name}** against {best.name}: {'; '.join(parts)}.")
    return found


def balance_finding(balance: pd.DataFrame, temperature: float, jsd_weight: float) -> str:
    """Say how unevenly two losses that are simply added pull, and what the settings make of it.

    :param balance: What `gradient_balance` found.
    :param temperature: Of the trainings that follow.
    :param jsd_weight: Factor of the Jensen-Shannon loss in them.
    """
    ratios = balance["gradient"].iloc[1:] / balance["gradient"].iloc[0]
    said = [f"{ratio:.3g} times at {str(name).split(', ')[1]}" for name, ratio in ratios.items()]
    weakest = ratios.min()
    verdict = "Added up as they are, the sum is nearly InfoNCE alone. " if weakest > _UNEVEN else ""
    return (
        f"The gradient of InfoNCE, in gradients of the Jensen-Shannon loss: {', '.join(said)}. {verdict}"
        f"Here the temperature is {temperature:g} and the Jensen-Shannon loss counts {jsd_weight:g} times."
    )


def distribution_finding(clouds: Mapping[str, pd.DataFrame]) -> str:
    """Say what the Jensen-Shannon divergence of such vectors measures.

    :param clouds: By name of the model, what `translation_pairs` found.
    """
    lines, lowest = [], 1.0
    for name, table in clouds.items():
        ranks = table[["jsd", "distance", "cosine"]].rank().corr()["jsd"]
        lowest = min(lowest, ranks["distance"])
        lines.append(f"{ranks['distance']:.3f} with the distance and {ranks['cosine']:.2f} with the cosine ({name})")
    reading = (
        " Over so many dimensions the softmax is almost flat, so the divergence is, but for a factor, the plain "
        "distance of the two vectors: it sees their lengths, which cosine does not, and hardly more."
    )
    return f"Rank correlation of the divergence: {'; '.join(lines)}.{reading if lowest > _THE_SAME else ''}"
