"""The steps of a build: run several at a time, show one line for each, and remember how long they take."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn

_SLICE = 0.2  # seconds between two updates
_FULL = 0.97  # of the bar, until a step has ended


@dataclass(frozen=True)
class Step:
    """One step.

    :param name: Its name in the terminal.
    :param work: The function that does it; it returns False if there was nothing to do.
    """

    name: str
    work: Callable[[], object]


def run_steps(steps: Sequence[Step], expected: Mapping[str, float], at_once: int = 1) -> dict[str, float]:
    """Run steps and show them: with a bar on a terminal, otherwise one line for each when it has ended.

    :param steps: The steps, in the order in which they are started.
    :param expected: Seconds that some of them are expected to take, by name.
    :param at_once: How many steps run at a time.
    :return: Seconds of each step that had something to do, in the order in which they ended.
    :raises SystemExit: If a step raises it; waiting steps are not started.
    """
    console = Console(highlight=False)
    took: dict[str, float] = {}
    stopped = Event()
    with _make_bars(console) as bars, ThreadPoolExecutor(at_once) as pool:
        tasks = {s.name: bars.add_task(s.name, start=False, total=expected.get(s.name), note="") for s in steps}
        waiting = {pool.submit(_run, step, bars, tasks[step.name], stopped): step.name for step in steps}
        try:
            while waiting:
                wait(waiting, _SLICE, FIRST_COMPLETED)
                # In order of submission, so that a failure comes before the steps that it stopped
                for future in [future for future in waiting if future.done()]:
                    name, seconds = waiting.pop(future), future.result()
                    if seconds is not None:
                        took[name] = seconds
                    _finish(bars, tasks[name], name, seconds)
                for name in waiting.values():
                    _advance(bars, tasks[name])
        finally:
            stopped.set()
    return took


def _make_bars(console: Console) -> Progress:
    columns = (SpinnerColumn(finished_text="✓"), TextColumn("{task.description}"), BarColumn(20))
    return Progress(*columns, TextColumn("{task.fields[note]}"), console=console, disable=not console.is_terminal)


def _run(step: Step, bars: Progress, task: TaskID, stopped: Event) -> float | None:
    """Return the seconds that a step took; None if there was nothing to do."""
    if stopped.is_set():
        return None
    bars.start_task(task)
    started = time.monotonic()
    try:
        worked = step.work() is not False
    except BaseException:
        stopped.set()
        bars.console.print(f"{step.name}: failed")  # at once: other steps may run on for minutes
        raise
    return time.monotonic() - started if worked else None


def _finish(bars: Progress, task: TaskID, name: str, seconds: float | None) -> None:
    note = "unchanged" if seconds is None else f"{seconds:.0f} s"
    bars.update(task, total=1, completed=1, note=note)
    if not bars.console.is_terminal:
        bars.console.print(f"{name}: {note}")


def _advance(bars: Progress, task: TaskID) -> None:
    seconds, total = bars.tasks[task].elapsed, bars.tasks[task].total
    if seconds is None:  # not started
        return
    completed = min(seconds, _FULL * total) if total else seconds
    bars.update(task, completed=completed, note=f"{seconds:.0f}" + (f" of about {total:.0f} s" if total else " s"))


def read_seconds(path: Path, *keys: str) -> dict[str, float]:
    """Return how long steps took before, from a JSON file; empty if the file is missing or damaged.

    :param path: The file.
    :param keys: The keys that lead to the seconds within it.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        for key in keys:
            content = content[key]
        return {str(name): float(seconds) for name, seconds in content.items()}
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        return {}
