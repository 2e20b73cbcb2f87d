"""The leaderboard in words: the table in the terminal, and which model to use."""

from __future__ import annotations

import pandas as pd

from xlutils.datasets.text import in_markdown
from xlutils.errors import unknown
from xlutils.results.leaderboard.scores import Board, Column, Score


def board_text(board: Board, questions: str | None = None) -> str:
    """Return the main measures as a table of text, then the records that are not on the board."""
    lines = [board_table(board, questions).to_string()]
    if board.left_out:
        lines += ["", "not on the board:", *(f"  {text}" for text in board.left_out)]
    return "\n".join(lines)


def board_table(board: Board, questions: str | None = None) -> pd.DataFrame:
    """Tabulate the main measures, one row per measured model, the best first.

    :param board: The leaderboard.
    :param questions: Name of a question set; the main one if left out.
    :return: The rank and one column per measure, ordered by Complete@10 if measured, else by the first measure.
    """
    questions = questions or board.sets[0]
    if questions not in board.sets:
        raise unknown("question set", questions, board.sets)
    shown = [column for column in board.columns if column.questions in ("", questions) and not column.is_detail]
    main = next((column for column in shown if column.questions), shown[0])
    ranks, order = board.ranks(main), board.scores(main)
    rows = {}
    for number, row in enumerate(board.rows):
        cells = [_written(board.scores(column).get(number), column.form) for column in shown]
        if row.kind != "reported" and any(cells):
            place = -order[number].value if number in order else float("inf")
            rows[row.label] = [place, str(ranks.get(number, "-")), *cells]
    names = ["order", "rank", *(column.heading for column in shown)]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=names).rename_axis("model")
    return table.sort_values("order", kind="stable").drop(columns="order")


def _written(score: Score | None, form: str) -> str:
    if score is None:
        return ""
    bounds = "" if score.low is None else f" ({score.low:{form}} to {score.high:{form}})"
    return f"{score.value:{form}}{bounds}"


def advice(board: Board) -> list[str]:
    """Return one sentence of markdown per use, naming the model to take; true of these records only."""
    columns = {column.key: column for column in board.columns}
    questions = board.sets[0]
    uses = {
        "To search documents in the language of the question": f"{questions}/one",
        "To search documents in another language": f"{questions}/across",
        "To find one right answer in a pool of two languages": f"{questions}/any",
        "To find the answer in both languages of the pool": f"{questions}/complete@10",
        "To find it in both, after the means of the languages are subtracted": f"{questions}/centred",
        "To treat all languages alike, as published": f"{questions}/bias",
        "To match words and short phrases across languages": "concepts",
    }
    leaders = (_leader(board, columns[key], use) for use, key in uses.items() if key in columns)
    return [line for line in leaders if line]


def _leader(board: Board, column: Column, use: str) -> str:
    ranks = board.ranks(column)
    first = [number for number, rank in ranks.items() if rank == 1]
    if not first:
        return ""
    models = " and ".join(_with_score(board, number, column) for number in first)
    others = len(ranks) - len(first)
    verb = "cannot be told apart in" if len(first) > 1 else "leads in"
    rest = f", ahead of {others} other{'s' if others > 1 else ''}" if others else ""
    return f"{use}: {models} {verb} *{column.heading}*{rest}."


def _with_score(board: Board, number: int, column: Column) -> str:
    score, form, note = board.scores(column)[number], column.form, board.never_learned(number)
    remark = f"; {note}" if note else ""
    interval = f"95% interval {score.low:{form}} to {score.high:{form}}"
    return f"**{in_markdown(board.rows[number].label)}** ({score.value:{form}}, {interval}{remark})"
