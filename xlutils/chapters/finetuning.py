"""Chapter 4: what remedies and trainings changed, as tables, figures and the card of a trained model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from xlutils.chapters.outcomes import mean_rows
from xlutils.chapters.remedies import AS_PUBLISHED, RemedyStudy, split_states
from xlutils.chapters.training_runs import Comparison
from xlutils.chapters.wording import with_interval, write_table
from xlutils.datasets.languages import LANGUAGES, language_codes
from xlutils.datasets.parallel import NAMES, ParallelQA, load_parallel
from xlutils.datasets.scenarios import PIVOT
from xlutils.datasets.triples import Triples, load_triples, triples_of
from xlutils.errors import XlError
from xlutils.results.record import read_record
from xlutils.results.rows import Key, rows_of
from xlutils.training.finetune import check_size

_INTERVAL = ["value", "low", "high"]


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

    :return: The columns of a record's metrics, and done (short name of the remedy or training), model, dataset,
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
        about = {"model": record["model"]["name"], "dataset": record["dataset"]["name"]}
        tables.append(table.assign(protocol=params["protocol"], k=params["k"], **about))
    return pd.DataFrame(pd.concat(tables, ignore_index=True))


def change_tables(changes: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the paired changes by measure: one row per remedy or training; columns value, low and high."""
    rows = changes[changes["state"] == "change"].set_index(["measure", "done"])[_INTERVAL]
    names = measures(changes["k"].iloc[0])["measure"]
    return {name: rows.loc[name] for name in names if name in rows.index}


def choice_table(changes: pd.DataFrame) -> pd.DataFrame:
    """Return the scores after each remedy or training, below those of the model as published.

    :param changes: Rows of `read_changes` for one model, dataset and protocol; also for the functions below.
    """
    rows = changes.dropna(subset="measure")
    before = rows[rows["state"] == "before"].drop_duplicates("measure").assign(done=AS_PUBLISHED)
    after = rows[rows["state"] == "after"]
    texts = [f"{value:.{int(digits)}f}" for value, digits in before[["value", "digits"]].to_numpy()]
    cells = pd.concat([before.assign(text=texts), after.assign(text=write_table(after))])
    table = cells.pivot_table("text", "done", "measure", aggfunc="first")
    names = [name for name in measures(changes["k"].iloc[0])["measure"] if name in table]
    seconds = changes.groupby("done")["seconds"].first().round(3).map("{:g}".format)
    table = (
        table[names].join(seconds).reindex([AS_PUBLISHED, *changes.loc[changes["state"] == "change", "done"].unique()])
    )
    return table.fillna("").rename_axis("remedy or training")


def language_table(changes: pd.DataFrame, done: str) -> pd.DataFrame:
    """Return the changes by one training in pools of English and one more language.

    :return: A row per language and language of the question, with whether the language was trained on.
    """
    k = changes["k"].iloc[0]
    pairs = changes[(changes["done"] == done) & (changes["kind"] == "multi") & (changes["pool"] != "")]
    rows = {}
    for keys, part in pairs.groupby(["pool", "query"], sort=False):
        pool, asked = map(str, keys)
        code, cells = pool.removeprefix(f"{PIVOT}+"), {}
        for heading, metric in (("Max@R", "max@r"), (f"Complete@{k}", f"complete@{k}")):
            states = part[part["metric"] == metric].set_index("state")[_INTERVAL].astype(float)
            cells[f"{heading} before"], cells[f"{heading} after"] = states["value"][:2].map("{:.1f}".format)
            cells[f"change of {heading}"] = with_interval(*states.loc["change"], digits=1)
        trained = "yes" if code in part["trained_on"].iloc[0].split() else "no"
        rows[LANGUAGES[code].name, trained, LANGUAGES[asked].name] = cells
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["language", "trained on", "asked in"])


def compare_with_remedy(runs: Iterable[Comparison], study: RemedyStudy, remedy: str, seed: int) -> pd.DataFrame:
    """Return how each training differs from a remedy, question by question, as verdicts with intervals."""
    exam, remedied = study.before.exam, study.values[remedy]  # noqa: PD011 - a dictionary
    complete, alone = Key("multi", f"complete@{exam.k}"), Key("mono-same", "ndcg@1")
    headings = {f"Complete@{exam.k}": 1, "NDCG@1 in one language": 3}  # decimals
    rows = {}
    for run in runs:
        trained = run.after.retrieval.values()
        changes = mean_rows({key: trained[key] - remedied[key] for key in (complete, alone)}, exam.data.gold, seed)
        rows[run.name] = {"compared with": remedy}
        for (heading, digits), interval in zip(headings.items(), changes[_INTERVAL].to_numpy(float), strict=True):
            _, low, high = interval
            verdict = "higher" if low > 0 else "lower" if high < 0 else "no clear difference"
            rows[run.name][heading] = f"{verdict}: {with_interval(*interval, digits=digits)}"
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("training")


def check_claims(changes: pd.DataFrame, done: str) -> pd.DataFrame:
    """Check the claims of Hong et al. about their recipe against the record of a training, one row per claim."""
    rows = changes[(changes["done"] == done) & (changes["state"] == "change")]
    keys = Key("multi", "max@r"), Key("multi", f"complete@{rows['k'].iloc[0]}"), Key("mono-same", "ndcg@1")
    max_at_r, complete, alone = (rows_of(rows, key._replace(state="change")).iloc[0] for key in keys)
    pairs = rows[(rows["kind"] == "multi") & (rows["metric"] == "max@r") & (rows["pool"] != "")]
    is_new = ~pairs["pool"].str.removeprefix(f"{PIVOT}+").isin(rows["trained_on"].iloc[0].split())
    weakest = pairs[is_new].sort_values("high", kind="stable").iloc[-1]
    claims = [
        ("both passages are found earlier (Max@R falls)", max_at_r, max_at_r["high"] < 0),
        ("more questions are complete", complete, complete["low"] > 0),
        ("retrieval in one language loses nothing (NDCG@1)", alone, alone["high"] >= 0),
        ("Max@R falls in every language never trained on", weakest, weakest["high"] < 0),
    ]
    table = {}
    for claim, row, holds in claims:
        where = f" in {row['pool']}, the weakest" if row["pool"] else ""
        change = with_interval(row["value"], row["low"], row["high"]) + where
        table[claim] = {"verdict": "reproduced" if holds else "not reproduced", "change": change}
    table["larger models gain as much"] = {"verdict": "not tested here: training them needs a GPU", "change": ""}
    return pd.DataFrame.from_dict(table, orient="index").rename_axis("claim")
