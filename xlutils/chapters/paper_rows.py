"""The rows of tables in the layout of the papers: reported values, and what records hold of pairs with English."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from xlutils.datasets.scenarios import PIVOT
from xlutils.results.record import read_record
from xlutils.training.recipe import RECIPES, learning_rate

REPORTED, MEASURED = "reported", "measured"
INTERVAL = ["value", "low", "high"]
OURS = "jsd+nce"  # losses of the method of Hong et al.


def reported_rows(wide: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """Return reported values as rows like those of `measured_rows`."""
    if "losses" not in wide:
        wide = wide.assign(losses=wide["trained"].map({"no": "", "yes": OURS}))
    about = [name for name in wide if name not in (*metrics, "trained")]
    rows = wide.melt(about, list(metrics), var_name="metric").dropna(subset="value")
    return rows.assign(low=math.nan, high=math.nan, source=REPORTED)


def measured_rows(paths: Iterable[Path], protocol: str, kinds: Sequence[str]) -> pd.DataFrame:
    """Return the rows of records on pairs with English, each with its target, the losses and the source.

    A model that was trained on one language counts for that language alone, as in the paper.
    """
    tables = [pd.DataFrame(columns=["metric", "target", "query", "losses", "source", "model", "dataset", *INTERVAL])]
    for path in sorted(paths, key=lambda path: "finetune" in path.parts):  # a model before training is there twice
        record = record_of(path, "mixed-retrieval", "finetune")
        if record is None or record["params"]["protocol"] != protocol:
            continue
        rows = record["metrics"].query("kind in @kinds and pool != '' and language == '' and state != 'change'")
        rows = _with_targets(rows, record["dataset"]["languages"])
        rows = rows.assign(model=record["model"]["name"], dataset=record["dataset"]["name"], losses="", source=MEASURED)
        if record["experiment"] == "finetune":
            done, is_after = record["params"]["done"], rows["state"] == "after"
            languages, losses = done["trained_on"]["languages"], "+".join(sorted(done["recipe"]["losses"]))
            rows.loc[is_after, ["losses", "source"]] = losses, _source(done, record["model"]["name"])
            rows = rows[~is_after | (rows["target"] == languages[0]) | (len(languages) > 1)]
        tables.append(rows)
    key = ["model", "dataset", "kind", "pool", "query", "target", "metric", "losses", "source"]
    return pd.concat(tables[1:], ignore_index=True).drop_duplicates(key) if tables[1:] else tables[0]


def _source(done: Mapping[str, Any], model: str) -> str:
    """Return the name of a training with its languages, and whether it has the settings of the paper."""
    languages, recipe = sorted(done["trained_on"]["languages"]), done["recipe"]
    name = ".".join(part for part in done["name"].split(".") if not _lists(part, languages))
    text = f"{MEASURED}, {name} on " + ("+".join(languages) if languages[1:] else "the target alone")
    paper = {**asdict(RECIPES["paper"]), "learning_rate": learning_rate(model)}
    is_paper = all(recipe[key] == paper[key] for key in recipe if key not in ("losses", "seed", "bf16", "mixed"))
    return text if is_paper else f"{text}, other settings than the paper's"


def _lists(part: str, languages: Sequence[str]) -> bool:
    """Return whether a part of a training's name is its languages, see `training.recipe.label_of`."""
    return sorted(part.split("-")) == list(languages) or part == f"{len(languages)}-languages"


def _with_targets(rows: pd.DataFrame, languages: Sequence[str]) -> pd.DataFrame:
    """Return rows with the language beside English; the pool of English alone belongs to each of them."""
    target = rows["pool"].str.removeprefix(f"{PIVOT}+")
    rows = rows.assign(target=target.mask(target == PIVOT, rows["query"]))
    alone = rows[rows["target"] == PIVOT]
    others = [alone.assign(target=code) for code in languages if code != PIVOT]
    return pd.concat([rows[rows["target"] != PIVOT], *others])


def record_of(path: Path, *experiments: str) -> dict[str, Any] | None:
    """Read a record if its folder names one of the experiments."""
    return read_record(path) if Path(path).parents[1].name in experiments else None
