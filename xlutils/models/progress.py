"""A progress bar for people at a terminal; logs and saved notebooks get none."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_DELAY_SECONDS = 2.0  # quicker work needs no bar


@contextmanager
def progress(total: int, label: str) -> Iterator[Callable[[int], object]]:
    """Show the progress of a loop on a terminal; `XL_PROGRESS=0` turns it off.

    :param total: Number of items.
    :param label: What is being done, such as "encoding".
    :return: A function to call with the number of items done since the last call.
    """
    from tqdm import tqdm

    is_hidden = os.environ.get("XL_PROGRESS") == "0" or not sys.stderr.isatty()
    with tqdm(total=total, desc=label, leave=False, delay=_DELAY_SECONDS, disable=is_hidden) as bar:
        yield bar.update
