"""The leaderboard as one piece of HTML that needs nothing else: table, styles, script and a CSV to download."""

from __future__ import annotations

import base64
import csv
import io
import math
import os
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment

from xlutils.datasets.languages import language_name
from xlutils.errors import XlError
from xlutils.results.leaderboard.scores import Board, Column, Score

Link = Callable[[str], str]  # from the path of a record to an address
_PROTOCOLS = {"unique": "each passage once", "paper": "a copy for each question"}
_TASKS = {  # ends of the keys of columns
    "one": "answers in one language",
    "across": "answers in another language",
    "any": "mixed pool, any right answer",
    "complete@10": "mixed pool, all versions",
    "centred": "mixed pool, all versions, centred",
    "mining": "deduplication, mining translations",
    "concepts": "words and short phrases",
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # text that a spreadsheet would run


def board_html(board: Board, link: Link) -> str:
    """Return the board as a fragment of HTML; text from records cannot break out of it.

    :param board: The leaderboard.
    :param link: Turns the path of a record into an address for the page.
    """
    environment = Environment(autoescape=True, trim_blocks=True)
    environment.filters |= {
        "address": lambda path: quote(link(path)),
        "number": lambda value, column: format(value, column.form),
        "order": _order,
        "set_name": _set_name,
        "language_name": language_name,
    }
    languages: dict[str, dict[str, None]] = {}
    for column in board.columns:
        if column.language:
            languages.setdefault(column.language, {})[column.questions] = None
    ranked = [(column, board.ranks(column)) for column in board.columns]
    text = environment.from_string(_asset("page.html")).render(
        board=board,
        sets=board.sets,
        tasks=_TASKS,
        first=next((column.key for column in board.columns if column.questions == board.sets[0]), board.columns[0].key),
        languages=languages,
        rows=[
            (row, [(column, board.scores(column).get(number), ranks.get(number)) for column, ranks in ranked])
            for number, row in enumerate(board.rows)
        ],
        cited=dict.fromkeys(row.revision for row in board.rows if row.kind == "reported"),
        csv=base64.b64encode(board_csv(board, link).encode()).decode(),
        css=_asset("page.css"),
        script=_asset("page.js"),
    )
    return text.strip()


def whole_page(board: Board, link: Link) -> str:
    """Return the board as a page of its own."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Leaderboard</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head>\n'
        f'<body class="board-page"><h1>Leaderboard</h1>\n{board_html(board, link)}\n</body></html>\n'
    )


def board_csv(board: Board, link: Link) -> str:
    """Return every score as CSV, one row per model and measure, with the addresses of its records."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["model", "kind", "revision", "measure", "about", "value", "low", "high", "rank", "records"])
    for column in board.columns:
        ranks = board.ranks(column)
        for number, score in board.scores(column).items():
            row = board.rows[number]
            numbers = [score.value, score.low, score.high, ranks.get(number)]
            about = [row.label, row.kind, row.revision, column.key, column.about]
            writer.writerow([*map(_harmless, about), *numbers, " ".join(map(link, score.records))])
    return text.getvalue()


def write_files(board: Board, html: Path, table: Path | None) -> None:
    """Write the board as a page that links to the records on disk, and as CSV if a path is given."""
    texts = {html: whole_page(board, lambda path: os.path.relpath(path, html.parent))}
    if table:
        texts[table] = board_csv(board, str)
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise XlError(f"cannot write {error.filename} ({error.strerror}); name another place") from None


def _asset(name: str) -> str:
    return (resources.files("xlutils.results.leaderboard") / name).read_text(encoding="utf-8")


def _set_name(stem: str) -> str:
    dataset, _, protocol = stem.rpartition(".")
    return f"{dataset}, {_PROTOCOLS.get(protocol, protocol)}"


def _order(score: Score, column: Column) -> str:
    """Return the number that the page sorts by."""
    value = score.value if math.isinf(column.best) else -abs(score.value - column.best)
    return f"{value:.6g}"


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
