"""The command `xl`."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from xlutils.cli_results import compare, complete_models, export, leaderboard, names, one_line_errors
from xlutils.errors import XlError
from xlutils.models.store import cache_folder


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="xlutils")
def main() -> None:
    """Measure how well multilingual embedding models align languages."""


for command in (compare, leaderboard, export):
    main.add_command(command)


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
@one_line_errors
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
@click.argument("chapter", shell_complete=lambda *typed: [each for each in "01234" if each.startswith(typed[2])])
@click.option("-p", "pairs", multiple=True, metavar="KEY=VALUE", help="A parameter of the notebook.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="The executed notebook.")
@click.option("--list", "listed", is_flag=True, help="List the parameters and their defaults instead.")
@one_line_errors
def run(chapter: str, pairs: tuple[str, ...], out: Path | None, listed: bool) -> None:
    r"""Run a chapter with parameters of your own.

    They are checked before anything starts.

    \b
    Examples:
      xl run 2 -p models=LaBSE
      xl run 3 -p models=bge-m3 -p dataset=xquad -p languages=ar,zh -p protocol=paper
      xl run 4 --list
    """
    from xlutils.runs import execute as runs

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
@click.option(
    "--models", required=True, shell_complete=complete_models, help="Names, hub ids or folders, separated by commas."
)
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
@one_line_errors
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
    from xlutils.runs.sweep import make_cells
    from xlutils.runs.terminal import list_cells, run_here

    cells = make_cells(names(models), names(chapters), names(datasets), _pairs(pairs))
    if dry_run:
        list_cells(cells, out)
    elif not run_here(cells, out, records, scheduler, workers, threads, gpus):
        raise click.exceptions.Exit(1)


@main.command()
@one_line_errors
def doctor() -> None:
    """Look at what works on this machine."""
    from xlutils.runs.doctor import examine

    is_ill = False
    for found in examine():
        mark = "ok" if found.works else "no" if found.is_needed else "-"
        click.echo(f"{mark:3} {found.what:9} {found.says}")
        is_ill |= found.is_needed and not found.works
    if is_ill:
        raise XlError("what is marked 'no' is needed by the default notebooks")


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
