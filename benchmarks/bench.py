"""Run every benchmark, print the table, and store it for the page of the book.

python benchmarks/bench.py [--only ranking,store]

Every area runs in a separate process and is saved with its own date and versions; areas that do not run stay.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from results import save

HERE = Path(__file__).parent
AREAS = ("affinity", "ranking", "evaluation", "concepts", "store", "encoding", "training", "sweep", "site")


def main() -> None:
    """Run all areas, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", default=",".join(AREAS), help="some of " + ",".join(AREAS))
    chosen = parser.parse_args().only.split(",")
    unknown = set(chosen) - set(AREAS)
    if unknown:
        raise SystemExit(f"there is no benchmark {sorted(unknown)[0]}; there are {', '.join(AREAS)}")
    for area in AREAS:
        if area in chosen:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder, "lines.json")
                subprocess.run([sys.executable, HERE / f"{area}.py", "--json", path], check=True)
                save(area, json.loads(path.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
