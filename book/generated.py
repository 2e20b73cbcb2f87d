"""The generated parts of the pages, made from the records and the package before Sphinx runs."""

from __future__ import annotations

import html
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

import nbformat
import pandas as pd
from citation import PREVIEW, how_to_cite
from measured import benchmark_parts

from xlutils.chapters.gate_findings import LEVEL
from xlutils.chapters.remedies import AS_PUBLISHED, gains
from xlutils.chapters.wording import never_learned, with_interval
from xlutils.datasets.languages import LANGUAGES
from xlutils.datasets.text import in_markdown
from xlutils.metrics.drift import least_loss
from xlutils.metrics.remedies import REMEDIES
from xlutils.models.catalogue import CATALOGUE, find_card
from xlutils.plots import depth_chart
from xlutils.results.leaderboard.advice import advice
from xlutils.results.leaderboard.read import FIRST_SET
from xlutils.results.leaderboard.scores import Board, Column
from xlutils.results.record import find_records, read_record
from xlutils.results.rows import Key, rows_of

ROOT = Path(__file__).resolve().parents[1]
RECORDS = ROOT / "book/records"
_MODEL = "multilingual-e5-small-q4"  # in the figure on the front page
_STATES = {  # record, and part of it
    "original model": (f"remedies/{_MODEL}/xquad.unique", "as published"),
    "mean of 32 questions subtracted": (f"remedies/{_MODEL}/xquad.unique", "query side, 32 questions"),
    "language means subtracted": (f"remedies/{_MODEL}/xquad.unique", "both sides"),
    "trained": (f"finetune/{_MODEL}/xquad.jsd+nce+keep.seed-42.unique", "after"),
}
_FREE = {  # remedies, and how a page calls them
    "interleaved": "lists in turn",
    "query side, 32 questions": "mean of 32 questions",
    "both sides": "means on both sides",
}
_OTHER_NAMES = {"zh-TW": "Chinese (Taiwan)"}  # of what a catalogue lists beside languages
_SHOWN_PACKAGES = (
    "torch",
    "transformers",
    "sentence-transformers",
    "faiss-cpu",
    "phate",
    "numpy",
    "pandas",
    "scikit-learn",
    "matplotlib",
    "papermill",
    "jupyter-book",
)
_CANARIES = (20, 30, 60, 100, 200, 500)  # of a language
_JUDGED = (1, 10, 116)  # languages that are judged together
_MEASURES = 4  # of a language
_MARGIN = 0.02  # of the gate, by default
_TOP = (*(f"{FIRST_SET}/{name}" for name in ("one", "any", "complete@10", "centred", "mining")),)


def write_parts(folder: Path, board: Board, notebooks: Iterable[Path]) -> None:
    """Write every part to its own file, which a page includes.

    :param folder: The staged `book` folder.
    :param board: The leaderboard.
    :param notebooks: The notebooks of the book.
    """
    parts = folder / "parts"
    parts.mkdir()
    preview = folder.parent / "extra" / PREVIEW  # Sphinx copies it into the site
    preview.parent.mkdir(parents=True, exist_ok=True)
    texts = {
        "depth.md": landing_figure(parts, preview),
        "cite.md": how_to_cite(),
        "top.html": top_rows(board),
        "counts.md": counts(board),
        "records.html": records_table(),
        "advice.md": "\n".join(f"- {line}" for line in advice(board)),
        "mining.md": "\n".join(line for line in advice(board) if "mine translations" in line),
        "remedies.md": remedies_list(),
        "headline.md": headline(),
        "pools.md": pools_list(),
        "packages.md": packages_table(),
        "canaries.md": canaries_table(),
        "models.html": models_table(),
        "slides.html": slides_list(notebooks),
        **benchmark_parts(parts),
    }
    for name, text in texts.items():
        (parts / name).write_text(text + "\n", encoding="utf-8")


