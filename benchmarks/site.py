"""Building the pages again when no notebook has changed, against Jupyter Book alone on the same pages.

python benchmarks/site.py

The notebooks are run before if they have changed since the last build.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from common import Line, in_turn, peak_mib, run, times_the_limit

ROOT = Path(__file__).resolve().parents[1]


def measure() -> list[Line]:
    """Build twice, then time both."""
    with tempfile.TemporaryDirectory() as folder:
        bare = [str(Path(sys.executable).with_name("jupyter-book")), "build", f"{folder}/_build/stage", "--all"]
        bare += ["--quiet", "--path-output", f"{folder}/bare"]

        def ours() -> None:
            Path(folder, "_build/html/.state").unlink(missing_ok=True)  # else there would be nothing to do
            subprocess.run(
                [sys.executable, "book/build.py", "--into", folder], cwd=ROOT, check=True, capture_output=True
            )

        def theirs() -> None:
            subprocess.run(bare, check=True, capture_output=True, env={"PYTHONPATH": str(ROOT / "book")})

        ours()
        pairs = in_turn(ours, theirs, 2)
    used = [pair[0] / 120 for pair in pairs]
    note = f"the largest process takes {peak_mib(resource.RUSAGE_CHILDREN):,.0f} MiB"
    return [
        times_the_limit("Book", "built again, nothing changed", "jupyter-book build of the same pages", pairs),
        Line("Book", "built again, nothing changed", "two minutes", tuple(used), True, 1, note=note),
    ]


if __name__ == "__main__":
    run(measure, __doc__)
