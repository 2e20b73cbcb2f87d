"""Chapter 4: one model before and after something was done to it, as one record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xlutils.chapters.affinity import AffinityStudy
from xlutils.chapters.outcomes import Protocol
from xlutils.chapters.retrieval import RetrievalStudy
from xlutils.datasets.triples import Triples
from xlutils.errors import XlError
from xlutils.metrics.geometry import effective_rank, random_cosine
from xlutils.metrics.uncertainty import bootstrap_ci, bootstrap_means
from xlutils.results.record import Record, describe_dataset, write_record
from xlutils.training.finetune import Recipe

_KEPT = ("max@r", "ndcg@1", "mrr", "own-first", "some-first")  # columns of the items, beside Complete@K


@dataclass(frozen=True)
class Side:
    """One state of a model.

    :param retrieval: Mixed-language retrieval.
    :param words: Semantic Affinity; None where it was not measured.
    """

    retrieval: RetrievalStudy
    words: AffinityStudy | None = None

    def again(self, protocol: Protocol) -> Side:
        """Measure the same vectors under another protocol."""
        return replace(self, retrieval=self.retrieval.again(protocol))

    def table(self, seed: int) -> pd.DataFrame:
        """Tabulate every metric: a row each, with value and 95% interval."""
        table = self.retrieval.table(seed)
        if self.words:
            table.loc["sa"] = (self.words.affinity.sa, *self.words.affinity.interval(seed))
        return table

    def geometry(self) -> dict[str, float]:
        """How narrow the passages of all languages lie, and in how many directions."""
        passages = np.concatenate(list(self.retrieval.passages.values()))
        return {"random-cosine": random_cosine(passages), "effective-rank": effective_rank(passages)}


@dataclass(frozen=True)
class Comparison:
    """The same questions put to a model before and after something was done to it.

    :param before: What was measured before.
    :param after: What was measured after, with the same data, scenarios and protocol.
    :param done: What was done; `name` is a short name of it.
    :param seconds: Time that it took.
    """

    before: Side
    after: Side
    done: Mapping[str, Any]
    seconds: float

    @property
    def name(self) -> str:
        """Short name of what was done."""
        return str(self.done["name"])

    def again(self, protocol: Protocol) -> Comparison:
        """Compare the same vectors under another protocol."""
        return replace(self, before=self.before.again(protocol), after=self.after.again(protocol))

    def __post_init__(self) -> None:
        both = [each.retrieval for each in (self.before, self.after)]
        sides = [(each.data.sha256, list(each.outcomes), each.protocol, each.k) for each in both]
        words = [each.words.lexicon.sha256 for each in (self.before, self.after) if each.words]
        if sides[0] != sides[1] or len(set(words)) > 1:
            raise XlError("before and after must be measured on the same data, scenarios, protocol and K")

    def table(self, seed: int) -> pd.DataFrame:
        """Tabulate every metric that is a mean over questions or concepts: before, after, and the paired change.

        :param seed: Seed of the intervals, which draw whole passages.
        :return: A row a metric: before, after, change, low and high of the change.
        """
        before, after = self.before.retrieval.values(), self.after.retrieval.values()
        names = [name for name in before if name in after]
        change = np.stack([after[name] - before[name] for name in names], axis=1)
        low, high = bootstrap_means(change, seed, self.before.retrieval.data.gold)
        columns = {
            "before": [before[name].mean() for name in names],
            "after": [after[name].mean() for name in names],
            "change": change.mean(axis=0),
            "low": low,
            "high": high,
        }
        table = pd.DataFrame(columns, index=pd.Index(names, name="metric"))
        if self.before.words and self.after.words:
            sides = [each.affinity.sa_values for each in (self.before.words, self.after.words)]
            change = sides[1] - sides[0]
            table.loc["sa"] = (sides[0].mean(), sides[1].mean(), change.mean(), *bootstrap_ci(change, seed=seed))
        return table

    def record(self, seed: int) -> Record:
        """Make the record: every metric before and after, with its interval, and the paired changes."""
        metrics: dict[str, float] = {}
        intervals: dict[str, tuple[float, float]] = {}
        for prefix, side in (("before", self.before), ("after", self.after)):
            for name, row in side.table(seed).iterrows():
                metrics[f"{prefix}/{name}"] = row["value"]
                intervals[f"{prefix}/{name}"] = (row["low"], row["high"])
            metrics |= {f"{prefix}/{name}": value for name, value in side.geometry().items()}
        for name, row in self.table(seed).iterrows():
            metrics[f"change/{name}"] = row["change"]
            intervals[f"change/{name}"] = (row["low"], row["high"])
        study = self.before.retrieval
        params = {"protocol": study.protocol, "k": study.k, "done": dict(self.done), "seed": seed,
                  "result": self.after.retrieval.model}  # fmt: skip
        if self.before.words:
            lexicon = self.before.words.lexicon
            params["words"] = describe_dataset(lexicon, len(lexicon.concepts))
        dataset = describe_dataset(study.data, len(study.data.query_ids))
        variant = f"{self.name}.{study.protocol}"
        return Record("finetune", study.model, dataset, params, metrics, intervals, {"done": self.seconds}, variant)

    def items(self) -> pd.DataFrame:
        """Tabulate the main values by question, before and after."""
        frames = []
        for name, side in (("before", self.before), ("after", self.after)):
            items = side.retrieval.items()
            kept = ["question", "passage", "scenario", *(each for each in _KEPT if each in items)]
            frames.append(items[[*kept, f"complete@{side.retrieval.k}"]].assign(side=name))
        return pd.concat(frames, ignore_index=True)


def training_facts(name: str, recipe: Recipe, triples: Triples) -> dict[str, Any]:
    """Say what was done in a training: its name, the recipe and the data."""
    languages = list(dict.fromkeys(row.lang for row in triples.rows))
    data = {"name": triples.name, "sha256": triples.sha256, "languages": languages, "size": len(triples.rows)}
    return {"name": name, "recipe": asdict(recipe), "trained_on": data}


def write_all(comparisons: Iterable[Comparison], records_dir: str | Path, seed: int) -> list[Path]:
    """Write the records of some comparisons, with intervals drawn by a seed."""
    return [write_record(records_dir, each.record(seed), each.items()) for each in comparisons]
