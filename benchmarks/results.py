"""Where the benchmarks store their figures: one JSON file, which a page of the book shows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from xlutils.results.record import environment

PATH = Path(__file__).resolve().parents[1] / "book/benchmarks.json"
_MORE_PACKAGES = {  # packages that decide the figures of a part, beside those that every record names
    "affinity": ("scipy",),
    "ranking": ("distributed",),
    "evaluation": ("ranx", "ir_measures"),
    "encoding": ("onnxruntime",),
    "sweep": ("distributed", "papermill"),
    "site": ("jupyter-book",),
    "first-page": ("papermill", "jupyter-book"),
    "fuzz": ("hypothesis",),
    "soak": ("distributed", "papermill"),
}
_FEATURES = {"avx2": "AVX2", "avx512f": "AVX-512", "avx512_bf16": "AVX-512 BF16", "amx_tile": "AMX"}


def cpu_features() -> str:
    """Return the features that decide how fast a processor multiplies, on Linux; empty if unknown."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    flags = next((set(line.split()) for line in lines if line.startswith("flags")), set())
    return ", ".join(name for flag, name in _FEATURES.items() if flag in flags)


def save(part: str, content: Any) -> None:
    """Write one part of the results with machine, versions and date; the other parts stay."""
    results = json.loads(PATH.read_text(encoding="utf-8")) if PATH.exists() else {}
    machine = environment()
    machine["features"] = cpu_features()
    machine["packages"].update({package: version(package) for package in _MORE_PACKAGES.get(part, ())})
    created = datetime.now(UTC).isoformat(timespec="seconds")
    results[part] = {"results": content, "environment": machine, "created": created}
    PATH.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
