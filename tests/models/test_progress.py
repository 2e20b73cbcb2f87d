import sys

import pytest

from xlutils.models import progress as module
from xlutils.models.progress import progress


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a loop, and return what it wrote to stderr."""

    def run(is_terminal=True, delay=0):
        monkeypatch.setattr(module, "_DELAY_SECONDS", delay)
        monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal)
        with progress(10, "encoding") as advance:
            for _ in range(5):
                advance(2)
        return capsys.readouterr().err

    return run


def test_a_terminal_sees_the_bar_and_keeps_nothing_of_it(run):
    lines = run().split("\r")
    assert any("encoding" in line and "/10" in line for line in lines)
    assert lines[-1] == ""
    assert not lines[-2].strip()


def test_a_file_sees_nothing(run):
    assert run(is_terminal=False) == ""


def test_it_can_be_turned_off(run, monkeypatch):
    monkeypatch.setenv("XL_PROGRESS", "0")
    assert run() == ""


def test_quick_work_shows_no_bar(run):
    assert run(delay=60) == ""
