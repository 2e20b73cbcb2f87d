import sys

import pytest

from xlutils.models import progress as module
from xlutils.models.progress import progress


@pytest.fixture
def terminal(monkeypatch, capsys):
    monkeypatch.setattr(module, "_DELAY_SECONDS", 0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)


def run():
    with progress(10, "encoding") as advance:
        for _ in range(5):
            advance(2)


def test_a_terminal_sees_the_bar_and_keeps_nothing_of_it(terminal, capsys):
    run()
    lines = capsys.readouterr().err.split("\r")
    assert any("encoding" in line and "/10" in line for line in lines)
    assert lines[-1] == "" and not lines[-2].strip()


def test_a_file_sees_nothing(terminal, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False)
    run()
    assert capsys.readouterr() == ("", "")


def test_it_can_be_turned_off(terminal, monkeypatch, capsys):
    monkeypatch.setenv("XL_PROGRESS", "0")
    run()
    assert capsys.readouterr().err == ""


def test_quick_work_shows_no_bar(terminal, monkeypatch, capsys):
    monkeypatch.setattr(module, "_DELAY_SECONDS", 60)
    run()
    assert capsys.readouterr().err == ""
