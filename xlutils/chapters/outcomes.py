"""Chapter 3: what comes out of one scenario of mixed-language retrieval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from xlutils.datasets.parallel import ParallelQA
from xlutils.datasets.scenarios import Scenario
from xlutils.errors import XlError
from xlutils.metrics.bias import OUTCOMES, LanguageBias, language_bias
from xlutils.metrics.ranking import Ranks, complete_at, gold_ranks, max_at_r, mrr, ndcg_at_1, norm_by_query

Protocol = Literal["paper", "unique"]
Vectors = dict[str, np.ndarray]  # by language, float32 [texts, dim]


@dataclass(frozen=True)
class Outcome:
    """What came out of one scenario, for each of n questions.

    :param scenario: Pool and language of the queries.
    :param ranks: Where the golds stand, a column for each of `scenario.golds`.
    :param pool_size: Documents in the pool of a query.
    :param bias: Whose documents come first; None where only one gold is wanted.
    """

    scenario: Scenario
    ranks: Ranks
    pool_size: int
    bias: LanguageBias | None

    def values(self, k: int) -> dict[str, np.ndarray]:
        """Values by question of every measure that is a mean over questions, float64 [n] each."""
        values = {"mrr": mrr(self.ranks), "ndcg@1": ndcg_at_1(self.ranks), "max@r": max_at_r(self.ranks)}
        if self.bias is None:
            return values
        expected = self.ranks.expected()
        values |= {
            f"complete@{k}": 100 * complete_at(k, self.ranks),
            "max@r_norm/per-query": norm_by_query(self.ranks, self.pool_size, len(self.scenario.golds)),
        }
        values |= {f"rank/{code}": expected[:, column] for column, code in enumerate(self.scenario.golds)}
        values |= {f"first/{name}": self.bias.first[:, column] for column, name in enumerate(OUTCOMES)}
        values["some-first"] = self.bias.first[:, :2].sum(axis=1)
        values |= {"own-first": self.bias.own_first, "fairness": np.round(self.bias.fairness, 6)}
        return {name: column for name, column in values.items() if np.isfinite(column).all()}

    def intruders(self) -> dict[str, np.ndarray]:
        """Wrong documents above the last gold by language of the pool, float64 [n] each."""
        if self.bias is None:
            return {}
        return {code: self.bias.intruders[:, column] for column, code in enumerate(self.scenario.pool)}


def rank_scenario(
    data: ParallelQA, queries: Vectors, passages: Vectors, scenario: Scenario, protocol: Protocol, k: int, device: str
) -> Outcome:
    """Find where the golds of every question stand in one scenario.

    :param data: The questions and passages.
    :param queries: Vectors of the questions.
    :param passages: Vectors of the passages.
    :param scenario: Pool and language of the queries.
    :param protocol: "paper": the pool holds a passage once for each question on it, and only one of these
        copies is gold. "unique": each passage once.
    :param k: Places that Complete@K looks at.
    :param device: "cpu", or "cuda" to count on a GPU.
    :raises XlError: If the pool is too small.
    """
    size = pool_size(data, scenario, protocol, k)
    asked = queries[scenario.query]
    documents = np.concatenate([passages[code] for code in scenario.pool])
    count = len(data.passage_ids)
    gold = {code: data.gold + count * place for place, code in enumerate(scenario.pool)}
    weights = np.tile(_copies(data, protocol), len(scenario.pool))
    removed = gold[scenario.query] if scenario.kind == "multi-1" else None
    golds = np.stack([gold[code] for code in scenario.golds], axis=1)
    ranks = gold_ranks(asked, documents, golds, weights, exclude=removed, device=device)
    if scenario.kind != "multi":
        return Outcome(scenario, ranks, size, None)
    own = scenario.pool.index(scenario.query) if scenario.query in scenario.pool else None
    bias = language_bias(asked, documents, np.repeat(np.arange(len(scenario.pool)), count), golds, own)
    return Outcome(scenario, ranks, size, bias)


def pool_size(data: ParallelQA, scenario: Scenario, protocol: Protocol, k: int) -> int:
    """Count the documents in the pool of a query: the smallest pool, where they differ.

    :raises XlError: If there is nothing to rank, or K asks for more than there is.
    """
    copies = _copies(data, protocol)
    size = int(copies.sum()) * len(scenario.pool)
    if scenario.kind == "multi-1":
        size -= int(copies[data.gold].max())
    if scenario.kind == "multi" and size <= k:
        raise XlError(f"{data.name}: the pool of {scenario.name} holds {size} documents; give a k below that, not {k}")
    if size <= len(scenario.golds):
        raise XlError(f"{data.name}: the pool of {scenario.name} leaves nothing to rank; give at least two passages")
    return size


def _copies(data: ParallelQA, protocol: Protocol) -> np.ndarray:
    """How often each passage is in the pool of its language, int64 [m]."""
    count = len(data.passage_ids)
    return np.bincount(data.gold, minlength=count) if protocol == "paper" else np.ones(count, np.int64)
