"""A matrix of models, chapters and data sets: one papermill process a cell, on Dask, nothing done twice."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlutils.datasets.files import builtin_names
from xlutils.errors import XlError, first_line
from xlutils.runs import execute as runs

if TYPE_CHECKING:
    from distributed import Client, Future

_CHAPTERS = {  # how each takes a model and a data set
    "01_concept_alignment": ("models", "dataset", "words"),
    "02_semantic_affinity": ("models", "datasets", "words"),
    "03_mixed_language_retrieval": ("models", "dataset", "questions"),
    "04_finetune_alignment": ("model", "eval_dataset", "questions"),
}
_WORTH_RETRYING = {
    "too many requests": re.compile(r"\b429\b|rate.?limit|too many requests|\b503\b", re.IGNORECASE),
    "kernel died": re.compile(r"kernel died|DeadKernelError", re.IGNORECASE),
    "out of memory": re.compile(r"out of memory|MemoryError|does not fit into", re.IGNORECASE),
}
TRIES = 3
WAIT_SECONDS = 20.0  # before the second try; twice that before the third


@dataclass(frozen=True)
class Cell:
    """One run of the matrix.

    :param chapter: Stem of the notebook.
    :param model: The model.
    :param dataset: The data; empty for what the notebook takes by default.
    :param given: All parameters that differ from the notebook's defaults, but for where records go.
    """

    chapter: str
    model: str
    dataset: str
    given: tuple[tuple[str, Any], ...]

    @property
    def name(self) -> str:
        """File name without an ending, and name in the table."""
        parts = (self.chapter, self.model, self.dataset)
        return ".".join(re.sub(r"[^\w+-]+", "_", part) for part in parts if part)

    def key(self, notebook: Path) -> str:
        """Hash of everything that decides the result, but for the code of the package."""
        parts = [json.dumps([self.chapter, self.given]), notebook.read_text(encoding="utf-8")]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Result:
    """How a cell ended.

    :param cell: Its name.
    :param key: What was run, see `Cell.key`.
    :param status: "done" or "failed".
    :param reason: Why it failed, in one line.
    :param seconds: Time of the last try.
    :param tries: How often it was tried.
    :param records: Paths of its records below the folder of records.
    """

    cell: str
    key: str
    status: str
    reason: str
    seconds: float
    tries: int
    records: tuple[str, ...] = ()


def make_cells(
    models: Sequence[str], chapters: Sequence[str], datasets: Sequence[str], given: Mapping[str, str]
) -> list[Cell]:
    """List the cells of a sweep, each with its parameters checked.

    A data set goes to the chapters that can use it: words to 1 and 2, questions to 3 and 4. A chapter for which
    there is none takes its own.

    :param models: Models by name.
    :param chapters: Chapters by number or name.
    :param datasets: Data sets by name or path.
    :param given: Other parameters, as typed; each goes to the chapters that have it.
    :raises XlError: On an unknown name or parameter.
    """
    known: set[str] = set()
    cells = []
    for chapter in chapters:
        notebook = runs.find_chapter(chapter)
        if notebook.stem not in _CHAPTERS:
            raise XlError(f"chapter {notebook.stem} cannot be swept; take some of 1, 2, 3, 4")
        model_name, data_name, kind = _CHAPTERS[notebook.stem]
        standard = runs.defaults(notebook)
        known |= standard.keys()
        own = runs.parse({name: text for name, text in given.items() if name in standard}, standard)
        for model in models:
            for dataset in [each for each in datasets if _kind(each) == kind] or [""]:
                chosen = {**own, model_name: model, **({data_name: dataset} if dataset else {})}
                runs.check(notebook, chosen)
                cells.append(Cell(notebook.stem, model, dataset, tuple(sorted(chosen.items()))))
    for name in given:
        if name not in known:
            raise XlError(f"parameter {name}: no chapter of this sweep has it; they have {', '.join(sorted(known))}")
    cells = list(dict.fromkeys(cells))
    names = [cell.name for cell in cells]
    for name in names:
        if names.count(name) > 1:
            raise XlError(f"two cells would share the name {name}; sweep them one after the other into two folders")
    return cells


def _kind(dataset: str) -> str:
    words = dataset in builtin_names("lexicons", ".csv") or dataset.endswith(".csv")
    return "words" if words else "questions"


def run_cell(cell: Cell, notebook: str, out: str, records: str, threads: int | None = None, wait: float = 0) -> Result:
    """Run a cell in a folder of its own, then bring its notebook and records where they belong.

    :param cell: The cell.
    :param notebook: Path of its notebook.
    :param out: Folder or fsspec URL for executed notebooks and states.
    :param records: Folder or fsspec URL for records.
    :param threads: Most threads.
    :param wait: Seconds to wait first.
    """
    time.sleep(wait)
    key = cell.key(Path(notebook))
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        target, made = Path(folder, f"{cell.name}.ipynb"), Path(folder, "records")
        given = {**dict(cell.given), "records_dir": str(made)}
        outcome = runs.execute(Path(notebook), target, given, threads=threads)
        seconds = round(time.perf_counter() - started, 1)
        if target.exists():
            _send(target, f"{out}/{target.name}")
        if outcome.code:
            return Result(cell.name, key, "failed", outcome.reason, seconds, 1)
        found = sorted(path for path in made.rglob("*") if path.is_file())
        for path in sorted(found, key=lambda each: each.suffix == ".json"):  # a record after its items
            _send(path, f"{records}/{path.relative_to(made).as_posix()}")
        names = tuple(path.relative_to(made).as_posix() for path in found if path.suffix == ".json")
    return Result(cell.name, key, "done", "", seconds, 1, names)


def absolute(place: str) -> str:
    """Make a folder absolute, for workers that run elsewhere; leave a URL as it is."""
    return place if "://" in place else str(Path(place).expanduser().resolve())


def _send(path: Path, url: str) -> None:
    """Put a file where it belongs: under another name first, so that it is never there in part."""
    import fsspec

    system, place = fsspec.core.url_to_fs(url)
    system.makedirs(place.rsplit("/", 1)[0], exist_ok=True)
    system.put_file(str(path), place + ".part")
    system.mv(place + ".part", place)


def write_state(result: Result, out: str) -> None:
    """Write how a cell ended, after everything else of it is in place."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "state.json")
        path.write_text(json.dumps(asdict(result), indent=1) + "\n", encoding="utf-8")
        _send(path, f"{out}/{result.cell}.json")


