"""Chapter 4: train a model once for each loss, and record each against the model it came from."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from xlutils.chapters.affinity import study_affinity
from xlutils.chapters.finetuning import Comparison, Side, training_facts
from xlutils.chapters.outcomes import Protocol
from xlutils.chapters.retrieval import study_retrieval
from xlutils.datasets.languages import language_codes
from xlutils.datasets.lexicon import Lexicon
from xlutils.datasets.parallel import NAMES, ParallelQA, load_parallel
from xlutils.datasets.scenarios import PIVOT, Scenario
from xlutils.datasets.triples import Triples, load_triples, triples_of
from xlutils.errors import XlError
from xlutils.models.encoder import Encoder
from xlutils.plots.layout import WordMap, map_words
from xlutils.training.finetune import Recipe, Training, finetune
from xlutils.training.trainable import as_encoder, load_trainable

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


@dataclass(frozen=True)
class Exam:
    """What models are asked before and after.

    :param data: Questions and passages.
    :param scenarios: How they are asked.
    :param lexicon: Words for Semantic Affinity.
    :param protocol: "unique" or "paper", see `rank_scenario`.
    :param k: Places that Complete@K looks at.
    """

    data: ParallelQA
    scenarios: list[Scenario]
    lexicon: Lexicon
    protocol: Protocol = "unique"
    k: int = 10

    def take(self, encoder: Encoder) -> Side:
        """Measure a model."""
        study = study_retrieval(encoder, self.data, self.scenarios, self.protocol, self.k)
        return Side(study, study_affinity(encoder, self.lexicon))


@dataclass(frozen=True)
class Run:
    """One training.

    :param model: The trained model.
    :param training: What happened on the way.
    :param comparison: What was measured before and after.
    """

    model: SentenceTransformer
    training: Training
    comparison: Comparison


def load_both(
    train_data: str, train_languages: Sequence[str], eval_dataset: str, eval_languages: Sequence[str]
) -> tuple[Triples, ParallelQA]:
    """Load what to train on and what to ask, with no passage in both.

    :param train_data: Parallel questions by name, or triples as for `load_triples`. Where it is the same as
        `eval_dataset`, every other passage is trained on and the rest asked.
    :param train_languages: Languages of the passages to train on, beside English.
    :param eval_dataset: Parallel questions, by name or folder.
    :param eval_languages: Languages to ask in, beside English.
    :raises XlError: If something is missing, or what is asked would be trained on.
    """
    train_codes, eval_codes = language_codes(train_languages), language_codes(eval_languages)
    if PIVOT in train_codes:
        raise XlError("train_languages: every triple holds English already; name the others")
    if train_data == eval_dataset != "debian":  # which has texts of its own to train on
        whole = load_parallel(eval_dataset, list(dict.fromkeys([PIVOT, *eval_codes, *train_codes])))
        passages = range(len(whole.passage_ids))
        triples = triples_of(whole.part(passages[::2], f"{whole.name}-train"), train_codes)
        return triples, whole.part(passages[1::2], f"{whole.name}-held-out").only([PIVOT, *eval_codes])
    data = load_parallel(eval_dataset, [PIVOT, *eval_codes])
    if train_data in NAMES and train_data != "debian":
        triples = triples_of(load_parallel(train_data, [PIVOT, *train_codes]), train_codes)
    else:
        triples = load_triples(train_data, train_codes)
    refuse_overlap(triples, data)
    return triples, data


def refuse_overlap(triples: Triples, data: ParallelQA) -> None:
    """Refuse to train on what is asked later.

    :raises XlError: If an English passage is in both.
    """
    if both := len({*data.passages[PIVOT]} & {row.passage_en for row in triples.rows}):
        raise XlError(f"{both} passages of {data.name} are in the training data too; train on others")


def run_training(
    name: str,
    label: str,
    recipe: Recipe,
    triples: Triples,
    exam: Exam,
    before: Side,
    folder: str | Path,
    device: str = "auto",
    save_every: int = 0,
) -> Run:
    """Train a model from its published weights, and measure the result.

    :param name: The model, as for `load_model`.
    :param label: Short name of what is done.
    :param recipe: How to train.
    :param triples: Training data.
    :param exam: What to ask.
    :param before: What was measured of the model.
    :param folder: Checkpoints go into a folder below it that is named after the label.
    :param device: "auto", "cpu" or "cuda".
    :param save_every: Steps between two checkpoints; 0 for none.
    """
    model = load_trainable(name, device)
    started = time.perf_counter()
    training = finetune(model, triples.rows, recipe, Path(folder, label), save_every=save_every)
    seconds = round(time.perf_counter() - started, 1)
    after = exam.take(as_encoder(model, f"{before.retrieval.name} ({label})"))
    return Run(model, training, Comparison(before, after, training_facts(label, recipe, triples), seconds))


def train_each(
    name: str,
    losses: Sequence[tuple[str, ...]],
    recipe: Recipe,
    triples: Triples,
    exam: Exam,
    before: Side,
    device: str,
) -> list[Run]:
    """Train a model once for each choice of losses, all else alike; no checkpoint is kept.

    :param name: The model, as for `load_model`.
    :param losses: The losses of each training.
    :param recipe: All else.
    :param triples: Training data.
    :param exam: What to ask.
    :param before: What was measured of the model.
    :param device: "auto", "cpu" or "cuda".
    """
    runs = []
    for parts in losses:
        with tempfile.TemporaryDirectory() as folder:
            own = replace(recipe, losses=parts)
            runs.append(run_training(name, "+".join(parts), own, triples, exam, before, folder, device))
    return runs


def map_passages(sides: Mapping[str, Side], languages: Sequence[str], seed: int) -> dict[tuple[str, str], WordMap]:
    """Lay the passages of some languages out on a plane, once for each state of a model.

    :param sides: By name.
    :param languages: Their codes.
    :param seed: Seed of the layout.
    """
    maps = {}
    for name, side in sides.items():
        study = side.retrieval
        rows = [(passage, code, passage) for code in languages for passage in study.data.passage_ids]
        vectors = np.concatenate([study.passages[code] for code in languages])
        maps["", name] = map_words(rows, vectors, seed)
    return maps
