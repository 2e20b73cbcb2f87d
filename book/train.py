"""Train the bundled E5-small on triples, once per recipe and seed, and record it before and after.

XL_DATA=... python book/train.py --names jsd+nce+keep,published --seeds 42,43,44
XL_DATA=... python book/train.py --names grid      # short trainings, from which rate and temperature are chosen
XL_DATA=... python book/train.py --names tuned     # each loss as the grid preferred it, unless it is recorded so
XL_DATA=... python book/train.py --names paper --model intfloat/multilingual-e5-base   # as Hong et al., per language
XL_DATA=... python book/train.py --names paper --losses jsd+nce,jsd,nce,nce-passage --train-languages de,es,ru,zh

A training that has a record is not repeated; one that was stopped continues from its last checkpoint.
"""

from __future__ import annotations

import argparse
import itertools
import random
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
from sentence_transformers import SentenceTransformer

from xlutils import load_model
from xlutils.chapters.affinity import study_affinity
from xlutils.chapters.finetuning import load_both
from xlutils.chapters.outcomes import Exam
from xlutils.chapters.relations import study_relations
from xlutils.chapters.retrieval import PROTOCOLS, study_retrieval
from xlutils.chapters.shapes import shapes_path, translation_shapes
from xlutils.chapters.training_runs import (
    Comparison,
    Side,
    run_training,
    write_all,
)
from xlutils.datasets import load_lexicon, load_minimal_pairs, load_relations
from xlutils.datasets.scenarios import PIVOT, make_scenarios
from xlutils.datasets.triples import Triples
from xlutils.errors import XlError
from xlutils.models.encoder import Encoder
from xlutils.results.record import describe_model, read_record, write_record
from xlutils.results.rows import Key, value_of
from xlutils.training.recipe import RECIPES, Recipe, learning_rate, read_recipe
from xlutils.training.trainable import as_encoder, load_trainable

ROOT = Path(__file__).resolve().parents[1]
MODEL = "multilingual-e5-small-q4"
LARGEST = {"zh": 291, "es": 600, "de": 700, "ru": 600, "ja": 600}  # triples per language, 2,791 in all
_OURS = replace(RECIPES["quick"], epochs=1, batch_size=32, max_length=128, micro_tokens=2048)
RECORDED = {
    "jsd+nce+keep": _OURS,
    "published": replace(_OURS, losses=("jsd", "nce"), learning_rate=2e-5, jsd_weight=1.0, keep_weight=1.0),
    "jsd+nce": replace(_OURS, losses=("jsd", "nce")),
    "jsd": replace(_OURS, losses=("jsd",)),
    "nce": replace(_OURS, losses=("nce",)),
    "nce-passage": replace(_OURS, losses=("nce-passage",)),
}
PUBLISHED = "+".join(RECIPES["paper"].losses)
LOSSES = ("nce", "nce-passage", "jsd+nce", "jsd+nce+keep", "jsd")
GRID = {
    f"{losses}.rate-{rate:.0e}.temperature-{temperature:g}": replace(
        RECORDED[losses], learning_rate=rate, temperature=temperature, max_length=64
    )
    for losses in LOSSES
    for rate, temperature in (
        itertools.product((2e-6, 2e-5, 2e-4), (1,)) if losses == "jsd" else itertools.product((2e-5, 2e-4), (1, 0.05))
    )
}
GRID_TRIPLES = 640
VALIDATION = ("fr", "it", "ko")  # neither trained on nor reported
VALIDATION_PASSAGES = 120
KINDS = ("mono-same", "mono-cross", "multi", "multi-1")
SEED = 42  # seed of the intervals
COMPLETE = Key("multi", "complete@10", state="after")


