"""The leaderboard as one piece of HTML that needs nothing else: table, styles, script and a CSV to download."""

from __future__ import annotations

import base64
import csv
import io
import math
from collections.abc import Callable
from html import escape
from importlib import resources
from urllib.parse import quote

from xlutils.datasets.languages import LANGUAGES
from xlutils.results.leaderboard.columns import question_sets
from xlutils.results.leaderboard.scores import Board, Column, Row, Score

Link = Callable[[str], str]  # from the path of a record to an address
_PROTOCOLS = {"unique": "each passage once", "paper": "a copy for each question"}
_FACTS = {"weights": "Weights (M)", "licence": "Licence"}
_FACTS_OF_SET = {
    "speed": ("Texts/s", "Passages and questions encoded in a second, on the machine that the cell names"),
    "seen": ("Seen in training", "Training data known to hold these questions"),
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run


def board_html(board: Board, link: Link) -> str:
    """Write the board as a fragment of HTML; text from records cannot break out of it.

    :param board: The leaderboard.
    :param link: Turns the path of a record into an address for the page.
    """
    sets = question_sets(board.rows)
    ranked = [board.ranks(column) for column in board.columns]
    rows = "\n".join(_row(board, number, ranked, sets, link) for number in range(len(board.rows)))
    cited = dict.fromkeys(row.revision for row in board.rows if row.kind == "reported")
    notes = [f"<li>{escape(text)}</li>" for text in cited]
    left = [f"<li>{escape(text)}</li>" for text in board.left_out]
    return "\n".join([
        '<div class="board">', f"<style>{_asset('page.css')}</style>", _controls(board, sets, link),
        '<p class="board-count" aria-live="polite"></p>',
        '<div class="board-scroll" role="region" aria-label="Leaderboard" tabindex="0"><table>',
        f"<thead><tr>{_head(board, sets)}</tr></thead>", f"<tbody>\n{rows}\n</tbody></table></div>",
        f'<p class="board-notes">Reported, not measured here:</p><ul class="board-notes">{"".join(notes)}</ul>',
        f'<p class="board-notes">Not on the board:</p><ul class="board-notes">{"".join(left)}</ul>' if left else "",
        f"<script>{_asset('page.js')}</script>", "</div>",
    ])  # fmt: skip


def whole_page(board: Board, link: Link) -> str:
    """Write a page of its own around the board."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Leaderboard</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head>\n'
        f'<body class="board-page"><h1>Leaderboard</h1>\n{board_html(board, link)}\n</body></html>\n'
    )


def board_csv(board: Board, link: Link) -> str:
    """Write every score as CSV: a row for each model and measure, with the addresses of its records."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["model", "kind", "revision", "measure", "about", "value", "low", "high", "rank", "records"])
    for column in board.columns:
        ranks = board.ranks(column)
        for number, score in board.scores(column).items():
            row = board.rows[number]
            numbers = [score.value, score.low, score.high, ranks.get(number)]
            about = [row.label, row.kind, row.revision, column.key, column.about]
            writer.writerow([*map(_harmless, about), *numbers, " ".join(link(path) for path in score.records if path)])
    return text.getvalue()


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _asset(name: str) -> str:
    return (resources.files("xlutils.results.leaderboard") / name).read_text(encoding="utf-8")


def _controls(board: Board, sets: list[str], link: Link) -> str:
    options = "".join(f'<option value="{escape(stem)}">{escape(_set_name(stem))}</option>' for stem in sets)
    codes = dict.fromkeys(column.language for column in board.columns if column.language)
    boxes = "".join(_language_box(board, code) for code in codes)
    data = base64.b64encode(board_csv(board, link).encode()).decode()
    return (
        '<form class="board-controls">'
        '<label>Search <input type="search" name="search" placeholder="model, licence"></label>'
        '<label>Show <select name="kind"><option value="">all rows</option><option value="measured">measured here'
        '</option><option value="reported">reported by others</option></select></label>'
        f'<label>Questions <select name="questions">{options}</select></label>'
        '<label>At most <input type="number" name="largest" min="0" step="50" placeholder="any"> M weights</label>'
        '<label><input type="checkbox" name="unseen"> leave out models that saw the test data</label>'
        '<label><input type="checkbox" name="words"> SA word list by word list</label>'
        f"<fieldset><legend>Languages asked in</legend>{boxes}</fieldset>"
        f'<a class="board-csv" download="leaderboard.csv" href="data:text/csv;charset=utf-8;base64,{data}">'
        "All scores as CSV</a></form>"
    )


def _language_box(board: Board, code: str) -> str:
    sets = dict.fromkeys(column.questions for column in board.columns if column.language == code)
    name = LANGUAGES[code].name if code in LANGUAGES else code
    box = f'<input type="checkbox" name="language" value="{escape(code)}">'
    return f'<label data-sets="{escape(" ".join(sets))}">{box} {escape(name)}</label>'


def _set_name(stem: str) -> str:
    dataset, _, protocol = stem.rpartition(".")
    return f"{dataset}, {_PROTOCOLS.get(protocol, protocol)}"


def _head(board: Board, sets: list[str]) -> str:
    first = next((column.key for column in board.columns if column.questions == sets[0]), board.columns[0].key)
    cells = ['<th scope="col" class="board-rank">Rank</th>', _heading("model", "Model", "", "")]
    for column in board.columns:
        order = ' aria-sort="descending"' if column.key == first else ""
        cells.append(
            _heading(column.key, column.heading, column.about, f" data-measure{order}{_marks(column, sets[0])}")
        )
    cells += [_heading(key, text, "", "") for key, text in _FACTS.items()]
    for stem in sets:
        marks = f' data-questions="{escape(stem)}"{_hidden(stem, sets[0])}'
        cells += [_heading(key, *says, f" data-fact={key}{marks}") for key, says in _FACTS_OF_SET.items()]
    return "".join(cells)


def _heading(key: str, text: str, about: str, more: str) -> str:
    return (
        f'<th scope="col" data-key="{escape(key)}"{more}><button type="button" title="{escape(about)}">'
        f"{escape(text)}</button></th>"
    )


def _marks(column: Column, first: str) -> str:
    """Say in a heading when its column is shown."""
    marks = f' data-questions="{escape(column.questions)}"' if column.questions else ""
    marks += f' data-language="{escape(column.language)}"' if column.language else ""
    marks += " data-detail" if column.is_detail and not column.language else ""
    return marks + _hidden(column.questions, first, column.is_detail)


def _hidden(questions: str, first: str, is_detail: bool = False) -> str:
    """Hide what is not shown at first, so that the page makes sense without a script."""
    return " hidden" if is_detail or questions not in ("", first) else ""


def _row(board: Board, number: int, ranked: list[dict[int, int]], sets: list[str], link: Link) -> str:
    row = board.rows[number]
    badge = "" if row.kind == "measured" else f' <span class="board-badge">{row.kind}</span>'
    parameters = row.card.parameters if row.card else None
    licence = row.card.licence if row.card else "unknown"
    cells = [
        '<td class="board-rank"></td>',
        f'<th scope="row" title="{escape(row.revision)}">{escape(row.label)}{badge}</th>',
        *(_cell(column, row, row.score(column), ranks.get(number), link, sets[0])
          for column, ranks in zip(board.columns, ranked, strict=True)),
        f'<td data-value="{parameters}">{parameters / 1e6:,.0f}</td>' if parameters else "<td>-</td>",
        f"<td>{escape(licence)}</td>",
        *(_facts_of_set(row, stem, sets[0]) for stem in sets),
    ]  # fmt: skip
    return f'<tr class="board-{row.kind}" data-kind="{row.kind}">{"".join(cells)}</tr>'


def _facts_of_set(row: Row, stem: str, first: str) -> str:
    dataset, hidden = stem.split(".")[0], _hidden(stem, first)
    found = row.speed(dataset)
    if found:
        speed = f'<td data-value="{found[0]:.1f}" title="{escape(found[1])}"{hidden}>{found[0]:,.0f}</td>'
    else:
        speed = f"<td{hidden}>-</td>"
    return f"{speed}<td{hidden}>{escape(row.seen(dataset))}</td>"


def _cell(column: Column, row: Row, score: Score | None, rank: int | None, link: Link, first: str) -> str:
    hidden = _hidden(column.questions, first, column.is_detail)
    if score is None:
        return f"<td{hidden}>-</td>"
    order = score.value if math.isinf(column.best) else -abs(score.value - column.best)
    ranked = f' data-rank="{rank}"' if rank else ""
    value = f"{score.value:{column.form}}"
    links = [f'<a href="{escape(quote(link(path)))}">' for path in score.records if path]
    if len(links) == 1:
        value = f"{links[0]}{value}</a>"
    elif links:
        marks = "".join(f"{opened}{place}</a> " for place, opened in enumerate(links, 1))
        value += f' <span class="board-records" title="records">{marks}</span>'
    if score.low is not None and score.high is not None:
        value += f"<small>{score.low:{column.form}} to {score.high:{column.form}}</small>"
    elif row.kind == "reported":
        value = f'<span class="board-hollow">{value}</span>'
    return f'<td data-value="{order:.6g}"{ranked}{hidden}>{value}</td>'
