"""The command `xl`."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from xlutils.errors import XlError
from xlutils.store import cache_folder


def _one_line_errors(command: Callable[..., None]) -> Callable[..., None]:
    @wraps(command)
    def run(*args: Any, **options: Any) -> None:
        try:
            command(*args, **options)
        except XlError as error:
            raise click.ClickException(str(error)) from None

    return run


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="xlutils")
def main() -> None:
    """Measure how well multilingual embedding models align languages."""


@main.command()
def models() -> None:
    """List the models that can be loaded by name."""
    from xlutils.models.catalogue import CATALOGUE

    width = max(map(len, CATALOGUE))
    for card in CATALOGUE.values():
        remote = "  runs code of its repository" if card.needs_remote_code else ""
        click.echo(f"{card.name:{width}}  {card.dim:4}d  {card.licence:12}  {card.source}{remote}")


@main.command()
def data() -> None:
    """List the data sets that can be loaded by name."""
    from xlutils.datasets import load_lexicon
    from xlutils.datasets.files import builtin_names
    from xlutils.datasets.parallel import NAMES

    for name in builtin_names("lexicons", ".csv"):
        lexicon = load_lexicon(name)
        click.echo(f"{name:20}  {len(lexicon.concepts):4} concepts in {', '.join(lexicon.languages)}")
    places = {"mini": "ships with the package", "debian": "from $XL_DATA"}
    for name in NAMES:
        click.echo(f"{name:20}       parallel questions, {places.get(name, 'from $XL_DATA or the hub')}")


@main.command()
@click.option("--clear", is_flag=True, help="Delete the cached vectors and models.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_one_line_errors
def cache(clear: bool, yes: bool) -> None:
    r"""Show what the caches hold, or clear them.

    \b
    Examples:
      xl cache
      xl cache --clear
      XL_CACHE=/mnt/big xl cache
    """
    folder = cache_folder()
    click.echo(f"caches in {folder}")
    parts = [(part, _size(folder / part)) for part in ("embeddings", "models")]
    for part, size in parts:
        click.echo(f"  {part:11} {size / 1e6:10,.1f} MB")
    for path in sorted((folder / "embeddings").glob("*.sqlite")):
        click.echo(f"    {_size(path) / 1e6:10,.1f} MB  {path.name}")
    if clear and (yes or click.confirm("Delete all of it?")):
        for part, _ in parts:
            shutil.rmtree(folder / part, ignore_errors=True)
            if (folder / part).exists():
                raise XlError(f"could not delete {folder / part}; is another process using it?")
        click.echo(f"freed {sum(size for _, size in parts) / 1e6:,.1f} MB")


@main.command()
@click.argument("chapter")
@click.option("-p", "pairs", multiple=True, metavar="KEY=VALUE", help="A parameter of the notebook.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="The executed notebook.")
@click.option("--list", "listed", is_flag=True, help="List the parameters and their defaults instead.")
@_one_line_errors
def run(chapter: str, pairs: tuple[str, ...], out: Path | None, listed: bool) -> None:
    r"""Run a chapter with parameters of your own.

    They are checked before anything starts.

    \b
    Examples:
      xl run 2 -p models=LaBSE
      xl run 3 -p models=bge-m3 -p dataset=xquad -p languages=ar,zh -p protocol=paper
      xl run 4 --list
    """
    from xlutils import runs

    notebook = runs.find_chapter(chapter)
    standard = runs.defaults(notebook)
    if listed:
        for name, value in standard.items():
            click.echo(f"{name:16} {value!r}")
        return
    given = runs.parse(_pairs(pairs), standard)
    runs.check(notebook, given)
    target = out or Path("_build/runs", notebook.name)
    outcome = runs.execute(notebook, target, given, bar=True)
    if outcome.code:
        raise XlError(f"{notebook.stem}: {outcome.reason}")
    click.echo(f"executed: {target}")


@main.command()
@click.option("--models", required=True, help="Names, hub ids or folders, separated by commas.")
@click.option("--chapters", default="1,2,3", show_default=True, help="Some of 1, 2, 3, 4.")
@click.option("--datasets", default="", help="Words for chapters 1 and 2, questions for 3 and 4.")
@click.option("-p", "pairs", multiple=True, metavar="KEY=VALUE", help="A parameter, for the chapters that have it.")
@click.option("--out", default="_build/sweep", show_default=True, help="Folder or fsspec URL for executed notebooks.")
@click.option("--records", default="_build/records", show_default=True, help="Folder or fsspec URL for records.")
@click.option("--scheduler", help="Address of a Dask scheduler, such as tcp://10.0.0.1:8786; a local one if left out.")
@click.option("--workers", type=click.IntRange(min=1), help="Cells side by side; as many as fit if left out.")
@click.option("--threads", type=click.IntRange(min=1), help="Threads of a cell; its share of the cores if left out.")
@click.option(
    "--gpus", type=click.IntRange(min=0), default=0, help="GPUs that a cell takes of a worker's GPU resource."
)
@click.option("--dry-run", is_flag=True, help="List the cells and what they will take, and run nothing.")
@_one_line_errors
def sweep(
    models: str, chapters: str, datasets: str, pairs: tuple[str, ...], out: str, records: str, scheduler: str | None,
    workers: int | None, threads: int | None, gpus: int, dry_run: bool,
) -> None:  # fmt: skip
    r"""Run a matrix of models, chapters and data sets; what is done already is not done again.

    \b
    Examples:
      xl sweep --models use-multilingual-v3,LaBSE --chapters 1,2,3 --dry-run
      xl sweep --models bge-m3 --chapters 3 --datasets xquad,belebele -p protocol=paper
      xl sweep --models bge-m3,LaBSE --scheduler tcp://10.0.0.1:8786 --gpus 1 -p device=cuda
    """
    from xlutils.sweep import make_cells
    from xlutils.sweep_terminal import list_cells, run_here

    cells = make_cells(_names(models), _names(chapters), _names(datasets), _pairs(pairs))
    if dry_run:
        list_cells(cells, out)
    elif not run_here(cells, out, records, scheduler, workers, threads, gpus):
        raise click.exceptions.Exit(1)


@main.command()
@click.argument("one")
@click.argument("other")
@click.option("--records", default="_build/records", show_default=True, help="Folder of the records.")
@click.option("--all", "everything", is_flag=True, help="Every metric of every scenario.")
@click.option("--seed", default=42, show_default=True, help="Seed of the intervals.")
@_one_line_errors
def compare(one: str, other: str, records: str, everything: bool, seed: int) -> None:
    r"""Compare two models item by item, from their records.

    \b
    Examples:
      xl compare use-multilingual-v3 multilingual-e5-small-q4
      xl compare LaBSE bge-m3 --records book/records --all
    """
    from xlutils.compare import change_table, changed_most, find_pairs, headline
    from xlutils.studies.wording import with_interval

    for pair in find_pairs(records, one, other):
        click.secho(f"\n{pair.name}", bold=True)
        table = change_table(pair, seed)
        for name, row in (table if everything else headline(table)).iterrows():
            change = with_interval(row["change"], row["low"], row["high"], digits=3)
            click.echo(f"  {name:40} {row['one']:10.3f} {row['other']:10.3f}   change {change}")
        click.echo("  changed most:")
        for name, row in changed_most(pair).iterrows():
            click.echo(f"    {name:38} {row['one']:10.3f} {row['other']:10.3f}   {row['change']:+.3f}")


@main.command()
@click.option(
    "--records", "folders", multiple=True, help="Folder of records; book/records and _build/records if left out."
)
@click.option("--questions", default="xquad.unique", show_default=True, help="Question set, as records name it.")
@click.option("--html", type=click.Path(path_type=Path), default="_build/leaderboard.html", show_default=True)
@click.option("--csv", "table", type=click.Path(path_type=Path), help="Write all scores as CSV.")
@click.option("--check", is_flag=True, help="Check that every record may be published, and do nothing else.")
@_one_line_errors
def leaderboard(folders: tuple[str, ...], questions: str | None, html: Path, table: Path | None, check: bool) -> None:
    r"""Put all records on one board: in the terminal, and as a page to sort and filter.

    \b
    Examples:
      xl leaderboard
      xl leaderboard --questions mini.unique --html board.html
      xl leaderboard --records book/records --check
    """
    from xlutils.leaderboard.check import check_records
    from xlutils.leaderboard.read import read_board
    from xlutils.leaderboard.terminal import board_text, write_files

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


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _pairs(pairs: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise XlError(f"-p {pair}: give KEY=VALUE, such as models=LaBSE")
        found[name] = value
    return found


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(inner.stat().st_size for inner in path.rglob("*") if inner.is_file())
