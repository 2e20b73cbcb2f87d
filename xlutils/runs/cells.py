"""The cells of a sweep: one run of a notebook for each combination of model, chapter and data set."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlutils.datasets import parallel, sentences
from xlutils.datasets.lexicon import lexicon_names
from xlutils.errors import XlError, unknown
from xlutils.models.weights import absolute, name_of
from xlutils.runs import execute as runs
from xlutils.runs.parameters import SCHEMAS

CHAPTERS = {  # names of the parameters for model and data set, and the kinds of data
    "01_concept_alignment": ("models", "dataset", ("words",)),
    "02_semantic_affinity": ("models", "datasets", ("words",)),
    "03_mixed_language_retrieval": ("models", "dataset", ("questions",)),
    "04_finetune_alignment": ("model", "eval_dataset", ("questions",)),
    "05_language_atlas": ("models", "dataset", ("words", "sentences")),
    "07_maps": ("models", "dataset", ("words",)),
}
NUMBERS = ", ".join(name[1] for name in CHAPTERS)


@dataclass(frozen=True)
class Cell:
    """One run of the matrix.

    :param notebook: Absolute path of the notebook, which the workers read too.
    :param model: Name of the model in records.
    :param dataset: The data; empty for the notebook's default.
    :param changes: All parameters that differ from the notebook's defaults, except for the folder of records.
    :param variant: Tells apart cells that differ in other parameters; empty if none do.
    """

    notebook: str
    model: str
    dataset: str
    changes: tuple[tuple[str, Any], ...]
    variant: str = ""

    @property
    def chapter(self) -> str:
        """Name of the notebook without its ending."""
        return Path(self.notebook).stem

    @property
    def name(self) -> str:
        """Name in the table, and file name without an ending."""
        parts = (self.chapter, self.model, self.dataset, self.variant)
        return ".".join(re.sub(r"[^\w+-]+", "_", part) for part in parts if part)

    def given(self) -> dict[str, Any]:
        """Return all parameters by name, as the notebook gets them."""
        return {**runs.defaults(Path(self.notebook)), **dict(self.changes)}

    def values(self) -> dict[str, Any]:
        """Return all parameters by name, checked, with names separated by commas as tuples."""
        return SCHEMAS[self.chapter].check(self.given()).model_dump()

    def key(self) -> str:
        """Return a hash of everything that decides the result, except for the code of the package."""
        notebook = Path(self.notebook).read_text(encoding="utf-8")
        parts = [json.dumps([self.chapter, self.changes]), notebook]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def make_cells(
    models: Sequence[str],
    chapters: Sequence[str],
    datasets: Sequence[str],
    typed: Mapping[str, str],
    variant: str = "",
) -> list[Cell]:
    """List the cells of a sweep and check their parameters.

    A data set goes to the chapters that can use it: words to 1, 2, 5 and 7, questions to 3 and 4, sentences to 5. A
    chapter without a matching data set takes its default.

    :param models: Models by name.
    :param chapters: Chapters by number or name.
    :param datasets: Data sets by name or path.
    :param typed: Other parameters as text; a parameter goes to the chapters that have it.
    :param variant: Name of these parameters, where a sweep has cells with others.
    :raises XlError: On an unknown name or parameter.
    """
    if not models:
        raise XlError("no model is named: give --models, or a run list such as runs/concepts.toml")
    known: set[str] = set()
    cells = []
    labels = {model: name_of(model) for model in map(absolute, models)}
    for chapter in chapters:
        notebook = runs.find_chapter(chapter)
        if notebook.stem not in CHAPTERS:
            raise XlError(f"chapter {notebook.stem} cannot be swept; choose from {NUMBERS}")
        model_name, data_name, kinds = CHAPTERS[notebook.stem]
        standard = runs.defaults(notebook)
        known |= standard.keys()
        shared = runs.parse({name: text for name, text in typed.items() if name in standard}, standard)
        for model, label in labels.items():
            for dataset in [name for name in datasets if kinds_of(name) & {*kinds}] or [""]:
                chosen = {**shared, model_name: model, **({data_name: dataset} if dataset else {})}
                runs.check(notebook, chosen)
                changes = tuple(sorted(chosen.items()))
                cells.append(Cell(str(notebook.resolve()), label, dataset, changes, variant))
    for name in typed:
        if name not in known:
            raise XlError(f"parameter {name}: no chapter of this sweep has it; they have {', '.join(sorted(known))}")
    cells = list(dict.fromkeys(cells))
    for name, count in Counter(cell.name for cell in cells).items():
        if count > 1:
            raise XlError(f"two cells would share the name {name}; sweep them one after the other into two folders")
    return cells


def kinds_of(dataset: str) -> set[str]:
    """Return "words" for a lexicon, "questions" or "sentences" for parallel ones, and both of these for a folder.

    :param dataset: A name, or a path, which may exist only where the cells will run.
    :raises XlError: If no data set has this name.
    """
    lexicons = lexicon_names()
    if dataset in lexicons or dataset.endswith(".csv"):
        return {"words"}
    for kind, names in (("questions", parallel.NAMES), ("sentences", sentences.NAMES)):
        if dataset in names:
            return {kind}
    if "/" not in dataset and not Path(dataset).is_dir():
        raise unknown("data set", dataset, [*lexicons, *parallel.NAMES, *sentences.NAMES])
    return {"questions", "sentences"}
