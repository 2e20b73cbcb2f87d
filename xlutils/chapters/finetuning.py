"""Chapter 4: what repairs and trainings changed, as tables, figures and the card of a trained model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from xlutils.chapters.training_runs import Comparison, Run
from xlutils.chapters.wording import with_interval, write_table
from xlutils.datasets.languages import LANGUAGES, language_codes
from xlutils.datasets.parallel import NAMES, ParallelQA, load_parallel
from xlutils.datasets.scenarios import PIVOT, make_scenarios, split_metric
from xlutils.datasets.triples import Triples, load_triples, triples_of
from xlutils.errors import XlError
from xlutils.models.catalogue import find_card
from xlutils.models.sentence_transformer import quiet
from xlutils.results.record import read_record
from xlutils.training.finetune import check_size

BASE = "as published"
_CARD = """---
{head}---

# {name}: trained for cross-lingual alignment

Trained from {base} on {triples}. A triple is an English question, an English passage that answers it, and that passage
in another language ({languages}). The method follows Hong, Jang, Lee, Moon and Lim, *Improving Semantic Proximity in
Information Retrieval through Cross-Lingual Alignment*.

Scores on {questions}, whose passages were not trained on. Changes are paired and have a 95% interval. Max@R should
fall, everything else should rise.

| metric | before | after | change |
|---|---:|---:|---|
{rows}

| setting | value |
|---|---|
{recipe}
"""


def load_both(
    train_data: str, train_languages: Sequence[str], eval_dataset: str, eval_languages: Sequence[str], batch: int = 1
) -> tuple[Triples, ParallelQA]:
    """Load training data and questions, with no passage in both.

    :param train_data: Parallel questions by name, or triples as for `load_triples`. If it is the same as
        `eval_dataset`, every other passage is for training and the rest for questions.
    :param train_languages: Languages to train on, without English; `eval_languages` likewise, to ask in.
    :param batch: Smallest number of triples that is enough.
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
    check_size(triples.rows, batch)
    return triples, data


def measures(k: int) -> dict[str, tuple[str, int]]:
    """Return the metrics by which to choose a model: metric and number of decimals by heading."""
    return {
        "Max@R": ("mean/multi/max@r", 1),
        f"Complete@{k}": (f"mean/multi/complete@{k}", 1),
        "question's language first": ("mean/multi/own-first", 2),
        "some gold passage first": ("mean/multi/some-first", 2),
        "one language alone: NDCG@1": ("mean/mono-same/ndcg@1", 2),
        "Semantic Affinity": ("sa", 2),
    }


