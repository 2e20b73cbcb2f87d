"""What the benchmarks share: two things timed in turn, a line per comparison, and the file that the book shows."""

from __future__ import annotations

import json
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlutils.results.record import environment

RESULTS = Path(__file__).resolve().parents[1] / "book/benchmarks.json"
_FEATURES = {"avx2": "AVX2", "avx512f": "AVX-512", "avx512_bf16": "AVX-512 BF16", "amx_tile": "AMX"}
Pairs = Sequence[tuple[float, float]]  # seconds of ours and of the peer, one pair per repeat


@dataclass(frozen=True)
class Line:
    """One comparison."""

    area: str  # what is measured
    what: str  # at which size
    peer: str  # what it is compared with, in the same run
    ratios: tuple[float, ...]  # one per repeat: how many times as fast as the peer, or which multiple of a limit
    is_limit: bool = False  # a bare product, one pass over memory: smaller is better
    promise: float | None = None  # what the median ratio must reach, or stay below if the peer is a limit
    seconds: float | None = None  # median time of ours
    mib: float | None = None  # memory added at the peak
    note: str = ""  # other findings, such as that the results are equal

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


def unit_vectors(rng: np.random.Generator, count: int, dim: int) -> NDArray[np.float32]:
    """Make random vectors of unit length, float32 [count, dim]."""
    vectors = rng.standard_normal((count, dim), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that some work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def in_turn(ours: Callable[[], object], peer: Callable[[], object], repeats: int) -> Pairs:
    """Time both in alternation, so that a busy moment of the machine affects both."""
    return [(timed(ours), timed(peer)) for _ in range(repeats)]


def compare(area: str, what: str, peer: str, pairs: Pairs, *, is_limit: bool = False, **more: Any) -> Line:
    """Return the line of a comparison of times; more are other fields of the line."""
    ratios = tuple(ours / theirs if is_limit else theirs / ours for ours, theirs in pairs)
    return Line(area, what, peer, ratios, is_limit, seconds=statistics.median(ours for ours, _ in pairs), **more)


def added_mib(work: Callable[[], object]) -> float:
    """Return the most memory that arrays take during some work, beyond the arrays that existed before."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1] / (1 << 20)
    tracemalloc.stop()
    return peak


def cpu_features() -> str:
    """Return the features that decide how fast a processor multiplies; empty where the system does not list them."""
    listing = Path("/proc/cpuinfo")
    flags = listing.read_text(encoding="utf-8").split() if listing.exists() else []
    return ", ".join(name for flag, name in _FEATURES.items() if flag in flags)


def show(line: Line) -> None:
    """Print a line."""
    kind = "times the limit" if line.is_limit else "times as fast"
    verdict = "" if line.holds is None else f"; promised {line.promise:g}: {'holds' if line.holds else 'BROKEN'}"
    spread = f"{line.ratio:.4g} {kind} ({min(line.ratios):.4g} to {max(line.ratios):.4g})"
    print(f"{line.area}, {line.what}, against {line.peer}: {spread}{verdict}")
    print(f"    {line.seconds or 0:.3g} s, {line.mib or 0:.0f} MiB added; {line.note}", flush=True)


def save(part: str, content: Any, packages: Iterable[str] = ()) -> None:
    """Write one part of the results with machine, versions and date; the other parts stay.

    :param packages: Packages that decide the figures of this part, besides those that every record names.
    """
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    machine = environment()
    machine["features"] = cpu_features()
    machine["packages"].update({package: version(package) for package in packages})
    created = datetime.now(UTC).isoformat(timespec="seconds")
    results[part] = {"results": content, "environment": machine, "created": created}
    RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def run(part: str, measure: Callable[[], list[Line]], packages: Iterable[str] = ()) -> None:
    """Measure and print; with --save, store the lines for the page of the book."""
    lines = measure()
    for line in lines:
        show(line)
    if "--save" in sys.argv:
        save(part, [{**asdict(line), "ratio": line.ratio, "holds": line.holds} for line in lines], packages)
