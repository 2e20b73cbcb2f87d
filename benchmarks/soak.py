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
from common import save

from xlutils.models.store import EmbeddingStore
from xlutils.runs.cells import make_cells
from xlutils.runs.sweep import run_sweep
from xlutils.runs.terminal import cluster

VECTORS, DIM = 20_000, 384
CELLS = make_cells(["control-ngram-hash", "control-random"], ["1"], ["concepts-core"], {"languages": "en,zh"})


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
    workers = [child for child in this.children() if "spawn_main" in " ".join(child.cmdline())]
    named = {"this process": this} | {f"worker {number}": worker for number, worker in enumerate(workers)}
    return {name: round(process.memory_info().rss / (1 << 20), 1) for name, process in named.items()}


def main() -> None:
    """Repeat rounds until the time is over."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--save", action="store_true", help="write the figures to the page of the book")
    options = parser.parse_args()
    started = time.monotonic()
    samples: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder, cluster(CELLS, None, 2) as (client, _):
        while time.monotonic() - started < 60 * options.minutes:
            number = len(samples)
            place = Path(folder, str(number))
            use_store(Path(folder, "store"), number)
            for result in run_sweep(CELLS, client, str(place / "out"), str(place / "records"), threads=1):
                if result.status != "done":
                    raise SystemExit(f"round {number}: {result.cell}: {result.reason}")
            gc.collect()
            samples.append({"minute": round((time.monotonic() - started) / 60, 1), **memory()})
            print(samples[-1], flush=True)
    if options.save:
        results = {"samples": samples, "cells": len(CELLS) * len(samples), "vectors": VECTORS * len(samples)}
        save("soak", results, ["distributed", "papermill"])


if __name__ == "__main__":
    main()
