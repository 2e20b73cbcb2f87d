"""Build the book: run the notebooks, stage everything in one folder, and run Jupyter Book on it.

The notebooks in the repository have no outputs. Their executed copies are staged at the same relative
paths as the sources, so that links in the pages point to real files of the repository.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import importlib.util
import json
import math
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import yaml
from api import write_api
from ask import place_ask
from environment import alone
from execute import kept_copy, place_executed
from finish import finish
from generated import RECORDS, place_of, write_parts
from launch import add_buttons, repository
from reproduce import write_reproduce
from slides import write_slides
from steps import Step, read_seconds, run_steps

from xlutils.results.leaderboard.page import board_html
from xlutils.results.leaderboard.read import read_board
from xlutils.results.leaderboard.scores import Board

ROOT = Path(__file__).resolve().parents[1]
_MEASURED = ROOT / "book/benchmarks.json"  # how long the steps took on a plain laptop
_AT_ONCE = 2  # notebooks: one computes while the other loads or draws
_ROOT_FILES = ("_toc.yml", "_config.yml", "CHANGELOG.md", "CONTRIBUTING.md", "CITATION.cff")
_GIGABYTES = 1  # of disk, for the site and the vectors


def main() -> None:
    """Build the site in `_build/html`, or only check its links."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--into", type=Path, default=ROOT, help="parent of the _build folder")
    parser.add_argument("--links", action="store_true", help="only check the links in the pages")
    options = parser.parse_args()
    build = options.into.resolve() / "_build"
    with alone(build):
        if shutil.disk_usage(build).free < _GIGABYTES * 1e9:
            raise SystemExit(f"the disk of {build} has less than {_GIGABYTES} GB left; free some space first")
        times = build / "seconds.json"
        expected = read_seconds(_MEASURED, "first-page", "results", "cold") | read_seconds(times)
        took = place_all(build / "stage", expected)
        took |= run_steps([Step("pages", partial(make_pages, build, options.links))], expected)
        times.write_text(json.dumps(read_seconds(times) | took, indent=1), encoding="utf-8")
    if not options.links:
        print(f"the book is in {build / 'html/index.html'}")


def make_pages(build: Path, links: bool) -> bool:
    """Stage everything that Sphinx reads and let it write the site.

    :return: False if the site was complete and up to date already.
    """
    state, mark = site_state(), build / "html/.state"
    if not links:
        if mark.exists() and mark.read_text(encoding="utf-8") == state:
            return False
        shutil.rmtree(build / "html", ignore_errors=True)  # with its mark, so an interrupted build starts again
    stage(build / "stage")
    shutil.rmtree(build / ".doctrees", ignore_errors=True)  # otherwise warnings of the last build are not repeated
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", str(build / "stage"), "--quiet"]
    command += ["--path-output", str(build.parent), "-W", "-n", "--keep-going"]
    command += ["--builder", "linkcheck"] if links else []
    result = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(ROOT / "book")}, capture_output=True, text=True, check=False
    )
    if result.returncode:
        print(result.stdout, result.stderr, sep="\n", file=sys.stderr)
        raise SystemExit("the book was not built; see the messages above")
    if not links:
        finish(build / "html")
        mark.write_text(state, encoding="utf-8")
    return True


def site_state() -> str:
    """Return a hash of everything that the pages depend on: notebooks, `book/`, `runs/` and files at the root."""
    known = hashlib.sha256(repr([kept_copy(notebook).name for notebook in notebooks()]).encode())
    folders = [path for name in ("book", "runs") for path in sorted((ROOT / name).rglob("*"))]
    for path in [*(ROOT / name for name in _ROOT_FILES), *folders]:
        if path.is_file() and "__pycache__" not in path.parts:
            known.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    known.update(repository().encode())
    return known.hexdigest()


def stage(folder: Path) -> None:
    """Copy or write everything that Sphinx reads into the folder with the executed notebooks."""
    for name in _ROOT_FILES:
        shutil.copy(ROOT / name, folder)
    config = add_buttons(yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8")))
    (folder / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    shutil.copytree(ROOT / "book", folder / "book", ignore=shutil.ignore_patterns("*.py", "records", "__pycache__"))
    shutil.copytree(ROOT / "xlutils/datasets/builtin/cards", folder / "book/cards")
    for name in ("_static", "extra/_static"):  # loaded by every page, and by interactive figures
        (folder / name).mkdir(parents=True)
    shutil.copy(ROOT / "book/style.css", folder / "_static")
    plotly = Path(str(importlib.util.find_spec("plotly").origin)).parent  # type: ignore[union-attr]
    shutil.copy(plotly / "package_data/plotly.min.js", folder / "extra/_static")
    board = read_board([RECORDS])
    write_parts(folder / "book", board, notebooks())
    write_reproduce(folder / "book/parts")
    write_api(folder / "book/api")
    place_ask(folder / "extra/book/ask")
    add_leaderboard(folder, board)
    write_slides([folder / notebook.relative_to(ROOT) for notebook in notebooks()], folder / "extra/slides")


def place_all(folder: Path, expected: dict[str, float]) -> dict[str, float]:
    """Put the executed notebooks into a folder, running those that have changed: two at a time, the longest first.

    :param folder: The folder, which is emptied first.
    :param expected: Seconds that each notebook is expected to take, by name.
    :return: Seconds of each notebook that had to be run.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    waiting = sum(not kept_copy(notebook).exists() for notebook in notebooks())
    threads = (os.cpu_count() or 1) // max(min(_AT_ONCE, waiting), 1)

    def step(notebook: Path) -> Step:
        target = folder / notebook.relative_to(ROOT)
        return Step(notebook.stem, lambda: place_executed(notebook, target, max(threads, 1)))

    longest_first = sorted(notebooks(), key=lambda notebook: -expected.get(notebook.stem, math.inf))
    return run_steps([step(notebook) for notebook in longest_first], expected, _AT_ONCE)


def add_leaderboard(folder: Path, board: Board) -> None:
    """Write the leaderboard beside its page, and the records, compressed, to where Sphinx takes files unchanged."""
    for path in RECORDS.rglob("*.json"):
        copy = folder / "extra/book" / place_of(path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    html = board_html(board, place_of)
    (folder / "book/leaderboard.html").write_text(html, encoding="utf-8")


def notebooks() -> list[Path]:
    """Return the notebooks in the order of the table of contents."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    files = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    return [ROOT / f"{file}.ipynb" for file in files if file.startswith("notebooks/")]


if __name__ == "__main__":
    main()
