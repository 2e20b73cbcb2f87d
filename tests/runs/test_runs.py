import json
import subprocess
import sys

import nbformat
import pytest
from click.testing import CliRunner

from xlutils.cli import main
from xlutils.errors import XlError
from xlutils.runs import execute as runs


@pytest.mark.parametrize("name", ["2", "02", "02_semantic_affinity", "notebooks/02_semantic_affinity.ipynb"])
def test_a_chapter_has_several_names(name, monkeypatch):
    monkeypatch.chdir(runs.find_chapter("2").parents[1])
    assert runs.find_chapter(name).stem == "02_semantic_affinity"


@pytest.mark.parametrize("name", ["99", "two", "missing.ipynb"])
def test_a_chapter_that_is_not_there(name):
    with pytest.raises(XlError, match=r"unknown chapter|there is no notebook missing.ipynb"):
        runs.find_chapter(name)


@pytest.mark.parametrize("stem", list(runs.SCHEMAS))
def test_the_defaults_of_every_notebook_pass_its_schema(stem):
    notebook = runs.find_chapter(stem)
    standard = runs.defaults(notebook)
    assert set(standard) == set(runs.SCHEMAS[stem].model_fields)
    assert runs.check(notebook, {}) == standard


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["2", "-p", "modles=LaBSE"], "unknown parameter 'modles'; did you mean models"),
        (["2", "-p", "seed=abc"], "parameter seed: input should be a valid integer (got 'abc')"),
        (["2", "-p", "models"], "-p models: give KEY=VALUE"),
        (["3", "-p", "k=2.5"], "parameter k: input should be a valid integer"),
        (["4", "-p", "epochs=many"], "parameter epochs: input should be a valid number"),
        (["99"], "unknown chapter '99'"),
    ],
)
def test_what_is_wrong_is_said_before_anything_starts(arguments, message, monkeypatch):
    monkeypatch.setattr(runs, "execute", lambda *_, **__: pytest.fail("a kernel was started"))
    result = CliRunner().invoke(main, ["run", *arguments])
    assert result.exit_code == 1
    assert message in result.output
    assert len(result.output.splitlines()) == 1


def test_numbers_are_read_as_the_default_is():
    known = {"k": 10, "rate": 0.1, "name": "x"}
    values = runs.parse({"k": "3", "rate": "2e-5", "name": "7", "new": "1"}, known)
    assert values == {"k": 3, "rate": 2e-5, "name": "7", "new": "1"}


def write_notebook(path, *sources):
    """A notebook whose first cell holds the parameters."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    notebook.cells[0].metadata["tags"] = ["parameters"]
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)


@pytest.mark.slow
def test_a_run_gets_its_parameters_and_leaves_its_notebook(tmp_path):
    write_notebook(tmp_path / "small.ipynb", "k: int = 1  # a number", "print('k is', k + 1)")
    out = tmp_path / "deep"  # a folder; a name that ends in .ipynb would be that of the file
    result = CliRunner().invoke(main, ["run", str(tmp_path / "small.ipynb"), "-p", "k=41", "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "k is 42" in (out / "small.ipynb").read_text(encoding="utf-8")
    assert [path.name for path in out.iterdir()] == ["small.ipynb"]


@pytest.mark.slow
def test_a_key_that_a_notebook_prints_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("SOME_API_KEY", 'sk-1234567890"quoted')
    monkeypatch.setenv("SOME_TOKEN", "short")
    key = "os.environ['SOME_API_KEY']"
    write_notebook(
        tmp_path / "leak.ipynb", "import os", f"print({key}, 'short')", f"raise ValueError('refused ' + {key})"
    )
    outcome = runs.execute(tmp_path / "leak.ipynb", tmp_path / "out.ipynb", {})
    assert outcome.code != 0
    assert outcome.reason == "ValueError: refused ***oted"  # the end says which key it was
    text = (tmp_path / "out.ipynb").read_text(encoding="utf-8")
    assert "1234567890" not in text
    assert "***oted short" in text
    nbformat.validate(json.loads(text))


@pytest.mark.slow
def test_a_kernel_that_dies_is_named(tmp_path):
    write_notebook(tmp_path / "dies.ipynb", "import os", "os._exit(1)")
    outcome = runs.execute(tmp_path / "dies.ipynb", tmp_path / "out.ipynb", {})
    assert outcome.code != 0
    assert "died" in outcome.reason.lower()


def test_nothing_slow_is_loaded_to_check_parameters():
    code = (
        "import sys; from xlutils.runs import execute as runs; runs.check(runs.find_chapter('2'), {}); "
        "print([name for name in ('torch', 'pandas', 'papermill') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
