"""A sweep in the terminal: the list of its cells, a live table, and the cluster that runs it."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table

from xlutils.errors import XlError
from xlutils.runs.cells import Cell
from xlutils.runs.lists import SHIPPED, Planned, RunList, make_plan, records_on
from xlutils.runs.reach import memory_gb
from xlutils.runs.sweep import Result, local_copy, run_sweep, send, writable

if TYPE_CHECKING:
    from distributed import Client

_CONNECT_SECONDS = 10


def show_plan(plan: Sequence[Planned]) -> None:
    """Print which cells are done, what the others need, and how long every cell took last time."""
    width = max(len(entry.cell.name) for entry in plan)
    todo = [entry for entry in plan if not entry.state]
    missing: dict[str, dict[str, None]] = {}
    for entry in plan:
        needs = ", ".join(dict.fromkeys(need.what for need in entry.lacks))
        state = entry.state or (f"needs {needs}" if needs else "can run here")
        last_time = "" if entry.seconds is None else f"; took {_time(entry.seconds)}"
        click.echo(f"{entry.cell.name:{width}}  {state}{last_time}")
        for need in entry.lacks if entry in todo else ():
            missing.setdefault(need.what, {})[need.lack] = None
    for what, reasons in missing.items():
        click.echo(f"{what}: {'; '.join(reasons)}")
    ready = sum(not entry.lacks for entry in todo)
    click.echo(f"{len(plan)} cells: {len(plan) - len(todo)} done, {ready} can run here, {len(todo) - ready} cannot")


def follow(
    cells: Sequence[Cell], wanted: RunList | None, *, dry_run: bool, out: str, records: str, **options: Any
) -> bool:
    """Run cells; for a run list show the plan, run only what is missing and can run here, and write its tables.

    With a scheduler, cells that this machine cannot run are sent to its workers.

    :param wanted: The list that the cells are from, if any.
    :param dry_run: Show the plan instead.
    :param options: Those of `run_here`.
    :return: Whether everything that ran is done.
    """
    if not wanted and not dry_run:
        return run_here(cells, out, records, **options)
    with local_copy(records) as folder:
        plan = make_plan(cells, out, [SHIPPED, folder] if wanted else [])
    show_plan(plan)
    if dry_run:
        return True
    todo = [entry.cell for entry in plan if not entry.state and not (entry.lacks and options["scheduler"] is None)]
    is_done = not todo or run_here(todo, out, records, **options)
    if wanted:
        _write_tables(wanted, records)
    return is_done


def _write_tables(wanted: RunList, records: str) -> None:
    """Write the tables of a list as CSV beside the records, and print them as far as there are records."""
    from xlutils.chapters.paper_tables import TABLES, with_records  # importing pandas takes a second

    with local_copy(records) as folder:
        paths = records_on(wanted.data(), [SHIPPED, folder])
        tables = {name: TABLES[name](paths) for name in wanted.tables}
    for name, table in tables.items():
        place = f"{records}/tables/{wanted.name}.{name}.csv"
        with tempfile.TemporaryDirectory() as temporary:
            table.to_csv(Path(temporary, "table.csv"), encoding="utf-8")
            send(Path(temporary, "table.csv"), writable(place))
        click.echo(f"\n{wanted.source}\n{with_records(table).to_string()}\n\n{place}")


def fitting_workers(cells: Sequence[Cell]) -> int:
    """Return how many cells fit into the memory and cores of this machine at the same time."""
    import psutil

    largest = max(map(memory_gb, cells), default=1.0)
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
