"""What the benchmarks share: two things timed in turn, and one line of the table per comparison."""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Line:
    """One comparison.

    :param area: What is measured.
    :param what: At which size.
    :param peer: What it is compared with, in the same run.
    :param ratios: One per repeat: how many times as fast as the peer, or which multiple of a limit.
    :param is_limit: Whether the peer is a limit (a bare product, one pass over memory), so that smaller is better.
    :param promise: What the median ratio must reach, or stay below if the peer is a limit; None for no promise.
    :param seconds: Median time of ours; None if something else is compared.
    :param mib: Memory added at the peak; None if it was not measured.
    :param note: Other findings, such as that the results are equal.
    """

    area: str
    what: str
    peer: str
    ratios: tuple[float, ...]
    is_limit: bool = False
    promise: float | None = None
    seconds: float | None = None
    mib: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float:
        """The median."""
        return statistics.median(self.ratios)

    @property
    def holds(self) -> bool | None:
        """Whether the promise is kept; None if there is none."""
        if self.promise is None:
            return None
        return self.ratio <= self.promise if self.is_limit else self.ratio >= self.promise


Pairs = Sequence[tuple[float, float]]  # seconds of ours and of the peer, one pair per repeat


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that some work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def in_turn(ours: Callable[[], object], peer: Callable[[], object], repeats: int) -> list[tuple[float, float]]:
    """Time both in alternation, so that a busy moment of the machine affects both."""
    return [(timed(ours), timed(peer)) for _ in range(repeats)]


def times_as_fast(area: str, what: str, peer: str, pairs: Pairs, promise: float | None = None, **more: Any) -> Line:
    """Return the line of a comparison with a peer."""
    seconds = statistics.median(ours for ours, _ in pairs)
    return Line(area, what, peer, tuple(theirs / ours for ours, theirs in pairs), False, promise, seconds, **more)


def times_the_limit(area: str, what: str, peer: str, pairs: Pairs, promise: float | None = None, **more: Any) -> Line:
    """Return the line of a comparison with a limit."""
    seconds = statistics.median(ours for ours, _ in pairs)
    return Line(area, what, peer, tuple(ours / limit for ours, limit in pairs), True, promise, seconds, **more)


def added_mib(work: Callable[[], object]) -> float:
    """Return the most memory that arrays take during some work, beyond the arrays that existed before."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1] / (1 << 20)
    tracemalloc.stop()
    return peak


def peak_mib(who: int = resource.RUSAGE_SELF) -> float:
    """Return the most memory that this process, or the largest of its children, has taken so far."""
    return resource.getrusage(who).ru_maxrss / 1024


def in_own_process(script: str, variant: str) -> dict[str, Any]:
    """Run a variant of a benchmark in a separate process, for its own peak of memory; read its last line as JSON."""
    result = subprocess.run([sys.executable, script, "--variant", variant], capture_output=True, text=True, check=True)
    content: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return content


def growth(sizes: Sequence[float], times: Sequence[float]) -> float:
    """Return the exponent with which time grows with size."""
    return float(np.polyfit(np.log(sizes), np.log(times), 1)[0])


def show(lines: Iterable[Line]) -> None:
    """Print the table."""
    for line in lines:
        median = f"{line.ratio:,.0f}" if line.ratio >= 100 else f"{line.ratio:.2f}"
        spread = f" ({min(line.ratios):.4g} to {max(line.ratios):.4g})" if len(line.ratios) > 1 else ""
        kind = "times the limit" if line.is_limit else "times as fast"
        verdict = {None: "", True: f"; promised {line.promise}: holds", False: f"; promised {line.promise}: BROKEN"}
        print(f"{line.area}, {line.what}, against {line.peer}: {median}{spread} {kind}{verdict[line.holds]}")
        seconds = f"{line.seconds:.3g} s" if line.seconds is not None else ""
        memory = f"{line.mib:,.0f} MiB added" if line.mib is not None else ""
        print("    " + "; ".join(filter(None, (seconds, line.note, memory))), flush=True)


def run(measure: Callable[[], list[Line]], about: str | None) -> None:
    """Measure, print, and write the lines to a file if one is named."""
    parser = argparse.ArgumentParser(description=(about or "").splitlines()[0])
    parser.add_argument("--json", type=Path, help="file for the lines")
    options = parser.parse_args()
    lines = measure()
    show(lines)
    if options.json:
        content = [{**asdict(line), "ratio": line.ratio, "holds": line.holds} for line in lines]
        options.json.write_text(json.dumps(content), encoding="utf-8")
