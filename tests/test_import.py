import subprocess
import sys

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


@pytest.mark.parametrize("name", xlutils.__all__)
def test_every_public_name_is_documented(name):
    public = getattr(xlutils, name)
    assert public.__doc__ or isinstance(public, dict)
