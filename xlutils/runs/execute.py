"""Chapters as runs: parameters checked before a kernel starts, then papermill, then outputs without secrets."""

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

from xlutils.errors import XlError, unknown
from xlutils.runs import parameters

SCHEMAS: dict[str, type[parameters.Checked]] = {
    "00_tour": parameters.TourParameters,
    "01_concept_alignment": parameters.ConceptParameters,
    "02_semantic_affinity": parameters.AffinityParameters,
    "03_mixed_language_retrieval": parameters.RetrievalParameters,
    "04_finetune_alignment": parameters.FinetuneParameters,
    "A_audit_of_published_tables": parameters.AuditParameters,
}
_SECRET = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL)", re.IGNORECASE)
_SHORTEST_SECRET = 8  # characters; a shorter value is more likely a word than a key
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG
THREAD_LIMITS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS")
_FOLDERS = ("records_dir", "save_to")  # parameters whose folders need not be there yet
_LINE = re.compile(r"^(?P<name>\w+): \w+ = (?P<value>.+?)  # ")


def find_chapter(name: str) -> Path:
    """Find a notebook by number, name or path.

    :param name: Such as "2", "A", "02_semantic_affinity" or a path.
    :raises XlError: If there is none.
    """
    if name.endswith(".ipynb"):
        path = Path(name)
        if not path.is_file():
            raise XlError(f"there is no notebook {path.name}; give a chapter, such as 2")
        return path
    numbers = {stem: stem.split("_")[0].removeprefix("0") for stem in SCHEMAS}
    stem = next((stem for stem in SCHEMAS if name in (stem, numbers[stem], f"0{numbers[stem]}")), None)
    if stem is None:
        raise unknown("chapter", name, numbers.values())
    for folder in (Path.cwd() / "notebooks", Path(__file__).resolve().parents[2] / "notebooks"):
        if (folder / f"{stem}.ipynb").is_file():
            return folder / f"{stem}.ipynb"
    raise XlError(f"there is no notebooks/{stem}.ipynb here; run this in a clone of the book")


def defaults(notebook: Path) -> dict[str, Any]:
    """Read the default parameters out of a notebook."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    source = next("".join(cell["source"]) for cell in cells if "parameters" in cell["metadata"].get("tags", []))
    found = (_LINE.match(line) for line in source.splitlines())
    return {each["name"]: ast.literal_eval(each["value"]) for each in found if each}


def parse(pairs: Mapping[str, str], known: Mapping[str, Any]) -> dict[str, Any]:
    """Turn what was typed into values of the type that the default has; what does not fit stays text.

    Paths are relative to where it was typed.

    :param pairs: As typed.
    :param known: The defaults.
    """
    values: dict[str, Any] = {}
    for name, text in pairs.items():
        kind = type(known.get(name, ""))
        try:
            values[name] = kind(text) if kind in (int, float) else _whole_path(name, text)
        except ValueError:
            values[name] = text
    return values


def _whole_path(name: str, text: str) -> str:
    """Make a path absolute, for a run that starts in the folder of the book; leave all other text as it is."""
    is_there = ("/" in text or "." in text) and Path(text).exists()
    return str(Path(text).resolve()) if text and (name in _FOLDERS or is_there) else text


def check(notebook: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Hold parameters against the schema of a notebook, which takes no kernel.

    :param notebook: Path of the notebook.
    :param given: Parameters that differ from the defaults.
    :return: All parameters.
    :raises XlError: Naming the parameter.
    """
    values = {**defaults(notebook), **given}
    schema = SCHEMAS.get(notebook.stem)
    if schema:
        schema.check(values)
    return values


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    :param code: Exit code of papermill; negative if it was killed.
    :param reason: The last error in one line; empty if there was none.
    """

    code: int
    reason: str = ""


def launch() -> None:
    """Be papermill, and end when the process does that started this one: nothing runs on after a killed sweep."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    from papermill.cli import papermill

    papermill()


def execute(
    notebook: Path, target: Path, given: Mapping[str, Any], *, bar: bool = False, threads: int | None = None
) -> Outcome:
    """Run a notebook with papermill in a process of its own; what it wrote is kept, even if it fails.

    :param notebook: Path of the notebook.
    :param target: Where the executed copy goes.
    :param given: Parameters that differ from the defaults.
    :param bar: Show papermill's progress bar.
    :param threads: Most threads that a library may start; None for its own choice.
    """
    target = target.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.ipynb")
    command = [sys.executable, "-c", "from xlutils.runs.execute import launch; launch()", str(notebook.resolve())]
    command += [str(temporary)]
    command += ["--progress-bar" if bar else "--no-progress-bar"]
    for name, value in given.items():
        command += ["-r" if isinstance(value, str) else "-p", name, str(value)]
    environment = {**os.environ, **({name: str(threads) for name in THREAD_LIMITS} if threads else {})}
    result = subprocess.run(  # noqa: S603 - our own interpreter and a notebook that the user named
        command, cwd=notebook.resolve().parent.parent, env=environment, stderr=None if bar else subprocess.PIPE,
        stdout=None if bar else subprocess.DEVNULL, text=True, check=False, errors="replace",
    )  # fmt: skip
    if temporary.exists():
        temporary.write_text(mask(temporary.read_text(encoding="utf-8")), encoding="utf-8")
        temporary.replace(target)
    return Outcome(result.returncode, "" if result.returncode == 0 else mask(_last_error(target, result.stderr or "")))


def mask(text: str) -> str:
    """Replace the values of environment variables that are named like secrets."""
    for name, value in os.environ.items():
        if _SECRET.search(name) and len(value) >= _SHORTEST_SECRET:
            text = text.replace(value, "***").replace(json.dumps(value)[1:-1], "***")
    return text


def _last_error(notebook: Path, log: str) -> str:
    """Find the error of a run: that of the cell that failed, else the last line of the log."""
    if notebook.exists():
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
            for output in cell.get("outputs", []):
                if output["output_type"] == "error":
                    return f"{output['ename']}: {output['evalue']}".splitlines()[0]
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return lines[-1] if lines else "the kernel died without a word"
