"""The lines of Python on a page run from top to bottom, as a reader would run them."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_steps_of_the_decision_tree_run_and_find_what_the_page_says(capsys):
    page = (ROOT / "book/wrong_language.md").read_text(encoding="utf-8")
    steps = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names = {}
    for step in steps:
        exec(compile(step, "wrong_language.md", "exec"), names)
    printed = capsys.readouterr().out
    assert len(steps) == 9
    assert "cosine 1.000, length 1.000" in printed
    assert "100% of the ten nearest are returned" in printed
    before, after = (int(share) for share in re.findall(r"(\d+)% have the English passage in ten", printed))
    assert before < after


def test_each_step_of_the_tree_is_there():
    page = (ROOT / "book/wrong_language.md").read_text(encoding="utf-8")
    assert re.findall(r"\{ref\}`Step (\d+) <", page) == re.findall(r"^## (\d+)\.", page, re.MULTILINE)
    assert re.findall(r"<(wl-\w+)>`", page) == re.findall(r"^\((wl-\w+)\)=", page, re.MULTILINE)
