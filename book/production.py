"""Make the records of chapter 8 again: each part of each model, unless it is there already.

XL_DATA=... python book/production.py --dry-run                          # which there are
XL_DATA=... python book/production.py --names smaller,domains            # these parts of all models
XL_DATA=... python book/production.py --names student --models multilingual-e5-small-q4 --again

Models that were trained stay in a folder, and are not trained again.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import cast

from adapted import E5, EXAM, STUDENTS, XQUAD, adapters_record, forgetting_record, questions, student_record

from xlutils import load_model
from xlutils.chapters.atlas import load_texts
from xlutils.chapters.domains import load_domains, study_domains
from xlutils.chapters.indexes import study_indexes
from xlutils.chapters.leaks import DEFENCES, study_leaks
from xlutils.chapters.smaller import study_names, study_passages
from xlutils.chapters.upgrade import study_upgrade
from xlutils.datasets import load_lexicon, load_sentences
from xlutils.datasets.lexicon import Lexicon
from xlutils.errors import XlError
from xlutils.models.encoder import Encoder
from xlutils.results.record import Record, read_record, write_record

ROOT = Path(__file__).resolve().parents[1]
USE, ENGLISH, CONTROL = "use-multilingual-v3", "all-MiniLM-L6-v2", "control-ngram-hash"
WEIGHED = (*XQUAD, "fr", "ru", "hi", "sw", "ja", "ko", "tr", "am", "yo", "ta", "ka", "is", "my", "gd")
NAMED = ("de", "fr", "es", "ru", "zh", "ja", "ar", "hi", "sw", "yo", "bn")  # whose names are attacked
SPOKEN = ("de", "zh", "ru", "hi", "sw", "yo")  # whose sentences are attacked
DOMAINS = ("en", *XQUAD[1:], "fr", "hi", "it", "ja", "ko", "ru", "sw", "yo")
Run = Callable[[], Record]


def main(arguments: Sequence[str] | None = None) -> None:
    """Make and write the records that are missing, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--names", default="", help="parts, such as smaller,student; by default all")
    parser.add_argument("--models", default="", help="models by name; by default all")
    parser.add_argument("--into", type=Path, default=ROOT / "book/records", help="folder of the records")
    parser.add_argument("--trained", type=Path, default=ROOT / "_build/training", help="folder of trained models")
    parser.add_argument("--again", action="store_true", help="also those that are there")
    parser.add_argument("--dry-run", action="store_true", help="say what there is, and make nothing")
    options = parser.parse_args(arguments)
    runs = dict(all_runs(options.trained))
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


def all_runs(trained: Path) -> Iterator[tuple[tuple[str, str], Run]]:
    """Yield model and file of each record, and what makes it."""
    for name in (E5, USE, ENGLISH):
        yield (name, "cldr.smaller"), partial(smaller_names, name)
    for name in (E5, USE):
        yield (name, "xquad.smaller"), partial(smaller_passages, name)
        yield (name, "cldr.smaller-indexes"), partial(indexes, name)
    for name in (E5, ENGLISH):
        yield (name, "cldr.smaller-weights"), partial(lighter_weights, name)
        yield (name, "xquad.smaller-weights"), partial(lighter_weights_of_passages, name)
    for name in STUDENTS:
        yield (E5, f"cldr.student.{name}"), partial(student_record, name, trained)
    yield (E5, f"{EXAM}.adapters"), partial(adapters_record, trained / "adapters")
    yield (E5, f"{EXAM}.forgetting"), partial(forgetting_record, trained / "adapters")
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


def some_names(count: int, codes: Sequence[str] | None = None) -> Lexicon:
    """Load the names of some things."""
    return cast("Lexicon", load_texts("cldr", codes, count))


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
    """Compare weights of fewer bits with those of float32, with names."""
    return study_names(loaded(name), some_names(250, WEIGHED), states=[""], lighter=with_lighter_weights(name))


def lighter_weights_of_passages(name: str) -> Record:
    """Compare weights of fewer bits with those of float32, with questions and passages."""
    return study_passages(loaded(name), questions(), states=[""], lighter=with_lighter_weights(name))


def with_lighter_weights(name: str) -> dict[str, Encoder]:
    """Load a model with weights of fewer bits."""
    return {f"{dtype} weights": loaded(name, dtype) for dtype in ("bfloat16", "int8", "int4")}


def upgrade_record(name: str, target: str, codes: Sequence[str]) -> Record:
    """Let a new model search the index of an old one."""
    return study_upgrade(loaded(target), loaded(name), questions(codes))


def domains_record(name: str) -> Record:
    """Compare domains."""
    return study_domains(loaded(name), load_domains(DOMAINS))


def leaks_record(name: str, attacker: str, file: str) -> Record:
    """Attack the vectors of names or sentences; without an attacker, without defences."""
    codes = NAMED if file == "cldr" else SPOKEN
    data = (load_lexicon if file == "cldr" else load_sentences)(file, ["en", *codes])
    own, defences = (loaded(attacker), DEFENCES) if attacker else (None, [""])
    return study_leaks(loaded(name), data, codes, own, defences)


if __name__ == "__main__":
    main()
