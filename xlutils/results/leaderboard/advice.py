"""The leaderboard in words: the table in the terminal, and which model to use."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from xlutils.datasets.languages import LANGUAGES
from xlutils.datasets.text import in_markdown
from xlutils.errors import unknown
from xlutils.results.leaderboard.scores import Board, Column

_SIDE_BY_SIDE = 3  # measures that fit a line of 120 characters, with a name of at most
_LONGEST_NAME = 38  # characters


def board_text(board: Board, questions: str | None = None) -> str:
    """Return the main measures as tables of text, then the records that are not on the board."""
    lines = ["\n\n".join(table.to_string() for table in board_tables(board, questions))]
    if board.left_out:
        lines += ["", "not on the board:", *(f"  {text}" for text in board.left_out)]
    return "\n".join(lines)


def board_tables(board: Board, questions: str | None = None) -> list[pd.DataFrame]:
    """Tabulate the main measures, three at a time: rank, value and interval of each model that was measured.

    :param board: The leaderboard.
    :param questions: Name of a question set; the main one if left out.
    :return: Tables with one row per model, the best of the first measure first.
    """
    questions = questions or board.sets[0]
    if questions not in board.sets:
        raise unknown("question set", questions, board.sets)
    shown = [column for column in board.columns if column.questions in ("", questions) and not column.is_detail]
    measured = {n: row.label for n, row in enumerate(board.rows) if row.kind != "reported"}
    shown = [column for column in shown if measured.keys() & board.scores(column).keys()]
    return [_table(board, measured, shown[n : n + _SIDE_BY_SIDE]) for n in range(0, len(shown), _SIDE_BY_SIDE)]


def _table(board: Board, labels: Mapping[int, str], columns: Sequence[Column]) -> pd.DataFrame:
    ranks, scores = board.ranks(columns[0]), board.scores(columns[0])
    order = sorted(labels, key=lambda n: (ranks.get(n, math.inf), -scores[n].value if n in scores else math.inf))
    cells = {column.heading: [_cell(board, column, number) for number in order] for column in columns}
    names = [labels[n] if len(labels[n]) <= _LONGEST_NAME else f"…{labels[n][1 - _LONGEST_NAME :]}" for n in order]
    table = pd.DataFrame(cells, index=pd.Index(names, name="model"))
    return table[(table != "").any(axis=1)]


def _cell(board: Board, column: Column, number: int) -> str:
    score, form = board.scores(column).get(number), column.form
    if score is None:
        return ""
    bounds = "" if score.low is None else f" ({score.low:{form}} to {score.high:{form}})"
    rank = board.ranks(column).get(number)
    return f"{'' if rank is None else f'{rank}. '}{score.value:{form}}{bounds}"


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
        "To mine translations, or find the same text in two languages": f"{questions}/mining",
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
    verb = "cannot be told apart in" if len(first) > 1 else "leads in" if others else "is the only one measured in"
    rest = f", ahead of {others} other{'s' if others > 1 else ''}" if others else ""
    more = _exceptions(board, column, first) + _handicaps(board, column, ranks)
    return f"{use}: {models} {verb} *{column.heading}*{rest}.{more}"


def _handicaps(board: Board, column: Column, ranks: Mapping[int, int]) -> str:
    """Say which models behind the leaders never learned a language that the mean includes; empty if none."""
    languages = {other.language for other in board.columns if column.questions and other.questions == column.questions}
    sentences = []
    for number in (number for number, rank in ranks.items() if rank > 1):
        row = board.rows[number]
        if codes := row.unlearned("+".join(sorted(languages))):
            names = ", ".join(LANGUAGES[code].name for code in codes)
            sentences.append(f" **{in_markdown(row.label)}** never learned {names}, which the mean includes.")
    return "".join(sentences)


def _exceptions(board: Board, column: Column, leaders: Sequence[int]) -> str:
    """Say in which single languages other models are surely ahead of the leaders; empty if in none."""
    start, _, measure = column.key.rpartition("/")
    languages: dict[int, list[str]] = {}
    for detail in board.columns:
        if detail.language and detail.key == f"{start}/{detail.language}/{measure}":
            best = [number for number, rank in board.ranks(detail).items() if rank == 1]
            for number in best if not set(best) & set(leaders) else ():
                languages.setdefault(number, []).append(LANGUAGES[detail.language].name)
    return "".join(
        f" In {', '.join(names)}, **{in_markdown(board.rows[number].label)}** is ahead."
        for number, names in languages.items()
    )


def _with_score(board: Board, number: int, column: Column) -> str:
    score, form, note = board.scores(column)[number], column.form, board.never_learned(number)
    remark = f"; {note}" if note else ""
    interval = f"95% interval {score.low:{form}} to {score.high:{form}}"
    return f"**{in_markdown(board.rows[number].label)}** ({score.value:{form}}, {interval}{remark})"
