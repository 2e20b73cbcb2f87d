"""Make the records of chapter 8 again: each part of each model, unless it is there already.

XL_DATA=... python book/production.py --dry-run                          # what there is, and what it took
XL_DATA=... python book/production.py --names smaller,domains            # these parts of all models
XL_DATA=... python book/production.py --names student --models multilingual-e5-small-q4 --again

Trainings stay in the folder of checkpoints: one that was stopped continues, and one that is done is not repeated.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import numpy as np

from xlutils import load_model
from xlutils.chapters.adapting import EVERYTHING, study_adapters
from xlutils.chapters.course import Course
from xlutils.chapters.domains import load_domains, study_domains
from xlutils.chapters.finetuning import load_both
from xlutils.chapters.forgetting import study_forgetting
from xlutils.chapters.indexes import study_indexes
from xlutils.chapters.leaks import DEFENCES, study_leaks
from xlutils.chapters.outcomes import Exam
from xlutils.chapters.smaller import study_names, study_passages
from xlutils.chapters.students import study_student
from xlutils.chapters.training_runs import training_facts
from xlutils.chapters.upgrade import study_upgrade
from xlutils.datasets import load_lexicon, load_minimal_pairs, load_parallel, load_relations, load_sentences
from xlutils.datasets.lexicon import Lexicon
from xlutils.datasets.parallel import ParallelQA
from xlutils.datasets.scenarios import make_scenarios
from xlutils.datasets.triples import Triples, load_triples
from xlutils.errors import XlError
from xlutils.models.adapters import save_model
from xlutils.models.catalogue import CATALOGUE
from xlutils.models.encoder import Encoder
from xlutils.results.record import Record, read_record, write_record
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

ROOT = Path(__file__).resolve().parents[1]
E5, USE, ENGLISH, CONTROL = "multilingual-e5-small-q4", "use-multilingual-v3", "all-MiniLM-L6-v2", "control-ngram-hash"
XQUAD = ("en", "zh", "es", "ar", "de", "th", "vi")
WEIGHED = (*XQUAD, "fr", "ru", "hi", "sw", "ja", "ko", "tr", "am", "yo", "ta", "ka", "is", "my", "gd")
NAMED = ("de", "fr", "es", "ru", "zh", "ja", "ar", "hi", "sw", "yo", "bn")  # whose names are attacked
SPOKEN = ("de", "zh", "ru", "hi", "sw", "yo")  # whose sentences are attacked
DOMAINS = ("en", *XQUAD[1:], "fr", "hi", "it", "ja", "ko", "ru", "sw", "yo")
TAUGHT = ("de", "es", "ru", "zh")
PER_TRAINING, PER_STUDENT = 192, 110  # triples in all; sentences of each language
SHORT = 40  # passages of an exam
_WHOLE = replace(RECIPES["quick"], losses=("jsd", "nce"), epochs=1, mixed=False)
ADAPT = replace(_WHOLE, temperature=0.05, learning_rate=1e-4, bf16=False)  # nearly the same numbers on any processor
ADAPTERS = {
    EVERYTHING: ADAPT,
    "LoRA": replace(ADAPT, lora_rank=8, learning_rate=1e-3),
    "biases": replace(ADAPT, only_biases=True, learning_rate=1e-3),
    "last 2 layers": replace(ADAPT, last_layers=2),
}
LOSSES = {
    f"{EVERYTHING} with triplet": replace(ADAPT, losses=("triplet",)),
    f"{EVERYTHING} with mixup": replace(ADAPT, losses=("jsd", "mixup")),
}
Run = Callable[[], Record]


def main(arguments: Sequence[str] | None = None) -> None:
    """Make and write the records that are missing, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--names", default="", help="parts, such as smaller,student; by default all")
    parser.add_argument("--models", default="", help="models by name; by default all")
    parser.add_argument("--into", type=Path, default=ROOT / "book/records", help="folder of the records")
    parser.add_argument("--checkpoints", type=Path, default=ROOT / "_build/training", help="folder of trainings")
    parser.add_argument("--again", action="store_true", help="also those that are there")
    parser.add_argument("--dry-run", action="store_true", help="say what there is, and make nothing")
    options = parser.parse_args(arguments)
    runs = dict(all_runs(options.checkpoints))
    known = ({part_of(file) for _, file in runs}, {model for model, _ in runs})
    chosen = [{*filter(None, text.split(","))} for text in (options.names, options.models)]
    for names, all_names in zip(chosen, known, strict=True):
        if names - all_names:
            raise SystemExit(
                f"unknown: {', '.join(sorted(names - all_names))}; choose from {', '.join(sorted(all_names))}"
            )
    for (model, file), run in runs.items():
        if any(names and name not in names for names, name in zip(chosen, (part_of(file), model), strict=True)):
            continue
        path = options.into / "production" / model / f"{file}.json"
        print(f"{model}/{file}:", end=" ", flush=True)
        if path.exists() and not options.again:
            print(f"recorded {read_record(path)['created'][:10]}")
        elif options.dry_run:
            print("missing")
        else:
            print(make(run, path, options.into), flush=True)


