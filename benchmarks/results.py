"""Where the benchmarks leave their figures: one JSON file, which a page of the book shows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from xlutils.records import environment

PATH = Path(__file__).resolve().parents[1] / "book/benchmarks.json"


def read(part: str) -> Any:
    """Read one part of the results; None if it was not measured."""
    results = json.loads(PATH.read_text(encoding="utf-8")) if PATH.exists() else {}
    return results[part]["results"] if part in results else None


def save(part: str, content: Any) -> None:
    """Write one part of the results with the machine, the versions and the date; the other parts stay."""
    results = json.loads(PATH.read_text(encoding="utf-8")) if PATH.exists() else {}
    about = {"environment": environment(), "created": datetime.now(UTC).isoformat(timespec="seconds")}
    results[part] = {"results": content, **about}
    PATH.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
