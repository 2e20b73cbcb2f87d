"""The store and the sweep for an hour: memory must not grow.

python benchmarks/soak.py [--minutes 60] [--save]

Every round writes and reads vectors in the store and sweeps two new cells. The benchmark watches the memory of this
process and of Dask's workers; kernels start and end with their cells.
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
    """Overwrite the vectors of the last round in four transactions, and read them back."""
    store = EmbeddingStore({"model": "soak"}, folder)
    vectors = np.random.default_rng(number).standard_normal((VECTORS, DIM)).astype(np.float32)
    texts = [f"text {row}" for row in range(VECTORS)]
    for part in range(4):
        store.write(texts[part::4], vectors[part::4])
    stored, is_stored = store.read(texts, DIM)
    if not is_stored.all() or not np.array_equal(stored, vectors):
        raise SystemExit(f"round {number}: the store returned other vectors than were written")


def memory() -> dict[str, float]:
    """Return the memory of this process and of every worker in MiB, without the processes that cells started."""
    this = psutil.Process()
    sizes = {"this process": this.memory_info().rss / _MIB}
    for number, worker in enumerate(child for child in this.children() if child.is_running()):
        if "spawn_main" in " ".join(worker.cmdline()):
            sizes[f"worker {number}"] = worker.memory_info().rss / _MIB
    return sizes


def main() -> None:
    """Repeat rounds until the time is over, and compare the middle third with the last."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--save", action="store_true", help="write the figures to the page of the book")
    options = parser.parse_args()
    started = time.monotonic()
    samples: list[dict[str, float]] = []
    cells = make_cells(["control-ngram-hash", "control-random"], ["1"], ["concepts-core"], {"languages": "en,zh"})
    with tempfile.TemporaryDirectory() as folder, cluster(cells, None, 2) as (client, _):
        while time.monotonic() - started < 60 * options.minutes:
            place = Path(folder, str(len(samples)))
            use_store(Path(folder, "store"), len(samples))
            for result in run_sweep(cells, client, str(place / "out"), str(place / "records"), threads=1):
                if result.status != "done":
                    raise SystemExit(f"round {len(samples)}: {result.cell}: {result.reason}")
            gc.collect()
            samples.append({"minute": (time.monotonic() - started) / 60, **memory()})
            print({name: round(value, 1) for name, value in samples[-1].items()}, flush=True)
    total = [sum(value for name, value in sample.items() if name != "minute") for sample in samples]
    third = max(len(total) // 3, 1)
    early, late = float(np.median(total[third : 2 * third] or total)), float(np.median(total[-third:]))
    cells_done = len(cells) * len(samples)
    print(f"{len(samples)} rounds, {cells_done} cells; {early:,.0f} MiB in the middle third, {late:,.0f} in the last")
    if options.save:
        rounded = [{name: round(value, 1) for name, value in sample.items()} for sample in samples]
        sizes = {"middle_mib": round(early, 1), "last_mib": round(late, 1)}
        save("soak", {"samples": rounded, "cells": cells_done, "vectors": VECTORS * len(samples), **sizes})


if __name__ == "__main__":
    main()
