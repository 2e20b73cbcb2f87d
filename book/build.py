"""Build the book: run the notebooks, stage everything in one folder, hand it to Jupyter Book.

The notebooks in the repository hold no outputs. Their executed copies are staged at the same relative
paths as the sources, so that links in the pages point at real files of the repository.
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import papermill
import yaml

from xlutils.leaderboard.page import board_html
from xlutils.leaderboard.read import read_board
from xlutils.models.catalogue import CATALOGUE

ROOT = Path(__file__).resolve().parents[1]
_FOREIGN_METADATA = ("papermill", "execution", "widgets")


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
    result = subprocess.run([*command, *(["--builder", "linkcheck"] if options.links else [])], check=False)
    if result.returncode:
        raise SystemExit("the book was not built: see the messages above")
    print(f"the book is in {build / 'html/index.html'}")


def stage(folder: Path) -> None:
    """Put everything that Sphinx reads into one fresh folder."""
    logging.getLogger("papermill").setLevel(logging.ERROR)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "book", folder / "book", ignore=shutil.ignore_patterns("*.py", "records", "__pycache__"))
    shutil.copytree(ROOT / "xlutils/datasets/builtin/cards", folder / "book/cards")
    (folder / "_static").mkdir()
    shutil.copy(ROOT / "book/style.css", folder / "_static")
    plotly = Path(str(importlib.util.find_spec("plotly").origin)).parent  # type: ignore[union-attr]
    shutil.copy(plotly / "package_data/plotly.min.js", folder / "_static")
    (folder / "book/models.md").write_text(models_page(), encoding="utf-8")
    add_leaderboard(folder)
    for notebook in notebooks():
        print(f"running {notebook.name}", flush=True)
        run_notebook(notebook, folder / notebook.relative_to(ROOT))


def add_leaderboard(folder: Path) -> None:
    """Write the leaderboard beside its page, and its records into the folder that Sphinx copies as it is."""
    records = ROOT / "book/records"
    board = read_board([records])
    links = {path for row in board.rows for path in row.paths.values()}
    for path in map(Path, links):
        target = folder / "extra/book/records" / path.relative_to(records)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    html = board_html(board, lambda path: Path(path).relative_to(ROOT / "book").as_posix())
    (folder / "book/leaderboard.html").write_text(html, encoding="utf-8")


def notebooks() -> list[Path]:
    """List the notebooks that the table of contents names, in its order."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    files = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    return [ROOT / f"{file}.ipynb" for file in files if file.startswith("notebooks/")]


def run_notebook(source: Path, target: Path) -> None:
    """Run a notebook with its own defaults and write a copy that holds outputs and nothing of this machine.

    :raises SystemExit: If a cell fails or writes to the error stream.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        papermill.execute_notebook(source, target, cwd=ROOT, progress_bar=False, log_output=False)
    except papermill.PapermillExecutionError as error:
        raise SystemExit(f"{source.name}: {error.ename}: {error.evalue}") from None
    notebook = nbformat.read(target, as_version=4)
    for item in (notebook, *notebook.cells):
        for name in _FOREIGN_METADATA:
            item.metadata.pop(name, None)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("application/vnd.plotly.v1+json", None)  # for JupyterLab; pages have HTML
            if output.output_type == "stream" and output.name == "stderr":
                raise SystemExit(
                    f"{source.name} wrote to the error stream, which no page may show: {output.text[:200]}"
                )
    nbformat.write(notebook, target)


def models_page() -> str:
    """Write the page with the table of the catalogue."""
    lines = [
        "# Models",
        "",
        "The models that can be loaded by name. Any other sentence-transformers model works too: give its hub id or",
        "the folder it lies in. *Seen in training* helps to judge contamination: a model that was trained on SQuAD has",
        "an advantage on XQuAD, which is SQuAD translated.",
        "",
        "| Name | Source | Dimensions | Parameters | Longest text (tokens) | Languages | Licence | Seen in training |",
        "|---|---|---:|---:|---:|---|---|---|",
    ]
    for card in CATALOGUE.values():
        size = f"{card.parameters / 1e6:,.0f} M" if card.parameters else "-"
        length = f"{card.max_length:,}" if card.max_length else "-"
        source = f"`{card.source}`" + (" (runs code from its repository)" if card.needs_remote_code else "")
        row = (f"**{card.name}**", source, card.dim, size, length, card.languages, card.licence)
        lines.append("| " + " | ".join(map(str, row)) + f" | {', '.join(card.trained_on) or '-'} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
