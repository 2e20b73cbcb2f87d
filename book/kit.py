"""Make a folder from which a class installs and runs everything offline.

python book/kit.py                 make _build/workshop-kit (0.7 GB with torch for CPUs)
python book/kit.py --try-it        then install from it and run chapters 1 to 3 with the network cut off (Linux)

Wheels fit the kind of computer that fetched them. Run this on each kind of computer in the class, with --into
naming the same folder: existing wheels stay.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from environment import EXTRAS, TORCH_FOR_CPU, can_reach

ROOT = Path(__file__).resolve().parents[1]
_README = """The Cross-Lingual Alignment Book, for use offline
=================================================

To read: open site/index.html in a browser.

To run (Python {python}; copy this folder to the disk first):

  Linux, macOS:  sh install.sh
  Windows:       install.bat

Then, in the folder book:

  ../venv/bin/jupyter lab                    (Windows: ..\\venv\\Scripts\\jupyter lab)
  ../venv/bin/xl run 1 -p models=use-multilingual-v3
"""
_INSTALL = {
    "install.sh": '#!/bin/sh\nset -e\ncd "$(dirname "$0")"\n'
    '"${{PYTHON:-python3}}" -m venv venv\n'
    "venv/bin/python -m pip install --quiet --no-index --find-links wheels uv\n"
    'venv/bin/uv pip install --python venv/bin/python --no-index --find-links wheels "xlutils[{extras}]"\n'
    "venv/bin/xl doctor\n",
    "install.bat": "cd /d %~dp0\r\npy -{python} -m venv venv\r\n"
    "venv\\Scripts\\python -m pip install --quiet --no-index --find-links wheels uv\r\n"
    "venv\\Scripts\\uv pip install --python venv\\Scripts\\python.exe --no-index --find-links wheels "
    '"xlutils[{extras}]"\r\n'
    "venv\\Scripts\\xl doctor\r\n",
}


def main() -> None:
    """Make the kit, and try it if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", type=Path, default=ROOT / "_build/workshop-kit", help="folder of the kit")
    parser.add_argument("--try-it", action="store_true", help="install from it and run chapters 1 to 3")
    options = parser.parse_args()
    kit = options.into.resolve()
    copy_book(kit)
    fetch_wheels(kit / "wheels")
    write_instructions(kit)
    if options.try_it:
        try_kit(kit)
    size = sum(path.stat().st_size for path in kit.rglob("*") if path.is_file())
    print(f"the kit is in {kit}: {size / 1e9:.1f} GB")


def copy_book(kit: Path) -> None:
    """Copy the tracked files of the project, and the site.

    :raises SystemExit: If the site was not built.
    """
    site = ROOT / "_build/html"
    if not site.exists():
        raise SystemExit("build the book first: make book")
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, tracked.decode().split("\0")):
        target = kit / "book" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    shutil.copytree(site, kit / "site", dirs_exist_ok=True)


def fetch_wheels(folder: Path) -> None:
    """Fetch the wheels of every package in the tested versions, and build those that exist only as source.

    With pip, because uv cannot download a package without installing it.
    """
    constraints = ROOT / "constraints.txt"
    fetch = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "wheel",
        "--quiet",
        "--wheel-dir",
        str(folder),
        "--find-links",
        str(folder),
        "--constraint",
        str(constraints),
    ]
    torch = next(line for line in constraints.read_text(encoding="utf-8").split() if line.startswith("torch=="))
    index = os.environ.get("TORCH_INDEX") or (TORCH_FOR_CPU if can_reach(TORCH_FOR_CPU) else "")
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("xlutils-*"):
        old.unlink()
    subprocess.run([*fetch, *(["--index-url", index] if index else []), torch], check=True)
    subprocess.run([*fetch, f"{ROOT}[{EXTRAS['book']}]", "uv"], check=True)


def write_instructions(kit: Path) -> None:
    """Write the instructions, as a text and as two scripts."""
    facts = {"python": f"{sys.version_info.major}.{sys.version_info.minor}", "extras": EXTRAS["book"]}
    (kit / "README.txt").write_text(_README.format(**facts), encoding="utf-8")
    for name, text in _INSTALL.items():
        (kit / name).write_bytes(text.format(**facts).encode())


def try_kit(kit: Path) -> None:
    """Install from a copy of the kit and run chapters 1 to 3 with the network cut off."""
    chapters = " && ".join(f"../venv/bin/xl run {number}" for number in (1, 2, 3))
    steps = f"ip link set lo up && sh install.sh && cd book && {chapters}"
    with tempfile.TemporaryDirectory() as folder:
        for name in ("book", "install.sh"):
            source = kit / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, Path(folder, name))
        Path(folder, "wheels").symlink_to(kit / "wheels")
        clean = {"PATH": os.environ["PATH"], "HOME": folder, "XL_CACHE": f"{folder}/cache", "PIP_NO_INDEX": "1"}
        alone = ["unshare", "--map-root-user", "--net", "sh", "-ec", steps]
        subprocess.run(alone, cwd=folder, env=clean, check=True)


if __name__ == "__main__":
    main()
