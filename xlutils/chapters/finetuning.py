"""Chapter 4: what remedies and trainings changed, as tables."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from xlutils.chapters.outcomes import mean_rows
from xlutils.chapters.remedies import AS_PUBLISHED, RemedyStudy, split_states
from xlutils.chapters.training_runs import Comparison
from xlutils.chapters.wording import with_interval, with_margin, write_table
from xlutils.datasets.languages import LANGUAGES, language_codes
from xlutils.datasets.parallel import NAMES, ParallelQA, load_parallel
from xlutils.datasets.scenarios import PIVOT
from xlutils.datasets.triples import Triples, load_triples, triples_of
from xlutils.errors import XlError
from xlutils.results.record import read_record
from xlutils.results.rows import Key
from xlutils.training.finetune import check_size

_INTERVAL = ["value", "low", "high"]
_OTHERS = {"Max@R norm": "max@r_norm/per-query", "NDCG@1": "ndcg@1", "MRR": "mrr"}
_SCENARIOS = {"multi": "Multi", "multi-1": "Multi-1", "mono-same": "Mono-Same", "mono-cross": "Mono-Cross"}


def load_both(
    train_data: str,
    train_languages: Sequence[str],
    eval_dataset: str,
    eval_languages: Sequence[str],
    batch: int = 1,
    epochs: float = 1,
) -> tuple[Triples, ParallelQA]:
    """Load training data and questions, with no passage in both.

    :param train_data: Parallel questions by name, or triples as for `load_triples`. If it is the same as
        `eval_dataset`, every other passage is for training and the rest for questions.
    :param train_languages: Languages to train on, without English; `eval_languages` likewise, to ask in.
    :param batch: Triples per step of the training.
    :param epochs: Passes over them.
    :raises XlError: If data are missing or too few, or a passage is both trained on and asked for.
    """
    train_codes, eval_codes = language_codes(train_languages), language_codes(eval_languages)
    if PIVOT in train_codes:
        raise XlError("train_languages: every triple contains English already; list only the other languages")
    if train_data == eval_dataset != "debian":  # debian has separate texts for training
        whole = load_parallel(eval_dataset, list(dict.fromkeys([PIVOT, *eval_codes, *train_codes])))
        rows = range(len(whole.passage_ids))
        triples = triples_of(whole.part(rows[::2], f"{whole.name}-train"), train_codes)
        data = whole.part(rows[1::2], f"{whole.name}-held-out").only([PIVOT, *eval_codes])
    else:
        data = load_parallel(eval_dataset, [PIVOT, *eval_codes])
        if train_data in NAMES and train_data != "debian":
            triples = triples_of(load_parallel(train_data, [PIVOT, *train_codes]), train_codes)
        else:
            triples = load_triples(train_data, train_codes)
        if shared := len({*data.passages[PIVOT]} & {row.passage_en for row in triples.rows}):
            raise XlError(f"{shared} passages of {data.name} are in the training data too; train on others")
    check_size(triples.rows, batch, epochs)
    return triples, data


def measures(k: int) -> pd.DataFrame:
    """Return the means by which to choose a model: name of the measure, kind, metric and number of decimals."""
    rows = [
        ("Max@R", "multi", "max@r", 1),
        (f"Complete@{k}", "multi", f"complete@{k}", 1),
        ("question's language first", "multi", "own-first", 2),
        ("some gold passage first", "multi", "ndcg@1", 2),
        ("one language alone: NDCG@1", "mono-same", "ndcg@1", 2),
        ("Semantic Affinity", "all", "sa", 2),
    ]
    return pd.DataFrame(rows, columns=["measure", "kind", "metric", "digits"]).assign(pool="", query="")


def read_changes(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Read records of this chapter into one table, one row per metric and state.

    :return: The columns of a record's metrics, and done (short name of the remedy or training), model, dataset, path,
        protocol, k, seconds (of a remedy: for a thousand questions), trained_on (languages; empty for a remedy), and
        measure and digits where it is one of `measures`.
    """
    tables = []
    for path in paths:
        record = read_record(path)
        params = record["params"]
        table = record["metrics"].merge(measures(params["k"]), "left")
        if record["experiment"] == "remedies":
            table = split_states(table).assign(trained_on="")
            table["seconds"] = table["done"].map(record["timing"])
        else:
            done = params["done"]
            trained_on = " ".join(done.get("trained_on", {}).get("languages", ()))
            table = table.assign(done=done["name"], seconds=record["timing"]["done"], trained_on=trained_on)
        about = {"model": record["model"]["name"], "dataset": record["dataset"]["name"], "path": str(path)}
        tables.append(table.assign(protocol=params["protocol"], k=params["k"], **about))
    return pd.DataFrame(pd.concat(tables, ignore_index=True))


