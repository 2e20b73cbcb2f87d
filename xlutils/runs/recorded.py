"""Which records a cell writes, and which of them exist already, by what the records say and not by their names."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from xlutils.datasets.scenarios import make_scenarios
from xlutils.datasets.triples import label_of as triples_label
from xlutils.errors import XlError
from xlutils.results.record import find_records, read_record
from xlutils.runs.cells import CHAPTERS, Cell
from xlutils.runs.parameters import FinetuneParameters
from xlutils.training.recipe import label_of

_EXPERIMENTS = {
    "01_concept_alignment": "concept-alignment",
    "02_semantic_affinity": "semantic-affinity",
    "03_mixed_language_retrieval": "mixed-retrieval",
    "04_finetune_alignment": "finetune",
    "05_language_atlas": "language-atlas",
    "07_maps": "maps",
}
_PARAMETERS = ("k", "protocol", "pivot", "items", "sample", "seed")  # that a record names as the notebook does
_TIMES = ("encode", "measure", "done")


@dataclass(frozen=True)
class Wanted:
    """A record that a cell writes.

    :param place: What decides its file: experiment, model, data set, and what tells apart records of these.
    :param facts: What has to be the same in the record.
    :param parts: Languages or scenarios that have to be in the record, which may have more.
    """

    place: tuple[str, ...]
    facts: Mapping[str, Any]
    parts: frozenset[str]

    def is_in(self, content: Mapping[str, Any]) -> bool:
        """Return whether a record is this one."""
        params = content["params"]
        done = params.get("done", {})
        known = {**params, **done.get("recipe", {}), **_training(done.get("trained_on", {}))}
        parts = {*content["dataset"]["languages"], *params.get("scenarios", ())}
        names = content["experiment"], content["model"]["name"], content["dataset"]["name"]
        agrees = all(known.get(name) == value for name, value in self.facts.items())
        return names == self.place[:3] and agrees and self.parts <= parts


def _training(data: Mapping[str, Any]) -> dict[str, Any]:
    return {"train_data": data.get("name"), "train_languages": sorted(data.get("languages", ()))}


def wanted(cell: Cell) -> list[Wanted]:
    """List the records of a cell that a table is made of: one per data set and, in chapter 4, per training."""
    values, experiment = cell.values(), _EXPERIMENTS[cell.chapter]
    data = values[CHAPTERS[cell.chapter][1]]
    names = [Path(name).stem if name.endswith(".csv") else Path(name).name for name in _listed(data)]
    if experiment == "finetune":
        return [record for name in names for record in _training_records(cell, name)]
    facts = {name: values[name] for name in _PARAMETERS if name in values}
    if experiment == "language-atlas":  # the pool of all languages depends on which they are
        facts["all_languages"] = values["languages"] is None
    if experiment == "maps":
        facts["everything"] = values["scale"] == "full"
    parts = frozenset(values["languages"] or ())
    if experiment == "mixed-retrieval":
        parts = frozenset(scenario.name for scenario in make_scenarios(values["scenarios"], values["languages"]))
    variant = values.get("protocol", values.get("pivot", ""))
    return [Wanted((experiment, cell.model, name, variant), facts, parts) for name in names]


def _training_records(cell: Cell, name: str) -> Iterator[Wanted]:
    """List the trainings of a cell, as `chapters.training_runs.plan_trainings` does."""
    chosen = FinetuneParameters.check(cell.given())
    every, training = list(chosen.train_languages), chosen.training()
    is_same = chosen.train_data == chosen.eval_dataset != "debian"  # then half of it is held out
    data = f"{name}-train" if is_same else triples_label(chosen.train_data)
    dataset = f"{name}-held-out" if is_same else name
    for losses, codes in itertools.product(chosen.losses, [every] if training.mixed else [[code] for code in every]):
        recipe = replace(training, losses=losses)
        facts = {"k": chosen.k, "protocol": chosen.protocol, **asdict(recipe), "losses": list(losses)}
        if recipe.bf16 is None:
            del facts["bf16"]  # whatever the hardware of the record did
        facts |= {"train_data": data, "train_languages": sorted(codes)}
        place = ("finetune", cell.model, dataset, label_of(recipe, codes, cell.model), chosen.protocol)
        yield Wanted(place, facts, frozenset(chosen.eval_languages))


def _listed(data: str | Sequence[str]) -> Sequence[str]:
    return [data] if isinstance(data, str) else data


def refuse_shared(cells: Iterable[Cell]) -> None:
    """Raise an XlError if two cells would write the same record, one over the other."""
    owners: dict[tuple[str, ...], Cell] = {}
    for cell in cells:
        for record in wanted(cell):
            other = owners.setdefault(record.place, cell)
            if other is not cell:
                raise XlError(f"{other.name} and {cell.name} would write the same record; let one of them go")


def find_recorded(cell: Cell, folders: Sequence[str | Path]) -> list[dict[str, Any]]:
    """Return the records of a cell from the first folders that have them; an empty list if one is missing.

    :param folders: Folders of records.
    """
    found = [next(_matches(record, folders), None) for record in wanted(cell)]
    return [content for content in found if content] if all(found) else []


def _matches(record: Wanted, folders: Sequence[str | Path]) -> Iterator[dict[str, Any]]:
    experiment, model = record.place[0], record.place[1].replace("/", "__")
    paths = itertools.chain.from_iterable(find_records(folder, experiment) for folder in folders)
    contents = (_read(path, path.stat().st_mtime_ns) for path in paths if path.parent.name == model)
    return (content for content in contents if record.is_in(content))


@cache
def _read(path: Path, changed: int) -> dict[str, Any]:
    """Read a record, once for all cells unless it has changed."""
    return read_record(path)


def seconds_of(contents: Sequence[Mapping[str, Any]]) -> float:
    """Return the time that records took, in seconds."""
    return sum(float(content["timing"].get(name, 0)) for content in contents for name in _TIMES)
