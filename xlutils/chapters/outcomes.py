"""Chapter 3: ranks and language bias in one scenario of mixed-language retrieval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlutils.datasets.parallel import ParallelQA
from xlutils.datasets.scenarios import Scenario
from xlutils.errors import XlError
from xlutils.metrics.bias import OUTCOMES, LanguageBias, language_bias
from xlutils.metrics.ranking import Ranks, complete_at, gold_ranks, max_at_r, mrr, ndcg_at_1, norm_by_query
from xlutils.metrics.uncertainty import bootstrap_ratio

Protocol = Literal["paper", "unique"]
Vectors = dict[str, np.ndarray]  # by language, float32 [texts, dim]
Values = dict[str, NDArray[np.float64]]  # by metric, one value per question
_AVERAGED = ("mrr", "ndcg@1", "max@r", "max@r_norm/per-query", "own-first", "some-first")  # and Complete@K


@dataclass(frozen=True)
class Outcome:
    """Ranks of the gold passages in one scenario, for n questions.

    :param scenario: Languages of the pool and of the questions.
    :param ranks: Ranks of the gold passages, one column for each of `scenario.golds`.
    :param pool_size: Passages in the pool.
    :param bias: Which languages rank first; None where there is only one gold passage.
    """

    scenario: Scenario
    ranks: Ranks
    pool_size: int
    bias: LanguageBias | None

    def values(self, k: int) -> Values:
        """Return every metric that is a mean over questions, float64 [n] each."""
        values = {"mrr": mrr(self.ranks), "ndcg@1": ndcg_at_1(self.ranks), "max@r": max_at_r(self.ranks)}
        if self.bias is None:
            return values
        values[f"complete@{k}"] = 100 * complete_at(k, self.ranks)
        values["max@r_norm/per-query"] = norm_by_query(self.ranks, self.pool_size, len(self.scenario.golds))
        values |= _columns("rank", self.scenario.golds, self.ranks.expected())
        values |= _columns("first", OUTCOMES, self.bias.first)
        values["some-first"] = self.bias.first[:, :2].sum(axis=1)
        values["own-first"] = self.bias.own_first
        values["fairness"] = np.round(self.bias.fairness, 6)
        return {name: column for name, column in values.items() if np.isfinite(column).all()}

    def intruders(self) -> Values:
        """Return the number of wrong passages above the last gold one, by metric name: float64 [n] per language."""
        return _columns("intruders", self.scenario.pool, self.bias.intruders) if self.bias else {}


def _columns(prefix: str, names: tuple[str, ...], matrix: NDArray[np.float64]) -> Values:
    return {f"{prefix}/{name}": matrix[:, number] for number, name in enumerate(names)}


def rank_scenario(
    data: ParallelQA, queries: Vectors, passages: Vectors, scenario: Scenario, protocol: Protocol, k: int, device: str
) -> Outcome:
    """Rank the gold passages of every question in one scenario.

    :param protocol: "unique": each passage is in the pool once. "paper": the pool has one copy of a passage for
        each question about it, and only one of these copies is gold.
    :param k: Cutoff of Complete@K.
    :param device: "cpu", or "cuda" to rank on a GPU.
    :raises XlError: If the pool is too small.
    """
    size = pool_size(data, scenario, protocol, k)
    asked = queries[scenario.query]
    documents = np.concatenate([passages[language] for language in scenario.pool])
    count = len(data.passage_ids)
    position = {language: data.gold + count * place for place, language in enumerate(scenario.pool)}
    gold = np.stack([position[language] for language in scenario.golds], axis=1)
    weights = np.tile(_copies(data, protocol), len(scenario.pool))
    removed = position[scenario.query] if scenario.kind == "multi-1" else None
    ranks = gold_ranks(asked, documents, gold, weights, exclude=removed, device=device)
    if scenario.kind != "multi":
        return Outcome(scenario, ranks, size, None)
    language_of = np.repeat(np.arange(len(scenario.pool)), count)
    own = scenario.pool.index(scenario.query) if scenario.query in scenario.pool else None
    return Outcome(scenario, ranks, size, language_bias(asked, documents, language_of, gold, own))


def pool_size(data: ParallelQA, scenario: Scenario, protocol: Protocol, k: int) -> int:
    """Return the number of passages in the pool; where it differs between questions, the smallest.

    :raises XlError: If nothing is left to rank, or K is not below the size of the pool.
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


