"""Buttons that open the book in Binder or Colab, if the repository is known."""

import re
import sys

import launch
import nbformat
import pytest
from nbformat.v4 import new_markdown_cell, new_notebook

ADDRESS = "https://github.com/someone/book"


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch):
    for name in ("BOOK_REPOSITORY", "GITHUB_REPOSITORY", "GITHUB_SERVER_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("name", "value"), [("BOOK_REPOSITORY", ADDRESS + ".git"), ("GITHUB_REPOSITORY", "someone/book")]
)
def test_buttons_open_the_branch_whose_notebooks_have_the_cell_if_the_repository_is_known(monkeypatch, name, value):
    assert launch.add_buttons({"title": "x"}) == {"title": "x"}
    monkeypatch.setenv(name, value)
    config = launch.add_buttons({})
    assert config["repository"] == {"url": ADDRESS, "branch": "launch", "path_to_book": ""}
    assert set(config["launch_buttons"]) >= {"binderhub_url", "colab_url"}


@pytest.mark.parametrize("address", ["someone/book", "https://github.com/a/b\n!rm -rf /", "https://x.y/a b/c", "-"])
def test_an_invalid_address_is_refused(monkeypatch, address):
    monkeypatch.setenv("BOOK_REPOSITORY", address)
    with pytest.raises(SystemExit, match="not the address of a repository"):
        launch.add_buttons({})


def test_each_notebook_gets_the_cell_once(monkeypatch, tmp_path):
    (tmp_path / "notebooks").mkdir()
    path = tmp_path / "notebooks/page.ipynb"
    nbformat.write(new_notebook(cells=[new_markdown_cell("# Title"), new_markdown_cell("text")]), path)
    monkeypatch.setattr(launch, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["launch.py", ADDRESS])
    for _ in range(2):
        launch.main()
    title, cell, text = nbformat.read(path, as_version=4).cells
    assert (title.source, text.source) == ("# Title", "text")
    assert f"git clone --quiet --depth 1 {ADDRESS} " in cell.source
    python = re.sub(r"(?m)^( +)[!%].*", r"\1raise AssertionError", cell.source)
    assert "raise" in python
    exec(python, {})  # elsewhere than on Colab nothing happens
