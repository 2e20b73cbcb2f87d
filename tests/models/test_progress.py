import sys

import pytest

from xlutils.models import progress as module
from xlutils.models.progress import progress


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(module, "_DELAY_SECONDS", -1)
    monkeypatch.setattr(module, "_PERIOD_SECONDS", -1)


def run():
    with progress(10, "encoding") as advance:
        for _ in range(5):
            advance(2)


def test_a_terminal_sees_it_and_the_line_is_wiped(impatient, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    run()
    lines = capsys.readouterr().err.split("\r\033[K")
    assert "encoding: 2 of 10" in lines[1]
    assert lines[-1] == ""


def test_a_file_sees_nothing(impatient, capsys):
    run()
    assert capsys.readouterr() == ("", "")


def test_it_can_be_turned_off(impatient, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("XL_PROGRESS", "0")
    run()
    assert capsys.readouterr().err == ""


def test_quick_work_shows_none(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    run()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("/usr/bin/python /usr/bin/jupyter-lab", True),
        ("python -m papermill in.ipynb out.ipynb", False),
        ("python -m jupyter nbconvert --execute x.ipynb", False),
        ("python -m pytest", False),
    ],
)
def test_only_an_open_notebook_shows_it(monkeypatch, command, shown):
    import psutil

    class Parent:
        def parent(self):
            return self

        def cmdline(self):
            return command.split()

    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    monkeypatch.setattr(psutil, "Process", Parent)
    assert module._in_open_notebook() is shown


def test_in_a_notebook_the_line_is_rewritten_and_ends_empty(impatient, monkeypatch):
    shown = []

    class Handle:
        def update(self, content):
            shown.append(content.data)

    def display(content, display_id):
        shown.append(content.data)
        return Handle()

    monkeypatch.setattr(module, "_in_open_notebook", lambda: True)
    monkeypatch.setattr("IPython.display.display", display)
    run()
    assert "2 of 10" in shown[0]
    assert shown[-1] == ""
