"""A progress bar for people who are watching, and nothing for files."""

from __future__ import annotations

import html
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_DELAY_SECONDS = 2.0  # work that is quicker needs no bar
_PERIOD_SECONDS = 0.5
_LIVE_FRONTEND = re.compile(r"jupyter|vscode|colab", re.IGNORECASE)
_BATCH_RUN = re.compile(r"nbconvert|papermill|execute", re.IGNORECASE)


@contextmanager
def progress(total: int, what: str) -> Iterator[Callable[[int], None]]:
    """Show how far a loop is: on a terminal, or in a notebook that somebody has open.

    A notebook that is being executed into a file gets no bar, so that its outputs stay clean.
    `XL_PROGRESS=0` turns the bar off everywhere.

    :param total: Number of items.
    :param what: What is being done, such as "encoding".
    :return: A function to call with the number of items done since the last call.
    """
    draw = _drawer()
    started = last = time.monotonic()
    done = 0
    shown = False

    def advance(count: int) -> None:
        nonlocal done, last, shown
        done += count
        now = time.monotonic()
        if now - started > _DELAY_SECONDS and now - last > _PERIOD_SECONDS:
            left = (now - started) / max(done, 1) * (total - done)
            draw(f"{what}: {done:,} of {total:,}, about {left:,.0f} s left")
            last, shown = now, True

    try:
        yield advance
    finally:
        if shown:
            draw("")


def _drawer() -> Callable[[str], None]:
    if os.environ.get("XL_PROGRESS") == "0":
        return lambda line: None
    if sys.stderr.isatty():
        return lambda line: print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)  # noqa: T201
    return _NotebookLine() if _in_open_notebook() else lambda line: None


class _NotebookLine:
    """A line in the output of a cell that is rewritten in place and ends empty."""

    def __init__(self) -> None:
        self.handle: Any = None

    def __call__(self, line: str) -> None:
        from IPython.display import HTML, display

        content = HTML(f"<small>{html.escape(line)}</small>" if line else "")
        if self.handle is None:
            self.handle = display(content, display_id=True)
        else:
            self.handle.update(content)


def _in_open_notebook() -> bool:
    """Whether this is a kernel started by a notebook server rather than by a batch run."""
    if "ipykernel" not in sys.modules:
        return False
    import psutil  # comes with ipykernel

    parent = psutil.Process().parent()
    command = " ".join(parent.cmdline()) if parent else ""
    return bool(_LIVE_FRONTEND.search(command)) and not _BATCH_RUN.search(command)
