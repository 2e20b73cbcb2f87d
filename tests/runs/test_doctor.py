from types import SimpleNamespace

import psutil
import pytest
from click.testing import CliRunner

from xlutils.cli import main
from xlutils.runs import doctor


@pytest.fixture
def machine(monkeypatch):
    """Say how many GB of disk are free and how much memory there is, whatever this machine has."""

    def has(free: float, memory: float) -> None:
        monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: SimpleNamespace(free=free * 1e9))
        monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=memory * 1e9))

    return has


def test_it_looks_at_everything(monkeypatch, machine):
    machine(free=100, memory=16)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret-key")
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 0, result.output
    for what in ("packages", "hub", "GPU", "data", "fonts", "disk", "memory"):
        assert f" {what} " in result.output
    assert "use-multilingual-v3 gives vectors of 512 numbers" in result.output
    assert "OPENAI_API_KEY is set" in result.output
    assert "secret" not in result.output


def test_what_is_missing_is_named_with_its_cure(monkeypatch, tmp_path):
    find = doctor.importlib.util.find_spec
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: None if name == "phate" else find(name))
    monkeypatch.setenv("XL_DATA", str(tmp_path / "nowhere"))
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 1
    assert "no  packages  no phate: pip install 'xlutils[maps]'" in result.output
    assert "nowhere, which is no folder" in result.output
    assert "what is marked 'no' is needed" in result.output


@pytest.mark.parametrize(("free", "memory"), [(100, 16), (0.5, 16), (100, 2), (0.5, 2)])
def test_space(machine, free, memory):
    machine(free, memory)
    disk, ram = doctor._space()
    assert (disk.works, ram.works) == (free > 1, memory > 6)
    assert ("XL_CACHE" in disk.says) != disk.works
    assert ("are wanted" in ram.says) != ram.works
