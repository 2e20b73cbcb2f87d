"""Notebooks run once, and again when something that they depend on has changed."""

import base64
import io

import execute
import nbformat
import numpy as np
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image

from xlutils import plots

pytestmark = pytest.mark.slow


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.setattr(execute, "KEPT", tmp_path / "kept")

    def write(*sources):
        path = tmp_path / "page.ipynb"
        metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        cells = [new_code_cell(source, id=f"cell-{n}") for n, source in enumerate(sources)]
        nbformat.write(new_notebook(cells=cells, metadata=metadata), path)
        return path

    return write


def test_a_notebook_runs_once_and_again_when_it_changes(write, tmp_path):
    target, runs = tmp_path / "stage/page.ipynb", f"open({str(tmp_path / 'runs')!r}, 'a').write('x')"
    for source, shown, is_run, ran in (
        ("1 + 1", "2", True, "x"),
        ("1 + 1", "2", False, "x"),
        ("1 + 2", "3", True, "xx"),
    ):
        target.unlink(missing_ok=True)
        assert execute.place_executed(write(runs, source), target) == is_run
        (output,) = nbformat.read(target, as_version=4).cells[-1].outputs
        assert output["data"]["text/plain"] == shown
        assert (tmp_path / "runs").read_text() == ran
    assert len(list((tmp_path / "kept").iterdir())) == 1
    for trace in ("papermill", "start_time"):
        assert trace not in target.read_text()


def test_code_that_does_not_teach_is_folded_on_pages():
    sources = {
        "import pandas as pd": True,
        "table.round(2)": True,
        "plots.matrices(array @ array.T)": True,
        "def measure(name):\n    return load_model(name)": True,
        "cosine = vectors @ vectors.T": False,
        "def unit(v):\n    return v / norm(v)": False,
        "share = found / k\nassert share == package": False,
    }
    cells = [new_code_cell(source) for source in sources]
    parameters = new_code_cell("seed: int = 42  # seed", metadata={"tags": ["parameters"]})
    notebook = new_notebook(cells=[*cells, parameters])
    execute.fold_code(notebook)
    assert ["hide-input" in cell.metadata.get("tags", []) for cell in cells] == list(sources.values())
    assert parameters.metadata["tags"] == ["parameters"]


def test_the_fingerprint_covers_everything_that_outputs_depend_on(write, monkeypatch, tmp_path):
    path = write("1")
    before = execute.fingerprint(path)
    assert execute.fingerprint(path) == before
    monkeypatch.setenv("XL_DATA", "elsewhere")
    assert execute.fingerprint(path) != before
    monkeypatch.delenv("XL_DATA")
    assert {"xlutils/models/store.py", "xlutils/datasets/builtin/lexicons/everyday.csv"} <= {
        path.relative_to(execute.ROOT).as_posix() for path in execute.inputs()
    }
    names = {entry.split("==")[0] for entry in execute.versions()}
    assert {"torch", "phate"} <= names
    assert not {"pytest", "ruff"} & names  # so that `make test` takes the notebooks that `make book` ran
    monkeypatch.setattr(execute, "ROOT", tmp_path)
    (tmp_path / "xlutils/models").mkdir(parents=True)
    (tmp_path / "xlutils/models/store.py").write_text("one")
    one = execute.fingerprint(path)
    (tmp_path / "xlutils/models/store.py").write_text("two")
    assert execute.fingerprint(path) not in (one, before)


@pytest.mark.parametrize(
    ("source", "says"),
    [("1 / 0", "ZeroDivisionError"), ("import sys; print('beware', file=sys.stderr)", "error stream.*beware")],
)
def test_a_notebook_with_an_error_or_a_warning_is_refused_and_not_kept(write, tmp_path, source, says):
    with pytest.raises(SystemExit, match=says):
        execute.place_executed(write(source), tmp_path / "stage/page.ipynb")
    assert not list(tmp_path.glob("kept/*.ipynb"))


def test_a_figure_gets_smaller_and_looks_the_same():
    table = pd.DataFrame({"value": [1.0, 2], "low": [0.5, 1], "high": [2.0, 3]}, index=["one", "other"])
    file = io.BytesIO()
    plots.change_panels({"a": table, "b": table}, "What?").savefig(file, format="png")
    before = Image.open(file).convert("RGB")
    data = base64.b64decode(execute.smaller(base64.b64encode(file.getvalue()).decode()))
    after = Image.open(io.BytesIO(data)).convert("RGB")
    assert len(data) < len(file.getvalue()) / 2
    assert after.size == before.size
    assert np.abs(np.asarray(before, int) - np.asarray(after, int)).max() < 16
