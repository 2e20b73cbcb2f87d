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


def test_models_lists_the_catalogue(run):
    output = run("models")
    assert all(name in output for name in CATALOGUE)
    assert "runs code of its repository" in output


def test_data_lists_what_ships(run):
    output = run("data")
    assert "everyday" in output
    assert "xquad" in output


def test_cache_of_nothing(run):
    assert "0.0 MB" in run("cache")


def test_cache_shows_and_clears(run, tmp_path):
    EmbeddingStore({"model": "org/one"}).write([f"t{n}" for n in range(1000)], np.ones((1000, 256), np.float32))
    keep = tmp_path / "cache/other.txt"
    keep.write_text("not ours")
    assert "org_one-" in run("cache")
    assert "1." in run("cache")
    assert "freed" in run("cache", "--clear", "--yes")
    assert not (tmp_path / "cache/embeddings").exists()
    assert keep.exists()


def test_clearing_asks_first(run, tmp_path):
    EmbeddingStore({"model": "org/one"}).write(["t"], np.ones((1, 4), np.float32))
    assert "freed" not in run("cache", "--clear", input="n\n")
    assert list((tmp_path / "cache/embeddings").glob("*.sqlite"))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("xl lead", ["leaderboard"]),
        ("xl compare LaB", ["LaBSE"]),
        ("xl sweep --models LaBSE,bge", ["LaBSE,bge-m3"]),
        ("xl run ", ["0", "1", "2", "3", "4", "A"]),
    ],
)
def test_the_shell_completes(words, expected):
    typed = words.split(" ")
    environment = {
        **os.environ,
        "_XL_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(typed) - 1),
    }
    command = [
        sys.executable,
        "-c",
        "import sys; sys.argv = ['xl']; from xlutils.cli import main; main(prog_name='xl')",
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert [line.removeprefix("plain,") for line in done.stdout.splitlines()] == expected
