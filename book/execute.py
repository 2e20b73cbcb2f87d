"""Run the notebooks of the book with papermill, or reuse the copy of an earlier run if nothing has changed."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import os
import platform
import re
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import nbformat
from environment import EXTRAS
from packaging.requirements import Requirement
from PIL import Image

from xlutils.runs.execute import execute

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "_build/executed"
_INPUTS = ("xlutils", "book/records", "constraints.txt")  # what the outputs of a notebook depend on
_ENVIRONMENT = ("XL_DATA", "XL_TRUST_REMOTE_CODE", "HF_ENDPOINT")
_DECIDED = {"parameters", "hide-input", "remove-input"}  # tags of cells whose code is shown or hidden by choice
_FOREIGN_METADATA = ("papermill", "execution", "widgets")


def kept_copy(notebook: Path) -> Path:
    """Return the path of the executed copy of a notebook; it exists if nothing has changed since the last run."""
    return KEPT / f"{notebook.stem}-{fingerprint(notebook)}.ipynb"


def place_executed(notebook: Path, target: Path, threads: int | None = None) -> bool:
    """Put the executed copy of a notebook in its place.

    :param notebook: The notebook.
    :param target: Path of its executed copy.
    :param threads: Cores that it may use; None for all.
    :return: Whether it had to be run.
    :raises SystemExit: If a cell fails or writes to the error stream.
    """
    kept = kept_copy(notebook)
    is_new = not kept.exists()
    if is_new:
        run_notebook(notebook, kept, threads)
        for old in set(KEPT.glob(f"{notebook.stem}-*.ipynb")) - {kept}:
            old.unlink()
    target.parent.mkdir(parents=True, exist_ok=True)
    notebook = nbformat.read(kept, as_version=4)
    fold_code(notebook)
    nbformat.write(notebook, target)
    return is_new


def fold_code(notebook: Any) -> None:
    """Let a page show the code of imports, tables and figures on a click; JupyterLab shows it as ever.

    Cells that teach stay open: parameters, assertions, functions, and products of matrices.
    """
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        is_set = bool(_DECIDED & set(tags))
        if cell.cell_type == "code" and not is_set and not teaches(cell.source):
            cell.metadata["tags"] = [*tags, "hide-input"]


def teaches(source: str) -> bool:
    """Return whether a cell does arithmetic by hand."""
    has_function = re.search(r"(?m)^def ", source) and "load_model(" not in source
    has_product = " @ " in source and "plots." not in source
    return bool("assert " in source or has_function or has_product)


def fingerprint(notebook: Path) -> str:
    """Return a hash of everything its outputs depend on: the notebook, package, records and installed versions."""
    known = hashlib.sha256(notebook.read_bytes())
    for path in inputs():
        known.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    settings = [f"{name}={os.environ.get(name, '')}" for name in _ENVIRONMENT]
    known.update("\0".join([platform.python_version(), platform.machine(), *versions(), *settings]).encode())
    return known.hexdigest()[:16]


def versions() -> list[str]:
    """List the installed packages that the book asks for; what only tests need changes no output."""
    wanted = {}
    for line in requires("xlutils") or ():
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in EXTRAS["book"].split(",")):
            wanted[requirement.name] = ""
    for name in wanted:
        with contextlib.suppress(PackageNotFoundError):
            wanted[name] = version(name)
    return sorted(f"{name}=={number}" for name, number in wanted.items())


def inputs() -> Iterator[Path]:
    """Yield the files of the package and the records, in a fixed order."""
    for name in _INPUTS:
        files = [ROOT / name, *(ROOT / name).rglob("*")]  # a file has nothing below it
        yield from sorted(path for path in files if path.is_file() and "__pycache__" not in path.parts)


def smaller(image: str) -> str:
    """Return a figure with at most 256 colours, which are enough for a chart and take a third of the bytes.

    :param image: A PNG in base64.
    """
    data, file = base64.b64decode(image), io.BytesIO()
    few = Image.open(io.BytesIO(data)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    few.save(file, "PNG", optimize=True)
    return base64.b64encode(min(data, file.getvalue(), key=len)).decode()


def run_notebook(source: Path, target: Path, threads: int | None = None) -> None:
    """Run a notebook with its defaults and write a copy with outputs and without traces of this machine."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder, source.name)
        outcome = execute(source, raw, {}, threads=threads)
        if outcome.code:
            raise SystemExit(f"{source.name}: {outcome.reason}")
        notebook = nbformat.read(raw, as_version=4)
    for item in (notebook, *notebook.cells):
        for name in _FOREIGN_METADATA:
            item.metadata.pop(name, None)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            data.pop("application/vnd.plotly.v1+json", None)  # needed only by JupyterLab; pages have HTML
            if "image/png" in data:
                data["image/png"] = smaller(data["image/png"])
            if output.output_type == "stream" and output.name == "stderr":
                raise SystemExit(
                    f"{source.name} wrote to the error stream, which must not appear on a page: {output.text[:200]}"
                )
    part = target.with_suffix(".part")  # so that an interrupted run leaves no half-written copy
    nbformat.write(notebook, part)
    part.replace(target)
