"""Which model to use, said from the leaderboard."""

from __future__ import annotations

from collections.abc import Iterator

from xlutils.results.leaderboard.columns import question_sets
from xlutils.results.leaderboard.scores import Board, Column, Score


def advice(board: Board) -> list[str]:
    """Answer the question for each use, in sentences of markdown that hold for these records only.

    :param board: The leaderboard.
    :return: A sentence a use; uses that nothing was measured for are left out.
    """
    columns = {column.key: column for column in board.columns}
    questions = question_sets(board.rows)[0]
    uses = {
        "To search documents in several languages at once": f"{questions}/complete@10",
        "To treat all languages alike": f"{questions}/bias",
        "To compare single words across languages": "sa",
        "To match concepts in eight languages": "concepts",
    }
    found = [_leader(board, columns[key], use) for use, key in uses.items() if key in columns]
    return [line for line in (*found, *_after_centring(board, columns, questions), *_fastest(board)) if line]


def _measured(board: Board, column: Column) -> dict[str, Score]:
    return {board.rows[n].label: score for n, score in board.scores(column).items() if board.rows[n].kind == "measured"}


def _leader(board: Board, column: Column, use: str) -> str:
    ranks = {board.rows[number].label: rank for number, rank in board.ranks(column).items()}
    scores = _measured(board, column)
    first = [name for name, rank in ranks.items() if rank == 1]
    if not first:
        return ""
    written = " and ".join(f"**{name}** ({_written(scores[name], column.form)})" for name in first)
    others = len(ranks) - len(first)
    tie = " cannot be told apart in" if len(first) > 1 else " leads in"
    behind = f", ahead of {others} other{'s' if others > 1 else ''}" if others else ""
    return f"{use}: {written}{tie} *{column.heading}*{behind}."


def _after_centring(board: Board, columns: dict[str, Column], questions: str) -> Iterator[str]:
    """Say what the same models reach if the mean of each language is subtracted."""
    complete, gain = (columns.get(f"{questions}/{key}") for key in ("complete@10", "gain"))
    if complete is None or gain is None:
        return
    gains = _measured(board, gain)
    reached = {name: score.value + gains[name].value for name, score in _measured(board, complete).items()
               if name in gains}  # fmt: skip
    if reached:
        each = ", ".join(f"{name} {value:.1f}" for name, value in sorted(reached.items(), key=lambda pair: -pair[1]))
        yield f"If you may subtract the mean vector of each language first, *{complete.heading}* becomes: {each}."


def _fastest(board: Board) -> Iterator[str]:
    speeds = {row.label: speed for row in board.rows if row.kind == "measured" and (speed := row.speed("xquad"))}
    machines = {machine for _, machine in speeds.values()}
    if len(speeds) > 1 and len(machines) == 1:
        fastest = max(speeds, key=lambda name: speeds[name][0])
        each = ", ".join(f"{name} {speed:.0f}" for name, (speed, _) in speeds.items())
        yield f"To encode much: **{fastest}** is the fastest; texts a second on {machines.pop()}: {each}."


def _written(score: Score, form: str) -> str:
    return f"{score.value:{form}}, 95% interval {score.low:{form}} to {score.high:{form}}"
