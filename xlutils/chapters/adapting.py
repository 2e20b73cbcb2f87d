"""Chapter 8: what cheap ways of adapting a model gain, cost and lose, language by language."""

from __future__ import annotations

import contextlib
import itertools
import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from xlutils.chapters.course import Course, Marks
from xlutils.chapters.remedies import CHANGE
from xlutils.chapters.training_runs import training_facts
from xlutils.datasets.files import content_hash
from xlutils.datasets.scenarios import PIVOT
from xlutils.datasets.triples import Triples
from xlutils.metrics.transfer import mean_of_means
from xlutils.metrics.uncertainty import bootstrap_means
from xlutils.models import load_model
from xlutils.models.catalogue import find_card
from xlutils.models.encoder import Encoder
from xlutils.results.record import Record, describe_model
from xlutils.results.rows import metric_table
from xlutils.training.finetune import finetune, trained_share
from xlutils.training.recipe import Recipe
from xlutils.training.trainable import as_encoder, load_trainable

EVERYTHING, AGAINST = "all weights", ", against all weights"  # the way that the others are compared with


@dataclass(frozen=True)
class Trained:
    """A training, and the scores after it.

    :param facts: Recipe and data; the share of the weights that were trained; seconds of the processor; and, where the
        system tells it, the peak memory in GB of the whole process.
    """

    key: str
    facts: Mapping[str, Any]
    marks: Marks


def train(model: str, recipe: Recipe, triples: Triples, course: Course, folder: Path, after: str = "") -> Trained:
    """Train and measure, or read what was measured already.

    :param model: The model, as for `load_model`.
    :param folder: Folder of scores and weights, both named after everything that they depend on.
    :param after: Key of the training that comes before; empty to begin with the published weights.
    """
    from safetensors.torch import load_file, save_file

    about = [model, json.dumps(asdict(recipe)), triples.sha256, course.facts["sha256"], after]
    key = content_hash(about)[:16]
    path, weights = folder / f"{key}.npz", folder / f"{key}.safetensors"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        trained = load_trainable(model, "cpu")
        if after:
            trained.load_state_dict(load_file(folder / f"{after}.safetensors"), strict=False)
        share, started = trained_share(trained, recipe), time.process_time()
        with tempfile.TemporaryDirectory() as temporary:
            steps = finetune(trained, triples.rows, recipe, temporary)
        seconds, memory = time.process_time() - started, _peak_memory()
        facts = {**training_facts(key, recipe, triples), "steps": len(steps), "after": after}
        facts |= {
            "trained-share": share,
            "processor-seconds": round(seconds, 1),
            **({"peak-memory": memory} if memory else {}),
        }
        marks = course.marks(course.encode(as_encoder(trained, key)))
        frozen = trained[0].model.get_input_embeddings().weight.data_ptr() if recipe.frozen_embeddings else None
        kept = {name: weight for name, weight in trained.state_dict().items() if weight.data_ptr() != frozen}
        save_file(kept, weights)
        part = path.with_suffix(".part.npz")
        tables: dict[str, Any] = {f"marks/{name}": table for name, table in marks.items()}
        np.savez(part, facts=np.array(json.dumps(facts)), **tables)
        part.replace(path)
    with np.load(path) as file:
        marks = {name.removeprefix("marks/"): file[name] for name in file.files if name != "facts"}
        return Trained(key, json.loads(str(file["facts"])), marks)


def _peak_memory() -> float:
    """Return the most memory that this process ever had, in GB; 0 where the system does not tell."""
    with contextlib.suppress(ImportError):
        import resource

        return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2)  # kilobytes on Linux
    return 0.0


def study_adapters(
    model: str,
    plan: Mapping[str, tuple[Recipe, Triples]],
    course: Course,
    folder: Path,
    seed: int = 42,
) -> Record:
    """Train a model in several ways, each from its published weights, and compare it before and after.

    The states are those of the plan, with the change from the model as published (", change") and, where there is a
    training of all weights on the same languages, the difference from it (", against all weights"). The kind "all" has
    means over the languages of a training ("complete@10/trained") and over all others but English ("/untrained");
    languages that the model never learned are in neither.

    :param model: The model, as for `load_model`.
    :param plan: Recipe and triples by state, such as "LoRA, mixed" or "all weights, de".
    :param folder: As for `train`.
    """
    started = time.perf_counter()
    cells = {state: train(model, *how, course, folder) for state, how in plan.items()}
    encoder = load_model(model, device="cpu", dtype="float32")  # as after a training
    before = course.marks(course.encode(encoder))
    rows = [*language_rows(course, before, "", seed)]
    for state, cell in cells.items():
        rows += language_rows(course, cell.marks, state, seed)
        for metric in ("trained-share", "processor-seconds", "peak-memory"):
            if metric in cell.facts:
                rows.append({"kind": "all", "metric": metric, "value": float(cell.facts[metric]), "state": state})
        others = {state + CHANGE: before}
        way, taught = state.split(", ", 1)
        if way != EVERYTHING and f"{EVERYTHING}, {taught}" in cells:
            others[state + AGAINST] = cells[f"{EVERYTHING}, {taught}"].marks
        for name, other in others.items():
            differences = {metric: cell.marks[metric] - other[metric] for metric in other}
            rows += language_rows(course, differences, name, seed)
            rows += _group_rows(encoder, course, differences, cell.facts["trained_on"]["languages"], name, seed)
    params = {"seed": seed, "k": 10, "trainings": {state: dict(cell.facts) for state, cell in cells.items()}}
    seconds = {"measure": round(time.perf_counter() - started, 3)}
    return Record("production", describe_model(encoder), course.facts, params, metric_table(rows), seconds, "adapters")


def language_rows(course: Course, marks: Marks, state: str, seed: int) -> Iterator[dict[str, Any]]:
    """Yield the mean of every metric in every language, with its interval over passages, as rows of a record."""
    for metric, values in marks.items():
        low, high = bootstrap_means(values, seed, course.clusters(metric))
        for number, code in enumerate(course.languages):
            column = values[:, number]
            if np.isfinite(column).any():
                bounds = {"value": np.nanmean(column), "low": low[number], "high": high[number]}
                yield {"kind": "language", "language": code, "metric": metric, **bounds, "state": state}


def _group_rows(
    encoder: Encoder, course: Course, marks: Marks, taught: Sequence[str], state: str, seed: int
) -> Iterator[dict[str, Any]]:
    card = find_card(encoder.name)
    learned = [code for code in course.languages if code != PIVOT and not (card and card.learned(code) is False)]
    groups = {"trained": [code for code in learned if code in taught]}
    groups["untrained"] = [code for code in learned if code not in taught]
    for (name, codes), (metric, values) in itertools.product(groups.items(), marks.items()):
        columns = [course.languages.index(code) for code in codes]
        columns = [column for column in columns if np.isfinite(values[:, column]).any()]
        if columns:
            value, low, high = mean_of_means(values[:, columns], course.clusters(metric), seed)
            yield {
                "kind": "all",
                "metric": f"{metric}/{name}",
                "value": value,
                "low": low,
                "high": high,
                "state": state,
            }
