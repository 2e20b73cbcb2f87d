"""The script of the recorded training, on a few triples."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from xlutils.datasets import load_parallel
from xlutils.results.record import find_records, read_record

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = ("zh", "es", "de", "ru", "ja")


@pytest.fixture
def data(tmp_path):
    """Debian triples made of a few sentences; ten a language."""
    folder = tmp_path / "data/debian"
    folder.mkdir(parents=True)
    for code in LANGUAGES:
        rows = [
            {"query_en": f"tool {n}", "passage_en": f"A tool for task {n}.", "passage_tgt": f"{code} {n}", "lang": code}
            for n in range(10)
        ]
        text = "\n".join(json.dumps(row) for row in rows)
        (folder / f"train.{code}.jsonl").write_text(text, encoding="utf-8")
    return folder.parent


@pytest.mark.slow
def test_it_records_both_protocols_and_does_nothing_twice(data, tmp_path):
    command = [sys.executable, str(ROOT / "book/train.py"), "--names", "jsd", "--seeds", "7", "--data", "mini",
               "--languages", "zh", "--into", str(tmp_path / "r"), "--checkpoints", str(tmp_path / "c")]  # fmt: skip
    environment = {**os.environ, "XL_DATA": str(data)}

    def run():
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    first = run()
    assert first.returncode == 0, first.stderr[-2000:]
    assert first.stdout.startswith("jsd.seed-7: ")
    assert "mean Max@R" in first.stdout
    folder = tmp_path / "r/finetune/multilingual-e5-small-q4"
    assert len(find_records(tmp_path / "r", "finetune")) == 2 * 6
    content = read_record(folder / "mini.jsd.seed-7.paper.json")
    assert content["params"]["done"]["recipe"]["seed"] == 7
    assert content["params"]["done"]["trained_on"]["size"] == 50
    assert content["dataset"]["size"] == len(load_parallel("mini", ["en"]).query_ids)
    steps = pd.read_csv(folder / "mini.jsd.seed-7.steps.csv")
    assert steps["step"].tolist() == [1]
    again = run()
    assert again.stdout == "jsd.seed-7: recorded already\n"
