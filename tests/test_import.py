import subprocess
import sys
from pathlib import Path

import pytest

import xlutils


@pytest.mark.parametrize(
    ("modules", "unwanted"),
    [
        ("xlutils", "torch faiss matplotlib numpy pandas sklearn"),
        ("xlutils.metrics.alignment, xlutils.metrics.uncertainty", "torch xlutils.models"),
        ("xlutils.results.record", "torch pandas pyarrow"),
    ],
)
def test_an_import_is_light(modules, unwanted):
    code = f"import sys, {modules}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert set(modules.split(", ")) <= set(loaded)
    assert not set(unwanted.split()) & set(loaded)


def test_a_plain_install_imports_everything_examines_the_machine_and_measures_a_model():
    script = Path(__file__).with_name("core_only.py")
    result = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    for extra in ("bundled", "train", "maps", "book"):
        assert f"pip install 'xlutils[{extra}]'" in result.stdout
    assert "metrics of retrieval" in result.stdout
    assert "of affinity" in result.stdout


@pytest.mark.parametrize("name", xlutils.__all__)
def test_every_public_name_is_documented(name):
    public = getattr(xlutils, name)
    assert public.__doc__ or isinstance(public, dict)
