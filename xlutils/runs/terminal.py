"""A sweep in the terminal: the list of its cells, a live table, and the cluster that runs it."""

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
from xlutils.models.catalogue import find_card
from xlutils.runs.sweep import Cell, Result, is_done, read_state, run_sweep

if TYPE_CHECKING:
    from distributed import Client

_CONNECT_SECONDS = 10
_KERNEL_GB = 1.5  # of memory for a kernel with torch
_BYTES = 6  # of memory per weight: four for float32, and half as much again for activations
_UNKNOWN = 300e6  # weights of a model that is not in the catalogue


def list_cells(cells: Sequence[Cell], out: str) -> None:
    """Print what a sweep would do, and how long every cell took last time."""
    table = Table("cell", "", "memory", "last time")
    for cell in cells:
        result = read_state(cell, out)
        state = "done" if result and is_done(cell, result) else ""
        table.add_row(cell.name, state, f"{memory_gb(cell):.1f} GB", _time(result.seconds) if result else "")
    console = Console()
    console.print(table)
    console.print(f"{len(cells)} cells")


def memory_gb(cell: Cell) -> float:
    """Return roughly how much memory a cell takes, in GB."""
    card = find_card(cell.model)
    weights = _UNKNOWN if card is None or card.parameters is None else float(card.parameters)
    return _KERNEL_GB + _BYTES * weights / 1e9


def fitting_workers(cells: Sequence[Cell]) -> int:
    """Return how many cells fit into the memory and cores of this machine at the same time."""
    import psutil

    largest = max(map(memory_gb, cells), default=_KERNEL_GB)
    return max(min(int(psutil.virtual_memory().available / 1e9 // largest), os.cpu_count() or 1, len(cells)), 1)


def run_here(
    cells: Sequence[Cell],
    out: str,
    records: str,
    scheduler: str | None = None,
    workers: int | None = None,
    threads: int | None = None,
    gpus: int = 0,
) -> bool:
    """Run a sweep and show its progress.

    With GPUs, one cell runs at a time on this machine; a scheduler knows how many GPUs its workers have.

    :return: Whether every cell is done.
    """
    console = Console()
    results: dict[str, Result] = {}
    resources = {"GPU": gpus} if gpus else None
    with cluster(cells, scheduler, 1 if gpus else workers) as (client, count):
        share = threads or max((os.cpu_count() or 1) // count, 1)
        with Live(_table(cells, results), console=console, refresh_per_second=2) as live:
            for result in run_sweep(cells, client, out, records, share, resources):
                results[result.cell] = result
                live.update(_table(cells, results))
    for name in results:
        console.print(f"{out}/{name}.ipynb", highlight=False)
    done = sum(result.status == "done" for result in results.values())
    console.print(f"{done} of {len(cells)} cells are done; records are in {records}")
    return done == len(cells)


def _table(cells: Sequence[Cell], results: dict[str, Result]) -> Table:
    table = Table("cell", "", "time", "tries", "why")
    for cell in cells:
        result = results.get(cell.name)
        if result:
            table.add_row(cell.name, result.status, _time(result.seconds), str(result.tries), result.reason)
        else:
            table.add_row(cell.name, "waiting or running", "", "", "")
    return table


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


@contextmanager
def cluster(cells: Sequence[Cell], scheduler: str | None, workers: int | None) -> Iterator[tuple[Client, int]]:
    """Connect to a cluster, or start one on this machine: the client, and how many cells share this machine.

    :param cells: The cells, which decide how many fit.
    :param scheduler: Address of a scheduler; None to start one.
    :param workers: Cells that run at the same time; None for as many as fit.
    :raises XlError: If there is no scheduler at the address.
    """
    from distributed import Client, LocalCluster

    for name in ("distributed", "bokeh", "tornado"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # the table shows what fails
    if scheduler:
        try:
            client = Client(scheduler, timeout=_CONNECT_SECONDS)
        except (OSError, ValueError) as error:
            raise XlError(f"there is no scheduler at {scheduler} ({type(error).__name__}); is it running?") from None
        with client:
            yield client, 1
        return
    count = workers or fitting_workers(cells)
    options = {"threads_per_worker": 1, "dashboard_address": None, "resources": {"GPU": 1}}
    with LocalCluster(n_workers=count, **options) as local, Client(local) as client:
        yield client, count
