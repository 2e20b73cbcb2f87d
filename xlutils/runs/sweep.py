"""A matrix of models, chapters and data sets on Dask: one papermill process per cell, and nothing done twice."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlutils.datasets.lexicon import lexicon_names
from xlutils.errors import XlError, first_line
from xlutils.models.weights import absolute, name_of
from xlutils.runs import execute as runs
from xlutils.runs.places import send, writable

if TYPE_CHECKING:
    from distributed import Client

_CHAPTERS = {  # names of the parameters for model and data set, and the kind of data
    "01_concept_alignment": ("models", "dataset", "words"),
    "02_semantic_affinity": ("models", "datasets", "words"),
    "03_mixed_language_retrieval": ("models", "dataset", "questions"),
    "04_finetune_alignment": ("model", "eval_dataset", "questions"),
}
_WORTH_RETRYING = re.compile(
    r"\b429\b|rate.?limit|too many requests|\b503\b|kernel died|DeadKernelError|out of memory|MemoryError"
    r"|does not fit into",
    re.IGNORECASE,
)
TRIES = 3
WAIT_SECONDS = 20.0  # before the second try; twice that before the third


@dataclass(frozen=True)
class Cell:
    """One run of the matrix.

    :param notebook: Absolute path of the notebook, which the workers read too.
    :param model: Name of the model in records.
    :param dataset: The data; empty for the notebook's default.
    :param changes: All parameters that differ from the notebook's defaults, except for the folder of records.
    """

    notebook: str
    model: str
    dataset: str
    changes: tuple[tuple[str, Any], ...]

    @property
    def chapter(self) -> str:
        """Name of the notebook without its ending."""
        return Path(self.notebook).stem

    @property
    def name(self) -> str:
        """Name in the table, and file name without an ending."""
        parts = (self.chapter, self.model, self.dataset)
        return ".".join(re.sub(r"[^\w+-]+", "_", part) for part in parts if part)

    def key(self) -> str:
        """Return a hash of everything that decides the result, except for the code of the package."""
        notebook = Path(self.notebook).read_text(encoding="utf-8")
        parts = [json.dumps([self.chapter, self.changes]), notebook]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Result:
    """How a cell ended.

    :param cell: Its name.
    :param key: Hash of what was run, see `Cell.key`.
    :param status: "done" or "failed".
    :param reason: Why it failed, in one line.
    :param seconds: Time of the last try.
    :param tries: Number of tries.
    :param records: Paths of its records, relative to the folder of records.
    """

    cell: str
    key: str
    status: str
    reason: str = ""
    seconds: float = 0.0
    tries: int = 1
    records: tuple[str, ...] = ()


def make_cells(
    models: Sequence[str], chapters: Sequence[str], datasets: Sequence[str], typed: Mapping[str, str]
) -> list[Cell]:
    """List the cells of a sweep and check their parameters.

    A data set goes to the chapters that can use it: words to 1 and 2, questions to 3 and 4. A chapter without a
    matching data set takes its default.

    :param models: Models by name.
    :param chapters: Chapters by number or name.
    :param datasets: Data sets by name or path.
    :param typed: Other parameters as text; a parameter goes to the chapters that have it.
    :raises XlError: On an unknown name or parameter.
    """
    known: set[str] = set()
    cells = []
    labels = {model: name_of(model) for model in map(absolute, models)}
    for chapter in chapters:
        notebook = runs.find_chapter(chapter)
        if notebook.stem not in _CHAPTERS:
            raise XlError(f"chapter {notebook.stem} cannot be swept; choose from 1, 2, 3, 4")
        model_name, data_name, kind = _CHAPTERS[notebook.stem]
        standard = runs.defaults(notebook)
        known |= standard.keys()
        shared = runs.parse({name: text for name, text in typed.items() if name in standard}, standard)
        for model, label in labels.items():
            for dataset in [name for name in datasets if _kind(name) == kind] or [""]:
                chosen = {**shared, model_name: model, **({data_name: dataset} if dataset else {})}
                runs.check(notebook, chosen)
                changes = tuple(sorted(chosen.items()))
                cells.append(Cell(str(notebook.resolve()), label, dataset, changes))
    for name in typed:
        if name not in known:
            raise XlError(f"parameter {name}: no chapter of this sweep has it; they have {', '.join(sorted(known))}")
    cells = list(dict.fromkeys(cells))
    for name, count in Counter(cell.name for cell in cells).items():
        if count > 1:
            raise XlError(f"two cells would share the name {name}; sweep them one after the other into two folders")
    return cells


def _kind(dataset: str) -> str:
    is_words = dataset in lexicon_names() or dataset.endswith(".csv")
    return "words" if is_words else "questions"


def run_sweep(
    cells: Sequence[Cell],
    client: Client,
    out: str,
    records: str,
    threads: int | None = None,
    resources: Mapping[str, float] | None = None,
) -> Iterator[Result]:
    """Run the cells that are not done yet, and yield the result of every cell as it ends.

    :param cells: The cells.
    :param client: Dask's client of the cluster that runs them.
    :param out: Folder or fsspec URL for executed notebooks and states.
    :param records: Folder or fsspec URL for records.
    :param threads: Most threads per cell.
    :param resources: What a cell takes of a worker's resources.
    """
    from distributed import as_completed

    places = writable(out), writable(records)
    results = {cell: read_state(cell, places[0]) for cell in cells}
    futures = {}
    for cell, result in results.items():
        if result and is_done(cell, result):
            yield result
            continue
        key = f"cell-{time.time_ns()}-{cell.name}"  # one prefix, so that Dask learns how long cells take
        future = client.submit(run_cell, cell, *places, threads, key=key, pure=False, resources=resources)
        futures[future] = cell
    for future in as_completed(futures):
        error = future.exception()
        reason = f"{type(error).__name__}: {first_line(error)}" if error else ""
        yield Result(futures[future].name, "", "failed", reason) if error else future.result()


def run_cell(cell: Cell, out: str, records: str, threads: int | None = None) -> Result:
    """Run a cell unless it is done, trying again where that can help.

    :param cell: The cell.
    :param out: Folder or fsspec URL for the executed notebook and the state.
    :param records: Folder or fsspec URL for the records.
    :param threads: Most threads.
    """
    result = read_state(cell, out)
    if result and is_done(cell, result):
        return result
    key = cell.key()  # before it runs, so that a notebook changed meanwhile counts as another one
    result = Result(cell.name, key, "failed")
    try:
        for attempt in range(TRIES):
            time.sleep(WAIT_SECONDS * attempt)
            result = replace(_try_cell(cell, key, out, records, threads), tries=attempt + 1)
            if result.status == "done" or not can_retry(result.reason):
                break
        write_state(result, out)
    except OSError as error:
        return replace(result, status="failed", reason=f"the results cannot be stored: {first_line(error)}", records=())
    return result


def can_retry(reason: str) -> bool:
    """Return whether another try can help: too many requests, a kernel that died, memory that ran out."""
    return bool(_WORTH_RETRYING.search(reason))


def _try_cell(cell: Cell, key: str, out: str, records: str, threads: int | None) -> Result:
    """Run a cell in a temporary folder, then move its notebook and records to their places."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        target, made = Path(folder, f"{cell.name}.ipynb"), Path(folder, "records")
        changes = {**dict(cell.changes), "records_dir": str(made)}
        outcome = runs.execute(Path(cell.notebook), target, changes, threads=threads)
        seconds = round(time.perf_counter() - started, 1)
        if target.exists():
            send(target, f"{out}/{target.name}")
        if outcome.code:
            return Result(cell.name, key, "failed", outcome.reason, seconds)
        files = sorted(path for path in made.rglob("*") if path.is_file())
        for path in sorted(files, key=lambda path: path.suffix == ".json"):  # a record after its items
            send(path, f"{records}/{path.relative_to(made).as_posix()}")
        names = tuple(path.relative_to(made).as_posix() for path in files if path.suffix == ".json")
    return Result(cell.name, key, "done", "", seconds, records=names)


def write_state(result: Result, out: str) -> None:
    """Write how a cell ended, after everything else of it is in place."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "state.json")
        path.write_text(json.dumps(asdict(result), indent=1) + "\n", encoding="utf-8")
        send(path, f"{out}/{result.cell}.json")


def read_state(cell: Cell, out: str) -> Result | None:
    """Read how a cell ended last time; None if it never ended or the file is damaged."""
    import fsspec

    try:
        with fsspec.open(f"{out}/{cell.name}.json", "rt", encoding="utf-8") as file:
            content = json.load(file)
        return Result(**{**content, "records": tuple(content["records"])})
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def is_done(cell: Cell, result: Result) -> bool:
    """Return whether a result is that of this cell with these parameters and this notebook."""
    return result.status == "done" and result.key == cell.key()
