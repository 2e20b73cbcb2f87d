import pytest
from click.testing import CliRunner

from xlutils import doctor
from xlutils.cli import main


def test_it_looks_at_everything(monkeypatch):
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


@pytest.mark.parametrize(("free", "works"), [(1, False), (100, True)])
def test_space(monkeypatch, free, works):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: type("usage", (), {"free": free * 1e9}))
    disk = next(found for found in doctor._space() if found.what == "disk")
    assert disk.works == works
    assert ("XL_CACHE" in disk.says) != works
