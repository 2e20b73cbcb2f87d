"""Chapters as runs: check the parameters, start papermill, remove secrets from the outputs."""

from __future__ import annotations

import ast
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlutils.datasets.text import hide
from xlutils.errors import XlError, unknown
from xlutils.models.weights import absolute
from xlutils.runs.parameters import SCHEMAS

_SECRET = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL)", re.IGNORECASE)
_SHORTEST_SECRET = 8  # characters; a shorter value is more likely a word than a key
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG
_LIBRARIES = ("OMP", "MKL", "OPENBLAS", "NUMBA", "RAYON")  # that read their number of threads from the environment
_FOLDERS = ("records_dir", "save_to")  # parameters that name folders which may not exist yet
_MODELS = ("model", "models", "onto")
_LINE = re.compile(r"^(?P<name>\w+): \w+ = (?P<value>.+?)  # ")
_LAUNCH = "from xlutils.runs.execute import launch; launch()"


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    :param code: Exit code of papermill; negative if it was killed.
    :param reason: The last error in one line; empty if there was none.
    """

    code: int
    reason: str = ""


def find_chapter(name: str) -> Path:
    """Find a notebook.

    :param name: A number, name or path, such as "2", "02_semantic_affinity" or "notebooks/02_semantic_affinity.ipynb".
    :raises XlError: If there is no such notebook.
    """
    if name.endswith(".ipynb"):
        if not Path(name).is_file():
            raise XlError(f"there is no notebook {Path(name).name}; give a chapter, such as 2")
        return Path(name)
    stems = {_number(stem): stem for stem in SCHEMAS}
    stem = next((stem for number, stem in stems.items() if name in (number, number.zfill(2), stem)), None)
    if stem is None:
        raise unknown("chapter", name, stems)
    for folder in (Path.cwd() / "notebooks", Path(__file__).resolve().parents[2] / "notebooks"):
        if (folder / f"{stem}.ipynb").is_file():
            return folder / f"{stem}.ipynb"
    raise XlError(f"there is no notebooks/{stem}.ipynb here; run this in a clone of the book")


def _number(stem: str) -> str:
    """Return the number of a chapter, or the letter of an appendix."""
    return stem.split("_")[0].lstrip("0") or "0"


def defaults(notebook: Path) -> dict[str, Any]:
    """Read the default parameters of a notebook, without papermill, which takes seconds to import."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    source = next("".join(cell["source"]) for cell in cells if "parameters" in cell["metadata"].get("tags", []))
    matches = filter(None, map(_LINE.match, source.splitlines()))
    return {match["name"]: ast.literal_eval(match["value"]) for match in matches}


def parse(pairs: Mapping[str, str], known: Mapping[str, Any]) -> dict[str, Any]:
    """Convert typed text into values of the same type as the defaults; text that does not fit stays text.

    :param pairs: Parameters as typed; paths are relative to the current folder.
    :param known: The defaults.
    """
    values: dict[str, Any] = {}
    for name, text in pairs.items():
        kind = type(known.get(name, ""))
        try:
            values[name] = kind(text) if kind in (int, float) else _whole_paths(name, text)
        except ValueError:
            values[name] = text
    return values


def _whole_paths(name: str, text: str) -> str:
    """Make paths absolute, because runs start in the folder of the book; leave any other text as it is."""
    if name in _FOLDERS:
        return text and str(Path(text).expanduser().resolve())
    if name in _MODELS:
        return text and ",".join(map(absolute, text.split(",")))
    is_path = ("/" in text or "." in text) and Path(text).exists()
    return str(Path(text).resolve()) if is_path else text


def check(notebook: Path, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Check parameters against the schema of a notebook, without starting a kernel.

    :param notebook: Path of the notebook.
    :param changes: Parameters that differ from the defaults.
    :return: All parameters.
    :raises XlError: Naming the parameter.
    """
    values = {**defaults(notebook), **changes}
    if notebook.stem in SCHEMAS:
        SCHEMAS[notebook.stem].check(values)
    return values


def launch() -> None:
    """Run papermill, and end with the parent process, so that nothing runs on after a sweep is killed."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    from papermill.cli import papermill

    papermill()


def execute(
    notebook: Path, target: Path, changes: Mapping[str, Any], *, bar: bool = False, threads: int | None = None
) -> Outcome:
    """Run a notebook with papermill in a separate process; its outputs are kept even if it fails.

    :param notebook: Path of the notebook.
    :param target: Path of the executed copy.
    :param changes: Parameters that differ from the defaults.
    :param bar: Whether to show papermill's progress bar.
    :param threads: Most threads that a library may start; None for the library's own choice.
    """
    target = target.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.ipynb")
    command = [sys.executable, "-c", _LAUNCH, str(notebook.resolve()), str(temporary)]
    command.append("--progress-bar" if bar else "--no-progress-bar")
    for name, value in changes.items():
        command += ["-r" if isinstance(value, str) else "-p", name, str(value)]
    limits = {f"{library}_NUM_THREADS": str(threads) for library in _LIBRARIES} if threads else {}
    result = subprocess.run(  # noqa: S603 - our own interpreter and a notebook that the user named
        command,
        cwd=notebook.resolve().parent.parent,
        env={**os.environ, **limits},
        stderr=None if bar else subprocess.PIPE,
        stdout=None if bar else subprocess.DEVNULL,
        text=True,
        check=False,
        errors="replace",
    )
    if temporary.exists():
        temporary.write_text(mask(temporary.read_text(encoding="utf-8")), encoding="utf-8")
        temporary.replace(target)
    return Outcome(result.returncode, mask(_last_error(target, result.stderr or "")) if result.returncode else "")


def mask(text: str) -> str:
    """Replace the values of environment variables that are named like secrets."""
    for name, value in os.environ.items():
        if _SECRET.search(name) and len(value) >= _SHORTEST_SECRET:
            text = hide(value, text)
    return text


def _last_error(notebook: Path, log: str) -> str:
    """Return the error of the cell that failed, else the last line of the log."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"] if notebook.exists() else []
    for output in (output for cell in cells for output in cell.get("outputs", [])):
        if output["output_type"] == "error":
            return f"{output['ename']}: {output['evalue']}".splitlines()[0]
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return lines[-1] if lines else "the kernel died without an error message"
