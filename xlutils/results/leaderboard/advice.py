"""The leaderboard in words: the table in the terminal, and which model to use."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from xlutils.errors import unknown
from xlutils.results.leaderboard.read import question_sets
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
    sets = question_sets(board.rows)
    questions = questions or sets[0]
    if questions not in sets:
        raise unknown("question set", questions, sets)
    shown = [column for column in board.columns if column.questions in ("", questions) and not column.is_detail]
    main = next((column for column in shown if column.questions), shown[0])
    ranks, order = board.ranks(main), board.scores(main)
    rows = {}
    for number, row in enumerate(board.rows):
        cells = [_written(row.score(column), column.form) for column in shown]
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
    questions = question_sets(board.rows)[0]
    uses = {
        "To search documents in several languages at once": f"{questions}/complete@10",
        "To treat all languages alike": f"{questions}/bias",
        "To compare single words across languages": "sa",
        "To match concepts in eight languages": "concepts",
    }
    leaders = (_leader(board, columns[key], use) for use, key in uses.items() if key in columns)
    return [line for line in (*leaders, *_after_centring(board, columns, questions), *_fastest(board)) if line]


def _by_label(board: Board, column: Column) -> dict[str, Score]:
    return {board.rows[number].label: score for number, score in board.measured(column).items()}


def _leader(board: Board, column: Column, use: str) -> str:
    ranks = {board.rows[number].label: rank for number, rank in board.ranks(column).items()}
    first = [name for name, rank in ranks.items() if rank == 1]
    if not first:
        return ""
    scores = _by_label(board, column)
    written = " and ".join(f"**{name}** ({_with_interval(scores[name], column.form)})" for name in first)
    others = len(ranks) - len(first)
    tie = " cannot be told apart in" if len(first) > 1 else " leads in"
    behind = f", ahead of {others} other{'s' if others > 1 else ''}" if others else ""
    return f"{use}: {written}{tie} *{column.heading}*{behind}."


def _with_interval(score: Score, form: str) -> str:
    return f"{score.value:{form}}, 95% interval {score.low:{form}} to {score.high:{form}}"


def _after_centring(board: Board, columns: dict[str, Column], questions: str) -> Iterator[str]:
    """Say what the models reach once the mean of each language is subtracted."""
    complete, gain = (columns.get(f"{questions}/{key}") for key in ("complete@10", "gain"))
    if complete is None or gain is None:
        return
    scores, gains = _by_label(board, complete), _by_label(board, gain)
    reached = {name: score.value + gains[name].value for name, score in scores.items() if name in gains}
    if reached:
        pairs = sorted(reached.items(), key=lambda pair: -pair[1])
        values = ", ".join(f"{name} {value:.1f}" for name, value in pairs)
        yield f"If you may subtract the mean vector of each language first, *{complete.heading}* becomes: {values}."


def _fastest(board: Board) -> Iterator[str]:
    measured = [row for row in board.rows if row.kind == "measured"]
    speeds = {row.label: speed for row in measured if (speed := row.speed("xquad"))}
    machines = {machine for _, machine in speeds.values()}
    if len(speeds) > 1 and len(machines) == 1:
        fastest = max(speeds, key=lambda name: speeds[name][0])
        values = ", ".join(f"{name} {speed:.0f}" for name, (speed, _) in speeds.items())
        yield f"To encode much: **{fastest}** is the fastest; texts per second on {machines.pop()}: {values}."
