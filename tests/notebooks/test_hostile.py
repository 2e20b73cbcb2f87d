"""Names from data, models and records do nothing on a page, whatever they hold."""

import html
import json
import shutil
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from markdown_it import MarkdownIt

from xlutils.datasets import load_parallel
from xlutils.models.weights import name_of
from xlutils.results.leaderboard.advice import advice
from xlutils.results.leaderboard.page import board_html
from xlutils.results.leaderboard.read import read_board

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "book"))
HOSTILE = "<img src=x onerror='window.ran=1'>$\\x$**b**`"
WORDS = {"sea": "海", "the": "天", "a boat": "船", "sun": "日", "tree": "木", "fish": "鱼"}


@pytest.fixture
def model(trainable, tmp_path):
    """A model in a folder with a name that would be HTML."""
    return shutil.copytree(trainable, tmp_path / HOSTILE)


@pytest.fixture
def words(tmp_path):
    """Words whose file, concepts, categories and words would be HTML."""
    rows = [f'"{HOSTILE}{number}","{HOSTILE}",{word},{other}' for number, (word, other) in enumerate(WORDS.items())]
    path = tmp_path / f"{HOSTILE}.csv"
    path.write_text("\n".join(["concept,category,en,zh", *rows, f'"last","","{HOSTILE}",鸟']), encoding="utf-8")
    return path


def outputs_of(notebook, **parameters):
    """Run a notebook in this process and return what it shows, as HTML."""
    shell, shown = InteractiveShell(), []
    for cell in nbformat.read(ROOT / "notebooks" / notebook, as_version=4).cells:
        if cell.cell_type != "code":
            continue
        with capture_output() as captured:
            result = shell.run_cell(cell.source)
        result.raise_error()
        data = [output.data for output in captured.outputs]
        if result.result is not None:
            data.append(shell.display_formatter.format(result.result)[0])
        shown += [as_html(formats) for formats in data]
        shown.append(html.escape(captured.stdout))
        if "parameters" in cell.metadata.get("tags", []):
            shell.push(parameters)
    plt.close("all")
    return shown


def as_html(formats):
    """The HTML that a page gets from an output: the first of these formats that it has."""
    if "text/html" in formats:
        return formats["text/html"]
    if "text/markdown" in formats:
        return MarkdownIt("commonmark", {"html": True}).render(formats["text/markdown"])
    return html.escape(formats.get("text/plain", ""))


def test_nothing_runs_and_nothing_is_lost(model, words, tmp_path, browser, troubles_of, monkeypatch):
    import generated

    common = {"models": str(model), "records_dir": str(tmp_path / "records")}
    languages = {"languages": "en,zh"}
    shown = outputs_of("01_concept_alignment.ipynb", **common, **languages, dataset=str(words), k=1)
    shown += outputs_of(
        "02_semantic_affinity.ipynb", **common, **languages, datasets=str(words), more_languages="en,zh"
    )
    shown += outputs_of(
        "03_mixed_language_retrieval.ipynb", **common, languages="zh,ar", scenarios="mono-same,mono-cross,multi,multi-1"
    )
    triples = tmp_path / f"{HOSTILE}.jsonl"
    texts = load_parallel("mini", ["en", "zh"]).passages
    pairs = [
        {"passage_en": f"{one[:40]} {HOSTILE}", "passage_tgt": other}
        for one, other in zip(*texts.values(), strict=True)
    ]
    lines = [json.dumps(pair | {"query_en": HOSTILE + pair["passage_tgt"][:9], "lang": "zh"}) for pair in pairs]
    triples.write_text("\n".join(lines), encoding="utf-8")
    shown += outputs_of(
        "04_finetune_alignment.ipynb",
        **{"model": str(model), "records_dir": common["records_dir"], "losses": "jsd", "train_data": str(triples)},
        **{"train_languages": "zh", "eval_languages": "zh", "epochs": 1.0},
    )
    shown += outputs_of("A_audit_of_published_tables.ipynb", records_dir=common["records_dir"])
    board = read_board([tmp_path / "records"])
    monkeypatch.setattr(generated, "RECORDS", tmp_path / "records")
    monkeypatch.setattr(generated, "ROOT", tmp_path)
    monkeypatch.setattr(generated, "_TOP", tuple(column.key for column in board.columns if not column.is_detail))
    shown += [board_html(board, str), generated.top_rows(board)]
    shown += [as_html({"text/markdown": line}) for line in advice(board)]
    page = tmp_path / "page.html"
    page.write_text(f"<!doctype html><meta charset=utf-8><article>{'<hr>'.join(shown)}</article>", encoding="utf-8")
    opened = browser.new_page()
    trouble = troubles_of(opened)
    opened.goto(page.as_uri())
    opened.wait_for_timeout(300)
    assert opened.evaluate("window.ran") is None
    assert opened.locator("img[src=x]").count() == 0
    assert not [line for line in trouble if "FILE_NOT_FOUND" not in line]  # plotly lies beside real pages only
    text = opened.locator("article").inner_text()
    assert text.count(name_of(str(model))) > 3
    opened.close()