def landing_figure(folder: Path, preview: Path) -> str:
    """Draw the figure of the front page from the records of chapter 4, and return it with its caption.

    :param folder: Where the page finds it.
    :param preview: Path of a copy that other sites show beside a link to the book.
    """
    contents = {name: read_record(RECORDS / f"{stem}.json") for name, (stem, _) in _STATES.items()}
    states = {name: depths(content, _STATES[name][1]) for name, content in contents.items()}
    title = "How far down must you read to see the answer in both languages?"
    figure = depth_chart(states, title)
    figure.savefig(folder / "depth.svg")
    figure.savefig(preview, facecolor="white")
    trained = contents["trained"]
    data, source = trained["dataset"], trained["params"]["done"]["trained_on"]
    unseen = [LANGUAGES[code].name for code in data["languages"] if code not in {"en", *source["languages"]}]
    values = pd.DataFrame({name: table["value"] for name, table in states.items()}).round().astype(int)
    alt = ". ".join(f"{language}: {', then '.join(map(str, row))}" for language, *row in values.itertuples(name=None))
    return f"""```{{figure}} parts/depth.svg
:alt: {title} {alt}.

{data["size"]:,} questions of {data["name"]}, asked in the language named, in a pool of passages in that language and
English: the mean rank of the later of the two gold passages, with its 95% interval. The model is
{trained["model"]["name"]}; training on {source["size"]:,} triples took {trained["timing"]["done"] / 60:.0f} minutes on
{trained["environment"]["cpu"]} ({trained["created"][:10]}). Not among the training languages: {", ".join(unseen)}.
See {{doc}}`chapter 4 </notebooks/04_finetune_alignment>` for the details.
```"""


def depths(content: dict[str, Any], part: str) -> pd.DataFrame:
    """Return Max@R of questions asked in each language besides English, one row per language: value, low, high."""
    metrics = content["metrics"]
    is_pair = (metrics["kind"] == "multi") & (metrics["pool"] == "en+" + metrics["query"])
    rows = metrics[is_pair & (metrics["metric"] == "max@r") & (metrics["state"] == part)]
    names = [LANGUAGES[code].name for code in rows["query"]]
    return pd.DataFrame(rows[["value", "low", "high"]].to_numpy(), names, ["value", "low", "high"])


def top_rows(board: Board) -> str:
    """Return the five best measured models with the main measures, as an HTML table; leaders are in bold."""
    columns = [column for key in _TOP for column in board.columns if column.key == key]
    first = board.ranks(columns[0])
    measured = [number for number, row in enumerate(board.rows) if row.kind == "measured"]
    rows = []
    for number in sorted(measured, key=lambda row: first.get(row, len(board.rows)))[:5]:
        row = board.rows[number]
        cells = "".join(f"<td>{_cell(board, column, number)}</td>" for column in columns)
        name = html.escape(row.label) + (f"<small>{note}</small>" if (note := board.never_learned(number)) else "")
        rows.append(f'<th scope="row">{name}</th>{cells}')
    about = {column.heading: column.about for column in columns}
    return html_table(("Model", *about), rows, about)


def counts(board: Board) -> str:
    """Say how many models are measured here, and how many were only reported."""
    kinds = {
        kind: [row.label for row in board.rows if row.kind == kind] for kind in ("measured", "control", "reported")
    }
    listed = [name for name in kinds["measured"] if find_card(name)]
    return (
        f"Measured for this book so far: {len(listed)} models of its list ({', '.join(map(in_markdown, listed))}) and "
        f"{len(kinds['measured']) - len(listed)} others, beside {len(kinds['control'])} controls that know nothing. "
        f"Reported by others, and not measured here: {len(kinds['reported'])}."
    )


def _cell(board: Board, column: Column, number: int) -> str:
    score, form = board.scores(column).get(number), column.form
    if score is None:
        return "–"
    value = f"<b>{score.value:{form}}</b>" if board.ranks(column).get(number) == 1 else f"{score.value:{form}}"
    return value if score.low is None else f"{value} <small>{score.low:{form}} to {score.high:{form}}</small>"