def make(run: Run, path: Path, into: Path) -> str:
    """Make a record, write it, and say how it went."""
    started = time.monotonic()
    try:
        written = write_record(into, run())
    except XlError as error:
        return f"not made: {error}"
    if written != path:
        return f"written as {written.name}"
    return f"{time.monotonic() - started:.0f} s"


def part_of(file: str) -> str:
    """Return the part that a record belongs to: the first word of its variant."""
    return file.split(".")[1]


def all_runs(checkpoints: Path) -> Iterator[tuple[tuple[str, str], Run]]:
    """Yield model and file of each record, and what makes it."""
    for name in (E5, USE, ENGLISH):
        yield (name, "cldr.smaller"), partial(smaller_names, name)
    for name in (E5, USE):
        yield (name, "xquad.smaller"), partial(smaller_passages, name)
        yield (name, "cldr.smaller-indexes"), partial(indexes, name)
    for name in (E5, ENGLISH):
        yield (name, "cldr.smaller-weights"), partial(lighter_weights, name)
    for name in STUDENTS:
        yield (E5, f"cldr.student.{name}"), partial(student_record, name, checkpoints)
    exam = f"xquad-{SHORT}+debian-{SHORT}+relations"
    yield (E5, f"{exam}.adapters"), partial(adapters_record, checkpoints / "adapters")
    yield (E5, f"{exam}.forgetting"), partial(forgetting_record, checkpoints / "adapters")
    for name, target, codes in ((E5, USE, XQUAD), (USE, E5, XQUAD), (E5, ENGLISH, ("en", "de", "zh"))):
        yield (name, f"xquad.upgrade.onto-{target}"), partial(upgrade_record, name, target, codes)
    for name in (E5, USE, CONTROL):
        yield (name, "domains.domains"), partial(domains_record, name)
    for name, attacker in ((E5, USE), (USE, E5), (CONTROL, "")):
        for file in ("cldr", "sib200"):
            yield (name, f"{file}.leaks"), partial(leaks_record, name, attacker, file)


@cache
def loaded(name: str, dtype: str = "auto") -> Encoder:
    """Load a model once."""
    encoder: Encoder = load_model(name, device="cpu", dtype=dtype)
    return encoder


def questions(codes: Sequence[str] = XQUAD) -> ParallelQA:
    """Load the questions of XQuAD."""
    return load_parallel("xquad", codes)


def some_names(count: int, codes: Sequence[str] | None = None) -> Lexicon:
    """Load the names of some things."""
    return load_lexicon("cldr", codes).take(drawn(count))


@cache
def drawn(count: int) -> list[int]:
    """Draw things, as `load_texts` does."""
    size = len(load_lexicon("cldr", ["en"]).concepts)
    return sorted(np.random.default_rng(42).permutation(size)[:count].tolist())


def smaller_names(name: str) -> Record:
    """Make the vectors of names smaller."""
    return study_names(loaded(name), some_names(650))


