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


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(inner.stat().st_size for inner in path.rglob("*") if inner.is_file())
