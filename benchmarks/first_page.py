"""How long it takes from a clone to the book: cold, with nothing there, and again with nothing changed.

A fresh clone of the last commit, an empty HOME, `make book` twice.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import save

ROOT = Path(__file__).resolve().parents[1]
_STEP = re.compile(r"^(\w+): (\d+) s$", re.MULTILINE)
_KEPT = re.compile(r"PATH|LANG|LC_\w+|TORCH_INDEX|\w+_PROXY|SSL_CERT_\w+|UV_DEFAULT_INDEX", re.IGNORECASE)


def main() -> None:
    """Measure, print the table, and save it for the page of the book."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder, "book")
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        home = Path(folder, "home")
        home.mkdir()
        kept = {name: value for name, value in os.environ.items() if _KEPT.fullmatch(name)}
        runs = {name: make_book(clone, {**kept, "HOME": str(home)}) for name in ("cold", "warm")}
    for step, seconds in runs["cold"].items():
        print(f"{step:30} {seconds:6.0f} s, {runs['warm'].get(step, 0):6.0f} s when nothing has changed")
    if "--save" in sys.argv:
        save("first-page", runs, ["papermill", "jupyter-book"])


def make_book(clone: Path, environment: dict[str, str]) -> dict[str, float]:
    """Run `make book` and take its steps from what it prints: seconds by name, and of all."""
    started = time.monotonic()
    result = subprocess.run(["make", "book"], cwd=clone, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise SystemExit(f"make book failed: {result.stdout[-1000:]}{result.stderr[-1000:]}")
    steps = {name: float(seconds) for name, seconds in _STEP.findall(result.stdout)}
    return {**steps, "all": round(time.monotonic() - started, 1)}


if __name__ == "__main__":
    main()
