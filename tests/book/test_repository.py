"""The files at the root agree with each other and with the package."""

import re
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import yaml

import xlutils
from xlutils.chapters.concepts import study_concepts
from xlutils.metrics.alignment import ConceptAlignment
from xlutils.results.leaderboard.read import CONCEPTS, read_board
from xlutils.results.leaderboard.scores import Column
from xlutils.results.record import write_record
from xlutils.results.rows import Key

ROOT = Path(__file__).resolve().parents[2]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_the_tree_lists_the_rooms_that_exist():
    tree = CONTRIBUTING.split("xlutils/\n", 1)[1].split("```")[0]
    names = re.findall(r"^  (\S+)", tree, re.MULTILINE)
    rooms = {f"{path.parent.name}/" for path in (ROOT / "xlutils").glob("*/__init__.py")}
    assert {name for name in names if name.endswith("/")} == rooms
    assert all((ROOT / "xlutils" / name).exists() for name in names)


def test_every_file_that_is_named_exists():
    names = re.findall(r"`((?:xlutils|tests|book|notebooks)/[\w/.]*)`", CONTRIBUTING)
    assert len(names) > 10
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_the_recipe_for_a_metric_works(monkeypatch, tmp_path):
    """Do what "Add a metric" says: one property of the alignment, one column of the leaderboard."""
    compute, show = re.findall(r"```python\n(.*?)```", CONTRIBUTING, re.DOTALL)
    scope = {"np": np, "Column": Column, "Key": Key, "CONCEPTS": CONCEPTS}
    exec(textwrap.dedent(compute.split("    def by_concept")[0]), scope)
    exec(f"def columns():\n{show}", scope)
    known = ConceptAlignment.by_concept
    monkeypatch.setattr(ConceptAlignment, "worst_pair", scope["worst_pair"], raising=False)
    monkeypatch.setattr(ConceptAlignment, "by_concept", lambda self: {**known(self), "worst_pair": self.worst_pair})
    study = study_concepts(
        xlutils.load_model("control-ngram-hash"), xlutils.load_lexicon("concepts-core", ["en", "zh", "es"])
    )
    record = study.record(seed=42)
    record = replace(record, dataset={**record.dataset, "name": CONCEPTS})
    board = read_board([write_record(tmp_path, record).parents[2]])
    (column,) = scope["columns"]()
    score = board.scores(column)[0]
    lowest = np.nanmin(study.alignment.similarity.reshape(len(study.alignment.concepts), -1), axis=1)
    assert score.low < score.value < score.high
    assert np.isclose(score.value, lowest.mean())


def test_the_citation_has_the_version_of_the_package():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == xlutils.__version__


def test_hooks_have_the_versions_of_the_constraints():
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    for repository in yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]:
        name = repository["repo"].split("/")[-1].removesuffix("-pre-commit")
        assert f"\n{name}=={repository['rev'].removeprefix('v')}\n" in constraints


def test_every_released_version_has_a_date():
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert all(re.fullmatch(r"\d+\.\d+\.\d+ \(\d{4}-\d\d-\d\d\)", heading) for heading in headings[1:])
