"""A sweep as seen in a terminal: a live table, a summary, and the cluster that runs it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.table import Table

from xlutils.errors import XlError
from xlutils.runs import execute as runs
from xlutils.runs.estimates import estimate, fitting_workers
from xlutils.runs.sweep import Cell, Result, read_state, run_sweep

if TYPE_CHECKING:
    from distributed import Client

_CONNECT_SECONDS = 10


def list_cells(cells: Sequence[Cell], out: str) -> None:
    """Print what a sweep would do."""
    table = Table("cell", "", "download", "memory", "time")
    total = 0.0
    for cell in cells:
        done = read_state(cell, runs.find_chapter(cell.chapter), out)
        takes = estimate(cell)
        total += 0 if done else takes.seconds
        download = f"{takes.download_gb:.1f} GB" if takes.download_gb else "-"
        table.add_row(cell.name, "done" if done else "", download, f"{takes.memory_gb:.1f} GB", _time(takes.seconds))
    console = Console()
    console.print(table)
    console.print(f"{len(cells)} cells; what is missing takes about {_time(total)} one after the other on this machine")


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def run_here(
    cells: Sequence[Cell], out: str, records: str, scheduler: str | None, workers: int | None, threads: int | None,
    gpus: int,
) -> bool:  # fmt: skip
    """Run a sweep and show how far it is.

    With GPUs one cell runs at a time on this machine; a scheduler knows which of its workers have how many.

    :return: Whether every cell is done.
    """
    console = Console()
    results: dict[str, Result] = {}
    with cluster(cells, scheduler, 1 if gpus else workers) as (client, count):
        share = threads or max((os.cpu_count() or 1) // count, 1)
        with Live(_table(cells, results), console=console, refresh_per_second=2) as live:

            def report(result: Result) -> None:
                results[result.cell] = result
                live.update(_table(cells, results))

            resources = {"GPU": gpus} if gpus else None
            run_sweep(cells, client, out, records, report, share, lambda cell: estimate(cell).seconds, resources)
    failed = [result for result in results.values() if result.status != "done"]
    for result in results.values():
        console.print(f"{out}/{result.cell}.ipynb", highlight=False)
    console.print(f"{len(results) - len(failed)} of {len(cells)} cells are done; records are in {records}")
    return not failed


def _table(cells: Sequence[Cell], results: dict[str, Result]) -> Table:
    table = Table("cell", "", "time", "tries", "why")
    for cell in cells:
        result = results.get(cell.name)
        if result:
            table.add_row(cell.name, result.status, _time(result.seconds), str(result.tries), result.reason)
        else:
            table.add_row(cell.name, "waits or runs", "", "", "")
    return table


@contextmanager
def cluster(cells: Sequence[Cell], scheduler: str | None, workers: int | None) -> Iterator[tuple[Client, int]]:
    """Connect to a cluster, or start one on this machine: the client, and how many cells run side by side here.

    :param cells: The cells, which decide how many fit.
    :param scheduler: Address of a scheduler; None to start one.
    :param workers: Cells side by side; None for as many as fit.
    :raises XlError: If there is no scheduler at the address.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise XlError("a sweep needs Dask; try: pip install 'xlutils[cluster]'") from None
    for name in ("distributed", "bokeh", "tornado"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # a cell that fails is in the table
    if scheduler:
        try:
            client = Client(scheduler, timeout=_CONNECT_SECONDS)
        except (OSError, ValueError) as error:
            raise XlError(f"there is no scheduler at {scheduler} ({type(error).__name__}); is it running?") from None
        with client:
            yield client, 1
        return
    count = workers or fitting_workers(list(cells))
    with (
        LocalCluster(n_workers=count, threads_per_worker=1, dashboard_address=None, resources={"GPU": 1}) as local,
        Client(local) as client,
    ):
        yield client, count
