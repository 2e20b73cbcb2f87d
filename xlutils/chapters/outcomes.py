"""Chapter 3: ranks and language bias in one scenario of mixed-language retrieval."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlutils.datasets.parallel import ParallelQA
from xlutils.datasets.scenarios import Scenario
from xlutils.errors import XlError
from xlutils.metrics.bias import OUTCOMES, LanguageBias, language_bias
from xlutils.metrics.ranking import Ranks, complete_at, gold_ranks, max_at_r, mrr, ndcg_at_1, norm_by_query, norm_of_log
from xlutils.metrics.uncertainty import bootstrap_means, bootstrap_ratio
from xlutils.results.rows import Key, metric_table, rows_of

Protocol = Literal["paper", "unique"]
Vectors = dict[str, np.ndarray]  # by language, float32 [texts, dim]
Values = dict[Key, NDArray[np.float64]]  # one value per question
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

    def key(self, metric: str, language: str = "") -> Key:
        """Return the key of a metric in this scenario."""
        return Key(self.scenario.group, metric, "+".join(self.scenario.pool), self.scenario.query, language)

    def values(self, k: int) -> Values:
        """Return every metric that is a mean over questions, float64 [n] each."""
        key, ranks, bias = self.key, self.ranks, self.bias
        values = {key("mrr"): mrr(ranks), key("ndcg@1"): ndcg_at_1(ranks), key("max@r"): max_at_r(ranks)}
        if bias is None:
            return values
        golds = self.scenario.golds
        values[key(f"complete@{k}")] = 100 * complete_at(k, ranks)
        values[key("max@r_norm/per-query")] = norm_by_query(ranks, self.pool_size, len(golds))
        values |= {key("rank", code): column for code, column in zip(golds, ranks.expected().T, strict=True)}
        values |= {key(f"first/{name}"): column for name, column in zip(OUTCOMES, bias.first.T, strict=True)}
        values[key("some-first")] = bias.first[:, :2].sum(axis=1)
        values[key("own-first")] = bias.own_first
        values[key("fairness")] = np.round(bias.fairness, 6)
        return {name: column for name, column in values.items() if np.isfinite(column).all()}

    def intruders(self) -> Values:
        """Return the number of wrong passages above the last gold one: float64 [n] per language of the pool."""
        if self.bias is None:
            return {}
        columns = zip(self.scenario.pool, self.bias.intruders.T, strict=True)
        return {self.key("intruders", code): column for code, column in columns}


class Pool(NamedTuple):
    """A pool of n passages for q questions.

    :param gold: Positions of the gold passages, int [q, g].
    :param weights: Copies of each passage, int [n].
    :param language_of: Number of each passage's language in the scenario, int [n].
    :param removed: Position of the passage that is not in the pool of a question, int [q], if there is one.
    """

    gold: NDArray[np.int64]
    weights: NDArray[np.int64]
    language_of: NDArray[np.int64]
    removed: NDArray[np.int64] | None


@dataclass(frozen=True)
class Exam:
    """What models are asked.

    :param data: Questions and passages in every language of the scenarios.
    :param scenarios: Languages of the pools and of the questions.
    :param protocol: "unique": each passage is in the pool once. "paper": the pool has one copy of a passage for
        each question about it, and only one of these copies is gold.
    :param k: Cutoff of Complete@K.
    :param device: "cpu", or "cuda" to rank on a GPU.
    :param more: Other data, whose passages only join the largest pool of chapter 3; see `pools`.
    """

    data: ParallelQA
    scenarios: Sequence[Scenario]
    protocol: Protocol = "unique"
    k: int = 10
    device: str = "cpu"
    more: ParallelQA | None = None

    def rank(self, queries: Vectors, passages: Vectors) -> dict[str, Outcome]:
        """Rank the gold passages of every question, and return the outcomes by name of the scenario.

        :raises XlError: If a pool is too small.
        """
        return {scenario.name: self._rank(scenario, queries, passages) for scenario in self.scenarios}

    def _rank(self, scenario: Scenario, queries: Vectors, passages: Vectors) -> Outcome:
        size, pool, asked = self.pool_size(scenario), self.pool(scenario), queries[scenario.query]
        documents = np.concatenate([passages[language] for language in scenario.pool])
        ranks = gold_ranks(asked, documents, pool.gold, pool.weights, pool.removed, self.device)
        if scenario.kind != "multi":
            return Outcome(scenario, ranks, size, None)
        own = scenario.pool.index(scenario.query) if scenario.query in scenario.pool else None
        bias = language_bias(asked, documents, pool.language_of, pool.gold, own, pool.weights)
        return Outcome(scenario, ranks, size, bias)

    def only(self, kinds: Sequence[str]) -> Exam:
        """Return the exam with the scenarios of some groups, see `Scenario.group`."""
        return replace(self, scenarios=[scenario for scenario in self.scenarios if scenario.group in kinds])

    def pool(self, scenario: Scenario) -> Pool:
        """Return what is in the pool of a scenario: the passages of its languages, one language after the other."""
        count = len(self.data.passage_ids)
        position = {language: self.data.gold + count * place for place, language in enumerate(scenario.pool)}
        return Pool(
            np.stack([position[language] for language in scenario.golds], axis=1),
            np.tile(self._copies(), len(scenario.pool)),
            np.repeat(np.arange(len(scenario.pool)), count),
            position[scenario.query] if scenario.kind == "multi-1" else None,
        )

    def pool_size(self, scenario: Scenario) -> int:
        """Return the number of passages in the pool; where it differs between questions, the smallest.

        :raises XlError: If nothing is left to rank, or K is not below the size of the pool.
        """
        copies, pool = self._copies(), f"{self.data.name}: the pool of {scenario.name}"
        size = int(copies.sum()) * len(scenario.pool)
        if scenario.kind == "multi-1":
            size -= int(copies[self.data.gold].max())
        if scenario.kind == "multi" and size <= self.k:
            raise XlError(f"{pool} holds {size} documents; give a k below that, not {self.k}")
        if size <= len(scenario.golds):
            raise XlError(f"{pool} leaves nothing to rank; give at least two passages")
        return size

    def _copies(self) -> NDArray[np.int64]:
        """Return how often each passage is in the pool of its language, [m]."""
        count = len(self.data.passage_ids)
        is_paper = self.protocol == "paper"
        return np.bincount(self.data.gold, minlength=count) if is_paper else np.ones(count, np.int64)


def all_values(outcomes: Mapping[str, Outcome], k: int) -> Values:
    """Return the values per question of every scenario, gap between two languages and mean over a group."""
    values = {key: column for outcome in outcomes.values() for key, column in outcome.values(k).items()}
    means = group_means(values, [outcome.scenario for outcome in outcomes.values()])
    for outcome in outcomes.values():
        values |= _gaps(outcome, values)
    return values | means


def group_means(values: Values, scenarios: Sequence[Scenario]) -> Values:
    """Return the means over the scenarios of each group, of metrics that all of them have."""
    members: dict[Key, list[NDArray[np.float64]]] = {}
    for key, column in values.items():
        if key.metric in _AVERAGED or key.metric.startswith("complete@"):
            members.setdefault(Key(key.kind, key.metric), []).append(column)
    sizes = Counter(scenario.group for scenario in scenarios)
    return {key: np.mean(columns, axis=0) for key, columns in members.items() if len(columns) == sizes[key.kind]}


def _gaps(outcome: Outcome, values: Values) -> Values:
    """Return how much lower the second gold ranks than the first, and what asking in the second language costs."""
    if outcome.bias is None or len(outcome.scenario.pool) != 2:
        return {}
    key, (first, second) = outcome.key, outcome.scenario.pool
    gaps = {key("rank-gap"): values[key("rank", second)] - values[key("rank", first)]}
    asked_in_first = key("max@r")._replace(query=first)
    if asked_in_first in values and outcome.scenario.query == second:
        gaps[key("max@r-gap")] = values[key("max@r")] - values[asked_in_first]
    return gaps


def mean_rows(values: Values, clusters: NDArray[np.int64], seed: int) -> pd.DataFrame:
    """Return the means of values with their 95% intervals, as rows of a record.

    :param clusters: Passage of each question, int [n]: questions about the same passage depend on each other, so the
        bootstrap draws whole passages.
    """
    matrix = np.stack(list(values.values()), axis=1)
    low, high = bootstrap_means(matrix, seed, clusters)
    return pd.DataFrame(list(values)).assign(value=matrix.mean(axis=0), low=low, high=high)


def norm_rows(table: pd.DataFrame, outcomes: Mapping[str, Outcome]) -> pd.DataFrame:
    """Return the norm of the mean rank in each scenario, and in each group whose pools are all alike.

    :param table: Rows with the mean ranks.
    """
    shapes: dict[Key, set[tuple[int, int]]] = {}  # sizes of the pool and numbers of gold passages
    for outcome in outcomes.values():
        if outcome.bias:
            for key in (outcome.key("max@r"), Key(outcome.scenario.group, "max@r")):
                shapes.setdefault(key, set()).add((outcome.pool_size, len(outcome.scenario.golds)))
    rows = []
    for key, (shape, *others) in shapes.items():
        if not others:
            ranks = rows_of(table, key)[["value", "high", "low"]].iloc[0]  # the norm falls as the rank grows
            value, low, high = norm_of_log(np.log2(ranks.to_numpy(float)), *shape)
            rows.append({**key._asdict(), "metric": "max@r_norm/mean-rank", "value": value, "low": low, "high": high})
    return metric_table(rows)


def intruder_rows(outcomes: Mapping[str, Outcome], clusters: NDArray[np.int64], seed: int) -> pd.DataFrame:
    """Return the share of each language among the wrong passages ranked above the last gold one, as for `mean_rows`."""
    counts = [outcome.intruders() for outcome in outcomes.values() if outcome.bias and outcome.bias.intruders.any()]
    if not counts:
        return metric_table([])
    parts = {key: column for values in counts for key, column in values.items()}
    wholes = np.stack([np.sum(list(values.values()), axis=0) for values in counts for _ in values], axis=1)
    columns = np.stack(list(parts.values()), axis=1)  # [n, keys]
    low, high = bootstrap_ratio(columns, wholes, clusters, seed=seed)
    share = columns.sum(axis=0) / wholes.sum(axis=0)
    return pd.DataFrame(list(parts)).assign(value=share, low=low, high=high).dropna()
