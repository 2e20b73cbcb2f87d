"""Create the environment: Python packages in the versions of constraints.txt, installed by uv.

python book/environment.py               packages for the book, into .venv (`make book`)
python book/environment.py --tests       also the packages for the tests (`make test`)
python book/environment.py --here        into the active environment (conda, Binder)

It runs before anything is installed, so it uses only the standard library.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".venv"
EXTRAS = {"book": "bundled,train,cluster,maps,book", "tests": "all"}  # the second includes the first
_VERSIONS = (3, 11), (3, 13)
TORCH_FOR_CPU = "https://download.pytorch.org/whl/cpu/"
_PATIENCE = 5  # seconds to wait for a server
_GIGABYTES = {False: 4, True: 8}  # of disk, without and with CUDA


def main() -> None:
    """Create the environment, unless it exists and is up to date."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tests", action="store_true", help="also install what the tests need")
    parser.add_argument("--here", action="store_true", help="install into the active environment")
    options = parser.parse_args()
    check_python(sys.version_info[:2])
    kind = "tests" if options.tests else "book"
    if options.here:
        install(find_uv() or uv_by_pip(Path(sys.executable)), Path(sys.executable), EXTRAS[kind])
        return
    with alone(ROOT / "_build"):
        if not is_ready(FOLDER, kind):
            started = time.monotonic()
            make(FOLDER, kind)
            print(f"environment: {time.monotonic() - started:.0f} s", flush=True)


def check_python(version: Sequence[int]) -> None:
    """Refuse a Python that the versions in constraints.txt do not support."""
    if not _VERSIONS[0] <= tuple(version) <= _VERSIONS[1]:
        raise SystemExit(
            f"this needs Python 3.11, 3.12 or 3.13, and this is {version[0]}.{version[1]}; "
            "name another one: make book PYTHON=python3.12"
        )


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Lock a folder against other builds; the lock ends with the process that holds it.

    :raises SystemExit: If another process holds the lock.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        try:
            _lock(file.fileno())
        except OSError:
            raise SystemExit(f"another make is at work in {folder.parent}; wait until it has ended") from None
        yield


def _lock(handle: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_ready(folder: Path, kind: str) -> bool:
    """Return whether the environment is complete for this kind, in the current versions."""
    try:
        done, state = (folder / ".ready").read_text(encoding="utf-8").split()
    except (OSError, ValueError):
        return False
    return state == _state() and done in (kind, "tests")


def _state() -> str:
    files = (ROOT / "pyproject.toml", ROOT / "constraints.txt")
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:16]


def make(folder: Path, kind: str) -> None:
    """Create the environment in a folder and mark it as ready once it is complete."""
    ready = folder / ".ready"
    if not ready.exists():  # missing or left incomplete by an interrupted run
        shutil.rmtree(folder, ignore_errors=True)
        check_disk(folder.parent)
    ready.unlink(missing_ok=True)
    python, uv = python_in(folder), find_uv()
    if not python.exists():
        command = [uv, "venv", "--quiet", "--python", sys.executable] if uv else [sys.executable, "-m", "venv"]
        run([*command, str(folder)], "cannot create an environment: install uv, or the venv module of this Python")
    install(uv or uv_by_pip(python), python, EXTRAS[kind])
    ready.write_text(f"{kind} {_state()}\n", encoding="utf-8")


def python_in(folder: Path) -> Path:
    """Return the path of the interpreter in an environment."""
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def check_disk(folder: Path) -> None:
    """Refuse a disk that is too small."""
    wanted, free = _GIGABYTES[_brings_cuda()], shutil.disk_usage(folder).free / 1e9
    if free < wanted:
        raise SystemExit(f"this needs {wanted} GB, and the disk of {folder} has {free:.1f} GB left; free some first")


def _brings_cuda() -> bool:
    """Return whether the default torch, with CUDA, will be installed."""
    chosen = os.environ.get("TORCH_INDEX") or torch_options()
    return sys.platform == "linux" and platform.machine() == "x86_64" and not chosen


def find_uv() -> str:
    """Return the path of uv; empty if it is not installed."""
    return shutil.which("uv") or ""


def uv_by_pip(python: Path) -> str:
    """Install uv with the pip of an environment and return its path."""
    uv = python.with_name("uv.exe" if sys.platform == "win32" else "uv")
    if not uv.exists():
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv"]
        run(command, "neither uv nor pip is here to install with; install uv")
    return str(uv)


def install(uv: str, python: Path, extras: str) -> None:
    """Install the project and its packages."""
    print(f"Installing for Python {platform.python_version()} with uv, about a minute", flush=True)
    base = [uv, "pip", "install", "--python", str(python)] + ([] if sys.stderr.isatty() else ["--quiet"])
    constraints = ROOT / "constraints.txt"
    torch_index, index = os.environ.get("TORCH_INDEX"), package_index()
    if torch_index:
        torch = next(line for line in constraints.read_text(encoding="utf-8").split() if line.startswith("torch=="))
        run([*base, "--default-index", torch_index, torch], f"cannot install torch from TORCH_INDEX, {torch_index}")
    project = [*base, "--default-index", index, *torch_options()]
    project += ["--constraint", str(constraints), "--editable", f"{ROOT}[{extras}]"]
    advice = "check the network, and HTTPS_PROXY if there is a proxy"
    if can_reach(index):
        run(project, f"not all packages could be installed from {index}; {advice}")
    else:  # a second environment on the same machine needs no network
        run([*project, "--offline"], f"{index} cannot be reached, and not all packages are in uv's cache; {advice}")


def torch_options() -> list[str]:
    """Return the options that choose a build of torch: from its own index, without CUDA if there is no GPU."""
    if os.environ.get("TORCH_INDEX") or sys.platform == "darwin" or not can_reach(TORCH_FOR_CPU):
        return []
    return ["--torch-backend", os.environ.get("UV_TORCH_BACKEND", "auto")]


def package_index() -> str:
    """Return the address of the package index that uv uses."""
    names = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
    return next((os.environ[name] for name in names if os.environ.get(name)), "https://pypi.org/simple")


@cache
def can_reach(address: str) -> bool:
    """Return whether a server answers within a few seconds, through the proxies of the environment."""
    answered = []

    def ask() -> None:
        try:
            urllib.request.build_opener().open(address, timeout=_PATIENCE).close()
        except urllib.error.HTTPError:
            pass  # an answer is an answer
        except (OSError, ValueError):
            return
        answered.append(True)

    thread = threading.Thread(target=ask, daemon=True)  # because a DNS look-up has no time-out
    thread.start()
    thread.join(_PATIENCE)
    return bool(answered)


def run(command: Sequence[str], otherwise: str) -> None:
    """Run a command; if it fails, exit with one line: what to do, and the last line that the command wrote."""
    result = subprocess.run(command, stderr=None if sys.stderr.isatty() else subprocess.PIPE, text=True, check=False)
    if result.returncode:
        lines = [line.strip() for line in (result.stderr or "").splitlines() if line.strip()]
        raise SystemExit(": ".join([otherwise, *lines[-1:]]))


if __name__ == "__main__":
    main()
