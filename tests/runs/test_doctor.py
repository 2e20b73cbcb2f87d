import importlib.util
from itertools import takewhile
from types import SimpleNamespace

import psutil
import pytest
from click.testing import CliRunner

from xlutils.cli import main
from xlutils.runs import doctor


def quick_findings():
    """The checks that take no model and no network."""
    return list(takewhile(lambda finding: finding.what != "hub", doctor.examine()))


@pytest.mark.slow
def test_it_checks_everything_and_shows_no_key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret-key")
    result = CliRunner().invoke(main, ["doctor"])
    for what in ("packages", "key", "hub", "GPU", "data", "fonts", "disk", "memory"):
        assert f" {what} " in result.output
    assert "use-multilingual-v3 gives vectors of 512 numbers" in result.output
    assert "OPENAI_API_KEY is set" in result.output
    assert "secret" not in result.output


def test_what_is_missing_is_named_with_its_cure(monkeypatch, tmp_path):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "phate" else find(name))
    monkeypatch.setenv("XL_DATA", str(tmp_path / "nowhere"))
    findings = {finding.what: finding for finding in quick_findings()}
    assert findings["packages"].says == "no phate: pip install 'xlutils[maps]'"
    assert findings["packages"].is_needed
    assert findings["data"].says.endswith("nowhere, which is not a folder")


@pytest.mark.parametrize(("free", "memory"), [(100, 16), (0.5, 16), (100, 2), (0.5, 2)])
def test_too_little_space_is_named(monkeypatch, free, memory):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: SimpleNamespace(free=free * 1e9))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=memory * 1e9))
    findings = {finding.what: finding for finding in quick_findings()}
    assert findings["disk"].works == (free > 1)
    assert ("XL_CACHE" in findings["disk"].says) != findings["disk"].works
    assert findings["memory"].works == (memory > 6)
    assert ("are needed" in findings["memory"].says) != findings["memory"].works
