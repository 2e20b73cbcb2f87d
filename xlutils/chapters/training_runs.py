"""Chapter 4: train a model, and measure it before and after with the same questions."""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from xlutils.chapters.affinity import AffinityStudy
from xlutils.chapters.outcomes import Protocol, mean_rows
from xlutils.chapters.retrieval import RetrievalStudy
from xlutils.datasets.triples import Triples
from xlutils.errors import XlError
from xlutils.metrics.geometry import effective_rank, random_cosine
from xlutils.metrics.uncertainty import bootstrap_ci
from xlutils.models.encoder import Encoder
from xlutils.results.record import Record, describe_dataset, read_record, record_path, write_record
from xlutils.results.rows import Key, metric_table
from xlutils.training.finetune import check_size, finetune, has_bf16
from xlutils.training.recipe import Recipe, label_of, learning_rate
from xlutils.training.trainable import as_encoder, load_trainable

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_ITEMS = ("question", "passage", "scenario", "max@r", "ndcg@1", "mrr", "own-first", "some-first", "margin-accuracy")


@dataclass(frozen=True)
class Side:
    """One state of a model: mixed-language retrieval, and Semantic Affinity where it was measured."""

    retrieval: RetrievalStudy
    words: AffinityStudy | None = None

    def table(self, seed: int) -> pd.DataFrame:
        """Return every metric with its 95% interval, as rows of a record."""
        passages = np.concatenate(list(self.retrieval.passages.values()))
        rows = [{"metric": "random-cosine", "value": random_cosine(passages)}]
        rows.append({"metric": "effective-rank", "value": effective_rank(passages)})
        if self.words:
            low, high = self.words.affinity.interval(seed)
            rows.append({"metric": "sa", "value": self.words.affinity.sa, "low": low, "high": high})
        return pd.concat([self.retrieval.table(seed), metric_table(rows).assign(kind="all")])


@dataclass(frozen=True)
class Comparison:
    """A model before and after a change, measured with the same questions.

    :param before: The model before; `after` likewise, with the same data, scenarios, protocol and K.
    :param change: What was done, as written in the record; `name` is a short name for it.
    :param seconds: Time that it took.
    """

    before: Side
    after: Side
    change: Mapping[str, Any]
    seconds: float

    def __post_init__(self) -> None:
        sides = (self.before, self.after)
        exams = [side.retrieval.exam for side in sides]
        settings = {(exam.data.sha256, *exam.scenarios, exam.protocol, exam.k) for exam in exams}
        words = {side.words.lexicon.sha256 for side in sides if side.words}
        if max(len(settings), len(words)) > 1:
            raise XlError("before and after must be measured on the same data, words, scenarios, protocol and K")

    @property
    def name(self) -> str:
        """Short name of the change."""
        return str(self.change["name"])

    def again(self, protocol: Protocol) -> Comparison:
        """Compare the same vectors under another protocol."""
        exam = replace(self.before.retrieval.exam, protocol=protocol)
        before, after = (replace(side, retrieval=side.retrieval.again(exam=exam)) for side in (self.before, self.after))
        return replace(self, before=before, after=after)

    def changes(self, seed: int) -> pd.DataFrame:
        """Return the paired change of every metric that is a mean over questions or concepts.

        :return: Rows of a record, and the columns before and after.
        """
        before, after = self.before.retrieval.values(), self.after.retrieval.values()
        differences = {key._replace(state="change"): after[key] - before[key] for key in before if key in after}
        means = [(before[key].mean(), after[key].mean()) for key in before if key in after]
        table = mean_rows(differences, self.before.retrieval.exam.data.gold, seed)
        table[["before", "after"]] = means
        if self.before.words and self.after.words:
            one, two = self.before.words.affinity.sa_values, self.after.words.affinity.sa_values
            values = ((two - one).mean(), *bootstrap_ci(two - one, seed=seed), one.mean(), two.mean())
            table.loc[len(table)] = [*Key("all", "sa", state="change"), *values]
        return table

    def record(self, seed: int) -> Record:
        """Return the record: every metric before and after, and the paired changes."""
        sides = [self.before.table(seed).assign(state="before"), self.after.table(seed).assign(state="after")]
        metrics = metric_table(pd.concat([*sides, self.changes(seed)]))
        study, exam = self.before.retrieval, self.before.retrieval.exam
        params = {"protocol": exam.protocol, "k": exam.k, "done": dict(self.change), "seed": seed}
        params |= {"result": self.after.retrieval.model, **study.reading.facts}
        if self.before.words:
            params["words"] = describe_dataset(self.before.words.lexicon, len(self.before.words.lexicon.concepts))
        dataset = describe_dataset(exam.data, len(exam.data.query_ids))
        variant = f"{self.name}.{exam.protocol}"
        return Record("finetune", study.model, dataset, params, metrics, {"done": self.seconds}, variant)

    def items(self) -> pd.DataFrame:
        """Return the main values per question and scenario, before and after."""
        frames = []
        for name, side in (("before", self.before), ("after", self.after)):
            items = side.retrieval.items()
            columns = [column for column in (*_ITEMS, f"complete@{side.retrieval.exam.k}") if column in items]
            frames.append(items[columns].assign(side=name))
        return pd.concat(frames, ignore_index=True)


