"""The environment is created completely or not at all, and a failure gives one clear line."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import environment
import pytest

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = "http://127.0.0.1:9/simple"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project without packages, whose environment needs no network."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "xlutils"\nversion = "0"\n')
    (tmp_path / "constraints.txt").write_text("torch==2.13.0\n")
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "FOLDER", tmp_path / ".venv")
    monkeypatch.setattr(environment, "torch_options", list)
    monkeypatch.setattr(sys, "argv", ["environment.py"])
    return tmp_path


@pytest.fixture
def commands(monkeypatch):
    """The commands that would run; an environment is a folder with an empty file for Python."""
    ran = []

    def run(command, otherwise):
        ran.append([str(part) for part in command])
        if "venv" in command:
            python = environment.python_in(environment.FOLDER)
            python.parent.mkdir(parents=True)
            python.touch()

    monkeypatch.setattr(environment, "run", run)
    monkeypatch.setattr(environment, "find_uv", lambda: "uv")
    monkeypatch.setattr(environment, "can_reach", lambda address: True)
    return ran


def test_the_environment_is_created_once_and_updated_when_a_version_changes(project, commands):
    environment.main()
    environment.main()
    assert [command[1] for command in commands] == ["venv", "pip"]
    (project / "constraints.txt").write_text("torch==2.14.0\n")
    environment.main()
    assert [command[1] for command in commands[2:]] == ["pip"]  # into the existing folder


def test_the_environment_for_the_tests_also_serves_the_book_but_not_vice_versa(project, commands, monkeypatch):
    for options in ([], ["--tests"], []):
        monkeypatch.setattr(sys, "argv", ["environment.py", *options])
        environment.main()
    installed = [command[-1].partition("[")[2] for command in commands if command[1] == "pip"]
    assert installed == ["bundled,train,cluster,maps,book]", "all]"]


def test_an_interrupted_installation_starts_again(project, commands, monkeypatch):
    def stop(uv, python, extras):
        raise SystemExit("stopped")

    with monkeypatch.context() as patch, pytest.raises(SystemExit, match="stopped"):
        patch.setattr(environment, "install", stop)
        environment.main()
    half = project / ".venv/half"
    half.touch()
    environment.main()
    assert not half.exists()
    assert environment.is_ready(project / ".venv", "book")


def test_torch_comes_from_the_index_that_is_named(project, commands, monkeypatch):
    monkeypatch.setenv("TORCH_INDEX", "https://example.org/cpu")
    environment.main()
    assert commands[1][-3:] == ["--default-index", "https://example.org/cpu", "torch==2.13.0"]


@pytest.mark.parametrize(("is_reached", "options"), [(True, ["--torch-backend", "auto"]), (False, [])])
def test_torch_comes_without_cuda_if_its_index_can_be_reached(monkeypatch, is_reached, options):
    for name in ("TORCH_INDEX", "UV_TORCH_BACKEND"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(environment, "can_reach", lambda address: is_reached)
    assert environment.torch_options() == options


@pytest.mark.parametrize("version", [(3, 10), (3, 14)])
def test_an_unsupported_python_is_refused(version):
    with pytest.raises(SystemExit, match=rf"needs Python 3\.11, 3\.12 or 3\.13, and this is 3\.{version[1]}; name"):
        environment.check_python(version)


def test_a_full_disk_is_refused(project, commands, monkeypatch):
    usage = shutil.disk_usage(project)._replace(free=2 * 10**9)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(SystemExit, match=r"this needs \d GB, and the disk of .* has 2\.0 GB left; free some first"):
        environment.main()
    assert not commands


def test_a_second_make_is_refused_while_the_first_is_running(project, commands):
    with environment.alone(project / "_build"):
        script = "from pathlib import Path; import environment, sys\nwith environment.alone(Path(sys.argv[1])): pass"
        command = [sys.executable, "-c", script, str(project / "_build")]
        result = subprocess.run(command, cwd=ROOT / "book", capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.strip() == f"another make is at work in {project}; wait until it has ended"
    with environment.alone(project / "_build"):
        pass


@pytest.mark.parametrize("settings", [{"UV_DEFAULT_INDEX": NOWHERE}, {"HTTPS_PROXY": "http://127.0.0.1:9"}])
def test_without_a_network_the_error_is_one_line(project, monkeypatch, settings):
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if not uv:
        pytest.skip("no uv in this environment")
    monkeypatch.setattr(environment, "find_uv", lambda: uv)
    monkeypatch.setattr(environment, "check_disk", lambda folder: None)
    for name in os.environ:
        if re.search("(?i)_INDEX|_proxy$", name):
            monkeypatch.delenv(name)
    for name, value in {"UV_CACHE_DIR": str(project / "cache"), **settings}.items():
        monkeypatch.setenv(name, value)
    (project / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    monkeypatch.setattr(environment, "can_reach", environment.can_reach.__wrapped__)  # asks again
    with pytest.raises(SystemExit) as caught:
        environment.main()
    assert "cannot be reached, and not all packages are in uv's cache; check the network" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (project / ".venv/.ready").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for Python is a shell script")
def test_without_uv_and_pip_the_error_is_one_line(tmp_path, monkeypatch):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'No module named pip' >&2\nexit 1\n")
    python.chmod(0o755)
    with pytest.raises(SystemExit, match="neither uv nor pip is here to install with; install uv: No module named pip"):
        environment.uv_by_pip(python)
