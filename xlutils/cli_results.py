"""The part of `xl` that reads results: compare, leaderboard, export."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from xlutils.errors import XlError


def one_line_errors(command: Callable[..., None]) -> Callable[..., None]:
    """Turn an error that the user can mend into one line."""

    @wraps(command)
    def run(*args: Any, **options: Any) -> None:
        try:
            command(*args, **options)
        except XlError as error:
            raise click.ClickException(str(error)) from None

    return run


def names(text: str) -> list[str]:
    """Split names at commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def complete_models(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """Complete the last of some model names separated by commas, for the shell."""
    from xlutils.models.catalogue import CATALOGUE

    before, comma, last = begun.rpartition(",")
    return [f"{before}{comma}{name}" for name in CATALOGUE if name.lower().startswith(last.lower())]


@click.command()
@click.argument("one", shell_complete=complete_models)
@click.argument("other", shell_complete=complete_models)
@click.option("--records", default="_build/records", show_default=True, help="Folder of the records.")
@click.option("--all", "everything", is_flag=True, help="Every metric of every scenario.")
@click.option("--seed", default=42, show_default=True, help="Seed of the intervals.")
@one_line_errors
def compare(one: str, other: str, records: str, everything: bool, seed: int) -> None:
    r"""Compare two models item by item, from their records.

    \b
    Examples:
      xl compare use-multilingual-v3 multilingual-e5-small-q4
      xl compare LaBSE bge-m3 --records book/records --all
    """
    from xlutils.chapters.wording import with_interval
    from xlutils.results.compare import change_table, changed_most, find_pairs, headline

    for pair in find_pairs(records, one, other):
        click.secho(f"\n{pair.name}", bold=True)
        table = change_table(pair, seed)
        for name, row in (table if everything else headline(table)).iterrows():
            change = with_interval(row["change"], row["low"], row["high"], digits=3)
            click.echo(f"  {name:40} {row['one']:10.3f} {row['other']:10.3f}   change {change}")
        click.echo("  changed most:")
        for name, row in changed_most(pair).iterrows():
            click.echo(f"    {name:38} {row['one']:10.3f} {row['other']:10.3f}   {row['change']:+.3f}")


@click.command()
@click.option(
    "--records", "folders", multiple=True, help="Folder of records; book/records and _build/records if left out."
)
@click.option("--questions", default="xquad.unique", show_default=True, help="Question set, as records name it.")
@click.option("--html", type=click.Path(path_type=Path), default="_build/leaderboard.html", show_default=True)
@click.option("--csv", "table", type=click.Path(path_type=Path), help="Write all scores as CSV.")
@click.option("--check", is_flag=True, help="Check that every record may be published, and do nothing else.")
@one_line_errors
def leaderboard(folders: tuple[str, ...], questions: str | None, html: Path, table: Path | None, check: bool) -> None:
    r"""Put all records on one board: in the terminal, and as a page to sort and filter.

    \b
    Examples:
      xl leaderboard
      xl leaderboard --questions mini.unique --html board.html
      xl leaderboard --records book/records --check
    """
    from xlutils.results.check import check_records
    from xlutils.results.leaderboard.read import read_board
    from xlutils.results.leaderboard.advice import board_text
    from xlutils.results.leaderboard.page import write_files

    places = [folder for folder in folders or ("book/records", "_build/records") if Path(folder).is_dir()]
    if not places:
        raise XlError(f"no folder of records here: {', '.join(folders) or 'run a chapter first, or name one'}")
    if check:
        for folder in places:
            click.echo(f"{check_records(folder)} records in {folder} may be published")
        return
    board = read_board(places)
    click.echo(board_text(board, questions))
    write_files(board, html, table)
    click.echo(f"\nto sort and filter: {html}")


@click.group()
def export() -> None:
    """Write results for other tools."""


@export.command()
@click.argument("model", shell_complete=complete_models)
@click.option("--records", default="book/records", show_default=True, help="Folder of the records.")
@one_line_errors
def card(model: str, records: str) -> None:
    r"""Print a model's results as metadata of a model card (model-index).

    \b
    Example:
      xl export card multilingual-e5-small-q4 >> README.md
    """
    from xlutils.results.export import card_metadata

    click.echo(card_metadata(records, model), nl=False)


@export.command()
@click.argument("model", shell_complete=complete_models)
@click.option("--dataset", default="mini", show_default=True, help="Questions: a name or a folder.")
@click.option("--languages", default="zh,es,ar,th,de,ru", show_default=True, help="Languages beside English.")
@click.option("--scenarios", default="multi,multi-1,mono-same,mono-cross", show_default=True)
@click.option("--depth", type=click.IntRange(min=1), default=100, show_default=True, help="Documents a question.")
@click.option("--out", default="_build/trec", show_default=True, help="Folder of the files.")
@one_line_errors
def trec(model: str, dataset: str, languages: str, scenarios: str, depth: int, out: str) -> None:
    r"""Write a model's rankings and the judgements in TREC's format, for ir_measures, ranx and others.

    \b
    Example:
      xl export trec LaBSE --dataset xquad --languages zh,es --scenarios multi
      ir_measures _build/trec/multi.en+zh.zh.qrels _build/trec/multi.en+zh.zh.run RR nDCG@1
    """
    from xlutils import load_model
    from xlutils.chapters.retrieval import study_retrieval
    from xlutils.datasets import load_parallel
    from xlutils.datasets.scenarios import make_scenarios
    from xlutils.results.export import write_trec

    targets = names(languages)
    made = make_scenarios(names(scenarios), targets)
    study = study_retrieval(load_model(model), load_parallel(dataset, ["en", *targets]), made)
    click.echo(f"{len(write_trec(study, out, depth))} files in {out}")