def smaller_passages(name: str) -> Record:
    """Make the vectors of passages smaller."""
    return study_passages(loaded(name), questions())


def indexes(name: str) -> Record:
    """Search for names in indexes."""
    return study_indexes(loaded(name), some_names(650))


def lighter_weights(name: str) -> Record:
    """Compare weights of fewer bits with those of float32."""
    lighter = {f"{dtype} weights": loaded(name, dtype) for dtype in ("bfloat16", "int8")}
    return study_names(loaded(name), some_names(250, WEIGHED), states=[""], lighter=lighter)


def upgrade_record(name: str, target: str, codes: Sequence[str]) -> Record:
    """Let a new model search the index of an old one."""
    return study_upgrade(loaded(target), loaded(name), questions(codes))


def domains_record(name: str) -> Record:
    """Compare domains."""
    return study_domains(loaded(name), load_domains(DOMAINS))


def leaks_record(name: str, attacker: str, file: str) -> Record:
    """Attack the vectors of names or sentences; where there is no attacker's model, without defences."""
    codes = NAMED if file == "cldr" else SPOKEN
    data = (load_lexicon if file == "cldr" else load_sentences)(file, ["en", *codes])
    own, defences = (loaded(attacker), DEFENCES) if attacker else (None, [""])
    return study_leaks(loaded(name), data, codes, own, defences)


def student_record(name: str, folder: Path) -> Record:
    """Make a student, or read it where it is saved already, and compare it with its teacher."""
    place = folder / f"e5-{name}"
    if not (place / "modules.json").exists():
        STUDENTS[name](place)
    about = facts_of(place)
    facts = json.loads(about.read_text(encoding="utf-8")) if about.exists() else None
    pairs = [load_relations(), load_minimal_pairs()]
    student = load_model(str(place), device="cpu")
    return study_student(loaded(E5), student, load_lexicon("cldr"), questions(), pairs, name=name, done=facts)


@cache
def all_tokens() -> np.ndarray:
    """Encode every token of the vocabulary, alone: some minutes."""
    teacher = load_trainable(E5, "cpu")
    return token_vectors(teacher, np.arange(len(teacher.tokenizer)))


def save_static(place: Path, *, whitened: bool = False) -> None:
    """Make and save a table of token vectors."""
    save_model(static_student(load_trainable(E5, "cpu"), vectors=all_tokens(), whitened=whitened), place)


LAYERS = replace(DISTIL, bf16=False)


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
    folder = place.with_name(place.name + "-checkpoints")
    train_student(teacher, student, layers_triples().rows, folder, LAYERS, save_every=50)
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
    return Course(tuple(exams), words.take([row for row, group in enumerate(words.groups) if group == "antonym"]))


def triples_of_each() -> dict[str, Triples]:
    """Return as many triples of each language."""
    return {code: load_triples("debian", [code]).balanced(PER_TRAINING) for code in TAUGHT}


def adapters_record(folder: Path) -> Record:
    """Adapt a model in every way, to all languages together and to each alone."""
    mixed = load_triples("debian", TAUGHT).balanced(PER_TRAINING // len(TAUGHT))
    plan = {f"{way}, mixed": (recipe, mixed) for way, recipe in ADAPTERS.items()}
    for (code, triples), (way, recipe) in itertools.product(triples_of_each().items(), ADAPTERS.items()):
        plan[f"{way}, {code}"] = recipe, triples
    plan |= {f"{way}, mixed": (recipe, mixed) for way, recipe in LOSSES.items()}
    for way, recipe in ADAPTERS.items():
        slower = replace(recipe, learning_rate=(recipe.learning_rate or 0) / 5)
        plan[f"{way}, a fifth of the rate, mixed"] = slower, mixed
    return study_adapters(E5, plan, course(), folder)


def forgetting_record(folder: Path) -> Record:
    """Teach the languages one after the other."""
    return study_forgetting(E5, ADAPT, triples_of_each(), course(), folder)


if __name__ == "__main__":
    main()
