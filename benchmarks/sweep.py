"""Six cells of a sweep, two models and three chapters, with one worker and with two; a thread for each cell.

python benchmarks/sweep.py [--repeat 3]

The first round fills the store of vectors and is not counted. The limit is the number of workers; what is missing
to it is the start of a kernel, which the disk and the memory bus share.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

MODELS = ("use-multilingual-v3", "multilingual-e5-small-q4")
GIVEN = {"more_languages": "en,de", "scenarios": "multi,mono-same"}


def main() -> None:
    """Time both and print their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeat", type=int, default=1, help="rounds")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("XL_CACHE", str(Path(folder, "cache")))
        seconds(2, Path(folder, "warm"))
        ratios = []
        for number in range(options.repeat):
            one, two = (seconds(workers, Path(folder, f"{number}-{workers}")) for workers in (1, 2))
            ratios.append(one / two)
            print(f"one worker {one:6.1f} s   two workers {two:6.1f} s   {one / two:.2f} times as fast", flush=True)
        if len(ratios) > 1:
            print(f"median {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


def seconds(workers: int, folder: Path) -> float:
    """Run all cells in a fresh folder: the time from the first start to the last record."""
    from xlutils.sweep import make_cells, run_sweep
    from xlutils.sweep_terminal import cluster

    cells = make_cells(MODELS, ["1", "2", "3"], ["concepts-core"], GIVEN)
    with cluster(cells, None, workers) as (client, _):
        started = time.perf_counter()
        results = run_sweep(cells, client, str(folder / "out"), str(folder / "records"), lambda result: None, 1)
        taken = time.perf_counter() - started
    failed = [result for result in results if result.status != "done"]
    if failed:
        raise SystemExit(f"{failed[0].cell}: {failed[0].reason}")
    return taken


if __name__ == "__main__":
    main()