def read_changes(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Read records of this chapter into one table, one row per metric.

    :return: Columns done (short name of the repair or training), protocol, k, seconds, languages (of the questions),
        trained_on (languages; empty for a repair), metric; before, after, after_low, after_high; change, low, high.
    """
    rows = []
    for path in paths:
        record = read_record(path)
        params, metrics, bounds = record["params"], record["metrics"], record["ci95"]
        about = {
            "done": params["done"]["name"],
            "protocol": params["protocol"],
            "k": params["k"],
            "seconds": record["timing"]["done"],
            "languages": tuple(record["dataset"]["languages"]),
            "trained_on": tuple(params["done"].get("trained_on", {}).get("languages", ())),
        }
        for metric in (name.removeprefix("change/") for name in metrics if name.startswith("change/")):
            row = about | {"metric": metric, "before": metrics[f"before/{metric}"], "after": metrics[f"after/{metric}"]}
            row["after_low"], row["after_high"] = bounds[f"after/{metric}"]
            row["change"] = metrics[f"change/{metric}"]
            row["low"], row["high"] = bounds[f"change/{metric}"]
            rows.append(row)
    return pd.DataFrame(rows)


def change_tables(changes: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the paired changes by measure: one row per repair or training; columns value, low and high."""
    tables = {}
    for heading, (metric, _) in measures(int(changes["k"].iloc[0])).items():
        rows = changes[changes["metric"] == metric].set_index("done")
        if len(rows):
            tables[heading] = rows[["change", "low", "high"]].set_axis(["value", "low", "high"], axis=1)
    return tables


def choice_table(changes: pd.DataFrame) -> pd.DataFrame:
    """Return the scores after each repair or training, below those of the model as published.

    :param changes: Rows of `read_changes` for one model, dataset and protocol; also for the functions below.
    """
    columns = {}
    for heading, (metric, digits) in measures(int(changes["k"].iloc[0])).items():
        rows = changes[changes["metric"] == metric].set_index("done")
        if len(rows):
            after = rows[["after", "after_low", "after_high"]].set_axis(["value", "low", "high"], axis=1)
            before = pd.Series({BASE: f"{rows['before'].iloc[0]:.{digits}f}"})
            columns[heading] = pd.concat([before, write_table(after, digits=digits)])
    columns["seconds"] = changes.groupby("done", sort=False)["seconds"].first().round(3).map("{:g}".format)
    order = [BASE, *dict.fromkeys(changes["done"])]
    return pd.DataFrame(columns).reindex(order).fillna("").rename_axis("repair or training")


def language_table(changes: pd.DataFrame, done: str) -> pd.DataFrame:
    """Return the changes by one training in pools of English and one more language.

    :return: A row per language and language of the question, with whether the language was trained on.
    """
    by_metric = _by_metric(changes[changes["done"] == done])
    k, languages, trained_on = (by_metric["mean/multi/max@r"][name] for name in ("k", "languages", "trained_on"))
    rows = {}
    for scenario in make_scenarios(["multi"], [code for code in languages if code != PIVOT]):
        code = scenario.pool[1]
        asked = "English" if scenario.query == PIVOT else LANGUAGES[code].name
        cells = {}
        for heading, metric in (("Max@R", "max@r"), (f"Complete@{k}", f"complete@{k}")):
            row = by_metric[f"{scenario.name}/{metric}"]
            cells[f"{heading} before"] = f"{row['before']:.1f}"
            cells[f"{heading} after"] = f"{row['after']:.1f}"
            cells[f"change of {heading}"] = with_interval(row["change"], row["low"], row["high"], digits=1)
        rows[LANGUAGES[code].name, "yes" if code in trained_on else "no", asked] = cells
    table = pd.DataFrame.from_dict(rows, orient="index")
    return table.rename_axis(["language", "trained on", "asked in"])


def _by_metric(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    rows = table.reset_index().to_dict("records")
    return {str(row["metric"]): {str(name): value for name, value in row.items()} for row in rows}


def compare_with_repairs(runs: Iterable[Comparison], repairs: Sequence[Comparison], seed: int) -> pd.DataFrame:
    """Return how each training differs from the repair that completes most questions, as verdicts with intervals."""
    k = repairs[0].before.retrieval.k
    complete = f"mean/multi/complete@{k}"
    columns = {f"Complete@{k}": (complete, 1), "NDCG@1 in one language": ("mean/mono-same/ndcg@1", 3)}
    best = max(repairs, key=lambda repair: float(repair.after.retrieval.values()[complete].mean()))
    rows = {}
    for run in runs:
        changes = _by_metric(Comparison(best.after, run.after, run.change, run.seconds).table(seed))
        rows[run.name] = {"compared with": best.name}
        for heading, (metric, digits) in columns.items():
            change, low, high = (changes[metric][name] for name in ("change", "low", "high"))
            verdict = "higher" if low > 0 else "lower" if high < 0 else "no clear difference"
            rows[run.name][heading] = f"{verdict}: {with_interval(change, low, high, digits=digits)}"
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("training")


def check_claims(changes: pd.DataFrame, done: str) -> pd.DataFrame:
    """Check the claims of Hong et al. about their recipe against the record of a training, one row per claim."""
    by_metric = _by_metric(changes[changes["done"] == done])
    max_at_r, alone = by_metric["mean/multi/max@r"], by_metric["mean/mono-same/ndcg@1"]
    complete = by_metric[f"mean/multi/complete@{max_at_r['k']}"]
    new = [code for code in max_at_r["languages"] if code not in (PIVOT, *max_at_r["trained_on"])]
    transfer = [by_metric[f"{scenario.name}/max@r"] for scenario in make_scenarios(["multi"], new)]
    weakest = max(transfer, key=lambda row: float(row["high"]))
    claims = [
        ("both passages are found earlier (Max@R falls)", max_at_r, max_at_r["high"] < 0),
        ("more questions are complete", complete, complete["low"] > 0),
        ("retrieval in one language loses nothing (NDCG@1)", alone, alone["high"] >= 0),
        ("Max@R falls in every language never trained on", weakest, weakest["high"] < 0),
    ]
    rows = []
    for claim, row, holds in claims:
        change = with_interval(row["change"], row["low"], row["high"])
        where = f" in {split_metric(row['metric'])[1]}, the weakest" if row is weakest else ""
        rows.append((claim, "reproduced" if holds else "not reproduced", f"{change}{where}"))
    rows.append(("larger models gain as much", "not tested here: training them needs a GPU", ""))
    return pd.DataFrame(rows, columns=["claim", "verdict", "change"]).set_index("claim")


def save_model(run: Run, folder: str | Path, seed: int) -> Path:
    """Save a trained model to a new folder, with a card that holds its scores before and after.

    :raises XlError: If the folder is not empty.
    """
    folder = Path(folder).expanduser()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise XlError(f"{folder.name} is not empty; save the model to a new folder")
    with quiet():
        run.model.save_pretrained(str(folder), create_model_card=False)
    (folder / "README.md").write_text(_card(run.comparison, seed), encoding="utf-8")
    return folder


def _card(comparison: Comparison, seed: int) -> str:
    study, change = comparison.before.retrieval, comparison.change
    data: dict[str, Any] = change["trained_on"]
    head: dict[str, Any] = {"library_name": "sentence-transformers", "pipeline_tag": "sentence-similarity"}
    head |= {"tags": ["cross-lingual", "retrieval"], "language": [PIVOT, *data["languages"]]}
    known = find_card(study.name)
    if known and known.licence not in ("unknown", "proprietary"):
        head["license"] = known.licence.lower()
    endings = ("/max@r", f"/complete@{study.k}", "/ndcg@1")
    rows = [
        f"| {name} | {row['before']:.4g} | {row['after']:.4g} | "
        f"{with_interval(row['change'], row['low'], row['high'], digits=3)} |"
        for name, row in comparison.table(seed).iterrows()
        if name == "sa" or str(name).endswith(endings)
    ]
    return _CARD.format(
        head=yaml.safe_dump(head, sort_keys=False),
        base=f"{study.name} (revision {study.model['revision']})",
        name=comparison.name,
        triples=f"{data['size']} triples of {data['name']} (SHA-256 {data['sha256']})",
        languages=", ".join(data["languages"]),
        questions=f"{len(study.data.query_ids)} questions of {study.data.name}, protocol {study.protocol}",
        rows="\n".join(rows),
        recipe="\n".join(f"| {name} | {value} |" for name, value in change["recipe"].items()),
    )
