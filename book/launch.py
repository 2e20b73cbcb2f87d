"""Run the book in a browser: buttons for Binder and Colab, and a first cell that installs it on Colab.

python book/launch.py https://github.com/OWNER/NAME     add that cell to each notebook, for the branch `launch`

The address of the repository comes from BOOK_REPOSITORY or from the GitHub workflow; without one there are no buttons.
The buttons open the branch `launch`, whose notebooks have the cell; the publishing workflow keeps it up to date.
"""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell

ROOT = Path(__file__).resolve().parents[1]
BRANCH = "launch"
_ADDRESS = re.compile(r"https://[\w.-]+/[\w.-]+/[\w.-]+")
_ID = "install-on-colab"
_CELL = """\
# On Colab: clone the book and install it (a few minutes). Elsewhere this does nothing.
import sys

if "google.colab" in sys.modules:
    !git clone --quiet --depth 1 {repository} /content/book
    %cd /content/book
    !python book/environment.py --here
    sys.path.insert(0, "/content/book")
"""


def repository() -> str:
    """Return the address of the repository; empty if it is unknown."""
    address = os.environ.get("BOOK_REPOSITORY", "").rstrip("/").removesuffix(".git")
    if not address and os.environ.get("GITHUB_REPOSITORY"):
        address = f"{os.environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{os.environ['GITHUB_REPOSITORY']}"
    return checked(address) if address else ""


def checked(address: str) -> str:
    """Return an address unchanged, or refuse it: it is written into pages and notebooks."""
    if not _ADDRESS.fullmatch(address):
        raise SystemExit(f"{address!r} is not the address of a repository, such as https://github.com/owner/name")
    return address


def add_buttons(config: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration of the book, with launch buttons if the repository is known."""
    address = repository()
    if address:
        config["repository"] = {"url": address, "branch": BRANCH, "path_to_book": ""}
        config["launch_buttons"] = {
            "binderhub_url": "https://mybinder.org",
            "notebook_interface": "jupyterlab",
            "colab_url": "https://colab.research.google.com",
        }
    return config


def main() -> None:
    """Add the cell to each notebook of this working tree, below its title."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repository", type=checked, help="address of the repository")
    options = parser.parse_args()
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        others = [cell for cell in notebook.cells if cell.id != _ID]
        install = new_code_cell(_CELL.format(repository=options.repository), id=_ID)
        notebook.cells = [others[0], install, *others[1:]]
        nbformat.write(notebook, path)


if __name__ == "__main__":
    main()
