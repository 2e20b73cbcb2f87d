import os
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from xlutils.cli import main
from xlutils.models import CATALOGUE
from xlutils.models.store import EmbeddingStore


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("XL_CACHE", str(tmp_path / "cache"))

    def invoke(*arguments, **options):
        result = CliRunner().invoke(main, arguments, **options)
        assert result.exit_code == 0, result.output
        return result.output

    return invoke


@pytest.mark.parametrize(
    ("command", "names"),
    [("models", CATALOGUE), ("data", ["everyday", "xquad"])],
)
def test_models_and_data_are_listed(run, command, names):
    output = run(command)
    assert [name for name in names if name not in output] == []


def test_the_cache_is_shown_and_cleared_after_a_question(run, tmp_path):
    assert "0.0 MB" in run("cache")
    EmbeddingStore({"model": "org/one"}).write([f"t{n}" for n in range(1000)], np.ones((1000, 256), np.float32))
    other = tmp_path / "cache/other.txt"
    other.write_text("not ours")
    shown = run("cache")
    assert "org_one-" in shown
    assert "1." in shown
    assert "freed" not in run("cache", "--clear", input="n\n")
    assert list((tmp_path / "cache/embeddings").glob("*.sqlite"))
    assert "freed" in run("cache", "--clear", "--yes")
    assert not (tmp_path / "cache/embeddings").exists()
    assert other.exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("xl lead", ["leaderboard"]),
        ("xl compare LaB", ["LaBSE"]),
        ("xl sweep --models LaBSE,bge", ["LaBSE,bge-m3"]),
        ("xl run ", ["0", "1", "2", "3", "4", "5", "6", "A"]),
    ],
)
def test_the_shell_completes(words, expected):
    place = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" ")), "_XL_COMPLETE": "bash_complete"}
    command = [sys.executable, "-c", "from xlutils.cli import main; main(prog_name='xl')"]
    done = subprocess.run(command, env={**os.environ, **place}, capture_output=True, text=True, check=True)
    assert [line.removeprefix("plain,") for line in done.stdout.splitlines()] == expected
