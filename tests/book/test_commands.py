"""Every command on a page works as it is written: chapters and options exist, and parameters are valid."""

import re
import shlex
from pathlib import Path

import nbformat
import pytest

from xlutils import load_lexicon
from xlutils.cli import main
from xlutils.runs.execute import check, defaults, find_chapter, parse

ROOT = Path(__file__).resolve().parents[2]
COMMAND = re.compile(r"(?:papermill notebooks/(\w+)\.ipynb \S+|xl run (\d))((?:\s*\\?\s*-p \S+?(?:[ =][^\s`]+))+)")


def texts():
    cards = ROOT / "xlutils/datasets/builtin/cards"
    for path in [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "book").glob("*.md")),
        *cards.glob("*.md"),
    ]:
        yield path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        yield "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)


def commands():
    for stem, number, options in COMMAND.findall("\n".join(texts())):
        words = shlex.split(options.replace("\\\n", " ").replace("-p", " "))
        pairs = [word.split("=", 1) for word in words] if number else zip(words[::2], words[1::2], strict=True)
        yield pytest.param(stem or number, dict(pairs), id=f"{stem or number} {' '.join(words)}"[:90])


COMMANDS = list(commands())
LINES = sorted({line for text in texts() for line in re.findall(r"^xl (.+)", text.replace("\\\n", " "), re.MULTILINE)})


@pytest.mark.parametrize(("chapter", "options"), COMMANDS)
def test_a_command_on_a_page_has_valid_parameters(chapter, options):
    for name, example in (("ORG/MODEL", "LaBSE"), ("my.csv", "concepts-core"), ("my_triples.jsonl", "debian")):
        options = {key: value.replace(name, example) for key, value in options.items()}
    notebook = find_chapter(chapter)
    values = check(notebook, parse(options, defaults(notebook)))
    if notebook.stem == "00_tour":
        load_lexicon("concepts-core", values["languages"].split(","))
    assert len(COMMANDS) >= 9


@pytest.mark.parametrize("line", LINES)
def test_a_line_of_the_command_has_options_that_exist(line):
    command, words = main, shlex.split(line, comments=True)
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    command.make_context("xl", words, resilient_parsing=False)
    assert len(LINES) >= 15
