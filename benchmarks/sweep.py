"""Six cells of a sweep, two models and three chapters, with one worker and with two; one thread per cell.

python benchmarks/sweep.py

The first round fills the store of vectors and is not counted. With the controls there are twelve cells, which shows
how time grows. The limit is the number of workers; a sweep falls short of it because kernels share the disk and the
memory bus while they start.
"""

from __future__ import annotations

import os
import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from common import Line, growth, peak_mib, run, times_as_fast

MODELS = ("use-multilingual-v3", "multilingual-e5-small-q4")
MORE_MODELS = (*MODELS, "control-random", "control-ngram-hash")
REPEATS = 2
GIVEN = {"more_languages": "en,de", "scenarios": "multi,mono-same"}


def measure() -> list[Line]:
    """Time sweeps with one worker and with two."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("XL_CACHE", str(Path(folder, "cache")))
        sweep_with(2, Path(folder, "warm"))
        pairs = [
            (sweep_with(2, Path(folder, f"two-{repeat}")), sweep_with(1, Path(folder, f"one-{repeat}")))
            for repeat in range(REPEATS)
        ]
        twelve = sweep_with(2, Path(folder, "twelve"), MORE_MODELS)
    largest = peak_mib(resource.RUSAGE_CHILDREN)
    six = min(ours for ours, _ in pairs)
    note = f"time grows as cells^{growth([6, 12], [six, twelve]):.2f}; the largest process takes {largest:,.0f} MiB"
    return [times_as_fast("Sweep", "six cells, two workers", "one worker", pairs, 1.6, note=note)]


def sweep_with(workers: int, folder: Path, models: Sequence[str] = MODELS) -> float:
    """Run all cells in a new folder and return the seconds from the first start to the last record."""
    from xlutils.runs.sweep import make_cells, run_sweep
    from xlutils.runs.terminal import cluster

    cells = make_cells(models, ["1", "2", "3"], ["concepts-core"], GIVEN)
    with cluster(cells, None, workers) as (client, _):
        started = time.perf_counter()
        for result in run_sweep(cells, client, str(folder / "out"), str(folder / "records"), threads=1):
            if result.status != "done":
                raise SystemExit(f"{result.cell}: {result.reason}")
        return time.perf_counter() - started


if __name__ == "__main__":
    run(measure, __doc__)
