"""The cells of a sweep on Dask: one papermill process per cell, nothing done twice, results in folders or at URLs."""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from xlutils.errors import XlError, first_line
from xlutils.runs import execute as runs
from xlutils.runs.cells import Cell

if TYPE_CHECKING:
    from distributed import Client

_WORTH_RETRYING = re.compile(
    r"\b429\b|rate.?limit|too many requests|\b503\b|kernel died|DeadKernelError|out of memory|MemoryError"
    r"|does not fit into",
    re.IGNORECASE,
)
TRIES = 3
WAIT_SECONDS = 20.0  # before the second try; twice that before the third


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


def writable(place: str) -> str:
    """Return a URL as it is, and a folder as an absolute path, for workers that run elsewhere.

    :raises XlError: If no file system is known for the URL.
    """
    import fsspec

    if "://" not in place:
        return str(Path(place).expanduser().resolve())
    try:
        fsspec.core.url_to_fs(place)
    except (ImportError, ValueError) as error:
        raise XlError(f"{place}: {first_line(error)}") from None
    return place


def send(path: Path, url: str) -> None:
    """Move a file to its place under another name first, so that it is never seen half-written."""
    import fsspec

    system, place = fsspec.core.url_to_fs(url)
    system.makedirs(place.rsplit("/", 1)[0], exist_ok=True)
    system.put_file(str(path), place + ".part")
    system.mv(place + ".part", place)


@contextmanager
def local_copy(place: str) -> Iterator[Path]:
    """Return a folder as it is, and a URL as a temporary folder with the same files."""
    import fsspec

    if "://" not in place:
        yield Path(place).expanduser()
        return
    system, root = fsspec.core.url_to_fs(place)
    with tempfile.TemporaryDirectory() as folder:
        if system.exists(root):
            system.get(f"{root}/", f"{folder}/", recursive=True)
        yield Path(folder)
