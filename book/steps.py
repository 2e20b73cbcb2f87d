"""The steps of a build: run several at a time, show one line for each, remember how long they take."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn

_SLICE = 0.2  # seconds between two looks
_FULL = 0.97  # of the bar, until a step has ended


@dataclass(frozen=True)
class Step:
    """One step.

    :param name: What the terminal calls it.
    :param work: Does it; returns False if there was nothing to do.
    """

    name: str
    work: Callable[[], object]


def run_steps(steps: Sequence[Step], expected: Mapping[str, float], at_once: int = 1) -> dict[str, float]:
    """Run steps and show them: with a bar on a terminal, else a line for each when it has ended.

    :param steps: The steps, in the order in which they are started.
    :param expected: Seconds that some of them are expected to take, by name.
    :param at_once: Steps that run at a time.
    :return: Seconds of each step that had something to do, in the order in which they ended.
    :raises SystemExit: If a step does; the others that wait are not started.
    """
    console = Console(highlight=False)
    columns = (SpinnerColumn(finished_text="✓"), TextColumn("{task.description}"), BarColumn(20),
               TextColumn("{task.fields[note]}"))  # fmt: skip
    took: dict[str, float] = {}
    bars = Progress(*columns, console=console, disable=not console.is_terminal)
    with bars, ThreadPoolExecutor(at_once) as pool:
        tasks = {}
        for step in steps:
            tasks[step.name] = bars.add_task(step.name, start=False, total=expected.get(step.name), note="")
        started: dict[str, float] = {}
        stopped = Event()

        def run(step: Step) -> bool:
            if stopped.is_set():
                return False
            started[step.name] = time.monotonic()
            bars.start_task(tasks[step.name])
            try:
                return step.work() is not False
            except BaseException:
                stopped.set()
                console.print(f"{step.name}: failed")  # others may still run for minutes
                raise

        waiting: dict[Future[bool], str] = {pool.submit(run, step): step.name for step in steps}
        try:
            while waiting:
                wait(waiting, _SLICE, FIRST_COMPLETED)
                for future in [
                    each for each in waiting if each.done()
                ]:  # in order, so the failure before what it stopped
                    worked, name = future.result(), waiting.pop(future)
                    seconds = time.monotonic() - started[name]
                    note = f"{seconds:.0f} s" if worked else "unchanged"
                    bars.update(tasks[name], total=1, completed=1, note=note)
                    took |= {name: seconds} if worked else {}
                    if not console.is_terminal:
                        console.print(f"{name}: {note}")
                for name in set(waiting.values()) & set(started):
                    _advance(bars, tasks[name], time.monotonic() - started[name], expected.get(name))
        except BaseException:
            stopped.set()
            raise
    return took


def _advance(bars: Progress, task: TaskID, seconds: float, total: float | None) -> None:
    about = f" of about {total:.0f} s" if total else " s"
    bars.update(task, completed=min(seconds, _FULL * total) if total else seconds, note=f"{seconds:.0f}{about}")


def read_seconds(path: Path, *keys: str) -> dict[str, float]:
    """Read how long steps took before, from a file of JSON: nothing if it is not there or not whole.

    :param path: The file.
    :param keys: The way to the seconds within it.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        for key in keys:
            content = content[key]
        return {str(name): float(seconds) for name, seconds in content.items()}
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        return {}
