"""Train the bundled E5-small on triples, once per recipe and seed, and record it before and after.

XL_DATA=... python book/train.py --seeds 42,43,44

A training that has a record is not repeated; one that was stopped continues from its last checkpoint.
"""

from __future__ import annotations

import argparse
import itertools
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xlutils import load_model
from xlutils.chapters.affinity import study_affinity
from xlutils.chapters.finetuning import load_both
from xlutils.chapters.outcomes import Exam
from xlutils.chapters.retrieval import PROTOCOLS, study_retrieval
from xlutils.chapters.training_runs import (
    Comparison,
    Side,
    run_training,
    write_all,
)
from xlutils.datasets import load_lexicon
from xlutils.datasets.scenarios import make_scenarios
from xlutils.datasets.triples import Triples
from xlutils.models.encoder import Encoder
from xlutils.results.rows import Key
from xlutils.training.recipe import Recipe

ROOT = Path(__file__).resolve().parents[1]
MODEL = "multilingual-e5-small-q4"
LARGEST = {"zh": 291, "es": 600, "de": 700, "ru": 600, "ja": 600}  # triples per language, 2,791 in all
_ALL: dict[str, Any] = {"frozen_embeddings": True, "temperature": 1.0, "max_length": 128, "micro_tokens": 2048}
_OURS = _ALL | {"learning_rate": 2e-4, "jsd_weight": 10.0, "keep_weight": 22.0}
SETTINGS: dict[str, dict[str, Any]] = {
    "jsd+nce+keep": _OURS | {"losses": ("jsd", "nce", "keep")},
    "published": _ALL | {"losses": ("jsd", "nce"), "learning_rate": 2e-5},
    "jsd+nce": _OURS | {"losses": ("jsd", "nce")},
    "jsd": _OURS | {"losses": ("jsd",)},
    "nce": _OURS | {"losses": ("nce",)},
    "nce-passage": _OURS | {"losses": ("nce-passage",)},
}
KINDS = ("mono-same", "mono-cross", "multi", "multi-1")
SEED = 42  # seed of the intervals


def main(arguments: Sequence[str] | None = None) -> None:
    """Run and record every training that has no record yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", default=MODEL, help="model to train, as for load_model")
    parser.add_argument("--names", default=",".join(SETTINGS), help=f"some of {', '.join(SETTINGS)}")
    parser.add_argument("--seeds", default="42", help="seeds, separated by commas")
    parser.add_argument("--data", default="xquad", help="questions to measure with")
    parser.add_argument("--languages", default="zh,es,ar,de,th,vi", help="languages to measure, without English")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--into", type=Path, default=ROOT / "book/records", help="folder of the records")
    parser.add_argument("--checkpoints", type=Path, default=ROOT / "_build/training", help="folder of checkpoints")
    options = parser.parse_args(arguments)
    languages = options.languages.split(",")
    triples, data = load_both("debian", list(LARGEST), options.data, languages)
    triples = take(triples)
    lexicon = load_lexicon("everyday", ["en", "zh"])
    exam = Exam(data, make_scenarios(KINDS, languages), "paper")

    def measure(encoder: Encoder) -> Side:
        return Side(study_retrieval(encoder, exam), study_affinity(encoder, lexicon))

    encoder = load_model(options.model, device=options.device)
    before = measure(encoder)
    for seed, name in itertools.product(map(int, options.seeds.split(",")), options.names.split(",")):
        label = f"{name}.seed-{seed}"
        folder = options.into / "finetune" / encoder.name
        if (folder / f"{data.name}.{label}.unique.json").exists():
            print(f"{label}: recorded already")
            continue
        recipe = Recipe(seed=seed, **SETTINGS[name])
        place = options.device, options.checkpoints
        run = run_training(options.model, label, recipe, triples, measure, before, *place, save_every=20)
        write_all(both([run.comparison]), options.into, SEED)
        run.steps.round(5).to_csv(folder / f"{data.name}.{label}.steps.csv", index=False)
        key = Key("multi", "max@r")
        ranks = [side.retrieval.values()[key].mean().round(1) for side in (before, run.comparison.after)]
        print(f"{label}: {run.comparison.seconds:.0f} s; mean Max@R {ranks[0]} -> {ranks[1]}", flush=True)


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
    main()
