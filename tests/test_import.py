import subprocess
import sys


def test_import_is_light():
    code = "import sys, xlutils; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "xlutils" in loaded
    assert not {"torch", "faiss", "matplotlib", "numpy", "pandas", "sklearn"} & set(loaded)


def test_every_name_can_be_had():
    import xlutils

    for name in xlutils.__all__:
        assert getattr(xlutils, name).__doc__ or isinstance(getattr(xlutils, name), dict), name


def test_metrics_do_not_import_torch():
    code = "import sys, xlutils.metrics.alignment, xlutils.metrics.uncertainty; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not [name for name in loaded if name == "torch" or name.startswith("xlutils.models")]
