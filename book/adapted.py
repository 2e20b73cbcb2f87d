"""What chapter 8 trains: students of the bundled E5, adapters, and languages one after the other."""

from __future__ import annotations

import hashlib
import itertools
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from xlutils import load_model
from xlutils.chapters.adapting import EVERYTHING, study_adapters, train
from xlutils.chapters.course import Course, only_antonyms
from xlutils.chapters.finetuning import load_both
from xlutils.chapters.forgetting import study_forgetting
from xlutils.chapters.outcomes import Exam
from xlutils.chapters.students import study_student
from xlutils.chapters.training_runs import training_facts
from xlutils.datasets import load_lexicon, load_minimal_pairs, load_parallel, load_relations, load_sentences
from xlutils.datasets.parallel import ParallelQA
from xlutils.datasets.paraphrases import load_paraphrases, paraphrased
from xlutils.datasets.scenarios import make_scenarios
from xlutils.datasets.triples import Triples, load_triples
from xlutils.models.adapters import save_model
from xlutils.models.catalogue import CATALOGUE
from xlutils.results.record import Record
from xlutils.training.recipe import RECIPES
from xlutils.training.students import (
    DISTIL,
    drop_layers,
    sentence_triples,
    static_student,
    token_vectors,
    train_student,
)
from xlutils.training.trainable import load_trainable

E5 = "multilingual-e5-small-q4"
XQUAD = ("en", "zh", "es", "ar", "de", "th", "vi")
TAUGHT = ("de", "es", "ru", "zh")
PER_TRAINING, PER_STUDENT = 192, 110  # triples in all; sentences of each language
SECOND = 43  # seed of the trainings that are done twice
SHORT = 40  # passages of each part of the exam
PARAPHRASES = Path(__file__).with_name("paraphrases.csv")  # two per question, by the hash of the question
EXAM = f"xquad-{SHORT}+debian-{SHORT}+relations"  # its name
_WHOLE = replace(RECIPES["quick"], losses=("jsd", "nce"), epochs=1, mixed=False)
ADAPT = replace(_WHOLE, temperature=0.05, learning_rate=1e-4, bf16=False)  # nearly the same numbers on any processor
ADAPTERS = {
    EVERYTHING: ADAPT,
    "LoRA": replace(ADAPT, lora_rank=8, learning_rate=1e-3),
    "biases": replace(ADAPT, only_biases=True, learning_rate=1e-3),
    "last 2 layers": replace(ADAPT, last_layers=2),
}
LAYERS = replace(DISTIL, bf16=False)
LOSSES = {
    f"{EVERYTHING} with triplet": replace(ADAPT, losses=("triplet",)),
    f"{EVERYTHING} with mixup": replace(ADAPT, losses=("jsd", "mixup")),
}


def questions(codes: Sequence[str] = XQUAD) -> ParallelQA:
    """Load the questions of XQuAD."""
    return load_parallel("xquad", codes)


def student_record(name: str, folder: Path) -> Record:
    """Make a student, or read it where it is saved already, and compare it with its teacher."""
    place = folder / f"e5-{name}"
    if not (place / "modules.json").exists():
        STUDENTS[name](place)
    about = facts_of(place)
    facts = json.loads(about.read_text(encoding="utf-8")) if about.exists() else None
    pairs = [load_relations(), load_minimal_pairs()]
    student = load_model(str(place), device="cpu")
    return study_student(
        load_model(E5, device="cpu"), student, load_lexicon("cldr"), questions(), pairs, name=name, done=facts
    )


@cache
def all_tokens() -> np.ndarray:
    """Encode every token of the vocabulary, alone: some minutes."""
    teacher = load_trainable(E5, "cpu")
    return token_vectors(teacher, np.arange(len(teacher.tokenizer)))


def save_static(place: Path, *, whitened: bool = False) -> None:
    """Make and save a table of token vectors."""
    save_model(static_student(load_trainable(E5, "cpu"), vectors=all_tokens(), whitened=whitened), place)


@cache
def layers_triples() -> Triples:
    """Return what the student of four layers learns from: sentences in all languages that its teacher learned."""
    data, learned = load_sentences("sib200"), CATALOGUE[E5].learned
    return sentence_triples(data, [code for code in data.languages if code != "en" and learned(code)], PER_STUDENT)