def tradeoff(changes: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return NDCG@1 in one language and Complete@K in mixed pools, as published and after each remedy or training.

    :param changes: Rows of `read_changes` for one model, dataset and protocol; also for the functions below.
    :return: For each measure one row per state, the model as published first: value; low and high, the interval of the
        paired change, moved to where it leads and cut where the scale ends; series, the kind of change; and for a
        training with several seeds, which is one row, their mean, and the least and the most.
    """
    k = changes["k"].iloc[0]
    cost, gain = (_states(changes, *of) for of in (("mono-same", "ndcg@1", 1), ("multi", f"complete@{k}", 100)))
    return cost, gain


def _states(changes: pd.DataFrame, kind: str, metric: str, best: float) -> pd.DataFrame:
    rows = changes[(changes[["kind", "metric", "pool"]] == [kind, metric, ""]).all(axis=1)]
    published = rows.loc[rows["state"] == "before", "value"].iloc[0]
    change = rows[rows["state"] == "change"].copy()
    change[_INTERVAL] = (change[_INTERVAL] + published).clip(0, best)
    groups = change.groupby(change["done"].str.replace(r"\.seed-\d+$", "", regex=True), sort=False)
    seeds = groups["done"].nunique()
    table = groups[_INTERVAL].mean().assign(least=groups["value"].min(), most=groups["value"].max())
    table["series"] = np.where(groups["trained_on"].first() == "", "without training", "training")
    table.index = pd.Index([f"{name} ({count} seeds)" if count > 1 else name for name, count in seeds.items()])
    return pd.concat([pd.DataFrame({"value": published}, index=[AS_PUBLISHED]), table])


def seed_ranges(measures: Mapping[str, pd.DataFrame]) -> str:
    """Return how far the seeds of a training differ, in words; empty if every training has one seed.

    :param measures: The tables of `tradeoff` by name of their measure.
    """
    names = next(iter(measures.values())).index
    sentences = []
    for name in names[names.str.endswith(" seeds)")]:
        ends = {measure: table.loc[name, ["least", "most"]] for measure, table in measures.items()}
        parts = [f"{measure} {low:.3g} to {high:.3g}" for measure, (low, high) in ends.items()]
        sentences.append(f"{name}: {', '.join(parts)}.")
    return " ".join(sentences)


def choice_table(changes: pd.DataFrame) -> pd.DataFrame:
    """Return the scores with half the width of their intervals, as published and after each remedy or training."""
    rows = changes.dropna(subset="measure")
    before = rows[rows["state"] == "before"].drop_duplicates("measure").assign(done=AS_PUBLISHED)
    cells = pd.concat([before, rows[rows["state"] == "after"]], ignore_index=True)
    cells["text"] = write_table(cells, write=with_margin)
    table = cells.pivot_table("text", "done", "measure", aggfunc="first")
    names = [name for name in measures(changes["k"].iloc[0])["measure"] if name in table]
    seconds = changes.groupby("done")["seconds"].first().round(3).map("{:g}".format)
    table = (
        table[names].join(seconds).reindex([AS_PUBLISHED, *changes.loc[changes["state"] == "change", "done"].unique()])
    )
    return table.fillna("").rename_axis("remedy or training")


def language_table(changes: pd.DataFrame, done: str) -> pd.DataFrame:
    """Return the changes by one training in pools of English and one more language.

    :return: A row per language and language of the question, with whether the language was trained on; the scores
        before and after, and the change with half the width of its interval.
    """
    k = changes["k"].iloc[0]
    pairs = changes[(changes["done"] == done) & (changes["kind"] == "multi") & (changes["pool"] != "")]
    rows = {}
    for keys, part in pairs.groupby(["pool", "query"], sort=False):
        pool, asked = map(str, keys)
        code, cells = pool.removeprefix(f"{PIVOT}+"), {}
        for heading, metric in (("Max@R", "max@r"), (f"Complete@{k}", f"complete@{k}")):
            states = part[part["metric"] == metric].set_index("state")[_INTERVAL].astype(float)
            cells[heading] = "{:.1f} → {:.1f}".format(*states.loc[["before", "after"], "value"])
            cells[f"change of {heading}"] = with_margin(*states.loc["change"], digits=1)
        trained = "yes" if code in part["trained_on"].iloc[0].split() else "no"
        rows[LANGUAGES[code].name, trained, LANGUAGES[asked].name] = cells
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["language", "trained on", "asked in"])


def compare_with_remedy(runs: Iterable[Comparison], study: RemedyStudy, remedy: str, seed: int) -> pd.DataFrame:
    """Return how each training differs from a remedy, question by question, as verdicts with intervals."""
    exam, remedied = study.before.exam, study.values[remedy]  # noqa: PD011 - a dictionary
    rows: dict[str, dict[str, str]] = {}
    complete, alone = Key("multi", f"complete@{exam.k}"), Key("mono-same", "ndcg@1")
    headings = {f"Complete@{exam.k}": 1, "NDCG@1 in one language": 3}  # decimals
    for run in runs:
        trained = run.after.retrieval.values()
        changes = mean_rows({key: trained[key] - remedied[key] for key in (complete, alone)}, exam.data.gold, seed)
        rows[run.name] = {}
        for (heading, digits), interval in zip(headings.items(), changes[_INTERVAL].to_numpy(float), strict=True):
            _, low, high = interval
            verdict = "higher" if low > 0 else "lower" if high < 0 else "no clear difference"
            rows[run.name][heading] = f"{verdict}: {with_interval(*interval, digits=digits)}"
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(f"compared with {remedy}")


def other_measures(changes: pd.DataFrame, done: str) -> pd.DataFrame:
    """Return what one training changed in every scenario, in measures that `choice_table` does not have.

    :return: Means over all languages, before and after; the change has half the width of its interval.
    """
    rows = changes[(changes["done"] == done) & (changes["pool"] == "") & (changes["language"] == "")]
    table = {}
    for (kind, name), (heading, metric) in itertools.product(_SCENARIOS.items(), _OTHERS.items()):
        states = rows[(rows["kind"] == kind) & (rows["metric"] == metric)].set_index("state")[_INTERVAL].astype(float)
        if "change" in states.index:
            digits = 1 if "norm" in metric else 3
            cells = {state: f"{float(states['value'][state]):.{digits}f}" for state in ("before", "after")}
            table[name, heading] = {**cells, "change": with_margin(*states.loc["change"], digits=digits)}
    return pd.DataFrame.from_dict(table, orient="index").rename_axis(["scenario", "measure"])