def read_state(cell: Cell, notebook: Path, out: str) -> Result | None:
    """Read how a cell ended the last time; None if it was another run, did not end, or failed."""
    import fsspec

    try:
        with fsspec.open(f"{out}/{cell.name}.json", "rt", encoding="utf-8") as file:
            content = json.load(file)
        result = Result(**{**content, "records": tuple(content["records"])})
    except (FileNotFoundError, ValueError, KeyError, TypeError):  # not there, or damaged
        return None
    return result if result.status == "done" and result.key == cell.key(notebook) else None


def run_sweep(
    cells: Iterable[Cell],
    client: Client,
    out: str,
    records: str,
    report: Callable[[Result], None],
    threads: int | None = None,
    seconds: Callable[[Cell], float] = lambda cell: 0.0,
    resources: Mapping[str, float] | None = None,
) -> list[Result]:
    """Run what is missing of a sweep.

    :param cells: The cells.
    :param client: Dask's client of the cluster that runs them.
    :param out: Folder or fsspec URL for executed notebooks and states.
    :param records: Folder or fsspec URL for records.
    :param report: Is told of every cell that ends.
    :param threads: Most threads of a cell.
    :param seconds: How long a cell will take, roughly: the longest go first, so that none waits at the end.
    :param resources: What a cell takes of a worker's resources.
    :return: All results, those of earlier runs too, in the order of the cells.
    """
    from distributed import as_completed

    results: dict[str, Result] = {}
    waiting: dict[str, tuple[Cell, int]] = {}

    def submit(cell: Cell, tries: int) -> Future[Result]:
        notebook = str(runs.find_chapter(cell.chapter).resolve())
        future = client.submit(
            run_cell, cell, notebook, out, records, threads, WAIT_SECONDS * (tries - 1), pure=False,
            resources=resources, priority=seconds(cell),
            key=f"cell-{time.time_ns()}-{cell.name}-{tries}",  # one prefix, so that Dask learns how long cells take
        )  # fmt: skip
        waiting[str(future.key)] = cell, tries
        return future

    out, records = absolute(out), absolute(records)
    order = list(cells)
    todo = []
    for cell in order:
        before = read_state(cell, runs.find_chapter(cell.chapter), out)
        if before:
            results[cell.name] = before
            report(before)
        else:
            todo.append(cell)
    todo.sort(key=seconds, reverse=True)
    running = as_completed([submit(cell, 1) for cell in todo])
    for future in running:
        cell, tries = waiting.pop(str(future.key))
        result = replace(_result_of(future, cell), tries=tries)
        if result.status == "failed" and tries < TRIES and retry_reason(result.reason):
            running.add(submit(cell, tries + 1))
            continue
        try:
            write_state(result, out)
        except OSError as error:
            result = replace(result, status="failed", reason=f"cannot write to {out}: {error.strerror}")
        results[cell.name] = result
        report(result)
    return [results[cell.name] for cell in order]


def _result_of(future: Future[Result], cell: Cell) -> Result:
    error = future.exception()
    if error is None:
        return future.result()
    what = "cannot keep what it made" if isinstance(error, OSError) else "the worker died"
    return Result(cell.name, "", "failed", f"{what}: {first_line(error)}", 0.0, 1)


def retry_reason(reason: str) -> str:
    """Say why another try can help; empty if it cannot."""
    return next((name for name, pattern in _WORTH_RETRYING.items() if pattern.search(reason)), "")
