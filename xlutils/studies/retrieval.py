"""Chapter 3: one model on one set of parallel questions, in every scenario asked for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from xlutils.datasets.parallel import ParallelQA
from xlutils.errors import XlError
from xlutils.metrics.bias import OUTCOMES, LanguageBias, language_bias
from xlutils.metrics.ranking import (
    Ranks,
    complete_at,
    gold_ranks,
    max_at_r,
    max_at_r_norm,
    mrr,
    ndcg_at_1,
    norm_by_query,
)
from xlutils.metrics.uncertainty import bootstrap_ci, bootstrap_ratio
from xlutils.models.encoder import Encoder
from xlutils.records import Record, describe_dataset, describe_model
from xlutils.studies.scenarios import Scenario

Protocol = Literal["paper", "unique"]
PROTOCOLS = ("paper", "unique")


@dataclass(frozen=True)
class Outcome:
    """What came out of one scenario, for each of n questions.

    :param scenario: Pool and language of the queries.
    :param ranks: Where the golds stand, a column for each of `scenario.golds`.
    :param pool_size: Documents in the pool of a query.
    :param bias: Whose documents come first; None for a pool of one language, or with a gold taken out.
    """

    scenario: Scenario
    ranks: Ranks
    pool_size: int
    bias: LanguageBias | None

    def values(self, k: int) -> dict[str, np.ndarray]:
        """Values by question of every measure that is a mean over questions, float64 [n] each."""
        values = {"mrr": mrr(self.ranks), "ndcg@1": ndcg_at_1(self.ranks)}
        if self.scenario.kind != "multi":
            return values
        expected = self.ranks.expected()
        values |= {
            f"complete@{k}": 100 * complete_at(k, self.ranks),
            "max@r": max_at_r(self.ranks),
            "max@r_norm/per-query": norm_by_query(self.ranks, self.pool_size, len(self.scenario.golds)),
        }
        values |= {f"rank/{code}": expected[:, column] for column, code in enumerate(self.scenario.golds)}
        if len(self.scenario.golds) == 2:
            values["rank-gap"] = expected[:, 1] - expected[:, 0]
        if self.bias is not None:
            values |= {f"first/{name}": self.bias.first[:, column] for column, name in enumerate(OUTCOMES)}
            values |= {"own-first": self.bias.own_first, "fairness": self.bias.fairness}
        return {name: column for name, column in values.items() if np.isfinite(column).all()}

    def intruders(self) -> dict[str, np.ndarray]:
        """Wrong documents above the last gold by language of the pool, float64 [n] each."""
        if self.bias is None:
            return {}
        return {code: self.bias.intruders[:, column] for column, code in enumerate(self.scenario.pool)}


@dataclass(frozen=True)
class RetrievalStudy:
    """What was measured of one model.

    :param model: Name, revision, source and fingerprint of the model; the model itself may be gone.
    :param data: The questions and passages.
    :param queries: For each language the vectors of its questions, float32 [n, dim].
    :param passages: For each language the vectors of its passages, float32 [m, dim].
    :param outcomes: By name of the scenario.
    :param protocol: "paper" or "unique".
    :param k: Places that Complete@K looks at.
    :param seconds: Time to encode and to measure.
    """

    model: dict[str, str]
    data: ParallelQA
    queries: dict[str, np.ndarray]
    passages: dict[str, np.ndarray]
    outcomes: dict[str, Outcome]
    protocol: Protocol
    k: int
    seconds: dict[str, float]

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.model["name"]

    def table(self, seed: int) -> pd.DataFrame:
        """Tabulate every measure of every scenario: a row a metric, with value and 95% interval.

        Questions on one passage depend on each other, so whole passages are drawn.
        """
        rows = {}
        for name, outcome in self.outcomes.items():
            for metric, values in outcome.values(self.k).items():
                rows[f"{name}/{metric}"] = (values.mean(), *bootstrap_ci(values, seed=seed, clusters=self.data.gold))
            if outcome.scenario.kind == "multi":
                rows[f"{name}/max@r_norm/mean-rank"] = self._norm_of_mean(outcome, rows[f"{name}/max@r"])
            intruders = outcome.intruders()
            everyone = np.sum(list(intruders.values()), axis=0) if intruders else np.zeros(1)
            for code, some in intruders.items():
                if everyone.sum() > 0:
                    bounds = bootstrap_ratio(some, everyone, clusters=self.data.gold, seed=seed)
                    rows[f"{name}/intruders/{code}"] = (some.sum() / everyone.sum(), *bounds)
        rows |= self._gaps(seed)
        return pd.DataFrame.from_dict(rows, orient="index", columns=["value", "low", "high"])

    def _norm_of_mean(self, outcome: Outcome, mean_rank: tuple[float, float, float]) -> tuple[float, float, float]:
        """Put a mean rank and its interval on the logarithmic scale, which turns the bounds round."""
        golds = len(outcome.scenario.golds)
        value = max_at_r_norm(outcome.ranks, outcome.pool_size, golds, "mean-rank")
        low, high = (
            100 * (np.log2(outcome.pool_size) - np.log2(bound)) / (np.log2(outcome.pool_size) - np.log2(golds))
            for bound in (mean_rank[2], mean_rank[1])
        )
        return value, low, high

    def _gaps(self, seed: int) -> dict[str, tuple[float, float, float]]:
        """How much later the golds are complete when asked in the second language of a pair than in the first."""
        gaps = {}
        for outcome in self.outcomes.values():
            scenario = outcome.scenario
            other = self.outcomes.get(Scenario(scenario.kind, scenario.pool, scenario.pool[0]).name)
            if scenario.kind == "multi" and len(scenario.pool) == 2 and scenario.query == scenario.pool[1] and other:
                values = max_at_r(outcome.ranks) - max_at_r(other.ranks)
                name = f"multi/{'+'.join(scenario.pool)}/{scenario.query}-{scenario.pool[0]}/max@r"
                gaps[name] = (values.mean(), *bootstrap_ci(values, seed=seed, clusters=self.data.gold))
        return gaps

    def items(self) -> pd.DataFrame:
        """Tabulate the values by question, a row for each question and scenario."""
        frames = []
        for outcome in self.outcomes.values():
            columns = {name: values.astype(np.float32) for name, values in outcome.values(self.k).items()}
            columns |= {f"intruders/{code}": each.astype(np.float32) for code, each in outcome.intruders().items()}
            about = {"question": self.data.query_ids, "passage": self.data.gold, "scenario": outcome.scenario.name}
            frames.append(pd.DataFrame(about | columns))
        return pd.concat(frames, ignore_index=True)

    def record(self, seed: int) -> Record:
        """Make the record of this measurement."""
        table = self.table(seed)
        return Record(
            experiment="mixed-retrieval",
            model=self.model,
            dataset=describe_dataset(self.data, len(self.data.query_ids)),
            params={"protocol": self.protocol, "k": self.k, "scenarios": list(self.outcomes), "seed": seed},
            metrics={str(name): float(value) for name, value in table["value"].items()},
            ci95={str(name): (row["low"], row["high"]) for name, row in table.iterrows()},
            timing=self.seconds,
            variant=self.protocol,
        )


def study_retrieval(
    encoder: Encoder, data: ParallelQA, scenarios: Sequence[Scenario], protocol: Protocol = "unique", k: int = 10
) -> RetrievalStudy:
    """Measure one model in some scenarios.

    :param encoder: The model.
    :param data: Questions and passages in all languages of the scenarios.
    :param scenarios: Pools and languages of queries.
    :param protocol: "paper": the pool holds a passage once for each question on it, and only one of these
        copies is gold. "unique": each passage once.
    :param k: Places that Complete@K looks at.
    :raises XlError: If a pool is too small.
    """
    started = time.perf_counter()
    spoken = dict.fromkeys(scenario.query for scenario in scenarios)
    written = dict.fromkeys(code for scenario in scenarios for code in scenario.pool)
    queries = {code: encoder.encode(data.queries[code], role="query") for code in spoken}
    passages = {code: encoder.encode(data.passages[code], role="passage") for code in written}
    encoded = time.perf_counter()
    outcomes = {each.name: rank_scenario(data, queries, passages, each, protocol, k) for each in scenarios}
    seconds = {"encode": round(encoded - started, 3), "measure": round(time.perf_counter() - encoded, 3)}
    return RetrievalStudy(describe_model(encoder), data, queries, passages, outcomes, protocol, k, seconds)


def rank_scenario(
    data: ParallelQA,
    queries: dict[str, np.ndarray],
    passages: dict[str, np.ndarray],
    scenario: Scenario,
    protocol: Protocol,
    k: int = 10,
) -> Outcome:
    """Find where the golds of every question stand in one scenario.

    :raises XlError: If the pool is too small.
    """
    asked = queries[scenario.query]
    documents = np.concatenate([passages[code] for code in scenario.pool])
    count = len(data.passage_ids)
    gold = {code: data.gold + count * place for place, code in enumerate(scenario.pool)}
    copies = np.bincount(data.gold, minlength=count) if protocol == "paper" else np.ones(count, int)
    weights = np.tile(copies, len(scenario.pool))
    size = int(weights.sum())
    if scenario.kind == "multi-1":
        size -= int(copies[data.gold].max())
    if size <= max(len(scenario.golds), k if scenario.kind == "multi" else 1):
        raise XlError(
            f"{data.name}: the pool of {scenario.name} holds {size} documents; give more passages, or a lower k"
        )
    removed = gold[scenario.query] if scenario.kind == "multi-1" else None
    golds = np.stack([gold[code] for code in scenario.golds], axis=1)
    ranks = gold_ranks(asked, documents, golds, weights, exclude=removed)
    bias = None
    if scenario.kind == "multi":
        own = scenario.pool.index(scenario.query) if scenario.query in scenario.pool else None
        bias = language_bias(asked, documents, np.repeat(np.arange(len(scenario.pool)), count), golds, own)
    return Outcome(scenario, ranks, size, bias)


def study_by_protocol(study: RetrievalStudy, protocol: Protocol) -> RetrievalStudy:
    """Measure the same vectors again under another protocol."""
    started = time.perf_counter()
    outcomes = {
        name: rank_scenario(study.data, study.queries, study.passages, outcome.scenario, protocol, study.k)
        for name, outcome in study.outcomes.items()
    }
    seconds = {**study.seconds, "measure": round(time.perf_counter() - started, 3)}
    return RetrievalStudy(study.model, study.data, study.queries, study.passages, outcomes, protocol, study.k, seconds)