def headline() -> str:
    """Tabulate what three free remedies do in a pool with translations and in one without, as Markdown."""
    record = read_record(RECORDS / f"remedies/{_MODEL}/xquad.unique.json")
    single = read_record(RECORDS / f"pools/{_MODEL}/xquad.unique+debian.json")
    both = Key("multi", f"complete@{record['params']['k']}")
    first = Key("untranslated", "ndcg@1")
    is_worse = gains(single, first.metric, first.kind)["high"] < 0
    names = {
        AS_PUBLISHED: "as published",
        "query side, 32 questions": "mean of 32 other questions in its language subtracted from the question",
        "both sides": "means of other texts in their languages subtracted from questions and passages",
        "interleaved": "each language searched separately, the two lists taken in turn",
    }
    lines = []
    for name, words in names.items():
        complete = rows_of(record["metrics"], both._replace(state=name))[["value", "low", "high"]].iloc[0]
        right = 100 * rows_of(single["metrics"], first._replace(state=name))[["value", "low", "high"]].iloc[0]
        remark = ", worse" if is_worse.get(name, False) else ""
        cells = with_interval(*complete, digits=1), with_interval(*right, digits=1) + remark
        lines.append(f"| {words} | {' | '.join(cells)} |")
    return "\n".join(
        [
            f"Out of a hundred questions on XQuAD in pools of English and one more language, {_MODEL} finds",
            "",
            "| | both versions among the first ten, if every passage is there in both languages | "
            "the right passage first, if each is there in one |",
            "|---|---|---|",
            *lines,
            "",
            f"with 95% intervals over {record['dataset']['size']:,} questions. "
            f"{{doc}}`Chapter 3 </notebooks/03_mixed_language_retrieval>` compares {len(REMEDIES)} such remedies, and "
            "says what each costs and needs.",
        ]
    )


def remedies_list() -> str:
    """Say what three remedies gained and cost in the records, one line per record, as Markdown."""
    lines = []
    for path in find_records(RECORDS, "remedies"):
        record = read_record(path)
        complete, first = (gains(record, metric) for metric in (f"complete@{record['params']['k']}", "ndcg@1"))
        parts = [
            f"{words} {_change(complete.loc[name], 1)}, first place {_change(first.loc[name], 2)}"
            for name, words in _FREE.items()
        ]
        lines.append(
            f"- {record['model']['name']} on {record['dataset']['name']}: {'; '.join(parts)}{never_learned(record)}."
        )
    about = (
        "Points of Complete@10 gained and the change of NDCG@1 in the mixed pool; unclear if the 95% interval holds 0:"
    )
    return "\n".join([about, "", *lines])


def _change(row: Any, digits: int) -> str:
    low, high = row[["low", "high"]].round(digits)
    return with_interval(row["value"], low, high, digits=digits) + (", unclear" if low <= 0 <= high else "")


def pools_list() -> str:
    """Say what three remedies change where nothing is translated, one line per record, as Markdown."""
    lines = []
    for path in find_records(RECORDS, "pools"):
        record = read_record(path)
        first = gains(record, "ndcg@1", "untranslated")
        parts = [f"{words} {with_interval(*first.loc[name])}" for name, words in _FREE.items()]
        lines.append(
            f"- {record['model']['name']} on {record['dataset']['name']}: {'; '.join(parts)}{never_learned(record)}."
        )
    about = "The change of NDCG@1 if the pool holds each passage in one of the languages, with 95% intervals:"
    return "\n".join([about, "", *lines])


def place_of(record: str | Path) -> str:
    """Return where the site has a record, below `book/`: compressed, because there are many and they are long."""
    return Path(record).relative_to(ROOT / "book").as_posix() + ".gz"


