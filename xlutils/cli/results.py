"""Commands that read records: compare models, rank them, show what they know and confuse, write for other tools."""

from __future__ import annotations

from pathlib import Path

import click

from xlutils.cli.arguments import complete_models, names_in
from xlutils.errors import XlError


@click.command()
@click.argument("one", shell_complete=complete_models)
@click.argument("other", shell_complete=complete_models)
@click.option("--records", default="_build/records", show_default=True, help="Folder of the records.")
@click.option("--all", "everything", is_flag=True, help="Every metric of every scenario.")
def compare(one: str, other: str, records: str, everything: bool) -> None:
    """Compare two models item by item, from their records."""
    from xlutils.results.compare import comparison_text, find_pairs

    for pair in find_pairs(records, one, other):
        click.secho(f"\n{pair.name}", bold=True)
        click.echo(comparison_text(pair, everything=everything))


@click.command()
@click.option("--records", "folders", multiple=True, help="Folder of records; default: book/records, _build/records.")
@click.option("--questions", default="xquad.unique", show_default=True, help="Question set, as records name it.")
@click.option("--html", type=click.Path(path_type=Path), default="_build/leaderboard.html", show_default=True)
@click.option("--csv", "table", type=click.Path(path_type=Path), help="Write all scores as CSV.")
@click.option("--check", is_flag=True, help="Check that every record may be published, and do nothing else.")
def leaderboard(folders: tuple[str, ...], questions: str, html: Path, table: Path | None, check: bool) -> None:
    """Put all records on one board: in the terminal, and as a page to sort and filter."""
    from xlutils.results.check import check_records
    from xlutils.results.leaderboard.advice import board_text
    from xlutils.results.leaderboard.page import write_files
    from xlutils.results.leaderboard.read import read_board

    places = [folder for folder in folders or ("book/records", "_build/records") if Path(folder).is_dir()]
    if not places:
        raise XlError(f"no folder of records here: {', '.join(folders) or 'run a chapter first, or name one'}")
    if check:
        click.echo("\n".join(f"{check_records(folder)} records in {folder} may be published" for folder in places))
        return
    board = read_board(places)
    click.echo(board_text(board, questions))
    write_files(board, html, table)
    click.echo(f"\nto sort and filter: {html}")


@click.command()
@click.argument("model", shell_complete=complete_models)
@click.argument("tags", nargs=-1)
@click.option("--records", default="book/records", show_default=True, help="Folder of the records.")
@click.option("--dataset", default="cldr", show_default=True, help="Data of the atlas, as records name them.")
def languages(model: str, tags: tuple[str, ...], records: str, dataset: str) -> None:
    """Show how well a model knows each language, or those with these TAGS, from its record of chapter 5.

    \b
    Example:
      xl languages use-multilingual-v3 yo,bn,zh-Hant
    """
    from xlutils.chapters.atlas_tables import atlas_text, find_atlas

    click.echo(atlas_text(find_atlas(records, model, dataset), names_in(",".join(tags))))


@click.command()
@click.argument("model", shell_complete=complete_models)
@click.argument("language")
@click.option("--records", default="book/records", show_default=True, help="Folder of the records.")
@click.option("--count", type=click.IntRange(min=1), default=3, show_default=True, help="Items of each test.")
def explain(model: str, language: str, records: str, count: int) -> None:
    """Show what a model confuses in a language, in full text, from its records of chapter 6.

    \b
    Example:
      xl explain use-multilingual-v3 zh
    """
    from xlutils.chapters import relation_tables

    click.echo(relation_tables.explain(records, model, language, count))


@click.group()
def export() -> None:
    """Write results for other tools."""


@export.command()
@click.argument("model", shell_complete=complete_models)
@click.option("--records", default="book/records", show_default=True, help="Folder of the records.")
def card(model: str, records: str) -> None:
    """Print a model's results as metadata of a model card (model-index), to paste into its README."""
    from xlutils.results.export import card_metadata

    click.echo(card_metadata(records, model), nl=False)


@export.command()
@click.argument("model", shell_complete=complete_models)
@click.option("--dataset", default="mini", show_default=True, help="Questions: a name or a folder.")
@click.option("--languages", default="zh,es,ar,th,de,ru", show_default=True, help="Languages besides English.")
@click.option("--scenarios", default="multi,multi-1,mono-same,mono-cross", show_default=True)
@click.option("--depth", type=click.IntRange(min=1), default=100, show_default=True, help="Documents per question.")
@click.option("--out", default="_build/trec", show_default=True, help="Folder of the files.")
def trec(model: str, dataset: str, languages: str, scenarios: str, depth: int, out: str) -> None:
    """Write a model's rankings and the judgements in TREC's format, for ir_measures, ranx and others.

    \b
    Example:
      xl export trec LaBSE --dataset xquad --languages zh,es --scenarios multi
      ir_measures _build/trec/multi.en+zh.zh.qrels _build/trec/multi.en+zh.zh.run RR nDCG@1
    """
    from xlutils.results.export import export_trec

    paths = export_trec(model, dataset, names_in(languages), names_in(scenarios), out, depth)
    click.echo(f"{len(paths)} files in {out}")
