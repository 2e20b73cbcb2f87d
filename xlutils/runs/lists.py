"""Run lists: a table or figure of a paper as one small TOML file, from which a sweep is made."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from xlutils.errors import XlError, first_fault, unknown
from xlutils.results.record import find_records
from xlutils.runs import execute as runs
from xlutils.runs.cells import CHAPTERS, NUMBERS, Cell, kinds_of, make_cells
from xlutils.runs.reach import Need, lacks
from xlutils.runs.recorded import find_recorded, refuse_shared, seconds_of
from xlutils.runs.sweep import is_done, read_state

SHIPPED = Path("book/records")  # the records that come with the book
_NOT_PARAMETERS = ("seed", "records_dir")  # `seeds` is the key; the folder is an option of the command


def _text(value: object) -> str:
    """Return a value of TOML as it would be typed; a list becomes names separated by commas."""
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(item, str | int | float) and not isinstance(item, bool) for item in values):
        raise ValueError(f"got {value!r}; give text, a number, or a list of them")
    return ",".join(map(str, values))


Text = Annotated[str, BeforeValidator(_text)]


class RunList(BaseModel):
    """What a list says. Any other key is a parameter of the chapter's notebook.

    :param name: Name of the file, without its ending.
    :param title: What is measured.
    :param source: The table or figure, and where it is published.
    :param tables: Layouts in which the results are written, see `chapters.paper_tables.TABLES`.
    :param models: Models by name; one run for each.
    :param datasets: Data sets by name or path; one run for each.
    :param seeds: One run for each.
    :param each: Parameters with a list of values, and one run for each value. Parameters of one table change together;
        several tables are combined. `model` and `dataset` may be among them.
    """

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)
    __pydantic_extra__: dict[str, Text]

    name: str
    title: str = Field(min_length=1)
    source: str = Field(min_length=1)
    chapter: str
    tables: list[Literal["affinity", "concepts", "mixed", "asked", "mono", "multi-1", "ablation"]] = []
    models: list[str] = []
    datasets: list[str] = []
    seeds: list[int] = []
    each: list[dict[str, list[Text]]] = []

    @model_validator(mode="after")
    def _lists_are_of_one_length(self) -> Self:
        for table in self.each:
            if len({len(values) for values in table.values()}) != 1:
                raise ValueError(f"each: {', '.join(table)} must have the same number of values")
        return self

    def settings(self) -> list[dict[str, str]]:
        """Return what changes from run to run, besides models and data sets: one dictionary per run."""
        tables = [*self.each, *([{"seed": list(map(str, self.seeds))}] if self.seeds else [])]
        rows = [[dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)] for table in tables]
        return [{key: row[key] for row in chosen for key in row} for chosen in itertools.product(*rows)]

    def cells(self, typed: Mapping[str, str]) -> list[Cell]:
        """Return the cells of the list and check their parameters.

        :param typed: Parameters that replace those of the list.
        """
        cells = []
        for setting in self.settings():
            models = [setting["model"]] if "model" in setting else self.models
            datasets = [setting["dataset"]] if "dataset" in setting else self.datasets
            if not models:
                raise XlError("models: give at least one")
            chosen = {key: text for key, text in setting.items() if key not in ("model", "dataset")}
            parameters = {**(self.model_extra or {}), **chosen, **typed}
            cells += make_cells(models, [self.chapter], datasets, parameters, self._label(chosen))
        refuse_shared(cells)
        return cells

    def _label(self, setting: Mapping[str, str]) -> str:
        """Return what tells a run from others of the same model and data set, such as `jsd+nce.zh`."""
        free = {key for table in self.each if not {"model", "dataset"} & table.keys() for key in table}
        free |= {"seed"} if len(self.seeds) > 1 else set()
        return ".".join(dict.fromkeys(text for key, text in setting.items() if key in free))

    def data(self) -> list[str]:
        """Return the names that the data sets have in records."""
        names = [*self.datasets, *(name for table in self.each for name in table.get("dataset", ()))]
        return [Path(name).stem if name.endswith(".csv") else Path(name).name for name in names]

    def only(self, models: Sequence[str], datasets: Sequence[str]) -> RunList:
        """Return the list with other models and data sets, where there are any.

        What the list gives for one model or data set alone stays with it, and others take the notebook's default.
        """
        changes: dict[str, Any] = {"each": self.each}
        for key, names in (("model", models), ("dataset", datasets)):
            if names:
                changes[f"{key}s"] = list(names)
                changes["each"] = list(filter(None, (_rows_of(table, key, names) for table in changes["each"])))
        return self.model_copy(update=changes)


def records_on(datasets: Sequence[str], folders: Sequence[str | Path]) -> list[Path]:
    """List the records on some data sets, or on parts of them that were held out."""
    starts = tuple(f"{name}{end}" for name in datasets for end in (".", "-held-out."))
    return [path for folder in folders for path in find_records(folder) if path.name.startswith(starts)]


def _rows_of(table: dict[str, list[str]], key: str, names: Sequence[str]) -> dict[str, list[str]]:
    """Return the rows of a table in which a key has one of these names; none if it has none of them.

    :raises XlError: If it has some of them.
    """
    if key not in table:
        return table
    places = [table[key].index(name) for name in names if name in table[key]]
    if 0 < len(places) < len(names):
        new = ", ".join(name for name in names if name not in table[key])
        raise XlError(f"{new} is not on the list, which has {', '.join(table[key])}; run it by itself")
    return {column: [values[place] for place in places] for column, values in table.items()} if places else {}


def load_list(path: str | Path) -> RunList:
    """Read a run list and check its keys, names and values.

    :raises XlError: In one line, with the name of the file.
    """
    path = Path(path)
    with _naming(path):
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError:
            near = sorted(other.as_posix() for other in path.parent.glob("*.toml"))
            raise XlError(f"there is no such run list{'; there are ' + ', '.join(near) if near else ''}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise XlError(f"this is not TOML: {error}") from None
        _check_keys(content)
        try:
            wanted = RunList.model_validate({**content, "name": path.stem})
        except ValidationError as error:
            raise XlError(first_fault(error)) from None
        wanted.cells({})
        return wanted


def choose_cells(
    path: Path | None,
    models: Sequence[str],
    chapters: Sequence[str],
    datasets: Sequence[str],
    typed: Mapping[str, str],
) -> tuple[RunList | None, list[Cell]]:
    """Return a run list and its cells, or no list and the cells of a matrix.

    :param path: The list, of which models, data sets and typed parameters then replace parts.
    """
    if path is None:
        return None, make_cells(models, chapters, datasets, typed)
    wanted = load_list(path).only(models, datasets)
    return wanted, wanted.cells(typed)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Put the name of a file before the message of an error."""
    try:
        yield
    except XlError as error:
        raise XlError(f"{path.name}: {error}") from None


