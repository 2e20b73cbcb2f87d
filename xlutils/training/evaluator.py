"""Mixed-language retrieval as an evaluator for any sentence-transformers training, and a guard against collapse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sentence_transformers.base.evaluation import BaseEvaluator
from transformers import TrainerCallback

from xlutils.chapters.outcomes import Protocol
from xlutils.chapters.retrieval import study_retrieval
from xlutils.datasets.parallel import ParallelQA
from xlutils.datasets.scenarios import PIVOT, make_scenarios
from xlutils.metrics.geometry import effective_rank, random_cosine
from xlutils.training.trainable import as_encoder

if TYPE_CHECKING:
    from transformers import TrainerControl, TrainerState, TrainingArguments


class MixedRetrievalEvaluator(BaseEvaluator):
    """Asks questions in two languages in a pool of both, for English and each other language of the data.

    :param data: Parallel questions and passages; English must be among the languages.
    :param k: Places that Complete@K looks at.
    :param protocol: "unique" or "paper", see `rank_scenario`.
    :param name: Put in front of the metrics.
    """

    def __init__(self, data: ParallelQA, k: int = 10, protocol: Protocol = "unique", name: str = "") -> None:
        super().__init__()
        self.data, self.k, self.protocol, self.name = data, k, protocol, name or data.name
        self.targets = [code for code in data.languages if code != PIVOT]
        self.greater_is_better = True
        self.primary_metric = f"{self.name}_mean/multi/max@r_norm/per-query"

    def __call__(
        self, model: Any, output_path: str | None = None, epoch: int = -1, steps: int = -1
    ) -> dict[str, float]:
        """Measure the model as it is now."""
        encoder = as_encoder(model, self.name)
        scenarios = make_scenarios(["multi", "mono-same"], self.targets)
        study = study_retrieval(encoder, self.data, scenarios, self.protocol, self.k)
        metrics = {name: float(values.mean()) for name, values in study.values().items()}
        passages = np.concatenate(list(study.passages.values()))
        metrics |= {"random-cosine": random_cosine(passages), "effective-rank": effective_rank(passages)}
        found: dict[str, float] = self.prefix_name_to_metrics(metrics, self.name)
        self.store_metrics_in_model_card_data(model, found, epoch, steps)
        return found


class StopOnCollapse(TrainerCallback):
    """Ends a training whose vectors fall into one another.

    :param highest_cosine: Mean cosine of unrelated passages above which to stop, if half of its distance from 1 at
        the start is gone too: some models are born in a narrow cone.
    :param lowest_share: Share of the directions in use at the start below which to stop.
    """

    def __init__(self, highest_cosine: float = 0.99, lowest_share: float = 0.25) -> None:
        self.highest_cosine, self.lowest_share = highest_cosine, lowest_share
        self.start: tuple[float, float] | None = None
        self.reason = ""

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Look at what the evaluator found."""
        found = {name.rsplit("_", 1)[-1]: value for name, value in kwargs["metrics"].items()}
        now = found["random-cosine"], found["effective-rank"]
        if self.start is None:
            self.start = now
        elif now[0] > self.highest_cosine and 1 - now[0] < (1 - self.start[0]) / 2:
            self.reason = f"unrelated passages have a mean cosine of {now[0]:.3f} at step {state.global_step}"
        elif now[1] < self.lowest_share * self.start[1]:
            self.reason = f"{now[1]:.1f} directions are left of {self.start[1]:.1f} at step {state.global_step}"
        control.should_training_stop = control.should_training_stop or bool(self.reason)