def _copies(data: ParallelQA, protocol: Protocol) -> NDArray[np.int64]:
    """Return how often each passage is in the pool of its language, [m]."""
    count = len(data.passage_ids)
    return np.bincount(data.gold, minlength=count) if protocol == "paper" else np.ones(count, np.int64)


def all_values(outcomes: Mapping[str, Outcome], k: int) -> Values:
    """Return the values per question of every scenario, gap between two languages and mean over a group."""
    by_scenario = {name: outcome.values(k) for name, outcome in outcomes.items()}
    values = {f"{name}/{metric}": column for name in by_scenario for metric, column in by_scenario[name].items()}
    groups: dict[str, list[Values]] = {}
    for name, outcome in outcomes.items():
        values |= _gaps(outcome.scenario, by_scenario)
        groups.setdefault(outcome.scenario.group, []).append(by_scenario[name])
    for group, members in groups.items():
        for metric in (*_AVERAGED, f"complete@{k}"):
            if all(metric in member for member in members):
                values[f"mean/{group}/{metric}"] = np.mean([member[metric] for member in members], axis=0)
    return values


def _gaps(scenario: Scenario, by_scenario: Mapping[str, Values]) -> Values:
    """Return how much lower the second gold ranks than the first, and what asking in the second language costs."""
    if scenario.kind != "multi" or len(scenario.pool) != 2:
        return {}
    first, second = scenario.pool
    values = by_scenario[scenario.name]
    gaps = {f"{scenario.name}/rank-gap": values[f"rank/{second}"] - values[f"rank/{first}"]}
    asked_in_first = by_scenario.get(Scenario("multi", scenario.pool, first).name)
    if asked_in_first and scenario.query == second:
        gaps[f"multi/{first}+{second}/{second}-{first}/max@r"] = values["max@r"] - asked_in_first["max@r"]
    return gaps


def pool_shapes(outcomes: Mapping[str, Outcome]) -> dict[str, tuple[int, int]]:
    """Return pool size and number of gold passages by scenario, and by group if all its pools are alike."""
    shapes = {}
    groups: dict[str, set[tuple[int, int]]] = {}
    for name, outcome in outcomes.items():
        if outcome.bias:
            shapes[name] = (outcome.pool_size, len(outcome.scenario.golds))
            groups.setdefault(f"mean/{outcome.scenario.group}", set()).add(shapes[name])
    return shapes | {group: members.pop() for group, members in groups.items() if len(members) == 1}


def intruder_shares(outcomes: Mapping[str, Outcome], clusters: NDArray[np.int64], seed: int) -> pd.DataFrame:
    """Return the share of each language among the wrong passages ranked above the last gold one.

    :param clusters: Passage of each question, int [n]: the bootstrap draws whole passages.
    :return: One row per scenario and language; columns value, low and high.
    """
    counts = {
        name: outcome.bias.intruders
        for name, outcome in outcomes.items()
        if outcome.bias and outcome.bias.intruders.any()
    }
    if not counts:
        return pd.DataFrame(columns=["value", "low", "high"], dtype=float)
    names = [f"{name}/intruders/{language}" for name in counts for language in outcomes[name].scenario.pool]
    parts = np.concatenate(list(counts.values()), axis=1)  # [n, names]
    wholes = np.concatenate([np.full_like(part, part.sum(axis=1, keepdims=True)) for part in counts.values()], axis=1)
    low, high = bootstrap_ratio(parts, wholes, clusters, seed=seed)
    share = parts.sum(axis=0) / wholes.sum(axis=0)
    return pd.DataFrame({"value": share, "low": low, "high": high}, index=names).dropna()