@dataclass(frozen=True)
class Course:
    """Triples, and the exam after a training on them."""

    triples: Triples
    exam: Exam
    has_words: bool

    def measure(self, encoder: Encoder) -> Side:
        """Take the exam."""
        words = study_affinity(encoder, load_lexicon("everyday", ["en", "zh"])) if self.has_words else None
        return Side(study_retrieval(encoder, self.exam), words)

    def shapes(self, model: SentenceTransformer, triples: Triples) -> pd.DataFrame:
        """Compare questions with their translations into the first language of the triples that is asked."""
        asked = [code for code in self.exam.data.languages if code != PIVOT]
        trained_on = dict.fromkeys(row.lang for row in triples.rows)
        language = next((code for code in trained_on if code in asked), asked[0])
        return translation_shapes(model, self.exam.data, language).assign(language=language)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run and record every training that has no record yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", default=MODEL, help="model to train, as for load_model")
    parser.add_argument(
        "--names", default=",".join(RECORDED), help=f"some of {', '.join(RECORDED)}; grid, tuned, paper"
    )
    parser.add_argument("--losses", default=PUBLISHED, help="losses to train with, for paper")
    parser.add_argument("--train-languages", default=",".join(LARGEST), help="languages to train on, for paper")
    parser.add_argument("--seeds", default="42", help="seeds, separated by commas")
    parser.add_argument("--data", default="xquad", help="questions to measure with")
    parser.add_argument("--languages", default="zh,es,ar,de,th,vi", help="languages to measure, without English")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--into", type=Path, default=ROOT / "book/records", help="folder of the records")
    parser.add_argument("--checkpoints", type=Path, default=ROOT / "_build/training", help="folder of checkpoints")
    options = parser.parse_args(arguments)
    encoder = load_model(options.model, device=options.device, dtype="float32")  # as after the training
    folder = options.into / "finetune" / encoder.name.replace("/", "__")
    trained_on = options.train_languages.split(",") if options.names == "paper" else list(LARGEST)
    course = _course(options.data, options.languages.split(","), trained_on, options.names)
    before = course.measure(encoder)
    losses = options.losses.split(",")
    trainings = _trainings(options.names, losses, course.triples, folder, encoder.source)
    for seed, (name, (recipe, triples)) in itertools.product(map(int, options.seeds.split(",")), trainings.items()):
        label = f"{name}.seed-{seed}"
        recorded = folder / f"{course.exam.data.name}.{label}.unique.json"
        if recorded.exists():
            asked = read_record(recorded)["dataset"]["languages"]
            if missing := [code for code in course.exam.data.languages if code not in asked]:
                raise XlError(f"{recorded.name} was not asked in {', '.join(missing)}; give another folder with --into")
            print(f"{label}: recorded already")
            continue
        place = options.device, options.checkpoints
        run = run_training(
            options.model, label, replace(recipe, seed=seed), triples, course.measure, before, *place, save_every=20
        )
        write_all(both([run.comparison]) if course.has_words else [run.comparison], options.into, SEED)
        for pairs in (load_relations(), load_minimal_pairs()) if options.names not in ("grid", "paper") else ():
            trained, done = as_encoder(run.model, encoder.name), run.comparison.change
            study = study_relations(trained, pairs, seed=SEED, done=done)
            record = replace(study.record(), model=describe_model(encoder))  # of which `done` says what was done to it
            write_record(options.into, record, study.items)
        models = {"before": load_trainable(options.model, options.device), "after": run.model}
        shapes = {state: course.shapes(model, triples) for state, model in models.items()}
        pd.concat(shapes, names=["state"]).droplevel(1).round(5).to_csv(shapes_path(recorded))
        run.steps.round(5).to_csv(folder / f"{course.exam.data.name}.{label}.steps.csv", index=False)
        shutil.rmtree(options.checkpoints / label)  # two gigabytes, of no use once the record is there
        key = Key("multi", "max@r")
        ranks = [side.retrieval.values()[key].mean().round(1) for side in (before, run.comparison.after)]
        print(f"{label}: {run.comparison.seconds:.0f} s; mean Max@R {ranks[0]} -> {ranks[1]}", flush=True)


def _trainings(
    names: str, losses: Sequence[str], triples: Triples, folder: Path, model: str
) -> dict[str, tuple[Recipe, Triples]]:
    """Return recipe and triples of each training, by its label without the seed."""
    if names == "paper":
        trainings = {}
        for code, name in itertools.product(dict.fromkeys(row.lang for row in triples.rows), losses):
            part = Triples(triples.name, tuple(row for row in triples.rows if row.lang == code))
            recipe = read_recipe(f"paper,losses={name},learning_rate={learning_rate(model)}")
            trainings[f"{name}.{code}"] = recipe, part
        return trainings
    recipes = {name: RECORDED[name] for name in names.split(",")} if names not in ("grid", "tuned") else GRID
    if names == "tuned":
        best = {losses: tuned(folder, losses) for losses in LOSSES}
        recipes = {f"{losses}.tuned": recipe for losses, recipe in best.items() if recipe != RECORDED[losses]}
    return {name: (recipe, triples) for name, recipe in recipes.items()}


def tuned(folder: Path, losses: str) -> Recipe:
    """Return the recipe of a loss with the rate and the temperature that did best in the grid."""
    scores = {}
    for name, recipe in GRID.items():
        path = folder / f"debian-validation.{name}.seed-{SEED}.unique.json"
        if RECORDED[losses].losses == recipe.losses:
            if not path.exists():
                raise XlError(f"{path.name} is missing; run the trainings of the grid first")
            scores[name] = value_of(read_record(path)["metrics"], COMPLETE)
    best = GRID[max(scores, key=lambda name: scores[name])]
    return replace(RECORDED[losses], learning_rate=best.learning_rate, temperature=best.temperature)


def _course(data: str, languages: list[str], trained_on: list[str], names: str) -> Course:
    if names != "grid":
        triples, questions = load_both("debian", trained_on, data, languages)
        triples = triples if names == "paper" else take(triples)
        return Course(triples, Exam(questions, make_scenarios(KINDS, languages), "paper"), has_words=True)
    triples, questions = load_both("debian", list(LARGEST), "debian", VALIDATION)
    step = max(len(questions.passage_ids) // VALIDATION_PASSAGES, 1)
    some = questions.part(range(0, len(questions.passage_ids), step)[:VALIDATION_PASSAGES], "debian-validation")
    few = Triples(triples.name, take(triples).rows[:GRID_TRIPLES])
    return Course(few, Exam(some, make_scenarios(("mono-same", "multi"), VALIDATION), "unique"), has_words=False)


def take(triples: Triples) -> Triples:
    """Return the first triples of each language, shuffled in the same way for every training."""
    rows = []
    for code, count in LARGEST.items():
        rows += [row for row in triples.rows if row.lang == code][:count]
    random.Random(0).shuffle(rows)  # noqa: S311 - no secret
    return Triples(triples.name, tuple(rows))


def both(comparisons: list[Comparison]) -> list[Comparison]:
    """Return every comparison under both protocols."""
    return [comparison.again(protocol) for comparison in comparisons for protocol in PROTOCOLS]


if __name__ == "__main__":
    try:
        main()
    except XlError as error:
        sys.exit(str(error))
