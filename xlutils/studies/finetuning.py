"""Chapter 4: one model before and after training, as one record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from xlutils.datasets.triples import Triples
from xlutils.errors import XlError
from xlutils.metrics.uncertainty import bootstrap_means
from xlutils.records import Record, describe_dataset
from xlutils.studies.retrieval import RetrievalStudy
from xlutils.training.finetune import Recipe


@dataclass(frozen=True)
class Comparison:
    """The same questions put to a model before and after something was done to it.

    :param before: What was measured before.
    :param after: What was measured after, with the same data, scenarios and protocol.
    """

    before: RetrievalStudy
    after: RetrievalStudy

    def __post_init__(self) -> None:
        sides = [(each.data.sha256, list(each.outcomes), each.protocol, each.k) for each in (self.before, self.after)]
        if sides[0] != sides[1]:
            raise XlError("before and after must be measured on the same data, scenarios, protocol and K")

    def table(self, seed: int) -> pd.DataFrame:
        """Tabulate every metric that is a mean over questions: before, after, and the paired change.

        :param seed: Seed of the intervals, which draw whole passages.
        :return: A row a metric: before, after, change, low and high of the change.
        """
        before, after = self.before.values(), self.after.values()
        names = [name for name in before if name in after]
        change = np.stack([after[name] - before[name] for name in names], axis=1)
        low, high = bootstrap_means(change, seed, self.before.data.gold)
        columns = {
            "before": [before[name].mean() for name in names],
            "after": [after[name].mean() for name in names],
            "change": change.mean(axis=0),
            "low": low,
            "high": high,
        }
        return pd.DataFrame(columns, index=pd.Index(names, name="metric"))

    def record(self, recipe: Recipe, triples: Triples, variant: str, seed: int, timing: Mapping[str, float]) -> Record:
        """Make the record: every metric before and after, with its interval, and the paired changes.

        :param recipe: How the model was trained.
        :param triples: What it was trained on.
        :param variant: Tells this training apart from others of the same model.
        :param seed: Seed of the intervals.
        :param timing: Seconds.
        """
        metrics: dict[str, float] = {}
        intervals: dict[str, tuple[float, float]] = {}
        for side, study in (("before", self.before), ("after", self.after)):
            for name, row in study.table(seed).iterrows():
                metrics[f"{side}/{name}"] = row["value"]
                intervals[f"{side}/{name}"] = (row["low"], row["high"])
        for name, row in self.table(seed).iterrows():
            metrics[f"change/{name}"] = row["change"]
            intervals[f"change/{name}"] = (row["low"], row["high"])
        languages = sorted({row.lang for row in triples.rows})
        data = {"name": triples.name, "sha256": triples.sha256, "languages": languages, "size": len(triples.rows)}
        params = {"protocol": self.before.protocol, "k": self.before.k, "recipe": asdict(recipe), "trained_on": data,
                  "trained": self.after.model, "seed": seed}  # fmt: skip
        dataset = describe_dataset(self.before.data, len(self.before.data.query_ids))
        return Record("finetune", self.before.model, dataset, params, metrics, intervals, timing, variant)

    def items(self) -> pd.DataFrame:
        """Tabulate the values by question, before and after."""
        sides = [each.items().assign(side=side) for side, each in (("before", self.before), ("after", self.after))]
        return pd.concat(sides, ignore_index=True)