def write_all(comparisons: Iterable[Comparison], records_dir: str | Path, seed: int) -> list[Path]:
    """Write a record of each comparison and return the paths."""
    return [write_record(records_dir, comparison.record(seed), comparison.items()) for comparison in comparisons]


@dataclass(frozen=True)
class Run:
    """One training: the trained model, its losses with a row per step, and the model before and after."""

    model: SentenceTransformer
    steps: pd.DataFrame
    comparison: Comparison


def plan_trainings(
    recipe: Recipe,
    losses: Iterable[Sequence[str]],
    triples: Triples,
    before: Side,
    records_dir: str | Path,
    save_to: str | Path = "",
) -> dict[str, tuple[Recipe, Triples]]:
    """Return recipe and triples of each training by its label: one per entry of losses, and per language if not mixed.

    :param save_to: Parent of the folders of trained models; empty if they are not saved.
    :raises XlError: If a language has too few triples, or a record or a model would be overwritten.
    """
    study = before.retrieval
    rate = recipe.learning_rate or learning_rate(study.model["source"])
    every = list(dict.fromkeys(row.lang for row in triples.rows))
    plan = {}
    for names, codes in itertools.product(losses, [every] if recipe.mixed else [[code] for code in every]):
        chosen = replace(recipe, losses=tuple(names), learning_rate=rate)
        part = Triples(triples.name, tuple(row for row in triples.rows if row.lang in codes))
        try:
            check_size(part.rows, chosen.batch_size, chosen.epochs, chosen.warmup)
        except XlError as error:
            raise XlError(f"{', '.join(codes)}: {error}") from None
        label = label_of(chosen, codes, study.model["source"])
        _check_record(records_dir, study, training_facts(label, chosen, part))
        if save_to:
            model_folder(save_to, study.name, label)
        plan[label] = chosen, part
    return plan


def _check_record(records_dir: str | Path, study: RetrievalStudy, facts: dict[str, Any]) -> None:
    """Refuse a training whose record would replace that of another one."""
    variant = f"{facts['name']}.{study.exam.protocol}"
    head = Record("finetune", study.model, {"name": study.exam.data.name}, {}, pd.DataFrame(), variant=variant)
    path = record_path(records_dir, head)
    if not path.exists():
        return
    done, wanted = read_record(path)["params"]["done"], json.loads(json.dumps(facts))
    if wanted["recipe"]["bf16"] is None:  # whatever the hardware of the record did
        wanted["recipe"]["bf16"] = done["recipe"]["bf16"]
    if done != wanted:
        raise XlError(f"{path.name} is the record of another training; give another records_dir, or delete it")


def model_folder(save_to: str | Path, model: str, label: str) -> Path:
    """Return the new folder of a trained model, named after the model and its training.

    :raises XlError: If the folder is not empty.
    """
    folder = Path(save_to).expanduser() / f"{model.replace('/', '__')}.{label}"
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise XlError(f"{folder.name} is not empty; give another folder in save_to, or delete it")
    return folder


def run_training(
    name: str,
    label: str,
    recipe: Recipe,
    triples: Triples,
    measure: Callable[[Encoder], Side],
    before: Side,
    device: str = "auto",
    folder: str | Path | None = None,
    save_every: int = 0,
) -> Run:
    """Train a model from its published weights and measure the result.

    :param name: The model, as for `load_model`.
    :param label: Short name of the training.
    :param measure: Measures a model, as was done for `before`, the model before training.
    :param folder: Parent of the folder of checkpoints, which is named after the label; None for no checkpoints.
    :param save_every: Steps between two checkpoints; 0 for none.
    """
    model = load_trainable(name, device)
    if recipe.bf16 is None:
        recipe = replace(recipe, bf16=has_bf16(str(model.device)))  # the record says what it was
    with tempfile.TemporaryDirectory() as temporary:
        steps = finetune(model, triples.rows, recipe, Path(folder or temporary, label), save_every)
    seconds = round(float(steps.pop("seconds").iloc[-1]), 1)
    after = measure(as_encoder(model, f"{before.retrieval.name} ({label})"))
    return Run(model, steps, Comparison(before, after, training_facts(label, recipe, triples), seconds))


def training_facts(name: str, recipe: Recipe, triples: Triples) -> dict[str, Any]:
    """Return what a record says of a training: its name, the recipe and the data."""
    languages = list(dict.fromkeys(row.lang for row in triples.rows))
    data = {"name": triples.name, "sha256": triples.sha256, "languages": languages, "size": len(triples.rows)}
    return {"name": name, "recipe": asdict(recipe), "trained_on": data}
