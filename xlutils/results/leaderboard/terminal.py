"""What `xl leaderboard` prints and writes."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from xlutils.errors import XlError, unknown
from xlutils.results.leaderboard.columns import question_sets
from xlutils.results.leaderboard.page import board_csv, whole_page
from xlutils.results.leaderboard.scores import Board, Score


def board_text(board: Board, questions: str | None = None) -> str:
    """Write the main measures, and what is not on the board."""
    lines = [board_table(board, questions).to_string()]
    if board.left_out:
        lines += ["", "not on the board:", *(f"  {text}" for text in board.left_out)]
    return "\n".join(lines)


def write_files(board: Board, html: Path, table: Path | None) -> None:
    """Write the board as a page, with links to the records where they lie, and as CSV if a place is given."""
    try:
        for place, text in ((html, whole_page(board, lambda path: os.path.relpath(path, html.parent))),
                            (table, board_csv(board, str) if table else "")):  # fmt: skip
            if place:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(text, encoding="utf-8")
    except OSError as error:
        raise XlError(f"cannot write {error.filename} ({error.strerror}); name another place") from None


def board_table(board: Board, questions: str | None = None) -> pd.DataFrame:
    """Write the main measures: a row a measured model, best first.

    :param board: The leaderboard.
    :param questions: Stem of a question set; the main one if left out.
    :return: Columns rank and one a measure, by Complete@10 where it was measured, else by the first measure.
    """
    sets = question_sets(board.rows)
    questions = questions or sets[0]
    if questions not in sets:
        raise unknown("question set", questions, sets)
    shown = [each for each in board.columns if each.questions in ("", questions) and not each.is_detail]
    main = next((column for column in shown if column.questions), shown[0])
    ranks, values = board.ranks(main), board.scores(main)
    table = {}
    for number, row in enumerate(board.rows):
        scores = [row.score(column) for column in shown]
        if row.kind == "reported" or not any(scores):
            continue
        cells = [_written(score, column.form) for score, column in zip(scores, shown, strict=True)]
        order = -values[number].value if number in values else float("inf")
        table[row.label] = [order, str(ranks.get(number, "-")), *cells]
    names = ["order", "rank", *(column.heading for column in shown)]
    frame = pd.DataFrame.from_dict(table, orient="index", columns=names).rename_axis("model")
    return frame.sort_values("order", kind="stable").drop(columns="order")


def _written(score: Score | None, form: str) -> str:
    if score is None:
        return ""
    if score.low is None or score.high is None:
        return f"{score.value:{form}}"
    return f"{score.value:{form}} ({score.low:{form}} to {score.high:{form}})"
