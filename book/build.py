"""Build the book: run the notebooks, stage everything in one folder, hand it to Jupyter Book.

The notebooks in the repository hold no outputs. Their executed copies are staged at the same relative
paths as the sources, so that links in the pages point at real files of the repository.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

import yaml
from api import write_api
from execute import limit_threads, place_executed
from finish import finish
from generated import RECORDS, write_parts
from launch import add_buttons
from slides import write_slides

from xlutils.leaderboard.page import board_html
from xlutils.leaderboard.read import read_board
from xlutils.leaderboard.scores import Board

ROOT = Path(__file__).resolve().parents[1]
_AT_ONCE = 2  # notebooks


def main() -> None:
    """Build the HTML into `_build/html`, or only check the links."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--into", type=Path, default=ROOT, help="folder that gets the _build folder")
    parser.add_argument("--links", action="store_true", help="check the addresses in the pages instead")
    options = parser.parse_args()
    build = options.into.resolve() / "_build"
    stage(build / "stage")
    shutil.rmtree(build / ".doctrees", ignore_errors=True)  # else a warning of the last build is not repeated
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", str(build / "stage"), "--quiet"]
    command += ["--path-output", str(build.parent), "-W", "-n", "--keep-going"]
    command += ["--builder", "linkcheck"] if options.links else []
    result = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT / "book")}, check=False)
    if result.returncode:
        raise SystemExit("the book was not built: see the messages above")
    if not options.links:
        finish(build / "html")
    print(f"the book is in {build / 'html/index.html'}")


def stage(folder: Path) -> None:
    """Put everything that Sphinx reads into one fresh folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "_toc.yml", folder)
    config = add_buttons(yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8")))
    (folder / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    shutil.copytree(ROOT / "book", folder / "book", ignore=shutil.ignore_patterns("*.py", "records", "__pycache__"))
    shutil.copytree(ROOT / "xlutils/datasets/builtin/cards", folder / "book/cards")
    for name in ("_static", "extra/_static"):  # what every page loads, and what a figure fetches
        (folder / name).mkdir(parents=True)
    shutil.copy(ROOT / "book/style.css", folder / "_static")
    plotly = Path(str(importlib.util.find_spec("plotly").origin)).parent  # type: ignore[union-attr]
    shutil.copy(plotly / "package_data/plotly.min.js", folder / "extra/_static")
    board = read_board([RECORDS])
    write_parts(folder / "book", board, notebooks())
    write_api(folder / "book/api")
    add_leaderboard(folder, board)
    place_all(folder)
    write_slides([folder / notebook.relative_to(ROOT) for notebook in notebooks()], folder / "extra/slides")


def place_all(folder: Path) -> None:
    """Put the executed notebooks in place; two are run at once, since neither keeps all cores busy all the time."""
    threads = max((os.cpu_count() or 1) // _AT_ONCE, 1)
    with ProcessPoolExecutor(_AT_ONCE, get_context("spawn"), limit_threads, (threads,)) as pool:
        runs = {
            pool.submit(place_executed, notebook, folder / notebook.relative_to(ROOT)): notebook.name
            for notebook in reversed(notebooks())  # the last takes longest
        }
        try:
            for run in as_completed(runs):
                print(f"{runs[run]}: {f'run in {run.result():.0f} s' if run.result() else 'unchanged'}", flush=True)
        except SystemExit:
            pool.shutdown(cancel_futures=True)
            raise


def add_leaderboard(folder: Path, board: Board) -> None:
    """Write the leaderboard beside its page, and the records into the folder that Sphinx copies as it is."""
    shutil.copytree(RECORDS, folder / "extra/book/records", ignore=shutil.ignore_patterns("*.parquet", "*.csv"))
    html = board_html(board, lambda path: Path(path).relative_to(ROOT / "book").as_posix())
    (folder / "book/leaderboard.html").write_text(html, encoding="utf-8")


def notebooks() -> list[Path]:
    """List the notebooks that the table of contents names, in its order."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    files = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    return [ROOT / f"{file}.ipynb" for file in files if file.startswith("notebooks/")]


if __name__ == "__main__":
    main()