def facts_of(place: Path) -> Path:
    """Return the file of what a record says of a training: beside the student, whose name is a hash of its folder."""
    return place.with_name(f"{place.name}.training.json")


def save_layers(place: Path) -> None:
    """Train and save a student of four layers, and what the record says of the training: twenty minutes."""
    started = time.process_time()
    teacher, student = (load_trainable(E5, "cpu") for _ in range(2))
    drop_layers(student, 4)
    with tempfile.TemporaryDirectory() as folder:
        train_student(teacher, student, layers_triples().rows, folder, LAYERS)
    save_model(student, place)
    facts = training_facts("4-layers", LAYERS, layers_triples())
    facts["processor-seconds"] = round(time.process_time() - started, 1)
    facts_of(place).write_text(json.dumps(facts), encoding="utf-8")


STUDENTS: dict[str, Callable[[Path], None]] = {
    "static": save_static,
    "static-whitened": partial(save_static, whitened=True),
    "4-layers": save_layers,
}


@cache
def course() -> Course:
    """Return the exam before and after an adaptation: short passages, so that it takes a minute."""
    _, software = load_both("debian", TAUGHT, "debian", ["ru", "ko"])
    passages = questions(("en", "de", "es", "zh", "ar", "th"))
    shortest = np.argsort([len(text) for text in passages.passages["en"]], kind="stable")[:SHORT]
    spread = range(0, len(software.passage_ids), len(software.passage_ids) // SHORT)[:SHORT]
    exams = []
    for data, rows in ((passages, sorted(shortest.tolist())), (software, spread)):
        part = data.part(rows, f"{data.name}-{SHORT}")
        exams.append(Exam(part, make_scenarios(("multi", "mono-same"), data.languages[1:]), "unique"))
    words = load_relations("relations", ["en", "de", "es", "zh", "ar", "ru", "ko"])
    return Course(tuple(exams), only_antonyms(words))


def triples_of_each() -> dict[str, Triples]:
    """Return as many triples of each language."""
    return {code: load_triples("debian", [code]).balanced(PER_TRAINING) for code in TAUGHT}


def reworded(triples: Triples) -> Triples:
    """Replace half of the questions by one of their paraphrases.

    The questions come with Debian's data, which this book does not ship. Their paraphrases, which a language model
    wrote for this book, are found by hash.
    """
    by_hash = load_paraphrases(PARAPHRASES)
    hashes = {row.query_en: hashlib.sha256(row.query_en.encode()).hexdigest()[:16] for row in triples.rows}
    return paraphrased(triples, {text: by_hash[key] for text, key in hashes.items() if key in by_hash}, 0.5)


def adapters_record(folder: Path) -> Record:
    """Adapt a model in every way, to all languages together and to each alone."""
    mixed = load_triples("debian", TAUGHT).balanced(PER_TRAINING // len(TAUGHT))
    plan = {f"{way}, mixed": (recipe, mixed) for way, recipe in ADAPTERS.items()}
    for (code, triples), (way, recipe) in itertools.product(triples_of_each().items(), ADAPTERS.items()):
        plan[f"{way}, {code}"] = recipe, triples
    plan |= {f"{way}, mixed": (recipe, mixed) for way, recipe in LOSSES.items()}
    plan[f"{EVERYTHING} with paraphrases, mixed"] = ADAPT, reworded(mixed)
    for way, recipe in ADAPTERS.items():
        plan[f"{way}, mixed, seed {SECOND}"] = replace(recipe, seed=SECOND), mixed
    for way, recipe in ADAPTERS.items():
        slower = replace(recipe, learning_rate=(recipe.learning_rate or 0) / 5)
        plan[f"{way}, a fifth of the rate, mixed"] = slower, mixed
    for recipe, triples in plan.values():
        with ProcessPoolExecutor(1, get_context("spawn")) as alone:  # whose peak memory is that of one training
            alone.submit(train, E5, recipe, triples, course(), folder).result()
    return study_adapters(E5, plan, course(), folder)


def forgetting_record(folder: Path) -> Record:
    """Teach the languages one after the other."""
    return study_forgetting(E5, ADAPT, triples_of_each(), course(), folder)
