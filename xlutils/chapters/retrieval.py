"""Chapter 3: one model on one set of parallel questions, in every scenario asked for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from xlutils.chapters.outcomes import Outcome, Protocol, Vectors, rank_scenario
from xlutils.datasets.parallel import ParallelQA
from xlutils.datasets.scenarios import Scenario
from xlutils.metrics.ranking import norm_of_log
from xlutils.metrics.repair import centre
from xlutils.metrics.uncertainty import bootstrap_means, bootstrap_ratio
from xlutils.models.encoder import Encoder
from xlutils.results.record import Record, describe_dataset, describe_model

PROTOCOLS: tuple[Protocol, ...] = ("paper", "unique")
_FEWEST_TEXTS = 500  # encoded anew, for a speed that means something
_AVERAGED = ("mrr", "ndcg@1", "max@r", "max@r_norm/per-query", "own-first", "some-first")  # and Complete@K


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
    :param device: Where documents are counted.
    :param seconds: Time to encode and to measure, and texts encoded a second, unless most came from the store.
    :param changes: By question, what a repair of the vectors changes; see `centring_change`.
    """

    model: dict[str, str]
    data: ParallelQA
    queries: Vectors
    passages: Vectors
    outcomes: dict[str, Outcome]
    protocol: Protocol
    k: int
    device: str
    seconds: dict[str, float]
    changes: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.model["name"]

    def values(self) -> dict[str, np.ndarray]:
        """Values by question of every metric that is a mean over questions, float64 [n] each.

        Beside those of each scenario: gaps between languages, and means over all scenarios of a group.
        """
        by_scenario = {name: outcome.values(self.k) for name, outcome in self.outcomes.items()}
        values = {f"{name}/{metric}": each for name, found in by_scenario.items() for metric, each in found.items()}
        groups: dict[str, list[dict[str, np.ndarray]]] = {}
        for name, outcome in self.outcomes.items():
            groups.setdefault(outcome.scenario.group, []).append(by_scenario[name])
            values |= self._gaps(outcome.scenario, by_scenario)
        for group, found in groups.items():
            for metric in (*_AVERAGED, f"complete@{self.k}"):
                if all(metric in each for each in found):
                    values[f"mean/{group}/{metric}"] = np.mean([each[metric] for each in found], axis=0)
        return values | self.changes

    def _gaps(self, scenario: Scenario, by_scenario: dict[str, dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """Compare the two languages of a pair, by question.

        `rank-gap`: how much later the second gold stands than the first. `<second>-<first>/max@r`: how much
        later both are found when asked in the second language than in the first.
        """
        gaps: dict[str, np.ndarray] = {}
        own = by_scenario[scenario.name]
        if scenario.kind != "multi" or len(scenario.pool) != 2:
            return gaps
        first, second = scenario.pool
        gaps[f"{scenario.name}/rank-gap"] = own[f"rank/{second}"] - own[f"rank/{first}"]
        other = by_scenario.get(Scenario("multi", scenario.pool, first).name)
        if other and scenario.query == second:
            gaps[f"multi/{first}+{second}/{second}-{first}/max@r"] = own["max@r"] - other["max@r"]
        return gaps

    def table(self, seed: int) -> pd.DataFrame:
        """Tabulate every metric: a row each, with value and 95% interval.

        Questions on one passage depend on each other, so whole passages are drawn.
        """
        values = self.values()
        matrix = np.stack(list(values.values()), axis=1)
        low, high = bootstrap_means(matrix, seed, self.data.gold)
        table = pd.DataFrame({"value": matrix.mean(axis=0), "low": low, "high": high}, index=list(values))
        rows = {}
        for name, (size, golds) in self._pools().items():
            ranks = table.loc[f"{name}/max@r", ["value", "high", "low"]]  # the scale turns the bounds round
            rows[f"{name}/max@r_norm/mean-rank"] = norm_of_log(np.log2(ranks.to_numpy(float)), size, golds)
        return pd.concat([table, pd.DataFrame.from_dict(rows, "index", columns=table.columns), self._shares(seed)])

    def _pools(self) -> dict[str, tuple[int, int]]:
        """Documents and golds in the pool of each scenario, and of each group whose pools are all alike."""
        pools = {name: (each.pool_size, len(each.scenario.golds)) for name, each in self.outcomes.items() if each.bias}
        groups: dict[str, set[tuple[int, int]]] = {}
        for name, pool in pools.items():
            groups.setdefault(f"mean/{self.outcomes[name].scenario.group}", set()).add(pool)
        return pools | {group: next(iter(alike)) for group, alike in groups.items() if len(alike) == 1}

    def _shares(self, seed: int) -> pd.DataFrame:
        """Share of each language of the pool among the wrong documents above the last gold."""
        parts, wholes = {}, {}
        for name, outcome in self.outcomes.items():
            intruders = outcome.intruders()
            everyone = np.sum(list(intruders.values()), axis=0)
            for code, some in intruders.items():
                if everyone.sum() > 0:
                    parts[f"{name}/intruders/{code}"], wholes[f"{name}/intruders/{code}"] = some, everyone
        if not parts:
            return pd.DataFrame(columns=["value", "low", "high"], dtype=float)
        above, below = (np.stack(list(each.values()), axis=1) for each in (parts, wholes))
        low, high = bootstrap_ratio(above, below, self.data.gold, seed=seed)
        shares = above.sum(axis=0) / below.sum(axis=0)
        table = pd.DataFrame({"value": shares, "low": low, "high": high}, index=list(parts))
        return table.dropna()

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
            params={"protocol": self.protocol, "k": self.k, "scenarios": list(self.outcomes), "seed": seed,
                    "passages": len(self.data.passage_ids)},
            metrics={str(name): float(value) for name, value in table["value"].items()},
            ci95={str(name): (row["low"], row["high"]) for name, row in table.iterrows()},
            timing=self.seconds,
            variant=self.protocol,
        )  # fmt: skip

    def again(
        self,
        protocol: Protocol | None = None,
        queries: Vectors | None = None,
        passages: Vectors | None = None,
        name: str | None = None,
    ) -> RetrievalStudy:
        """Measure again under another protocol, or with other vectors.

        :param protocol: The same if left out, and so with the others.
        :param queries: Vectors of the questions.
        :param passages: Vectors of the passages.
        :param name: Name of the model.
        """
        started = time.perf_counter()
        protocol, queries, passages = protocol or self.protocol, queries or self.queries, passages or self.passages
        outcomes = {
            key: rank_scenario(self.data, queries, passages, each.scenario, protocol, self.k, self.device)
            for key, each in self.outcomes.items()
        }
        seconds = {**self.seconds, "measure": round(time.perf_counter() - started, 3)}
        model = {**self.model, "name": name or self.name}
        return replace(
            self, model=model, queries=queries, passages=passages, outcomes=outcomes, protocol=protocol,
            seconds=seconds, changes={},
        )  # fmt: skip


def study_retrieval(
    encoder: Encoder,
    data: ParallelQA,
    scenarios: Sequence[Scenario],
    protocol: Protocol = "unique",
    k: int = 10,
    device: str = "cpu",
) -> RetrievalStudy:
    """Measure one model in some scenarios.

    :param encoder: The model.
    :param data: Questions and passages in all languages of the scenarios.
    :param scenarios: Pools and languages of queries.
    :param protocol: See `rank_scenario`.
    :param k: Places that Complete@K looks at.
    :param device: "cpu", or "cuda" to count on a GPU.
    :raises XlError: If a pool is too small.
    """
    started, pace = time.perf_counter(), replace(encoder.pace)
    spoken = dict.fromkeys(scenario.query for scenario in scenarios)
    written = dict.fromkeys(code for scenario in scenarios for code in scenario.pool)
    queries = {code: encoder.encode(data.queries[code], role="query") for code in spoken}
    passages = {code: encoder.encode(data.passages[code], role="passage") for code in written}
    encoded = time.perf_counter()
    outcomes = {each.name: rank_scenario(data, queries, passages, each, protocol, k, device) for each in scenarios}
    seconds = {"encode": round(encoded - started, 3), "measure": round(time.perf_counter() - encoded, 3)}
    computed = encoder.pace.texts - pace.texts
    if computed >= _FEWEST_TEXTS:
        seconds["texts-per-second"] = round(computed / max(encoder.pace.seconds - pace.seconds, 1e-6), 1)
    model = describe_model(encoder)
    return RetrievalStudy(model, data, queries, passages, outcomes, protocol, k, device, seconds)


def centring_change(study: RetrievalStudy) -> dict[str, np.ndarray]:
    """Measure what it would change to subtract from each language its mean, without any training.

    :param study: What was measured.
    :return: By question, the change of Complete@K and Max@R, means over the pairs with English, float64 [n] each;
        nothing if the study has no such pair.
    """
    pairs = {name: outcome for name, outcome in study.outcomes.items() if outcome.scenario.group == "multi"}
    if not pairs:
        return {}
    before = replace(study, outcomes=pairs, changes={})
    queries, passages = (centre(spaces, spaces) for spaces in (study.queries, study.passages))
    old, new = (each.values() for each in (before, before.again(queries=queries, passages=passages)))
    metrics = (f"complete@{study.k}", "max@r")
    return {
        f"change/centring/{metric}": new[f"mean/multi/{metric}"] - old[f"mean/multi/{metric}"] for metric in metrics
    }
