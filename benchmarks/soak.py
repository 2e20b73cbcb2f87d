"""The store and the sweep for an hour: memory must not grow.

python benchmarks/soak.py [--minutes 60] [--save]

Each round writes and reads vectors in the store and sweeps two cells that nobody ran before. What is watched is the
memory of this process and of Dask's workers; kernels come and go with their cells.
"""

from __future__ import annotations

import argparse
import gc
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
from results import save

from xlutils.models.store import EmbeddingStore
from xlutils.runs.sweep import make_cells, run_sweep
from xlutils.runs.terminal import cluster

VECTORS, DIM = 20_000, 384
_MIB = 1 << 20


def use_store(folder: Path, number: int) -> None:
    """Write vectors over those of the last round, in four transactions, and read them back."""
    store = EmbeddingStore({"model": "soak"}, folder)
    vectors = np.random.default_rng(number).standard_normal((VECTORS, DIM)).astype(np.float32)
    texts = [f"text {row}" for row in range(VECTORS)]
    for part in range(4):
        store.write(texts[part::4], vectors[part::4])
    found, there = store.read(texts, DIM)
    if not there.all() or not np.array_equal(found, vectors):
        raise SystemExit(f"round {number}: the store returned something else than was written")


def memory() -> dict[str, float]:
    """Say how much memory this process and each worker hold, in MiB; processes that cells started are left out."""
    this = psutil.Process()
    held = {"this process": this.memory_info().rss / _MIB}
    for number, worker in enumerate(each for each in this.children() if each.is_running()):
        if "spawn_main" in " ".join(worker.cmdline()):
            held[f"worker {number}"] = worker.memory_info().rss / _MIB
    return held


def main() -> None:
    """Repeat rounds until the time is over, and compare the first third after a start with the last."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--save", action="store_true", help="write the figures to the page of the book")
    options = parser.parse_args()
    started, cells_done = time.monotonic(), 0
    samples: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        cells = make_cells(["control-ngram-hash", "control-random"], ["1"], ["concepts-core"], {"languages": "en,zh"})
        with cluster(cells, None, 2) as (client, _):
            while time.monotonic() - started < 60 * options.minutes:
                place = Path(folder, str(len(samples)))
                use_store(Path(folder, "store"), len(samples))
                results = run_sweep(cells, client, str(place / "out"), str(place / "records"), lambda _: None, 1)
                failed = [result for result in results if result.status != "done"]
                if failed:
                    raise SystemExit(f"round {len(samples)}: {failed[0].cell}: {failed[0].reason}")
                cells_done += len(results)
                gc.collect()
                samples.append({"minute": (time.monotonic() - started) / 60, **memory()})
                print({name: round(value, 1) for name, value in samples[-1].items()}, flush=True)
    total = [sum(value for name, value in sample.items() if name != "minute") for sample in samples]
    third = max(len(total) // 3, 1)
    early, late = float(np.median(total[third : 2 * third] or total)), float(np.median(total[-third:]))
    print(f"{len(samples)} rounds, {cells_done} cells; {early:,.0f} MiB in the middle third, {late:,.0f} in the last")
    if options.save:
        rounded = [{name: round(value, 1) for name, value in sample.items()} for sample in samples]
        save("soak", {"samples": rounded, "cells": cells_done, "vectors": VECTORS * len(samples),
                      "middle_mib": round(early, 1), "last_mib": round(late, 1)})  # fmt: skip


if __name__ == "__main__":
    main()