def _check_keys(content: Mapping[str, Any]) -> None:
    fields = [name for name in RunList.model_fields if name != "name"]
    notebook = runs.find_chapter(str(content["chapter"])) if "chapter" in content else None
    if notebook is None or notebook.stem not in CHAPTERS:
        raise XlError(f"chapter: give one of {NUMBERS}")
    model, data, kinds = CHAPTERS[notebook.stem]
    parameters = [name for name in runs.defaults(notebook) if name not in (model, data, *_NOT_PARAMETERS)]
    for name in content:
        if name not in (*fields, *parameters):
            raise unknown("key", name, [*fields, *parameters])
    tables = [table for table in content.get("each", ()) if isinstance(table, dict)]
    for name in itertools.chain(*tables):
        if name not in ("model", "dataset", *parameters):
            raise unknown("key", name, ["model", "dataset", *parameters])
    names = [*content.get("datasets", ()), *itertools.chain(*(table.get("dataset", ()) for table in tables))]
    for name in names:
        if not kinds_of(str(name)) & {*kinds}:
            kind = " or ".join(kinds)
            raise XlError(f"datasets: chapter {content['chapter']} takes {kind}, and {name} is not {kind}")


@dataclass(frozen=True)
class Planned:
    """A cell, and what is known about it before it runs.

    :param cell: The cell.
    :param state: "done" if a sweep ran it, "recorded" and the date if there are records of it, else empty.
    :param lacks: What it needs and this machine does not have.
    :param seconds: Time that it took last time.
    """

    cell: Cell
    state: str
    lacks: list[Need]
    seconds: float | None


def make_plan(cells: Sequence[Cell], out: str, folders: Sequence[str | Path]) -> list[Planned]:
    """Find out for every cell whether it has run, whether it can run here, and what it cost last time.

    :param out: Folder or URL in which a sweep keeps its states.
    :param folders: Folders of records, which may hold those of a cell.
    """
    plan = []
    for cell in cells:
        result, records = read_state(cell, out), find_recorded(cell, folders)
        state = "done" if result and is_done(cell, result) else ""
        if records and not state:
            state = f"recorded {max(content['created'] for content in records)[:10]}"
        seconds = result.seconds if result else seconds_of(records) if records else None
        plan.append(Planned(cell, state, lacks(cell), seconds))
    return plan