def records_table() -> str:
    """Return the records that come with the book as an HTML table, with model, data, date and machine."""
    rows = []
    for path in find_records(RECORDS):
        content = read_record(path)
        place, environment = place_of(path), content["environment"]
        about = (
            content["model"]["name"],
            content["experiment"],
            path.stem,
            content["dataset"]["sha256"][:12],
            content["created"][:10],
            environment["gpu"] or environment["cpu"],
        )
        model, experiment, stem, digest, date, machine = map(html.escape, map(str, about))
        link = f'<a href="{html.escape(place, quote=True)}">{stem}</a>'
        cells = "".join(f"<td>{cell}</td>" for cell in (experiment, link, digest, date, machine))
        rows.append(f'<th scope="row">{model}</th>{cells}')
    return html_table(("Model", "Experiment", "Record", "SHA-256 of the data", "Measured", "Machine"), rows)


def html_table(headings: Iterable[str], rows: Iterable[str], about: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return a table that scrolls sideways on narrow pages.

    :param rows: The HTML cells of each row.
    :param about: What a heading means, shown where the mouse rests on it.
    """
    titles = {name: f' title="{html.escape(text, quote=True)}"' for name, text in about.items()}
    head = "".join(f'<th scope="col"{titles.get(name, "")}>{html.escape(name)}</th>' for name in headings)
    body = "".join(f"<tr>{cells}</tr>\n" for cells in rows)
    table = f'<table class="table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f'<div class="wide-table" tabindex="0">{table}</div>'


def packages_table() -> str:
    """Return the versions that this copy of the book was built with, as a table in Markdown."""
    lines = ["| Package | Version |", "|---|---|", f"| Python | {platform.python_version()} |"]
    return "\n".join([*lines, *(f"| {name} | {version(name)} |" for name in _SHOWN_PACKAGES)])


def canaries_table() -> str:
    """Return how many canaries of a language must be lost for the gate to notice, by their number and the languages."""
    lines = [
        "| Canaries | " + " | ".join(f"{count} language{'s' * (count > 1)}" for count in _JUDGED) + " |",
        "|---:" * (len(_JUDGED) + 1) + "|",
    ]
    for count in _CANARIES:
        least = [least_loss(count, _MARGIN, LEVEL / 2 / (judged * _MEASURES)) for judged in _JUDGED]
        cells = [f"{lost} ({lost / count:.0%})" if lost else "never" for lost in least]
        lines.append(f"| {count} | {' | '.join(cells)} |")
    return "\n".join(lines)


def models_table() -> str:
    """Return the catalogue of models as an HTML table."""
    rows = []
    for card in CATALOGUE.values():
        size = f"{card.parameters / 1e6:,.0f} M" if card.parameters else "–"
        length = f"{card.max_length:,}" if card.max_length else "–"
        seen = ", ".join(card.trained_on) or "–"
        codes = card.languages.partition(": ")[2].split()
        names = ", ".join(LANGUAGES[code].name if code in LANGUAGES else _OTHER_NAMES[code] for code in codes)
        languages = f"{len(codes)}: {names}" if codes else card.languages
        cells = (card.source, card.dim, size, length, card.licence, languages, card.objective, seen)
        row = "".join(f"<td>{html.escape(str(cell))}</td>" for cell in cells)
        rows.append(f'<th scope="row">{html.escape(card.name)}</th>{row}')
    sizes = ("Dimensions", "Parameters", "Longest text (tokens)")
    facts = (*sizes, "Licence", "Languages", "Objective", "Seen in training")
    return html_table(("Name", "Source", *facts), rows)


def slides_list(notebooks: Iterable[Path]) -> str:
    """Return a list of links to the slides."""
    items = []
    for path in notebooks:
        title = nbformat.read(path, as_version=4).cells[0].source.splitlines()[0].lstrip("# ")
        items.append(f'<li><a href="../slides/{path.stem}.html">{html.escape(title)}</a></li>')
    return f"<ul>{''.join(items)}</ul>"
